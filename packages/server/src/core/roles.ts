/**
 * Roles: giving somebody another one, and who owns a room when its last owner went. A room that had an owner keeps one
 * while it has members, unless the application takes it.
 */
import type { Role } from '@tautline/protocol/wire'
import type { Change, LogRow, Membership, Step, View } from './batch.ts'
import { behind, DONE, fresh, type Heads, nextRow, noticeRow, refused } from './log-rows.ts'
import { isSystem, may } from './rights.ts'
import type { RoomChange, SetRoleOp } from './store.ts'

export function transactSetRole(view: View, op: SetRoleOp, unixMs: number): Step {
  const { user, room, target, role } = op
  const member = view.member(room, target)
  if (!member || !may(view, user, room, 'set_role')) return refused('FORBIDDEN')
  if (member.role === role) return DONE
  const isLastOwner = member.role === 'owner' && !hasOtherOwner(view, room, target)
  if (isLastOwner && !isSystem(user)) return refused('FORBIDDEN')
  const { rows, change } = appoint(view, op, target, { ...member, role }, unixMs)
  return fresh(view, { outcome: DONE.outcome, append: rows, members: [change] })
}

interface Appointment {
  readonly rows: readonly [LogRow, LogRow]
  readonly change: Change<Membership>
}

/**
 * Who owns the room when this owner is gone: of the moderators, else of the members, who came first. Undefined: somebody
 * owns it still, or nobody is left. `row`: that of the departure.
 */
export function succeed(
  view: View,
  op: RoomChange,
  gone: string,
  row: LogRow,
  unixMs: number,
): Appointment | undefined {
  const { user, room, messageId, noticeId } = op
  if (view.member(room, gone)?.role !== 'owner') return undefined
  const heir = heirOf(view, room, gone)
  if (!heir || heir[1].role === 'owner') return undefined
  const by = { user, room, messageId: `${messageId}-2`, noticeId: `${noticeId}-2` }
  return appoint(behind(view, row), by, heir[0], { ...heir[1], role: 'owner' }, unixMs)
}

function appoint(heads: Heads, by: RoomChange, userId: string, is: Membership, unixMs: number): Appointment {
  const { room } = by
  const { role } = is
  const row = nextRow(heads, by, { type: 'role_changed', payload: { userId, role } }, '', unixMs)
  const notice = noticeRow(heads, by, userId, 'appointment', { room, role }, unixMs)
  return { rows: [row, notice], change: { room, user: userId, is } }
}

const RANK: { readonly [R in Role]: number } = { owner: 0, moderator: 1, member: 2 }

function heirOf(view: View, room: string, gone: string): readonly [string, Membership] | undefined {
  let heir: readonly [string, Membership] | undefined
  for (const member of view.everyMember(room)) {
    if (member[0] === gone) continue
    const rank = heir ? RANK[member[1].role] - RANK[heir[1].role] : -1
    if (rank < 0 || (rank === 0 && heir && member[1].joinedSeq < heir[1].joinedSeq)) heir = member
  }
  return heir
}

function hasOtherOwner(view: View, room: string, user: string): boolean {
  for (const [other, { role }] of view.everyMember(room)) if (role === 'owner' && other !== user) return true
  return false
}
