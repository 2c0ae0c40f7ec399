/** Typing: ephemeral. Never stored, never queued, forgotten after TYPING_TIMEOUT_MS without a word. */
import * as z from 'zod/mini'
import { roomId, userId } from './fields.ts'

/** To the server; at most once in TYPING_INTERVAL_MS. */
export const startTyping = z.object({ room: roomId })
export const stopTyping = z.object({ room: roomId })

/** From the server, to the others who follow the room. */
export const typingStarted = z.object({ room: roomId, userId })
export const typingStopped = z.object({ room: roomId, userId })
