/** Receipts: monotone maxima per user and room. State, not entries: the newest value is what counts. */
import * as z from 'zod/mini'
import { ref, roomId, seq, timestamp, userId } from './fields.ts'

/** To the server: I have read up to here. */
export const markRead = z.object({ ref, room: roomId, seq })

/** From the server: a user has read up to `seq`; with `ref` as the answer to `mark_read`, with the value now in force. */
export const messagesRead = z.object({ ref: z.optional(ref), room: roomId, userId, seq, timestamp })
