/**
 * What a commit decides, once for all stores: `runBatch` takes operations in order over a `View` of what is committed
 * and gives their outcomes and the rows to write. Each operation sees those before it in the same batch.
 *
 * The one row that carries what a user wrote, the entry, is handed to the store at once: where that row alone fails,
 * its operation gets INTERNAL_ERROR, nothing of it is kept and the batch goes on. All other rows (heads, lanes,
 * members, read positions) are ids and numbers; they are written once a batch, at its end, from the maps of `Batch`.
 * Lanes follow docs/protocol.md, "Lanes"; the decision itself is `decide` of the protocol. No clock, no storage here.
 */
import {
  CODES,
  type Code,
  decide,
  type Entry,
  type ExistingEntry,
  LOG_START,
  nextFingerprint,
  type Role,
} from '@tautline/protocol/wire'
import type {
  Appended,
  CommandOp,
  CommitResult,
  JoinOp,
  LeaveOp,
  MarkReadOp,
  Outcome,
  StoreOp,
} from './store.ts'

/**
 * Lanes that a user may have in rooms of which they are no member. Each failure there is recorded, so that a retry gets
 * the same answer; beyond the bound the answer is UNAVAILABLE and nothing is recorded.
 */
export const MAX_STRANGE_LANES = 1_000

/** A lane that nobody used for so long may be forgotten. Longer than any outbox keeps a message. */
export const LANE_RETENTION_MS = 30 * 24 * 3_600_000
/** How often a store looks for such lanes. */
export const LANE_COLLECTION_INTERVAL_MS = 24 * 3_600_000

/** A room: its row is the order of its log. */
export interface Room {
  readonly lastSeq: number
  readonly lastH: string
  /** How many `new_message` entries the log has had. */
  readonly lastOrdinal: number
  /** The first position that retention has left, and the fingerprint of what was before it. */
  readonly oldest: number
  readonly baseH: string
  /** Anybody may join a public room, and reads it from its beginning. */
  readonly visibility: 'public' | 'private'
}

export interface Membership {
  readonly role: Role
  /** The first position that the member may read. */
  readonly fromSeq: number
  /** The position of the entry that told of it. */
  readonly joinedSeq: number
  readonly joinedAt: number
}

export interface ReadMark {
  readonly seq: number
  readonly timestamp: number
}

export interface Lane {
  readonly user: string
  readonly sid: string
  readonly room: string
  /** How many commands were decided in it. */
  readonly lastN: number
}

/** An entry with what its log keeps beside it. */
export interface LogRow {
  readonly room: string
  readonly entry: Entry
  readonly digest: string
  readonly ordinal: number
  readonly h: string
}

/** What is committed. Undefined stands for "there is none". */
export interface View {
  room(room: string): Room | undefined
  member(room: string, user: string): Membership | undefined
  /** How many commands were decided in the lane. */
  lastN(user: string, sid: string, room: string): number | undefined
  entry(sender: string, messageId: string): ExistingEntry | undefined
  readMark(room: string, user: string): ReadMark | undefined
  /** How many lanes the user has in rooms of which they are no member. */
  strangeLanes(user: string): number
}

/** Keeps a row for this batch. False: this row alone cannot be kept. Throws where the whole batch cannot. */
export type Insert = (row: LogRow) => boolean

/** What one operation comes to, and what it changes. */
export interface Step {
  readonly outcome: Outcome
  readonly append?: LogRow | undefined
  readonly lane?: Lane | undefined
  /** The lane is new, and in a room of which the user is no member. */
  readonly isStrange?: boolean | undefined
  readonly member?:
    | { readonly room: string; readonly user: string; readonly is: Membership | undefined }
    | undefined
  readonly read?: { readonly room: string; readonly user: string; readonly mark: ReadMark } | undefined
}

export function runBatch(view: View, ops: readonly StoreOp[], unixMs: number, insert: Insert): Batch {
  const batch = new Batch(view)
  for (const op of ops) {
    const step = transact(batch, op, unixMs)
    if (step.append === undefined || insert(step.append)) batch.accept(step)
    else batch.refuse('INTERNAL_ERROR')
  }
  return batch
}

/** The rows of one batch over what was committed before it. */
export class Batch implements View {
  readonly rooms = new Map<string, Room>()
  readonly lanes = new Map<string, Lane>()
  /** By room, then user; undefined: a member no longer. */
  readonly members = new Map<string, Map<string, Membership | undefined>>()
  readonly readMarks = new Map<string, Map<string, ReadMark>>()
  /** By user: lanes made here in rooms of which they are no member. */
  readonly newStrangeLanes = new Map<string, number>()
  readonly #view: View
  readonly #entries = new Map<string, ExistingEntry>()
  readonly #outcomes: Outcome[] = []
  readonly #appended = new Map<string, Entry[]>()

  constructor(view: View) {
    this.#view = view
  }

  room(room: string): Room | undefined {
    return this.rooms.get(room) ?? this.#view.room(room)
  }

  member(room: string, user: string): Membership | undefined {
    const changed = this.members.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.member(room, user)
  }

  lastN(user: string, sid: string, room: string): number | undefined {
    return this.lanes.get(laneKey(user, sid, room))?.lastN ?? this.#view.lastN(user, sid, room)
  }

  entry(sender: string, messageId: string): ExistingEntry | undefined {
    return this.#entries.get(entryKey(sender, messageId)) ?? this.#view.entry(sender, messageId)
  }

  readMark(room: string, user: string): ReadMark | undefined {
    return this.readMarks.get(room)?.get(user) ?? this.#view.readMark(room, user)
  }

  /** Those committed before, and those made since: a change of membership counts from the next batch on. */
  strangeLanes(user: string): number {
    return this.#view.strangeLanes(user) + (this.newStrangeLanes.get(user) ?? 0)
  }

  accept(step: Step): void {
    this.#outcomes.push(step.outcome)
    if (step.lane) this.#keepLane(step.lane, step.isStrange === true)
    if (step.append) this.#keepEntry(step.append)
    if (step.member) nested(this.members, step.member.room).set(step.member.user, step.member.is)
    if (step.read) nested(this.readMarks, step.read.room).set(step.read.user, step.read.mark)
  }

  refuse(code: Code): void {
    this.#outcomes.push(failure(code))
  }

  result(): CommitResult {
    const appended: Appended[] = []
    for (const [room, entries] of this.#appended) {
      appended.push({ room, entries, h: this.rooms.get(room)?.lastH ?? '' })
    }
    return { outcomes: this.#outcomes, appended }
  }

  #keepLane(lane: Lane, isStrange: boolean): void {
    const { user, sid, room } = lane
    if (isStrange) this.newStrangeLanes.set(user, (this.newStrangeLanes.get(user) ?? 0) + 1)
    this.lanes.set(laneKey(user, sid, room), lane)
  }

  #keepEntry({ room, entry, digest, ordinal, h }: LogRow): void {
    const { sender, messageId, seq, timestamp } = entry
    const head = this.room(room) ?? NEW_ROOM
    this.rooms.set(room, { ...head, lastSeq: seq, lastH: h, lastOrdinal: ordinal })
    this.#entries.set(entryKey(sender, messageId), { room, seq, timestamp, digest })
    const run = this.#appended.get(room)
    if (run) run.push(entry)
    else this.#appended.set(room, [entry])
  }
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

const NEW_ROOM: Room = {
  lastSeq: LOG_START.seq,
  lastH: LOG_START.h,
  lastOrdinal: 0,
  oldest: 1,
  baseH: LOG_START.h,
  visibility: 'public',
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

/** One text of the parts of a key; no id holds a line break. */
export function laneKey(user: string, sid: string, room: string): string {
  return `${user}\n${sid}\n${room}`
}

export function entryKey(sender: string, messageId: string): string {
  return `${sender}\n${messageId}`
}

function refused(code: Code): Step {
  return { outcome: failure(code) }
}

function failure(code: Code): Outcome {
  return { outcome: 'failed', code }
}

function nested<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const inner = map.get(key) ?? new Map<string, V>()
  map.set(key, inner)
  return inner
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
