/**
 * Rooms: what they are, and who belongs to them. Changes are requests, not commands: they need the connection, and their
 * effects are idempotent. What they change in a room is told to it as entries.
 */
import * as z from 'zod/mini'
import {
  MAX_PAGE_ENTRIES,
  MAX_PAGE_MEMBERS,
  MAX_PRESENT_USERS,
  MAX_PREVIEW_CHARS,
  MAX_ROOMS_PER_FRAME,
} from '../limits.ts'
import { RIGHT_NAMES } from '../rights.ts'
import { RECORDED_KINDS } from './content.ts'
import {
  count,
  durationMs,
  messagePlace,
  position,
  ref,
  roomId,
  roomMetadata,
  timestamp,
  userId,
} from './fields.ts'
import { roomNotifications } from './notification-settings.ts'

export const role = z.enum(['owner', 'moderator', 'member'])
const right = z.enum(RIGHT_NAMES)
export const presenceStatus = z.enum(['online', 'away', 'busy', 'offline'])

/** `direct`: of exactly two users, whose ids its id is made of. Nobody makes one: the first accepted message does. */
export const visibility = z.enum(['public', 'private', 'direct'])
const chosenVisibility = z.enum(['public', 'private'])

/** What a room says of itself. An empty name or topic is none. */
const about = {
  name: z.optional(z.string().check(z.maxLength(100))),
  topic: z.optional(z.string().check(z.maxLength(1_000))),
  metadata: z.optional(roomMetadata),
}

/** The newest message of a room, as it stands: enough for a line in a list. */
const lastMessage = z.object({
  ...messagePlace.shape,
  timestamp,
  kind: z.enum(RECORDED_KINDS),
  /** The beginning of what it says. Of what is encrypted or deleted nothing. */
  content: z.string().check(z.maxLength(MAX_PREVIEW_CHARS)),
  editedAt: z.optional(timestamp),
})

/** A room as one user sees it. Of a public room of which they are no member, nothing is theirs to read or to count. */
export const room = z.object({
  room: roomId,
  visibility,
  ...about,
  memberCount: count,
  /** The last position of the log. */
  head: position,
  /** The user's role, up to where they read, and how many messages came after. Absent: not a member. */
  role: z.optional(role),
  read: z.optional(position),
  unread: z.optional(count),
  /** In answers to `list_rooms` and `get_room`: the newest message that they may read. */
  last: z.optional(lastMessage),
  /** What they may do here, by the table in rights.ts. */
  rights: z.optional(z.array(right).check(z.maxLength(RIGHT_NAMES.length))),
  /** Until when they may not write. */
  mutedUntil: z.optional(timestamp),
  /** Of what they want to hear. */
  notifications: z.optional(roomNotifications),
})

/** To the server: make a room; the asker owns it. A room of theirs that is just so already is the answer too. */
export const createRoom = z.object({ ref, room: roomId, visibility: chosenVisibility, ...about })
/** To the server: change what is named here, and nothing else. */
export const updateRoom = z.object({
  ref,
  room: roomId,
  visibility: z.optional(chosenVisibility),
  ...about,
})
/** To the server: remove the room with all its messages. Answered by `room_left`. */
export const deleteRoom = z.object({ ref, room: roomId })
/** To the server: one's own rooms, or all public ones, in the order of their ids. */
export const listRooms = z.object({
  ref,
  which: z.enum(['own', 'public']),
  after: z.optional(roomId),
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_PAGE_ENTRIES))),
})

/** To the server: one room, by a member or where it is public. */
export const getRoom = z.object({ ref, room: roomId })

export const roomInfo = z.object({ ref, ...room.shape })
export const roomList = z.object({
  ref,
  rooms: z.array(room).check(z.maxLength(MAX_PAGE_ENTRIES)),
  hasMore: z.boolean(),
})

/** To the server: become a member. Idempotent; a public room that does not exist yet is made where the server allows it. */
export const joinRoom = z.object({ ref, room: roomId })
/** To the server: the same of several rooms. Each has an answer of its own under this `ref`, `room_joined` or an error. */
export const joinRooms = z.object({
  ref,
  rooms: z.array(roomId).check(z.minLength(1), z.maxLength(MAX_ROOMS_PER_FRAME)),
})
/** To the server: be a member no longer. Idempotent. */
export const leaveRoom = z.object({ ref, room: roomId })
/** To the server: a page of the members, by user id. A room may have more of them than any frame could hold. */
export const listMembers = z.object({
  ref,
  room: roomId,
  after: z.optional(userId),
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_PAGE_MEMBERS))),
})
/** To the server: those members who are there now. */
export const listActiveMembers = z.object({ ref, room: roomId })

/** To the server: this user may become a member. Owners and moderators ask it. */
export const inviteMember = z.object({ ref, room: roomId, userId, role: z.optional(role) })
/** To the server: become a member of a private room. Answered by `room_joined`. */
export const acceptInvitation = z.object({ ref, room: roomId })
/** To the server: this user shall be a member no longer, or is not invited any more. */
export const removeMember = z.object({ ref, room: roomId, userId })

const aboutUser = { ref, room: roomId, userId }
/** To the server: the member shall have this role. A room keeps an owner: the last one can be nothing else. */
export const setRole = z.object({ ...aboutUser, role })
/** To the server: out, and neither joins nor is invited until unbanned. Also of who is no member. */
export const banMember = z.object(aboutUser)
export const unbanMember = z.object(aboutUser)
/** To the server: the member may not write for so long; a later one replaces an earlier one. Stays over leaving and joining. */
export const muteMember = z.object({ ...aboutUser, durationMs: durationMs.check(z.minimum(1)) })
export const unmuteMember = z.object(aboutUser)

export const roomJoined = z.object({ ref, room: roomId, role })

/** From the server: no longer a member, or no longer following; with `ref` as the answer to `leave_room`. */
export const roomLeft = z.object({
  ref: z.optional(ref),
  room: roomId,
  reason: z.enum(['left', 'removed', 'banned', 'deleted']),
})

export const member = z.object({
  userId,
  role,
  status: presenceStatus,
  joinedAt: timestamp,
})
export const memberList = z.object({
  ref,
  room: roomId,
  members: z.array(member).check(z.maxLength(MAX_PAGE_MEMBERS)),
  hasMore: z.boolean(),
})
export const activeMemberList = z.object({
  ref,
  room: roomId,
  members: z.array(z.object({ userId, role, status: presenceStatus })).check(z.maxLength(MAX_PRESENT_USERS)),
  /** How many there are, where the list has not room for all. */
  count: z.optional(count),
})

/** Entries of the log. Their sender is who did it. */
export const roomCreated = z.object({ visibility, ...about })
export const roomUpdated = z.object({ visibility: z.optional(chosenVisibility), ...about })
export const memberInvited = z.object({ userId, role })
export const memberJoined = z.object({ userId, role })
export const roomDeleted = z.object({})
/** With `banned` also of somebody who was no member. */
export const memberLeft = z.object({ userId, reason: z.enum(['left', 'removed', 'banned']) })
export const memberUnbanned = z.object({ userId })
export const memberMuted = z.object({ userId, until: timestamp })
export const memberUnmuted = z.object({ userId })
export const roleChanged = z.object({ userId, role })
