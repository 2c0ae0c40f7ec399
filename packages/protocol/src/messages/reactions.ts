/**
 * Reactions: durable, for they change what a room shows. Who reacted with what to which message is a set: adding what is
 * there and removing what is not are accepted, and change nothing.
 */
import * as z from 'zod/mini'
import { MAX_EMOJIS_PER_MESSAGE } from '../limits.ts'
import { count, messagePlace, messageTarget, ref, roomId, userId } from './fields.ts'

/** One emoji, joined ones and those with a tone of skin included: its form, not its membership of a list that grows. */
const EMOJI =
  /^(?:[0-9#*]\ufe0f?\u20e3|[\p{Extended_Pictographic}\p{RI}](?:\p{Extended_Pictographic}|\p{RI}|\p{Emoji_Modifier}|\ufe0f|\u200d|[\u{e0020}-\u{e007f}]){0,15})$/u
const emoji = z.string().check(z.maxLength(64), z.regex(EMOJI))

/** Commands, and the entries that they become; the sender of the entry is who reacts. */
export const addReaction = z.object({ target: messageTarget, emoji })
export const removeReaction = addReaction
export const reactionAdded = z.object({ target: messagePlace, emoji })
export const reactionRemoved = reactionAdded

/** How many reacted with each, and whether the asker is one of them. */
export const reactionCounts = z
  .array(z.object({ emoji, count, own: z.boolean() }))
  .check(z.maxLength(MAX_EMOJIS_PER_MESSAGE))

/** To the server: who reacted to this message? */
export const getReactions = z.object({ ref, room: roomId, target: messageTarget })

/** From the server. `users`: the first 100 of each, in the order in which they reacted. */
export const reactionList = z.object({
  ref,
  room: roomId,
  reactions: z
    .array(z.object({ emoji, count, users: z.array(userId).check(z.maxLength(100)) }))
    .check(z.maxLength(MAX_EMOJIS_PER_MESSAGE)),
})
