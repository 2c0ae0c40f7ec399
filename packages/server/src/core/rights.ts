/**
 * Who may do what: the one place for it. Everything that reads or writes asks here, and "there is no such room" is the
 * same answer as "not you". What each role may is the table of the protocol (rights.ts there); here it meets rooms:
 *
 * - A public room: anybody may join who is not banned, and a member reads it from its beginning.
 * - A private room: who was invited may come. They read from their own `member_joined` on; what was said before is
 *   not theirs.
 * - A direct room (`~a~b`) is there for its two users from the beginning of time, and for nobody else; it is empty until
 *   the first message, and nobody joins, leaves or is removed.
 * - A user's own log (`~user`) is read by that user alone, and written by the server alone.
 * - A deleted room is nobody's.
 * - The system (SYSTEM_USER_ID) is the application itself, which no client can be. It belongs to no room, and may do in
 *   every room that there is what an owner may, let in whom it wants, and speak in direct ones too.
 */
import {
  hasRight,
  outranks,
  ownLogId,
  type Right,
  type Role,
  SYSTEM_USER_ID,
  usersOfDirectRoom,
} from '@tautline/protocol/wire'
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

/** The one question before every change; about people, `mayAgainst` too. */
export function may(view: View, user: string, id: string, right: Right): boolean {
  const room = view.room(id) ?? newRoom(id)
  if (isSystem(user))
    return hasDoor(view.room(id)) || (right === 'write' && usersOfDirectRoom(id) !== undefined)
  const member = membershipOf(view, id, user)
  const { visibility } = room
  if (!member || visibility === 'own' || visibility === 'deleted') return false
  return hasRight(member.role, right, visibility)
}

/** Whether the user may do so to the other, who may be one that is only invited, or nobody: never to themselves. */
export function mayAgainst(view: View, user: string, id: string, right: Right, target: string): boolean {
  if (!may(view, user, id, right) || user === target) return false
  const own = view.member(id, user)?.role ?? 'owner'
  return outranks(own, view.member(id, target)?.role ?? view.invitation(id, target)?.role ?? 'member')
}

/** Whether the user may read the message, and so react, answer and repeat it. */
export function canSee(view: View, user: string, { room, seq }: MessageRow): boolean {
  if (isSystem(user)) return may(view, user, room, 'write')
  const readable = canRead(view, user, room)
  return readable !== undefined && seq >= readable.first
}

/** Whether the user, who may see the message, may delete it. */
export function canDelete(view: View, user: string, { room, sender }: MessageRow): boolean {
  return sender === user || isSystem(user) || may(view, user, room, 'delete_others')
}

/** Whether the user may let somebody in as `role`. */
export function canInvite(view: View, user: string, id: string, role: Role): boolean {
  if (role === 'owner' || !may(view, user, id, 'invite')) return false
  return role === 'member' || may(view, user, id, 'set_role')
}

/** Whether the user may make others members who were not asked. */
export function canAdmit(view: View, user: string, id: string): boolean {
  return isSystem(user) && hasDoor(view.room(id))
}

/** Whether what a member writes is refused for now. The application does not hear of itself. */
export function isMuted(view: View, user: string, room: string, unixMs: number): boolean {
  return (view.sanction(room, user)?.mutedUntil ?? 0) > unixMs
}

export function isBanned(view: View, user: string, room: string): boolean {
  return view.sanction(room, user)?.isBanned === true
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
