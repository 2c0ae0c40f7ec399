/**
 * Presence: ephemeral. Who follows a room is told who else is there, at first as a list, then as differences; beside it,
 * whoever may know of a user is told of them on request. A user with several connections is there as long as one is.
 */
import * as z from 'zod/mini'
import { MAX_PRESENT_USERS, MAX_USERS_PER_FRAME } from '../limits.ts'
import { count, ref, roomId, timestamp, userId } from './fields.ts'
import { presenceStatus } from './rooms.ts'

/** What a user says of themselves, in a few words. */
const statusText = z.string().check(z.maxLength(100))
const users = z.array(userId).check(z.minLength(1), z.maxLength(MAX_USERS_PER_FRAME))

/** How a user is. `lastSeenAt` is given with `offline`, where it is known. */
const person = z.object({
  userId,
  status: presenceStatus,
  statusText: z.optional(statusText),
  lastSeenAt: z.optional(timestamp),
})

/** To the server: how I am on this connection, until I say otherwise; said again after each connect. No text: none. */
export const updatePresence = z.object({ status: presenceStatus, statusText: z.optional(statusText) })

/** To the server: tell me of these users, whatever room they are in. Those of whom I may not know are left out. */
export const subscribePresence = z.object({ ref, users })
export const unsubscribePresence = z.object({ ref, users })

/** From the server, after the first page of a subscription: who is in the room now, as many as a list may name. */
export const roomPresence = z.object({
  room: roomId,
  users: z
    .array(z.object({ userId, status: presenceStatus, statusText: z.optional(statusText) }))
    .check(z.maxLength(MAX_PRESENT_USERS)),
  /** How many are there, where the list has not room for all. */
  count: z.optional(count),
})

/** From the server: what became of the list since. Who is `offline` is on it no longer, all others are. */
export const presenceChanged = z.object({
  room: roomId,
  users: z.array(person).check(z.maxLength(MAX_PRESENT_USERS)),
  count: z.optional(count),
})

/**
 * From the server: those asked for with `ref`, as they are now; without it, those of them who changed, and `ended`, of
 * whom the asker may not know any longer.
 */
export const userPresence = z.object({
  ref: z.optional(ref),
  users: z.array(person).check(z.maxLength(MAX_USERS_PER_FRAME)),
  ended: z.optional(z.array(userId).check(z.maxLength(MAX_USERS_PER_FRAME))),
})
