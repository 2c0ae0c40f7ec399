/**
 * What a commit decides, once for all stores: `runBatch` takes operations in order over a `View` of what is committed
 * and gives their outcomes and the rows to write. Each operation sees those before it in the same batch.
 *
 * The one row that carries what a user wrote, the entry, is handed to the store at once: where that row alone fails,
 * its operation gets INTERNAL_ERROR, nothing of it is kept and the batch goes on. All other rows (heads, lanes,
 * members, read positions) are ids and numbers; they are written once a batch, at its end (see batch.ts).
 * Lanes follow docs/protocol.md, "Lanes"; the decision itself is `decide` of the protocol. No clock, no storage here.
 */
import {
  CODES,
  type Code,
  decide,
  type Entry,
  nextFingerprint,
  ownLogId,
  usersOfDirectRoom,
} from '@tautline/protocol/wire'
import {
  Batch,
  type Change,
  failure,
  isMessage,
  type LogRow,
  type Membership,
  NEW_ROOM,
  newRoom,
  type ReadMark,
  type Room,
  type Step,
  type View,
} from './batch.ts'
import { canAdmit, canInvite, canRemove, canWrite, hasDoor, isSystem, membershipOf } from './rights.ts'
import type {
  AcceptOp,
  AdmitOp,
  CommandOp,
  CreateOp,
  InviteOp,
  JoinOp,
  LeaveOp,
  MarkReadOp,
  RemoveOp,
  StoreOp,
} from './store.ts'
import { describeRoom, unreadOf } from './unread.ts'

/**
 * Lanes that a user may have in rooms of which they are no member, or that do not exist. What fails there is recorded
 * like everything final; beyond this bound no lane is made, and the answer is UNAVAILABLE.
 */
export const MAX_STRANGE_LANES = 1_000

/** How often a store looks for lanes that nobody used for LANE_RETENTION_MS. */
export const LANE_COLLECTION_INTERVAL_MS = 24 * 3_600_000

/** Keeps the rows of one operation for this batch. False: they cannot be kept, and none is. Throws where the whole batch cannot. */
export type Insert = (rows: readonly LogRow[]) => boolean

export function runBatch(view: View, ops: readonly StoreOp[], unixMs: number, insert: Insert): Batch {
  const batch = new Batch(view)
  for (const op of ops) {
    const step = transact(batch, op, unixMs)
    if (step.append === undefined || insert(step.append)) batch.accept(step)
    else batch.refuse('INTERNAL_ERROR')
  }
  return batch
}

/** What one operation comes to. Changes nothing. */
export function transact(view: View, op: StoreOp, unixMs: number): Step {
  switch (op.op) {
    case 'command':
      return transactCommand(view, op, unixMs)
    case 'create':
      return transactCreate(view, op, unixMs)
    case 'join':
      return transactJoin(view, op, unixMs)
    case 'leave':
      return transactLeave(view, op, unixMs)
    case 'invite':
      return transactInvite(view, op, unixMs)
    case 'accept':
      return transactAccept(view, op, unixMs)
    case 'admit':
      return transactAdmit(view, op, unixMs)
    case 'remove':
      return transactRemove(view, op, unixMs)
    case 'mark_read':
      return transactMarkRead(view, op, unixMs)
    default:
      return unreachable(op)
  }
}

function transactCommand(view: View, op: CommandOp, unixMs: number): Step {
  const { user, sid, room, n, messageId, digest } = op
  const skip = op.entry === undefined && op.refusal === undefined
  const refusal = op.refusal ?? (canWrite(view, user, room) ? undefined : 'FORBIDDEN')
  const lastN = view.lastN(user, sid, room)
  const decision = decide(lastN ?? 0, view.entry(user, messageId), { room, n, digest, skip, refusal })
  switch (decision.decision) {
    case 'gap':
      return refused('GAP')
    case 'acknowledge':
      return inLane(view, op, decision.advance, {
        outcome: {
          outcome: 'acknowledged',
          seq: decision.seq,
          timestamp: decision.timestamp,
          appended: false,
        },
      })
    case 'fail':
      // A retryable code leaves the lane alone, whoever gave it as the reason to refuse.
      return inLane(view, op, decision.advance && CODES[decision.code].final, refused(decision.code))
    case 'append':
      if (op.isUnreviewed) return refused('UNAVAILABLE')
      return inLane(view, op, true, appendCommand(view, op, unixMs))
    default:
      return unreachable(decision)
  }
}

/** Who says something has read what stands before. */
function appendCommand(view: View, op: CommandOp, unixMs: number): Step {
  if (op.entry === undefined) throw new Error(`a command without an entry was to be appended to ${op.room}`)
  const { user, room } = op
  const row = nextRow(view, op, op.entry, op.digest, unixMs)
  const { seq } = row.entry
  const mark = { room, user, is: { seq, ordinal: row.ordinal, timestamp: unixMs } }
  const outcome = { outcome: 'acknowledged', seq, timestamp: unixMs, appended: true } as const
  const step: Step = { outcome, append: [row], read: isMessage(row.entry) ? mark : undefined }
  const users = view.room(room) ? undefined : usersOfDirectRoom(room)
  return users ? openDirect(view, op, users, { ...step, append: [row] }, unixMs) : step
}

/** The first message of a direct room makes it, and its members. */
function openDirect(
  view: View,
  { user, room, noticeId }: CommandOp,
  users: readonly [string, string],
  step: Step & { readonly append: readonly LogRow[] },
  unixMs: number,
): Step {
  if (noticeId === undefined) throw new Error(`nobody could be told of ${room}`)
  const role = 'member'
  const is: Membership = { role, fromSeq: 1, joinedSeq: 1, joinedOrdinal: 0, joinedAt: unixMs }
  const notices = users.map((other, i) => {
    // The system, which is neither of the two, tells both under one id.
    const by = { user, noticeId: i === 0 || users.includes(user) ? noticeId : `${noticeId}-2` }
    return noticeRow(view, by, other, 'admission', { room, role }, unixMs)
  })
  return fresh(view, {
    ...step,
    append: [...step.append, ...notices],
    members: users.map((other) => ({ room, user: other, is })),
  })
}

/** The step with the command's place in its lane used up, where it `advances`. */
function inLane(view: View, op: CommandOp, advances: boolean, step: Step): Step {
  if (!advances) return step
  const { user, sid, room, n } = op
  const isStrange =
    !isSystem(user) &&
    view.lastN(user, sid, room) === undefined &&
    view.member(room, user) === undefined &&
    step.members === undefined
  if (isStrange && view.strangeLanes(user) >= MAX_STRANGE_LANES) return refused('UNAVAILABLE')
  return { ...step, lane: { user, sid, room, lastN: n }, isStrange }
}

function transactCreate(view: View, op: CreateOp, unixMs: number): Step {
  const { user, room: id, visibility, about } = op
  const known = view.room(id)
  if (id.startsWith('~')) return refused('FORBIDDEN')
  if (known) {
    const member = view.member(id, user)
    const isJustSo = known.visibility === visibility && known.about === about
    if (!isJustSo || (member?.role !== 'owner' && !isSystem(user))) return refused('FORBIDDEN')
    return { outcome: { outcome: 'created', is: describeRoom(id, known, member, view.readMark(id, user)) } }
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

function transactJoin(view: View, op: JoinOp, unixMs: number): Step {
  const { user, room } = op
  if (room.startsWith('~')) return refused('FORBIDDEN')
  const member = view.member(room, user)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  const known = view.room(room)
  if (known ? known.visibility !== 'public' : !op.create) return refused('FORBIDDEN')
  return enter(view, op, user, known ? 'member' : 'owner', unixMs)
}

function transactAccept(view: View, op: AcceptOp, unixMs: number): Step {
  const { user, room } = op
  if (!hasDoor(view.room(room))) return refused('FORBIDDEN')
  const member = view.member(room, user)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  const invitation = view.invitation(room, user)
  return invitation ? enter(view, op, user, invitation.role, unixMs) : refused('FORBIDDEN')
}

function transactAdmit(view: View, op: AdmitOp, unixMs: number): Step {
  const { user, room, target, role } = op
  if (!canAdmit(view, user, room)) return refused('FORBIDDEN')
  const member = view.member(room, target)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  return enter(view, op, target, role, unixMs)
}

/** A private room is read from the own entry on, also by who comes back. */
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
  const fromSeq = view.room(room)?.visibility === 'private' ? joinedSeq : 1
  const is: Membership = { role, fromSeq, joinedSeq, joinedOrdinal: row.ordinal, joinedAt: unixMs }
  return fresh(view, {
    outcome: { outcome: 'joined', role },
    append: [row, noticeRow(view, op, user, 'admission', { room, role }, unixMs)],
    members: [{ room, user, is }],
    invitation: withoutInvitation(view, room, user),
  })
}

function transactLeave(view: View, op: LeaveOp, unixMs: number): Step {
  const { user, room } = op
  // Nobody else is told of a room's being there: who is no member has left every room.
  if (view.member(room, user) === undefined) return { outcome: { outcome: 'left' } }
  if (!hasDoor(view.room(room))) return refused('FORBIDDEN')
  return putOut(view, op, user, 'left', unixMs)
}

function transactRemove(view: View, op: RemoveOp, unixMs: number): Step {
  const { user, room, target } = op
  if (!canRemove(view, user, room, target)) return refused('FORBIDDEN')
  const isThere = view.member(room, target) ?? view.invitation(room, target)
  return isThere ? putOut(view, op, target, 'removed', unixMs) : { outcome: { outcome: 'removed' } }
}

function putOut(
  view: View,
  op: LeaveOp | RemoveOp,
  target: string,
  reason: 'left' | 'removed',
  unixMs: number,
): Step {
  const { room } = op
  const row = nextRow(view, op, { type: 'member_left', payload: { userId: target, reason } }, '', unixMs)
  return fresh(view, {
    outcome: { outcome: reason },
    append: [row, noticeRow(view, op, target, 'removal', { room, reason }, unixMs)],
    members: view.member(room, target) && [{ room, user: target, is: undefined }],
    invitation: withoutInvitation(view, room, target),
  })
}

function transactInvite(view: View, op: InviteOp, unixMs: number): Step {
  const { user, room, target, role } = op
  if (!canInvite(view, user, room, role)) return refused('FORBIDDEN')
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

/** The ids of such entries come from the server: one that is taken is the server's fault, and another is tried. */
function fresh(view: View, step: Step & { readonly append: readonly LogRow[] }): Step {
  const isTaken = step.append.some(({ entry }) => view.entry(entry.sender, entry.messageId) !== undefined)
  return isTaken ? refused('INTERNAL_ERROR') : step
}

function transactMarkRead(view: View, op: MarkReadOp, unixMs: number): Step {
  const { user, room: id } = op
  const member = membershipOf(view, id, user)
  const room = view.room(id)
  if (!member || !room) return refused('FORBIDDEN')
  const old = view.readMark(id, user) ?? { seq: 0, ordinal: 0, timestamp: unixMs }
  const seq = Math.min(op.seq, room.lastSeq)
  if (seq <= old.seq) return { outcome: readOutcome(room, member, old) }
  // What retention took away was read, or cannot be any more.
  const ordinal = seq === room.lastSeq ? room.lastOrdinal : (view.ordinal(id, seq) ?? old.ordinal)
  const mark: ReadMark = { seq, ordinal, timestamp: unixMs }
  return { outcome: readOutcome(room, member, mark), read: { room: id, user, is: mark } }
}

function readOutcome(room: Room, member: Membership, mark: ReadMark): Step['outcome'] {
  return { outcome: 'read', timestamp: mark.timestamp, ...unreadOf(room, member, mark) }
}

/** The row that comes next in a user's own log. */
function noticeRow(
  view: View,
  by: { readonly user: string; readonly noticeId: string },
  target: string,
  type: 'admission' | 'invitation' | 'removal',
  payload: Readonly<Record<string, unknown>>,
  unixMs: number,
): LogRow {
  const room = ownLogId(target)
  // One operation tells several users under one id of the server: the sender and this make the key.
  const messageId = target === by.user ? by.noticeId : `${by.noticeId}-to`
  return nextRow(view, { user: by.user, room, messageId }, { type, payload }, '', unixMs)
}

/** The row that comes next in the room's log. */
function nextRow(
  view: View,
  by: { readonly user: string; readonly room: string; readonly messageId: string },
  content: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
  digest: string,
  unixMs: number,
): LogRow {
  const { user: sender, room, messageId } = by
  const { type, payload } = content
  const { lastSeq, lastH, lastOrdinal } = view.room(room) ?? newRoom(room)
  const entry: Entry = { type, seq: lastSeq + 1, sender, messageId, timestamp: unixMs, payload }
  const ordinal = isMessage(entry) ? lastOrdinal + 1 : lastOrdinal
  return { room, entry, digest, ordinal, h: nextFingerprint(lastH, sender, messageId) }
}

function refused(code: Code): Step {
  return { outcome: failure(code) }
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
