/**
 * What a commit decides, once for all stores: `runBatch` takes operations in order over a `View` of what is committed
 * and gives their outcomes and the rows to write. Each operation sees those before it in the same batch.
 *
 * The one row that carries what a user wrote, the entry, is handed to the store at once: where that row alone fails,
 * its operation gets INTERNAL_ERROR, nothing of it is kept and the batch goes on. All other rows (heads, lanes,
 * members, read positions) are ids and numbers; they are written once a batch, at its end (see batch.ts).
 * Lanes follow docs/protocol.md, "Lanes"; the decision itself is `decide` of the protocol. No clock, no storage here.
 */
import { CODES, type Code, decide, type Entry, nextFingerprint } from '@tautline/protocol/wire'
import {
  Batch,
  failure,
  type LogRow,
  type Membership,
  NEW_ROOM,
  type ReadMark,
  type Step,
  type View,
} from './batch.ts'
import type { CommandOp, JoinOp, LeaveOp, MarkReadOp, StoreOp } from './store.ts'

/**
 * Lanes that a user may have in rooms of which they are no member, or that do not exist. What fails there is recorded
 * like everything final; beyond this bound no lane is made, and the answer is UNAVAILABLE.
 */
export const MAX_STRANGE_LANES = 1_000

/** A lane that nobody used for so long may be forgotten. Longer than any outbox keeps a message. */
export const LANE_RETENTION_MS = 30 * 24 * 3_600_000
/** How often a store looks for such lanes. */
export const LANE_COLLECTION_INTERVAL_MS = 24 * 3_600_000

/** Keeps a row for this batch. False: this row alone cannot be kept. Throws where the whole batch cannot. */
export type Insert = (row: LogRow) => boolean

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
    case 'join':
      return transactJoin(view, op, unixMs)
    case 'leave':
      return transactLeave(view, op, unixMs)
    case 'mark_read':
      return transactMarkRead(view, op, unixMs)
    default:
      return unreachable(op)
  }
}

function transactCommand(view: View, op: CommandOp, unixMs: number): Step {
  const { user, sid, room, n, messageId, digest } = op
  const skip = op.entry === undefined && op.refusal === undefined
  const refusal = op.refusal ?? (view.member(room, user) === undefined ? 'FORBIDDEN' : undefined)
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
      return inLane(view, op, true, appendCommand(view, op, unixMs))
    default:
      return unreachable(decision)
  }
}

function appendCommand(view: View, op: CommandOp, unixMs: number): Step {
  if (op.entry === undefined) throw new Error(`a command without an entry was to be appended to ${op.room}`)
  const append = nextRow(view, op, op.entry, op.digest, unixMs)
  return {
    outcome: { outcome: 'acknowledged', seq: append.entry.seq, timestamp: unixMs, appended: true },
    append,
  }
}

/** The step with the command's place in its lane used up, where it `advances`. */
function inLane(view: View, op: CommandOp, advances: boolean, step: Step): Step {
  if (!advances) return step
  const { user, sid, room, n } = op
  const isStrange = view.lastN(user, sid, room) === undefined && view.member(room, user) === undefined
  if (isStrange && view.strangeLanes(user) >= MAX_STRANGE_LANES) return refused('UNAVAILABLE')
  return { ...step, lane: { user, sid, room, lastN: n }, isStrange }
}

function transactJoin(view: View, op: JoinOp, unixMs: number): Step {
  const { user, room } = op
  // A user's own log and a direct room have the members that their name says.
  if (room.startsWith('~')) return refused('FORBIDDEN')
  const member = view.member(room, user)
  if (member) return { outcome: { outcome: 'joined', role: member.role } }
  const known = view.room(room)
  if (known ? known.visibility !== 'public' : !op.create) return refused('FORBIDDEN')
  const role = known ? 'member' : 'owner'
  const append = nextRow(view, op, { type: 'member_joined', payload: { userId: user, role } }, '', unixMs)
  const is: Membership = { role, fromSeq: 1, joinedSeq: append.entry.seq, joinedAt: unixMs }
  return changeMember(view, { outcome: { outcome: 'joined', role }, append, member: { room, user, is } })
}

function transactLeave(view: View, op: LeaveOp, unixMs: number): Step {
  const { user, room, reason } = op
  if (view.member(room, user) === undefined) return { outcome: { outcome: 'left' } }
  const append = nextRow(view, op, { type: 'member_left', payload: { userId: user, reason } }, '', unixMs)
  return changeMember(view, { outcome: { outcome: 'left' }, append, member: { room, user, is: undefined } })
}

/** The id of such an entry comes from the server: one that is taken is the server's fault, and another is tried. */
function changeMember(view: View, step: Step & { readonly append: LogRow }): Step {
  const { sender, messageId } = step.append.entry
  return view.entry(sender, messageId) === undefined ? step : refused('INTERNAL_ERROR')
}

function transactMarkRead(view: View, op: MarkReadOp, unixMs: number): Step {
  const { user, room } = op
  if (view.member(room, user) === undefined) return refused('FORBIDDEN')
  const old = view.readMark(room, user) ?? { seq: 0, timestamp: unixMs }
  const seq = Math.min(op.seq, view.room(room)?.lastSeq ?? 0)
  if (seq <= old.seq) return { outcome: { outcome: 'read', ...old } }
  const mark: ReadMark = { seq, timestamp: unixMs }
  return { outcome: { outcome: 'read', ...mark }, read: { room, user, mark } }
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
  const { lastSeq, lastH, lastOrdinal } = view.room(room) ?? NEW_ROOM
  const entry: Entry = { type, seq: lastSeq + 1, sender, messageId, timestamp: unixMs, payload }
  const ordinal = type === 'new_message' ? lastOrdinal + 1 : lastOrdinal
  return { room, entry, digest, ordinal, h: nextFingerprint(lastH, sender, messageId) }
}

function refused(code: Code): Step {
  return { outcome: failure(code) }
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
