/**
 * The outbox: what was sent and is not decided yet. Rows of a room are sent in order and decided in order; the lane
 * (sid, n) lets the server drop what it has already and refuse what would overtake. Every row ends in one outcome:
 * acknowledged at a position of the room, or failed with a code. The whole contract stands in docs/protocol.md.
 *
 * What lives here: windows, waits, and the answer to each reply. Not here: when to connect, and what is written down
 * (keeper.ts).
 */
import { CODES, type Code, type Limits, MAX_BATCH, type PayloadOf } from '@tautline/protocol/wire'
import type { Context, Failure } from './context.ts'
import type { Joins } from './joins.ts'
import { type Keeper, keepInMemory } from './keeper.ts'
import { createQueues, type Place, type Queue, type Row, rowOf } from './outbox-queues.ts'
import type { NewRow, SendOutcome } from './outbox-row.ts'
import { createPacing } from './pacing.ts'

export interface OutboxOptions {
  /** Rows at most; beyond it send() fails with OUTBOX_FULL. Default 1,000. */
  readonly maxRows: number
  /** Bytes of all rows at most. Default 4 MiB. */
  readonly maxBytes: number
  /** A row older than this is given up (EXPIRED), by the server's clock. Default 7 days; less than 30 days. */
  readonly timeToLiveMs: number
}

export const DEFAULT_OUTBOX: OutboxOptions = {
  maxRows: 1_000,
  maxBytes: 4_194_304,
  timeToLiveMs: 7 * 24 * 3_600_000,
}

/** The wait after a GAP, and after a retryable refusal that says no other. */
const GAP_WAIT_MS = 50
const RETRY_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000
/** Five failures of the server on one row, over this time, make it poison. */
const POISON_ERRORS = 5
const POISON_MS = 60_000
/** Room in a frame for the envelope, the lane and the id of each command. */
const FRAME_OVERHEAD = 512
const COMMAND_OVERHEAD = 128

export interface Outbox {
  /** `replaces`: the failed message that is tried again by it. */
  add(row: NewRow, replaces: string | undefined): void
  /** Give the message up, unless the server has accepted it. */
  cancel(messageId: string): void
  /** Give everything up. */
  cancelAll(): void
  /** Send what may be sent. */
  drain(): void
  /** The connection is ready, with these limits; `serverTime` is the server's clock now, in Unix milliseconds. */
  start(limits: Limits, serverTime: number | undefined): void
  /** The connection is gone: nothing is in flight any more. */
  stop(): void
  deadline(): number
  /** Undecided rows, their bytes, and how much of either bound they take. */
  size(): { readonly rows: number; readonly bytes: number; readonly pressure: number }
  readonly keeper: Keeper
}

/** `joins`: a room must wait while we are not yet its member. */
export function createOutbox(context: Context, joins: Pick<Joins, 'isJoining' | 'resume'>): Outbox {
  const { options } = context
  const queues = createQueues(context)
  const { load } = queues
  const keeper = (options.keeper ?? keepInMemory)(context, queues, joins.resume)
  const pacing = createPacing(context.limits.messagesPerSecond, context.limits.messageBurst)
  let pausedUntil = Number.NEGATIVE_INFINITY
  let userWaitMs = 0
  /** The server's Unix time minus our monotonic one; undefined until it told us. */
  let serverClock: number | undefined
  /** What it was when it was told first. */
  let firstClock: number | undefined

  function rowTooLong(row: NewRow): boolean {
    const { maxMessageChars, maxFrameBytes } = context.limits
    const isMessage = row.type === 'send_message' || row.type === 'edit_message'
    return (
      (isMessage && (row.payload.content?.length ?? 0) > maxMessageChars) ||
      row.bytes > maxFrameBytes - FRAME_OVERHEAD - COMMAND_OVERHEAD
    )
  }

  function settle(place: Place, outcome: SendOutcome): void {
    const { queue, row } = place
    queues.remove(place)
    queues.weigh(row, -1)
    queue.waitMs = 0
    userWaitMs = 0
    keeper.settle(row, outcome)
  }

  function giveUp(rows: readonly Row[], code: Code): void {
    const given = rows.filter(({ skipFor }) => skipFor === undefined)
    for (const row of given) row.skipFor = code
    keeper.skip(given, code)
  }

  function jittered(waitMs: number): number {
    return waitMs * (1 + 0.2 * context.random())
  }

  /** Doubled on repeats; what the server asks for is a minimum. */
  function longerWait(lastMs: number, askedMs: number): number {
    return Math.max(askedMs, Math.min(lastMs * 2, MAX_WAIT_MS))
  }

  function pause(queue: Queue, code: Code, retryAfterMs: number | undefined): void {
    const asked = retryAfterMs ?? (code === 'GAP' ? GAP_WAIT_MS : RETRY_WAIT_MS)
    if (code === 'RATE_LIMIT' || code === 'TOKEN_EXPIRED') {
      // About the user, so about every room; one refusal comes for each command in flight, and they are one event.
      if (pausedUntil > context.now) {
        pausedUntil = Math.max(pausedUntil, context.now + asked)
        return
      }
      userWaitMs = longerWait(userWaitMs, asked)
      pausedUntil = context.now + jittered(userWaitMs)
      return
    }
    queue.waitMs = longerWait(queue.waitMs, asked)
    queue.pausedUntil = Math.max(queue.pausedUntil, context.now + jittered(queue.waitMs))
  }

  /** The server does not know the lane any more (it was collected, or the store was set back): begin a new one. */
  function relane(queue: Queue): void {
    queues.goBack(queue, 0)
    keeper.renumber(queue)
  }

  function isPoison(row: Row): boolean {
    if (row.internalErrors++ === 0) row.firstInternalErrorAt = context.now
    return row.internalErrors >= POISON_ERRORS && context.now - row.firstInternalErrorAt >= POISON_MS
  }

  function retryLater({ queue, row, index }: Place, code: Code, retryAfterMs: number | undefined): void {
    if (code === 'INTERNAL_ERROR' && isPoison(row)) giveUp([row], 'POISON')
    queues.goBack(queue, index)
    // An older one of another tab may have come meanwhile: it goes first, and knows for itself.
    const laneIsLost = code === 'GAP' && row.wasOldest && queue.rows[0] === row
    if (laneIsLost) relane(queue)
    pause(queue, code, retryAfterMs)
  }

  /** The server could not even place it in its lane: give the place up, or, where that is refused too, the lane. */
  function unplaceable(place: Place, code: Code): void {
    const { queue, row, index } = place
    queues.goBack(queue, index)
    if (row.skipFor === undefined) return giveUp([row], code)
    settle(place, { status: 'failed', code: row.skipFor })
    relane(queue)
  }

  function refused(place: Place, { code, detail, applicationCode, retryAfterMs }: Failure): void {
    const { skipFor } = place.row
    if (CODES[code].final) {
      if (skipFor && (code === 'SKIPPED' || code === 'VOID'))
        return settle(place, { status: 'failed', code: skipFor })
      return settle(place, { status: 'failed', code, detail, applicationCode })
    }
    if (CODES[code].retryable) return retryLater(place, code, retryAfterMs)
    unplaceable(place, code)
  }

  function expire(queue: Queue): void {
    if (serverClock === undefined) return
    const oldest = serverClock + context.now - options.outbox.timeToLiveMs
    giveUp(
      queue.rows.filter((row) => row.ref === 0 && saidAt(row) < oldest),
      'EXPIRED',
    )
  }

  /** What was said here before we knew the server's time is as old as it had waited then, whatever the device says. */
  function saidAt(row: Row): number {
    if (row.addedAt !== undefined && firstClock !== undefined) {
      row.createdAt = Math.round(firstClock + row.addedAt)
      row.addedAt = undefined
    }
    return row.createdAt
  }

  /** The rows of one frame: the next of one lane, without holes, as many as windows, rate and frame allow. */
  function nextRun(queue: Queue): Row[] {
    const { windowPerRoom, windowPerConnection, windowBytes, maxFrameBytes } = context.limits
    const places = Math.min(
      windowPerRoom - queues.flyingIn(queue.room),
      windowPerConnection - load.flying,
      MAX_BATCH,
      pacing.available(context.now),
    )
    const run: Row[] = []
    let bytes = FRAME_OVERHEAD
    let previous = queue.rows[queue.inFlight - 1]
    for (let i = queue.inFlight; i < queue.rows.length && run.length < places; i++) {
      const row = queue.rows[i] as Row
      if (previous && (row.sid !== previous.sid || row.n !== previous.n + 1)) break
      bytes += row.bytes + COMMAND_OVERHEAD
      if (run.length > 0 && bytes > maxFrameBytes) break
      // One row alone may always fly, or a large one would never.
      if (load.flying + run.length > 0 && load.flyingBytes + bytes > windowBytes) break
      run.push(row)
      previous = row
    }
    return run
  }

  function transmit(queue: Queue, run: readonly Row[]): void {
    const first = run[0] as Row
    const ref = context.takeRefs(run.length)
    const commands: PayloadOf<'commands'>['commands'] = []
    run.forEach((row, i) => {
      row.ref = ref + i
      row.wasOldest = queue.inFlight + i === 0
      row.wasSent ||= !row.skipFor
      const { messageId } = row
      context.pending.set(row.ref, {
        sentAt: context.now,
        answer: 'ack',
        acknowledged(seq, timestamp) {
          const place = queues.find(messageId, queue.room)
          if (place) settle(place, { status: 'acknowledged', seq, timestamp })
        },
        refused(failure) {
          const place = queues.find(messageId, queue.room)
          if (place) refused(place, failure)
        },
      })
      commands.push(
        row.skipFor ? { type: 'skip', messageId } : { type: row.type, messageId, payload: row.payload },
      )
      load.flyingBytes += row.bytes
      context.emit({ type: 'progress', messageId, status: 'sent' })
    })
    queue.inFlight += run.length
    load.flying += run.length
    pacing.take(run.length)
    context.send({
      type: 'commands',
      payload: { ref, room: queue.room, sid: first.sid, n: first.n, commands },
    })
  }

  function isPaused(queue: Queue): boolean {
    return queue.pausedUntil > context.now || pausedUntil > context.now
  }

  function wantsToSend(queue: Queue): boolean {
    return queue.inFlight < queue.rows.length && keeper.isOurs(queue) && !joins.isJoining(queue.room)
  }

  /** Why it cannot be taken. */
  function refusalOf(row: NewRow): Code | undefined {
    const { maxRows, maxBytes } = options.outbox
    if (rowTooLong(row)) return 'MESSAGE_TOO_LONG'
    return load.rows >= maxRows || load.bytes + row.bytes > maxBytes ? 'OUTBOX_FULL' : undefined
  }

  return {
    add(row, replaces) {
      const code = refusalOf(row)
      if (code === undefined) {
        const added =
          serverClock === undefined
            ? rowOf(row, context.now)
            : rowOf({ ...row, createdAt: Math.round(serverClock + context.now) }, undefined)
        added.joins = joins.isJoining(row.room)
        return keeper.save(added, replaces)
      }
      const { room, messageId } = row
      context.emit({ type: 'settled', room, messageId, outcome: { status: 'failed', code } })
    },

    cancel(messageId) {
      const place = queues.find(messageId)
      if (!place) return keeper.cancel(messageId)
      if (place.row.skipFor !== undefined) return
      // On its way it keeps its place in the window: the answer decides, or it comes back and is skipped.
      giveUp([place.row], 'CANCELLED')
    },

    cancelAll() {
      for (const { rows } of queues.all.values()) giveUp(rows, 'CANCELLED')
      keeper.take({ type: 'logout' })
    },

    drain() {
      if (!context.ready || load.flying === load.rows) return
      // Rooms in turn: who was served goes to the end of the line.
      for (const queue of Array.from(queues.all.values())) {
        if (!wantsToSend(queue) || isPaused(queue)) continue
        expire(queue)
        let run = nextRun(queue)
        if (run.length === 0) continue
        for (; run.length > 0; run = nextRun(queue)) transmit(queue, run)
        queues.all.delete(queue.key)
        queues.all.set(queue.key, queue)
      }
    },

    start(limits, serverTime) {
      pacing.configure(limits.messagesPerSecond, limits.messageBurst, context.now)
      if (serverTime !== undefined) {
        serverClock = serverTime - context.now
        firstClock ??= serverClock
      }
      // Another server may take less than the one for which it was queued: it would end every connection.
      for (const { rows } of queues.all.values()) giveUp(rows.filter(rowTooLong), 'MESSAGE_TOO_LONG')
    },

    stop() {
      for (const queue of queues.all.values()) queues.goBack(queue, 0)
    },

    deadline() {
      let earliest = keeper.deadline()
      if (!context.ready || load.flying === load.rows) return earliest
      const { windowPerRoom, windowPerConnection } = context.limits
      for (const queue of queues.all.values()) {
        if (!wantsToSend(queue)) continue
        if (queues.flyingIn(queue.room) >= windowPerRoom || load.flying >= windowPerConnection) continue
        const at = Math.max(queue.pausedUntil, pausedUntil, pacing.nextAt())
        // Whatever could go at once went with the step before: what is left waits for an answer, not for a time.
        if (at > context.now && at < earliest) earliest = at
      }
      return earliest
    },

    size() {
      const { rows, bytes } = load
      const { maxRows, maxBytes } = options.outbox
      return { rows, bytes, pressure: Math.max(rows / maxRows, bytes / maxBytes) }
    },
    keeper,
  }
}
