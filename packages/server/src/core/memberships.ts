/**
 * Who belongs to a room: what becomes of making one, joining, leaving, inviting, putting out and banning. Each changes nothing
 * where it is so already. What is told to whom: an entry in the log of the room, and one in the own log of who it is about.
 */
import type { Entry } from '@tautline/protocol/wire'
import {
  type Change,
  type Membership,
  NEW_ROOM,
  type Room,
  type Sanction,
  type Step,
  type View,
} from './batch.ts'
import { DONE, fresh, nextRow, noticeRow, refused } from './log-rows.ts'
import { canAdmit, canInvite, hasDoor, isBanned, isSystem, mayAgainst } from './rights.ts'
import { succeed } from './roles.ts'
import type { AcceptOp, AdmitOp, BanOp, CreateOp, InviteOp, JoinOp, LeaveOp, RemoveOp } from './store.ts'
import { describe, describeRoom } from './unread.ts'

export function transactCreate(view: View, op: CreateOp, unixMs: number): Step {
  const { user, room: id, visibility, about } = op
  const known = view.room(id)
  if (id.startsWith('~')) return refused('FORBIDDEN')
  if (known) {
    const member = view.member(id, user)
    const isJustSo = known.visibility === visibility && known.about === about
    if (!isJustSo || (member?.role !== 'owner' && !isSystem(user))) return refused('FORBIDDEN')
    const is = describe(view, id, known, user)
    return { outcome: { outcome: 'created', is } }
  }
  const made: Room = { ...NEW_ROOM, visibility, about }
  const payload = { visibility, ...(JSON.parse(about) as Entry['payload']) }
  const row = nextRow(view, op, { type: 'room_created', payload }, '', unixMs)
  const after = { ...made, lastSeq: 1 }
  if (isSystem(user)) {
    const outcome = { outcome: 'created', is: describeRoom(id, after, undefined, undefined) } as const
    return fresh(view, { outcome, make: { room: id, is: made }, append: [row] })
  }
  const is: Membership = { role: 'owner', fromSeq: 1, joinedSeq: 1, joinedOrdinal: 0, joinedAt: unixMs }
  return fresh(view, {
    outcome: { outcome: 'created', is: describeRoom(id, { ...after, memberCount: 1 }, is, undefined) },
    make: { room: id, is: made },
    append: [row, noticeRow(view, op, user, 'admission', { room: id, role: 'owner' }, unixMs)],
    members: [{ room: id, user, is }],
  })
}

export function transactJoin(view: View, op: JoinOp, unixMs: number): Step {
  const { user, room } = op
  if (room.startsWith('~')) return refused('FORBIDDEN')
  const member = view.member(room, user)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  const known = view.room(room)
  if (known ? known.visibility !== 'public' : !op.create) return refused('FORBIDDEN')
  if (isBanned(view, user, room)) return refused('FORBIDDEN')
  return enter(view, op, user, known ? 'member' : 'owner', unixMs)
}

export function transactAccept(view: View, op: AcceptOp, unixMs: number): Step {
  const { user, room } = op
  if (!hasDoor(view.room(room))) return refused('FORBIDDEN')
  const member = view.member(room, user)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  const invitation = view.invitation(room, user)
  if (isBanned(view, user, room)) return refused('FORBIDDEN')
  return invitation ? enter(view, op, user, invitation.role, unixMs) : refused('FORBIDDEN')
}

export function transactAdmit(view: View, op: AdmitOp, unixMs: number): Step {
  const { user, room, target, role } = op
  if (!canAdmit(view, user, room)) return refused('FORBIDDEN')
  const member = view.member(room, target)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  // Whom the application lets in is banned no longer.
  const sanction = isBanned(view, target, room) ? withoutBan(view, room, target) : undefined
  return { ...enter(view, op, target, role, unixMs), sanction }
}

/** A private room is read from the own entry on, also by who comes back; a public one from where it began to be that. */
function enter(
  view: View,
  op: JoinOp | AcceptOp | AdmitOp,
  user: string,
  role: Membership['role'],
  unixMs: number,
): Step {
  const { room } = op
  const row = nextRow(view, op, { type: 'member_joined', payload: { userId: user, role } }, '', unixMs)
  const joinedSeq = row.entry.seq
  const known = view.room(room)
  const fromSeq = known?.visibility === 'private' ? joinedSeq : (known?.openFrom ?? 1)
  const is: Membership = { role, fromSeq, joinedSeq, joinedOrdinal: row.ordinal, joinedAt: unixMs }
  return fresh(view, {
    outcome: { outcome: 'joined', role },
    append: [row, noticeRow(view, op, user, 'admission', { room, role }, unixMs)],
    members: [{ room, user, is }],
    invitation: withoutInvitation(view, room, user),
  })
}

export function transactLeave(view: View, op: LeaveOp, unixMs: number): Step {
  const { user, room } = op
  // Nobody else is told of a room's being there: who is no member has left every room.
  if (view.member(room, user) === undefined) return { outcome: { outcome: 'left' } }
  if (!hasDoor(view.room(room))) return refused('FORBIDDEN')
  return putOut(view, op, user, 'left', unixMs)
}

export function transactRemove(view: View, op: RemoveOp, unixMs: number): Step {
  const { user, room, target } = op
  if (!mayAgainst(view, user, room, 'remove', target)) return refused('FORBIDDEN')
  const isThere = view.member(room, target) ?? view.invitation(room, target)
  return isThere ? putOut(view, op, target, 'removed', unixMs) : { outcome: { outcome: 'removed' } }
}

export function transactBan(view: View, op: BanOp, unixMs: number): Step {
  const { user, room, target, lift } = op
  if (!mayAgainst(view, user, room, 'ban', target)) return refused('FORBIDDEN')
  if (isBanned(view, target, room) === !lift) return DONE
  if (!lift) {
    const is = { isBanned: true, mutedUntil: view.sanction(room, target)?.mutedUntil ?? 0 }
    return { ...putOut(view, op, target, 'banned', unixMs), sanction: { room, user: target, is } }
  }
  const row = nextRow(view, op, { type: 'member_unbanned', payload: { userId: target } }, '', unixMs)
  return fresh(view, {
    outcome: DONE.outcome,
    append: [row],
    sanction: withoutBan(view, room, target),
  })
}

/** A mute outlasts it. */
function withoutBan(view: View, room: string, user: string): Change<Sanction> {
  const mutedUntil = view.sanction(room, user)?.mutedUntil ?? 0
  return { room, user, is: mutedUntil === 0 ? undefined : { isBanned: false, mutedUntil } }
}

/** Who was neither a member nor invited is told nothing: they may not know of the room. */
function putOut(
  view: View,
  op: LeaveOp | RemoveOp | BanOp,
  target: string,
  reason: 'left' | 'removed' | 'banned',
  unixMs: number,
): Step {
  const { room } = op
  const member = view.member(room, target)
  const invitation = withoutInvitation(view, room, target)
  const row = nextRow(view, op, { type: 'member_left', payload: { userId: target, reason } }, '', unixMs)
  const succession = succeed(view, op, target, row, unixMs)
  const append = [row, ...(succession?.rows ?? [])]
  if (member || invitation) append.push(noticeRow(view, op, target, 'removal', { room, reason }, unixMs))
  const members: Change<Membership>[] = member ? [{ room, user: target, is: undefined }] : []
  if (succession) members.push(succession.change)
  return fresh(view, {
    outcome: { outcome: reason === 'banned' ? 'done' : reason },
    append,
    members,
    invitation,
    setting: view.noticeSetting(room, target) && { room, user: target, is: undefined },
  })
}

export function transactInvite(view: View, op: InviteOp, unixMs: number): Step {
  const { user, room, target, role } = op
  if (!canInvite(view, user, room, role) || isBanned(view, target, room)) return refused('FORBIDDEN')
  const outcome = { outcome: 'invited' } as const
  if (view.member(room, target) || view.invitation(room, target)?.role === role) return { outcome }
  const row = nextRow(view, op, { type: 'member_invited', payload: { userId: target, role } }, '', unixMs)
  return fresh(view, {
    outcome,
    append: [row, noticeRow(view, op, target, 'invitation', { room, role }, unixMs)],
    invitation: { room, user: target, is: { role, invitedAt: unixMs } },
  })
}

function withoutInvitation(view: View, room: string, user: string): Change<never> | undefined {
  return view.invitation(room, user) && { room, user, is: undefined }
}
