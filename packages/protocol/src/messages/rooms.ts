/** Rooms: membership (durable), and who belongs to a room. */
import * as z from 'zod/mini'
import { ref, roomId, timestamp, userId } from './fields.ts'

export const role = z.enum(['owner', 'moderator', 'member'])
export const presenceStatus = z.enum(['online', 'away', 'busy', 'offline'])

/** To the server: become a member. Idempotent; a public room that does not exist yet is made where the server allows it. */
export const joinRoom = z.object({ ref, room: roomId })
/** To the server: be a member no longer. Idempotent. */
export const leaveRoom = z.object({ ref, room: roomId })
export const listMembers = z.object({ ref, room: roomId })

export const roomJoined = z.object({ ref, room: roomId, role })

/** From the server: no longer a member, or no longer following; with `ref` as the answer to `leave_room`. */
export const roomLeft = z.object({
  ref: z.optional(ref),
  room: roomId,
  reason: z.enum(['left', 'removed', 'deleted']),
})

export const member = z.object({
  userId,
  role,
  status: presenceStatus,
  joinedAt: timestamp,
})
export const memberList = z.object({ ref, room: roomId, members: z.array(member) })

/** Entries of the log. Their sender is who did it. */
export const memberJoined = z.object({ userId, role })
export const memberLeft = z.object({ userId, reason: z.enum(['left', 'removed']) })
