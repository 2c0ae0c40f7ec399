/**
 * Presence: ephemeral. Who follows a room is told who else is there, at first as a list, then change by change.
 * A user with several connections is there as long as one of them is.
 */
import * as z from 'zod/mini'
import { roomId, timestamp, userId } from './fields.ts'
import { presenceStatus } from './rooms.ts'

/** From the server, after the first page of a subscription: everybody who is in the room now. */
export const roomPresence = z.object({
  room: roomId,
  users: z.array(z.object({ userId, status: presenceStatus })),
})

/** From the server. `lastSeenAt` is given with `offline`. */
export const presenceChanged = z.object({
  room: roomId,
  userId,
  status: presenceStatus,
  lastSeenAt: z.optional(timestamp),
})
