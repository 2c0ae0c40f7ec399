/**
 * Who may do what: the one place for it. Everything that reads or writes asks here, and "there is no such room" is the
 * same answer as "not you".
 *
 * - A public room: anybody may join, and a member reads it from its beginning. Any member may invite.
 * - A private room: who was invited may come. They read from their own `member_joined` on; what was said before is
 *   not theirs. Owners and moderators invite.
 * - A direct room (`~a~b`) is there for its two users from the beginning of time, and for nobody else; it is empty until
 *   the first message, and nobody joins, leaves or is removed.
 * - A user's own log (`~user`) is read by that user alone, and written by the server alone.
 * - The system (SYSTEM_USER_ID) is the application itself, which no client can be. It belongs to no room, and may speak
 *   in every room that there is, make one, and let in and put out whom it wants.
 */
import { ownLogId, type Role, SYSTEM_USER_ID, usersOfDirectRoom } from '@tautline/protocol/wire'
import { type Membership, type MessageRow, newRoom, type Room, type View } from './batch.ts'

/** Of a user in a room that its name gives them, before anything was written in it. */
const BORN_MEMBER: Membership = { role: 'member', fromSeq: 1, joinedSeq: 0, joinedOrdinal: 0, joinedAt: 0 }

/** Undefined: no member. */
export function membershipOf(view: View, room: string, user: string): Membership | undefined {
  const member = view.member(room, user)
  if (member || !room.startsWith('~')) return member
  const isTheirs = room === ownLogId(user) || usersOfDirectRoom(room)?.includes(user)
  return isTheirs ? BORN_MEMBER : undefined
}

/** What a user may read of a room: the positions from `first` on. */
export interface Readable {
  readonly room: Room
  readonly member: Membership
  readonly first: number
}

/** The one question before every read. Undefined: nothing, or there is no such room. */
export function canRead(view: View, user: string, id: string): Readable | undefined {
  const member = membershipOf(view, id, user)
  if (!member) return undefined
  const room = view.room(id) ?? newRoom(id)
  return { room, member, first: Math.max(member.fromSeq, room.oldest) }
}

/** Whether the user's commands may append to the log. */
export function canWrite(view: View, user: string, room: string): boolean {
  if (isSystem(user)) return hasDoor(view.room(room)) || usersOfDirectRoom(room) !== undefined
  return room !== ownLogId(user) && membershipOf(view, room, user) !== undefined
}

/** Whether the user may read the message, and so react, answer and repeat it. */
export function canSee(view: View, user: string, { room, seq }: MessageRow): boolean {
  if (isSystem(user)) return canWrite(view, user, room)
  const readable = canRead(view, user, room)
  return readable !== undefined && seq >= readable.first
}

/** Whether the user, who may see the message, may delete it. */
export function canDelete(view: View, user: string, { room, sender }: MessageRow): boolean {
  if (sender === user || isSystem(user)) return true
  const role = view.member(room, user)?.role
  return role === 'owner' || role === 'moderator'
}

/** Whether the user may let somebody in as `role`. */
export function canInvite(view: View, user: string, id: string, role: Role): boolean {
  const room = view.room(id)
  const own = view.member(id, user)?.role
  if (!own || !hasDoor(room) || role === 'owner') return false
  if (own === 'owner') return true
  return role === 'member' && (own === 'moderator' || room.visibility === 'public')
}

/** Whether the user may put the other out, who may be one that is only invited, or nobody: who leaves by themselves does not. */
export function canRemove(view: View, user: string, id: string, target: string): boolean {
  if (isSystem(user)) return hasDoor(view.room(id))
  const own = view.member(id, user)?.role
  if (!own || !hasDoor(view.room(id)) || user === target) return false
  const other = view.member(id, target)?.role ?? view.invitation(id, target)?.role ?? 'member'
  return own === 'owner' || (own === 'moderator' && other === 'member')
}

/** Whether the user may make others members who were not asked. */
export function canAdmit(view: View, user: string, id: string): boolean {
  return isSystem(user) && hasDoor(view.room(id))
}

/** Whether this is the application itself, which is bound by no membership. */
export function isSystem(user: string): boolean {
  return user === SYSTEM_USER_ID
}

/** Whether one can come into the room and go out of it. */
export function hasDoor(
  room: Room | undefined,
): room is Room & { readonly visibility: 'public' | 'private' } {
  return room?.visibility === 'public' || room?.visibility === 'private'
}
