/**
 * What a commit decides, once for all stores: `runBatch` takes operations in order over a `View` of what is committed
 * and gives their outcomes and the rows to write. Each operation sees those before it in the same batch.
 *
 * The one row that carries what a user wrote, the entry, is handed to the store at once: where that row alone fails,
 * its operation gets INTERNAL_ERROR, nothing of it is kept and the batch goes on. All other rows (heads, lanes,
 * members, read positions) are ids and numbers; they are written once a batch, at its end (see batch.ts).
 * Lanes follow docs/protocol.md, "Lanes"; the decision itself is `decide` of the protocol. No clock, no storage here.
 */
import { CODES, type Code, decide, MAX_RECEIPT_MEMBERS, usersOfDirectRoom } from '@tautline/protocol/wire'
import {
  Batch,
  isMessage,
  type LogRow,
  type Membership,
  type ReadMark,
  type Room,
  type Step,
  type View,
} from './batch.ts'
import { changeOf, type Resolved, resolve } from './changes.ts'
import { fresh, nextRow, noticeRow, refused } from './log-rows.ts'
import {
  transactAccept,
  transactAdmit,
  transactBan,
  transactCreate,
  transactInvite,
  transactJoin,
  transactLeave,
  transactRemove,
} from './memberships.ts'
import {
  finishNotices,
  isSilenced,
  transactMarkNotices,
  transactNotify,
  transactSetNotices,
} from './notices.ts'
import { isMuted, isSystem, may, membershipOf } from './rights.ts'
import { transactSetRole } from './roles.ts'
import { transactDelete, transactMute, transactUpdate } from './room-changes.ts'
import type { CommandOp, MarkDeliveredOp, MarkReadOp, StoreOp } from './store.ts'
import { followBy, transactFollowThread } from './threads.ts'
import { unreadOf } from './unread.ts'

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
  finishNotices(batch, unixMs)
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
    case 'update':
      return transactUpdate(view, op, unixMs)
    case 'delete':
      return transactDelete(view, op, unixMs)
    case 'set_role':
      return transactSetRole(view, op, unixMs)
    case 'ban':
      return transactBan(view, op, unixMs)
    case 'mute':
      return transactMute(view, op, unixMs)
    case 'mark_read':
      return transactMarkRead(view, op, unixMs)
    case 'mark_delivered':
      return transactMarkDelivered(view, op, unixMs)
    case 'follow_thread':
      return transactFollowThread(view, op)
    case 'mark_notices':
      return transactMarkNotices(view, op)
    case 'set_notices':
      return transactSetNotices(view, op, unixMs)
    case 'notify':
      return transactNotify(view, op, unixMs)
    default:
      return unreachable(op)
  }
}

function transactCommand(view: View, op: CommandOp, unixMs: number): Step {
  const { user, sid, room, n, messageId, digest } = op
  const skip = op.entry === undefined && op.refusal === undefined
  const resolved = op.refusal ?? objectionTo(view, op, unixMs) ?? resolve(view, op)
  const refusal = typeof resolved === 'string' ? resolved : undefined
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
      // A room that others make is there.
      if (op.openWaitMs !== undefined && view.room(room) === undefined) return refused('RATE_LIMIT')
      if (op.isUnreviewed || typeof resolved === 'string') return refused('UNAVAILABLE')
      return inLane(view, op, true, appendCommand(view, op, resolved, unixMs))
    default:
      return unreachable(decision)
  }
}

/** What a muted member takes back, they may. */
function objectionTo(view: View, { user, room, entry }: CommandOp, unixMs: number): Code | undefined {
  if (!may(view, user, room, 'write')) return 'FORBIDDEN'
  const takesBack = entry?.type === 'message_deleted' || entry?.type === 'reaction_removed'
  return !takesBack && isMuted(view, user, room, unixMs) ? 'MUTED' : undefined
}

/** Who says something has read what stands before. */
function appendCommand(view: View, op: CommandOp, resolved: Resolved, unixMs: number): Step {
  if (op.entry === undefined) throw new Error(`a command without an entry was to be appended to ${op.room}`)
  const { user, room } = op
  const { payload, about } = resolved
  const content = { type: op.entry.type, payload }
  const row: LogRow = { ...nextRow(view, op, content, op.digest, unixMs), target: about?.seq }
  const { seq } = row.entry
  const mark = { room, user, is: { seq, ordinal: row.ordinal, timestamp: unixMs } }
  const step = {
    outcome: { outcome: 'acknowledged', seq, timestamp: unixMs, appended: true },
    append: [row],
    members: entrance(view, op, seq),
    read: isMessage(row.entry) ? mark : undefined,
    message: changeOf(op, resolved, row.entry),
    follow: about && isMessage(row.entry) ? followBy(view, about, user, seq) : undefined,
  } as const
  const users = view.room(room) ? undefined : usersOfDirectRoom(room)
  return users ? openDirect(view, op, users, step, unixMs) : tell(view, op, resolved, step, unixMs)
}

/** Who says something in a direct room for the first time, in whatever entry, has come into it; see acquaintances.ts. */
function entrance(view: View, { user, room }: CommandOp, seq: number): Step['members'] {
  if (!room.startsWith('~')) return undefined
  const member = view.member(room, user)
  return member?.joinedSeq === 0 ? [{ room, user, is: { ...member, joinedSeq: seq } }] : undefined
}

/** With what the command says to users in their own logs. */
function tell(
  view: View,
  { user, room, noticeId, alert }: CommandOp,
  resolved: Resolved,
  step: Step & { readonly append: readonly [LogRow] },
  unixMs: number,
): Step {
  const tells = resolved.tells?.filter((told) => !isSilenced(view, room, told.user, unixMs)) ?? []
  if (tells.length === 0) return step
  if (noticeId === undefined) throw new Error(`nobody could be told of what was said in ${room}`)
  const { seq, sender, messageId } = step.append[0].entry
  const notices = tells.map(({ user: other, type, thread }, i) => {
    const by = { user, noticeId: `${noticeId}-${i}` }
    const message = { seq, sender, messageId }
    const payload = { room, message, ...(thread && { thread }), ...(alert && { alert }) }
    return noticeRow(view, by, other, type, payload, unixMs)
  })
  return fresh(view, { ...step, append: [...step.append, ...notices] })
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
  const is: Membership = { role, fromSeq: 1, joinedSeq: 0, joinedOrdinal: 0, joinedAt: unixMs }
  const notices = users.map((other, i) => {
    // The system, which is neither of the two, tells both under one id.
    const by = { user, noticeId: i === 0 || users.includes(user) ? noticeId : `${noticeId}-2` }
    return noticeRow(view, by, other, 'admission', { room, role }, unixMs)
  })
  return fresh(view, {
    ...step,
    append: [...step.append, ...notices],
    members: users.map((other) => ({ room, user: other, is: { ...is, joinedSeq: other === user ? 1 : 0 } })),
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

function transactMarkDelivered(view: View, op: MarkDeliveredOp, unixMs: number): Step {
  const { user, room: id } = op
  const room = view.room(id)
  if (!membershipOf(view, id, user) || !room || room.memberCount > MAX_RECEIPT_MEMBERS)
    return refused('FORBIDDEN')
  const none = { seq: 0, timestamp: unixMs }
  const [delivery, read] = [view.delivery(id, user) ?? none, view.readMark(id, user) ?? none]
  const old = delivery.seq > read.seq ? delivery : { seq: read.seq, timestamp: read.timestamp }
  const is = { seq: Math.min(op.seq, room.lastSeq), timestamp: unixMs }
  if (is.seq <= old.seq) return { outcome: { outcome: 'delivered', ...old, moved: false } }
  return { outcome: { outcome: 'delivered', ...is, moved: true }, delivered: { room: id, user, is } }
}

function readOutcome(room: Room, member: Membership, mark: ReadMark): Step['outcome'] {
  return { outcome: 'read', timestamp: mark.timestamp, ...unreadOf(room, member, mark) }
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
