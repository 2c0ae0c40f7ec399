/**
 * Reactions: durable, for they change what a room shows. Who reacted with what to which message is a set: adding what is
 * there and removing what is not are accepted, and change nothing.
 */
import * as z from 'zod/mini'
import { MAX_EMOJIS_PER_MESSAGE } from '../limits.ts'
import { count, messagePlace, messageTarget, ref, roomId, userId } from './fields.ts'

/**
 * One emoji as one grapheme: a keycap, a flag, or a pictograph with its tone of skin or tags, and others joined to it by
 * U+200D. Its form, not its membership of a list that grows. Or the short name of one of the application's own, between
 * colons: which of them there are the server says.
 */
const EMOJI =
  /^(?:[0-9#*]\ufe0f?\u20e3|\p{RI}\p{RI}|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?(?:[\u{e0020}-\u{e007e}]{1,8}\u{e007f})?(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?){0,8}|:[a-z0-9_+-]{1,32}:)$/u
const emoji = z.string().check(z.maxLength(64), z.regex(EMOJI))

/** Commands, and the entries that they become; the sender of the entry is who reacts. */
export const addReaction = z.object({ target: messageTarget, emoji })
export const removeReaction = addReaction
/** `count`: how many have reacted with it after this entry, so that who knows no more than counts can go on counting. */
export const reactionAdded = z.object({ target: messagePlace, emoji, count })
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
