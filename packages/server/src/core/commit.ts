/**
 * Group commit: what arrives while a commit runs goes into the next one. There is no timer; the shell says when a turn
 * has ended, and what was queued by then goes as one transaction of at most 1,024 operations or 256 KiB.
 *
 * Nothing is told before its commit is durable. Then, in this order: the acks (one frame for each connection), the
 * errors, the new entries, the answers to joins, leaves and read positions.
 */
import { type Code, MAX_BATCH, MAX_RUN_ENTRIES, type PayloadOf } from '@tautline/protocol/wire'
import { descriptionOf } from './answers.ts'
import { isMessage } from './batch.ts'
import type { Connection } from './connection.ts'
import {
  type Context,
  RETRY_AFTER_MS,
  refuseInRoom,
  refuseRun,
  send,
  unixMs,
  unreachable,
} from './context.ts'
import type { Said } from './contract.ts'
import { tellNoticed, tellNoticesSet } from './notice-answers.ts'
import { boundOpenings, countOpenings } from './openings.ts'
import { pumpReads } from './reads.ts'
import { tellReceipt, tellUnread } from './receipts.ts'
import { fanOut, type Rooms } from './rooms.ts'
import type { CommitResult, Outcome, StoreOp } from './store.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Usage } from './usage.ts'
import type { Watching } from './watching.ts'

/** Characters of the operations' content, which stand for their bytes. */
const MAX_BATCH_CHARS = 262_144
/** Operations that may wait; beyond them the answer is UNAVAILABLE. */
const MAX_QUEUED_OPS = 65_536

/** Operations with who asked, and under which ref: three arrays of one length. */
interface Batch {
  readonly ops: StoreOp[]
  readonly connections: Connection[]
  readonly refs: number[]
  chars: number
}

/** An operation that failed, and how many of its neighbours with it. */
interface Failure {
  readonly connection: Connection
  readonly ref: number
  readonly op: StoreOp
  readonly code: Code
  count: number
  readonly retryAfterMs?: number | undefined
  readonly said?: Said | undefined
}

/** What is told beside the code. */
export type Refusal = Said & Pick<Failure, 'retryAfterMs'>

export interface Committer {
  /** `chars`: of the content. */
  add(connection: Connection, ref: number, op: StoreOp, chars: number): void
  /** Answers that it will not be done. */
  refuse(connection: Connection, ref: number, op: StoreOp, code: Code, more?: Refusal): void
  /** Starts a commit where there is something and none is running. */
  start(): void
  committed(result: CommitResult): void
  failed(): void
  isIdle(): boolean
  /** How many operations were added so far, and how many of those, in this order, are committed or refused by the store. */
  added(): number
  done(): number
  /** Operations that wait for the next commits. */
  queued(): number
}

export function createCommitter(
  context: Context,
  rooms: Rooms,
  subscriptions: Subscriptions,
  watching: Pick<Watching, 'committed'>,
  usage: Usage,
): Committer {
  const queue: Batch[] = []
  let queuedOps = 0
  let queuedChars = 0
  let addedOps = 0
  let doneOps = 0
  let running: Batch | undefined
  /** When the running commit's entries say that they were made. */
  let commitMs = 0

  function lastBatch(chars: number): Batch {
    const last = queue[queue.length - 1]
    if (last && last.ops.length < MAX_RUN_ENTRIES && last.chars + chars <= MAX_BATCH_CHARS) return last
    const batch: Batch = { ops: [], connections: [], refs: [], chars: 0 }
    queue.push(batch)
    return batch
  }

  /** The batch that was running, and none is. */
  function finish(): Batch | undefined {
    const batch = running
    running = undefined
    doneOps += batch?.ops.length ?? 0
    return batch
  }

  /** Calls `visit` with each operation, its outcome, and its asker where that is still there. */
  function each(
    batch: Batch,
    visit: (connection: Connection, ref: number, op: StoreOp, index: number) => void,
  ): void {
    for (let i = 0; i < batch.ops.length; i++) {
      const connection = batch.connections[i]
      const ref = batch.refs[i]
      const op = batch.ops[i]
      if (!connection || ref === undefined || !op || connection.phase === 'closed') continue
      visit(connection, ref, op, i)
    }
  }

  function tellAcks(batch: Batch, outcomes: readonly Outcome[]): void {
    const acked: Connection[] = []
    each(batch, (connection, ref, _op, i) => {
      const outcome = outcomes[i]
      if (outcome?.outcome !== 'acknowledged') return
      if (!connection.acks) {
        connection.acks = []
        acked.push(connection)
      }
      addAck(
        connection.acks,
        ref,
        outcome.seq,
        outcome.timestamp === commitMs ? undefined : outcome.timestamp,
      )
    })
    for (const connection of acked) {
      const { acks } = connection
      connection.acks = undefined
      if (acks) send(context, connection, { type: 'ack', payload: { acks }, timestamp: commitMs })
    }
  }

  /** Neighbours of one lane that failed alike are told as one. */
  function tellFailures(batch: Batch, codeOf: (index: number) => Code | undefined): void {
    const failures: Failure[] = []
    each(batch, (connection, ref, op, i) => {
      const code = codeOf(i)
      if (code === undefined) return
      const last = failures[failures.length - 1]
      const retryAfterMs = code === 'RATE_LIMIT' && op.op === 'command' ? op.openWaitMs : undefined
      const failure: Failure = { connection, ref, op, code, count: 1, retryAfterMs, said: saidOf(op, code) }
      if (last && isNext(last, failure)) last.count++
      else failures.push(failure)
    })
    for (const failure of failures) fail(failure)
  }

  function fail({
    connection,
    ref,
    op,
    code,
    count,
    retryAfterMs = RETRY_AFTER_MS[code],
    said,
  }: Failure): void {
    if (connection.phase === 'closed') return
    if (op.op === 'command') refuseRun(context, connection, ref, code, count, retryAfterMs, said)
    else refuseInRoom(context, connection, ref, code, op.room, said)
  }

  function tellAnswers(batch: Batch, outcomes: readonly Outcome[]): void {
    each(batch, (connection, ref, op, i) => {
      const outcome = outcomes[i]
      if (outcome) answer(connection, ref, op, outcome)
    })
  }

  function answer(connection: Connection, ref: number, op: StoreOp, outcome: Outcome): void {
    const { room } = op
    switch (outcome.outcome) {
      case 'joined':
        send(context, connection, { type: 'room_joined', payload: { ref, room, role: outcome.role } })
        break
      case 'left':
        send(context, connection, { type: 'room_left', payload: { ref, room, reason: 'left' } })
        break
      case 'read':
        send(context, connection, { type: 'messages_read', payload: readPayload(op, outcome, ref) })
        break
      case 'delivered':
        send(context, connection, { type: 'messages_delivered', payload: readPayload(op, outcome, ref) })
        break
      case 'created':
      case 'updated':
        send(context, connection, {
          type: 'room_info',
          payload: { ref, ...descriptionOf(outcome.is, unixMs(context)) },
        })
        break
      case 'deleted':
        send(context, connection, { type: 'room_left', payload: { ref, room, reason: 'deleted' } })
        break
      case 'invited':
      case 'removed':
      case 'done':
        send(context, connection, { type: 'done', payload: { ref } })
        break
      case 'noticed':
      case 'notices_set':
      case 'acknowledged':
      case 'failed':
        break
      default:
        unreachable(outcome)
    }
  }

  /** A position that moved is told to the others, even where its owner is gone by now. */
  function tellReceipts(batch: Batch, outcomes: readonly Outcome[]): void {
    for (let i = 0; i < batch.ops.length; i++) {
      const op = batch.ops[i]
      const outcome = outcomes[i]
      if (op?.op === 'mark_delivered' && outcome?.outcome === 'delivered') {
        const moved = outcome.moved ? rooms.get(op.room) : undefined
        const except = batch.connections[i]?.id ?? 0
        if (moved) tellReceipt(context, moved, readPayload(op, outcome), except, 'messages_delivered')
        continue
      }
      if (op?.op !== 'mark_read' || outcome?.outcome !== 'read' || outcome.timestamp !== commitMs) continue
      const room = rooms.get(op.room)
      if (room) tellReceipt(context, room, readPayload(op, outcome), batch.connections[i]?.id ?? 0)
      tellUnread(context, rooms, op.user, op.room, outcome)
    }
  }

  /** To all connections of the user, also where that which asked is gone. */
  function tellNotices(batch: Batch, outcomes: readonly Outcome[]): void {
    for (let i = 0; i < batch.ops.length; i++) {
      const [op, outcome, connection, ref] = [batch.ops[i], outcomes[i], batch.connections[i], batch.refs[i]]
      const isThere = connection && connection.phase !== 'closed' && ref !== undefined
      const asker = isThere ? { connection, ref } : undefined
      if (op?.op === 'mark_notices' && outcome?.outcome === 'noticed')
        tellNoticed(context, rooms, asker, op, outcome)
      if (op?.op === 'set_notices' && outcome?.outcome === 'notices_set')
        tellNoticesSet(context, rooms, asker, op, outcome)
    }
  }

  /** Who follows the room sees it from the message itself. */
  function tellOwnSends(batch: Batch, outcomes: readonly Outcome[]): void {
    const last = new Map<string, { readonly user: string; readonly room: string; readonly seq: number }>()
    for (let i = 0; i < batch.ops.length; i++) {
      const op = batch.ops[i]
      const outcome = outcomes[i]
      if (op?.op !== 'command' || outcome?.outcome !== 'acknowledged' || !outcome.appended) continue
      if (op.entry && isMessage(op.entry))
        last.set(`${op.user}\n${op.room}`, { user: op.user, room: op.room, seq: outcome.seq })
    }
    for (const { user, room, seq } of last.values()) {
      const unread = { seq, head: seq, unread: 0 }
      tellUnread(context, rooms, user, room, unread, (connection) => !connection.subscriptions.has(room))
    }
  }

  function release(batch: Batch): void {
    each(batch, (connection, _ref, op) => {
      if (!isMembership(op)) return
      connection.pendingMemberships--
      pumpReads(context, connection)
    })
  }

  function tellEntries(batch: Batch, { outcomes, appended }: CommitResult): void {
    /** Who leaves by a request of this connection is told by its answer. */
    const leaves = (connection: Connection, id: string) =>
      batch.ops.some((op, i) => {
        if (op.room !== id || batch.connections[i] !== connection) return false
        const is = outcomes[i]?.outcome
        return is === 'left' || is === 'deleted'
      })
    for (const run of appended) {
      const room = rooms.get(run.room)
      if (!room) continue
      fanOut(
        context,
        room,
        run,
        (left, userId, reason) =>
          subscriptions.evict(left, userId, reason, (connection) => leaves(connection, left.id)),
        subscriptions.catchUp,
      )
      if (run.entries.at(-1)?.type === 'room_deleted')
        subscriptions.evictAll(room, (connection) => leaves(connection, room.id))
    }
  }

  return {
    add(connection, ref, op, chars) {
      const isFull = queuedOps >= MAX_QUEUED_OPS || queuedChars + chars > context.options.maxQueuedChars
      if (isFull && queuedOps > 0) {
        fail({ connection, ref, op, code: 'UNAVAILABLE', count: 1 })
        return
      }
      if (isMembership(op)) connection.pendingMemberships++
      const batch = lastBatch(chars)
      batch.ops.push(op)
      batch.connections.push(connection)
      batch.refs.push(ref)
      batch.chars += chars
      queuedOps++
      queuedChars += chars
      addedOps++
    },

    refuse: (connection, ref, op, code, more) =>
      fail({
        connection,
        ref,
        op,
        code,
        count: 1,
        retryAfterMs: more?.retryAfterMs,
        said: { detail: more?.detail, applicationCode: more?.applicationCode },
      }),

    start() {
      if (running) return
      running = queue.shift()
      if (!running) return
      queuedOps -= running.ops.length
      queuedChars -= running.chars
      commitMs = unixMs(context)
      // No other commit runs: what it opened was counted.
      boundOpenings(running, usage)
      context.effects.push({ do: 'commit', ops: running.ops, unixMs: commitMs })
    },

    committed(result) {
      const batch = finish()
      if (!batch) return
      // Before anything else: who shares no room with somebody any more must hear nothing of them.
      watching.committed(result.appended)
      countOpenings(batch, result.outcomes, usage)
      tellAcks(batch, result.outcomes)
      tellFailures(batch, (index) => failureOf(result.outcomes[index]))
      tellEntries(batch, result)
      tellAnswers(batch, result.outcomes)
      tellReceipts(batch, result.outcomes)
      tellOwnSends(batch, result.outcomes)
      tellNotices(batch, result.outcomes)
      release(batch)
    },

    failed() {
      const batch = finish()
      if (!batch) return
      tellFailures(batch, () => 'UNAVAILABLE')
      release(batch)
      // It may have been committed all the same: who was put out must not go on hearing the room.
      for (const op of batch.ops) {
        if (op.op === 'leave') subscriptions.recheck(op.room, op.user)
        if (op.op === 'remove') subscriptions.recheck(op.room, op.target)
      }
    },

    isIdle: () => running === undefined && queue.length === 0,
    added: () => addedOps,
    done: () => doneOps,
    queued: () => queuedOps,
  }
}

function failureOf(outcome: Outcome | undefined): Code | undefined {
  return outcome?.outcome === 'failed' ? outcome.code : undefined
}

/** The application's words belong to its own refusal, and not to what the store decided otherwise. */
function saidOf(op: StoreOp, code: Code): Said | undefined {
  if (op.op !== 'command' || op.refusal !== code) return undefined
  return { detail: op.refusalDetail, applicationCode: op.refusalCode }
}

/** The next command of the same lane, under the next ref, with the same fault. */
function isNext({ connection, ref, op, code, count, said }: Failure, next: Failure): boolean {
  if (op.op !== 'command' || next.op.op !== 'command' || count === MAX_BATCH) return false
  const isSameLane = connection === next.connection && op.room === next.op.room && op.sid === next.op.sid
  const isAlike =
    code === next.code &&
    said?.detail === next.said?.detail &&
    said?.applicationCode === next.said?.applicationCode
  return isSameLane && isAlike && next.ref === ref + count && next.op.n === op.n + count
}

/** Changes what the asker may read. */
export function isMembership({ op }: StoreOp): boolean {
  return op === 'create' || op === 'join' || op === 'accept' || op === 'leave' || op === 'delete'
}

/** Consecutive refs that got consecutive positions become one item. */
function addAck(
  acks: PayloadOf<'ack'>['acks'],
  ref: number,
  seq: number,
  timestamp: number | undefined,
): void {
  const last = acks[acks.length - 1]
  if (last) {
    const count = last.count ?? 1
    if (
      ref === last.ref + count &&
      seq === last.seq + count &&
      timestamp === last.timestamp &&
      count < MAX_BATCH
    ) {
      last.count = count + 1
      return
    }
  }
  acks.push(timestamp === undefined ? { ref, seq } : { ref, seq, timestamp })
}

function readPayload(
  { room, user: userId }: StoreOp,
  { seq, timestamp }: { readonly seq: number; readonly timestamp: number },
  ref?: number,
): PayloadOf<'messages_read'> {
  return ref === undefined ? { room, userId, seq, timestamp } : { ref, room, userId, seq, timestamp }
}
