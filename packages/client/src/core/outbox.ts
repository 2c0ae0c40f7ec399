/**
 * The outbox: what was sent and is not decided yet. Rows of a room are sent in order and decided in order; the lane
 * (sid, n) lets the server drop what it has already and refuse what would overtake. Every row ends in one outcome:
 * acknowledged at a position of the room, or failed with a code. The whole contract stands in docs/protocol.md.
 *
 * What lives here: rows, lanes, windows, waits, and the answer to each reply. Not here: when to connect.
 */
import { CODES, type Code, type Limits, MAX_BATCH, type PayloadOf } from '@tautline/protocol/wire'
import type { Context, Failure } from './context.ts'
import type { NewRow, SendOutcome } from './outbox-row.ts'
import { createPacing } from './pacing.ts'
import { randomSid } from './random.ts'

export interface OutboxOptions {
  /** Rows at most; beyond it send() fails with OUTBOX_FULL. Default 1,000. */
  readonly maxRows: number
  /** Bytes of all rows at most. Default 4 MiB. */
  readonly maxBytes: number
  /** A row older than this is given up (EXPIRED), by the server's clock. Default 7 days. */
  readonly timeToLiveMs: number
}

export const DEFAULT_OUTBOX: OutboxOptions = {
  maxRows: 1_000,
  maxBytes: 4_194_304,
  timeToLiveMs: 7 * 24 * 3_600_000,
}

interface Row extends NewRow {
  /** By the server's clock, as soon as that is known: the clock of the device may be wrong by weeks. */
  createdAt: number
  /** When it was added, in the time of `now`. */
  readonly addedAt: number
  sid: string
  n: number
  /** 0 while not in flight. */
  ref: number
  /** Whether it was the oldest undecided row of its room when it was sent: only then does a GAP mean a lost lane. */
  wasOldest: boolean
  /** The row gives its place up instead, and fails with this code unless the server has accepted it before. */
  skipFor: Code | undefined
  internalErrors: number
  firstInternalErrorAt: number
}

interface Queue {
  readonly room: string
  /** Undecided rows in order; the first `inFlight` of them are sent and unanswered. */
  readonly rows: Row[]
  inFlight: number
  sid: string
  nextN: number
  pausedUntil: number
  /** The last wait, doubled on repeats; 0 after progress. */
  waitMs: number
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
  add(row: NewRow): void
  /** Give the message up, unless the server has accepted it. */
  cancel(messageId: string): void
  has(messageId: string): boolean
  /** Send what may be sent. */
  drain(): void
  /** The connection is ready, with these limits; `serverTime` is the server's clock now, in Unix milliseconds. */
  start(limits: Limits, serverTime: number | undefined): void
  /** The connection is gone: nothing is in flight any more. */
  stop(): void
  acknowledged(room: string, messageId: string, seq: number, timestamp: number): void
  refused(room: string, messageId: string, failure: Failure): void
  deadline(): number
  /** Undecided rows, and their bytes. */
  size(): { readonly rows: number; readonly bytes: number }
}

/** `isHeld`: whether a room must wait, because we are not yet its member. */
export function createOutbox(context: Context, isHeld: (room: string) => boolean): Outbox {
  const { options } = context
  const queues = new Map<string, Queue>()
  const pacing = createPacing(context.limits.messagesPerSecond, context.limits.messageBurst)
  let rowCount = 0
  let byteCount = 0
  let flying = 0
  let flyingBytes = 0
  let pausedUntil = Number.NEGATIVE_INFINITY
  let userWaitMs = 0
  /** The server's Unix time minus our monotonic one; undefined until it told us. */
  let serverClock: number | undefined

  function queueOf(room: string): Queue {
    const found = queues.get(room)
    if (found) return found
    const queue: Queue = {
      room,
      rows: [],
      inFlight: 0,
      sid: options.sid,
      nextN: 1,
      pausedUntil: Number.NEGATIVE_INFINITY,
      waitMs: 0,
    }
    queues.set(room, queue)
    return queue
  }

  function find(room: string, messageId: string): { queue: Queue; row: Row; index: number } | undefined {
    const queue = queues.get(room)
    const index = queue?.rows.findIndex((row) => row.messageId === messageId) ?? -1
    const row = queue?.rows[index]
    return queue && row ? { queue, row, index } : undefined
  }

  function rowTooLong(row: NewRow): boolean {
    const { maxMessageChars, maxFrameBytes } = context.limits
    return (
      row.payload.content.length > maxMessageChars ||
      row.bytes > maxFrameBytes - FRAME_OVERHEAD - COMMAND_OVERHEAD
    )
  }

  function land(row: Row): void {
    context.pending.delete(row.ref)
    row.ref = 0
    flying--
    flyingBytes -= row.bytes
  }

  /** Forget what is in flight from this row on; it will be sent again. */
  function goBack(queue: Queue, index: number): void {
    for (let i = index; i < queue.inFlight; i++) {
      const row = queue.rows[i] as Row
      land(row)
      context.emit({ type: 'progress', messageId: row.messageId, status: 'queued' })
    }
    queue.inFlight = Math.min(queue.inFlight, index)
  }

  function settle(queue: Queue, index: number, outcome: SendOutcome): void {
    const [row] = queue.rows.splice(index, 1)
    if (!row) return
    if (index < queue.inFlight) {
      queue.inFlight--
      land(row)
    }
    queue.waitMs = 0
    userWaitMs = 0
    rowCount--
    byteCount -= row.bytes
    context.emit({ type: 'settled', room: queue.room, messageId: row.messageId, outcome })
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

  /** The server does not know our lane any more (it was collected, or the store was set back): begin a new one. */
  function relane(queue: Queue): void {
    goBack(queue, 0)
    queue.sid = randomSid(context.random)
    queue.nextN = 1
    for (const row of queue.rows) {
      row.sid = queue.sid
      row.n = queue.nextN++
    }
  }

  function isPoison(row: Row): boolean {
    if (row.internalErrors++ === 0) row.firstInternalErrorAt = context.now
    return row.internalErrors >= POISON_ERRORS && context.now - row.firstInternalErrorAt >= POISON_MS
  }

  function retryLater(queue: Queue, index: number, code: Code, retryAfterMs: number | undefined): void {
    const row = queue.rows[index] as Row
    if (code === 'INTERNAL_ERROR' && isPoison(row)) row.skipFor ??= 'POISON'
    const laneIsLost = code === 'GAP' && row.wasOldest
    goBack(queue, index)
    if (laneIsLost) relane(queue)
    pause(queue, code, retryAfterMs)
  }

  /** The server could not even place it in its lane: give the place up, or, where that is refused too, the lane. */
  function unplaceable(queue: Queue, index: number, code: Code): void {
    const row = queue.rows[index] as Row
    goBack(queue, index)
    if (row.skipFor === undefined) {
      row.skipFor = code
      return
    }
    settle(queue, index, { status: 'failed', code: row.skipFor })
    relane(queue)
  }

  /** What was written before we knew the server's time is as old as we have been waiting, whatever the device says. */
  function learnTime(clock: number): void {
    if (serverClock === undefined) {
      for (const queue of queues.values()) for (const row of queue.rows) row.createdAt = clock + row.addedAt
    }
    serverClock = clock
  }

  function expire(queue: Queue): void {
    if (serverClock === undefined) return
    const oldest = serverClock + context.now - options.outbox.timeToLiveMs
    for (const row of queue.rows) if (row.createdAt < oldest && row.ref === 0) row.skipFor ??= 'EXPIRED'
  }

  /** The rows of one frame: the next of one lane, without holes, as many as windows, rate and frame allow. */
  function nextRun(queue: Queue): Row[] {
    const { windowPerRoom, windowPerConnection, windowBytes, maxFrameBytes } = context.limits
    const places = Math.min(
      windowPerRoom - queue.inFlight,
      windowPerConnection - flying,
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
      if (flying + run.length > 0 && flyingBytes + bytes > windowBytes) break
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
      context.pending.set(row.ref, {
        for: 'command',
        room: queue.room,
        messageId: row.messageId,
        sentAt: context.now,
      })
      commands.push(
        row.skipFor
          ? { type: 'skip', messageId: row.messageId }
          : { type: row.type, messageId: row.messageId, payload: row.payload },
      )
      flyingBytes += row.bytes
      context.emit({ type: 'progress', messageId: row.messageId, status: 'sent' })
    })
    queue.inFlight += run.length
    flying += run.length
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
    return queue.inFlight < queue.rows.length && !isHeld(queue.room)
  }

  return {
    add(row) {
      const fail = (code: Code) =>
        context.emit({
          type: 'settled',
          room: row.room,
          messageId: row.messageId,
          outcome: { status: 'failed', code },
        })
      if (rowTooLong(row)) return fail('MESSAGE_TOO_LONG')
      if (rowCount >= options.outbox.maxRows || byteCount + row.bytes > options.outbox.maxBytes)
        return fail('OUTBOX_FULL')
      const queue = queueOf(row.room)
      queue.rows.push({
        ...row,
        createdAt: serverClock === undefined ? row.createdAt : serverClock + context.now,
        addedAt: context.now,
        sid: queue.sid,
        n: queue.nextN++,
        ref: 0,
        wasOldest: false,
        skipFor: undefined,
        internalErrors: 0,
        firstInternalErrorAt: 0,
      })
      rowCount++
      byteCount += row.bytes
      context.emit({ type: 'progress', messageId: row.messageId, status: 'queued' })
    },

    cancel(messageId) {
      for (const queue of queues.values()) {
        const index = queue.rows.findIndex((row) => row.messageId === messageId)
        if (index < 0) continue
        const row = queue.rows[index] as Row
        if (row.skipFor !== undefined) return
        row.skipFor = 'CANCELLED'
        goBack(queue, index)
      }
    },

    has(messageId) {
      for (const queue of queues.values())
        if (queue.rows.some((row) => row.messageId === messageId)) return true
      return false
    },

    drain() {
      if (!context.ready || flying === rowCount) return
      // Rooms in turn: who was served goes to the end of the line.
      for (const queue of Array.from(queues.values())) {
        if (!wantsToSend(queue) || isPaused(queue)) continue
        expire(queue)
        let run = nextRun(queue)
        if (run.length === 0) continue
        for (; run.length > 0; run = nextRun(queue)) transmit(queue, run)
        queues.delete(queue.room)
        queues.set(queue.room, queue)
      }
    },

    start(limits, serverTime) {
      pacing.configure(limits.messagesPerSecond, limits.messageBurst, context.now)
      if (serverTime !== undefined) learnTime(serverTime - context.now)
      // Another server may take less than the one for which it was queued: it would end every connection.
      for (const queue of queues.values()) {
        for (const row of queue.rows) if (rowTooLong(row)) row.skipFor ??= 'MESSAGE_TOO_LONG'
      }
    },

    stop() {
      for (const queue of queues.values()) goBack(queue, 0)
    },

    acknowledged(room, messageId, seq, timestamp) {
      const found = find(room, messageId)
      if (found) settle(found.queue, found.index, { status: 'acknowledged', seq, timestamp })
    },

    refused(room, messageId, { code, detail, retryAfterMs }) {
      const found = find(room, messageId)
      if (!found) return
      const { queue, row, index } = found
      if (CODES[code].final) {
        const skipped = row.skipFor !== undefined && (code === 'SKIPPED' || code === 'VOID')
        if (skipped) return settle(queue, index, { status: 'failed', code: row.skipFor as Code })
        // The table says what its own codes mean; of another its own word is all there is.
        const said = code === 'REJECTED' ? { detail } : undefined
        return settle(queue, index, { status: 'failed', code, ...said })
      }
      if (CODES[code].retryable) return retryLater(queue, index, code, retryAfterMs)
      unplaceable(queue, index, code)
    },

    deadline() {
      if (!context.ready || flying === rowCount) return Number.POSITIVE_INFINITY
      let earliest = Number.POSITIVE_INFINITY
      for (const queue of queues.values()) {
        if (!wantsToSend(queue)) continue
        if (queue.inFlight >= context.limits.windowPerRoom || flying >= context.limits.windowPerConnection)
          continue
        const at = Math.max(queue.pausedUntil, pausedUntil, pacing.nextAt())
        // Whatever could go at once went with the step before: what is left waits for an answer, not for a time.
        if (at > context.now && at < earliest) earliest = at
      }
      return earliest
    },

    size: () => ({ rows: rowCount, bytes: byteCount }),
  }
}
