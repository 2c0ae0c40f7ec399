/**
 * The undecided rows by room, in the order of sending, and what of them is in flight. Not here: when they are sent, what
 * an answer means (outbox.ts), and where else they are kept (keeper.ts).
 */

import type { Code } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context } from './context.ts'
import type { LaneRow, NewRow, StoredRow } from './outbox-row.ts'
import { randomSid } from './random.ts'

export const IN_MEMORY = NEVER

export interface Row extends NewRow {
  /** By the server's clock, as soon as that is known: the clock of the device may be wrong by weeks. */
  createdAt: number
  /** When it was added, in the time of `now`: while `createdAt` is by the clock of the device, and we know better. */
  addedAt: number | undefined
  sid: string
  n: number
  /** Its place in the store; IN_MEMORY, which is behind all of them, while it is in memory alone. */
  order: number
  /** 0 while not in flight. */
  ref: number
  /** Whether it was the oldest undecided row of its room when it was sent: only then does a GAP mean a lost lane. */
  wasOldest: boolean
  /** Whether the server may have it: we sent it once, or somebody who shares the store may have. */
  wasSent: boolean
  /** The row gives its place up instead, and fails with this code unless the server has accepted it before. */
  skipFor: Code | undefined
  /** See LaneRow. */
  joins: boolean | undefined
  internalErrors: number
  firstInternalErrorAt: number
}

export interface Queue {
  readonly key: string
  readonly room: string
  /** Undecided rows in order; the first `inFlight` of them are sent and unanswered. */
  readonly rows: Row[]
  inFlight: number
  /** The lane of the next rows of ours, and the place of the next of them. */
  sid: string
  nextN: number
  pausedUntil: number
  /** The last wait, doubled on repeats; 0 after progress. */
  waitMs: number
  /** The store gives its rows a new lane: nothing is sent meanwhile. */
  isRenumbering: boolean
}

export interface Place {
  readonly queue: Queue
  readonly row: Row
  readonly index: number
}

export interface Queues {
  /** By key. Who was served last stands last. */
  readonly all: Map<string, Queue>
  /** What there is: undecided rows with those that are not in a queue yet, and their bytes; what of them is in flight. */
  readonly load: { rows: number; bytes: number; flying: number; flyingBytes: number }
  of(room: string): Queue
  /** Puts the row into the queue beside that of its room: it waits for nobody, nor anybody for it. It stays in the air. */
  setAside(place: Place): void
  /** How many of the room's rows are in flight. */
  flyingIn(room: string): number
  find(messageId: string, room?: string): Place | undefined
  /** Puts the row into the queue of its room, in its lane or, without one, in ours. It is queued. */
  enqueue(row: Row): void
  /** Takes the row out, also from the air. */
  remove(place: Place): void
  /** Forget what is in flight from this row on; it will be sent again. */
  goBack(queue: Queue, index: number): void
  weigh(row: NewRow, count: 1 | -1): void
  /** The next rows of ours in this room begin a new lane. */
  newLane(queue: Queue): void
  /** The row takes the next place of our lane. */
  giveLane(queue: Queue, row: Row): void
  /** All rows of the room begin a new lane of ours. */
  renumber(queue: Queue): void
  /** Nobody will send any more: what the server cannot have has failed, of the rest nobody here knows. */
  cancelUnsent(): void
}

export function rowOf(row: NewRow | StoredRow, addedAt: number | undefined): Row {
  const placed = { sid: '', n: 0, order: IN_MEMORY, skipFor: undefined, joins: false, ...row }
  const wasSent = placed.order !== IN_MEMORY
  return { ...placed, addedAt, ref: 0, wasOldest: false, wasSent, internalErrors: 0, firstInternalErrorAt: 0 }
}

/** What a store keeps of it. */
export function laneRowOf(row: Row): LaneRow {
  const { room, type, payload, messageId, bytes, createdAt, sid, n, skipFor } = row
  return { room, type, payload, messageId, bytes, createdAt, sid, n, skipFor, joins: row.joins || undefined }
}

/** Rooms without rows of which the lane is remembered; one that is forgotten gets a new one. */
const MAX_IDLE = 1_000

export function createQueues(context: Context): Queues {
  const all = new Map<string, Queue>()
  const load = { rows: 0, bytes: 0, flying: 0, flyingBytes: 0 }
  /** Of a lane that is forgotten nobody here knows how far it went: no room may begin it again. */
  let hasForgotten = false

  function weigh({ bytes }: NewRow, count: 1 | -1): void {
    load.rows += count
    load.bytes += count * bytes
  }

  function land(row: Row): void {
    context.pending.delete(row.ref)
    row.ref = 0
    load.flying--
    load.flyingBytes -= row.bytes
  }

  function open(room: string, key: string): Queue {
    const found = all.get(key)
    if (found) return found
    const queue: Queue = {
      key,
      room,
      rows: [],
      inFlight: 0,
      sid: hasForgotten ? randomSid(context.random) : context.options.sid,
      nextN: 1,
      pausedUntil: Number.NEGATIVE_INFINITY,
      waitMs: 0,
      isRenumbering: false,
    }
    all.set(key, queue)
    if (all.size > load.rows + MAX_IDLE) forgetIdle()
    return queue
  }

  /** Who was served last stands last. */
  function forgetIdle(): void {
    for (const [key, { rows, isRenumbering }] of all) {
      if (rows.length > 0 || isRenumbering) continue
      hasForgotten = all.delete(key)
      return
    }
  }

  /** No id of a room has a space. */
  const asideKey = (room: string): string => ` ${room}`

  /** A row that came behind what was in flight may belong before it: whoever asks for a new lane must be the oldest. */
  function sort({ rows, inFlight }: Queue): void {
    // Of two in memory, which have no difference, the first stays the first.
    rows.push(...rows.splice(inFlight).sort((a, b) => a.order - b.order || 0))
  }

  function newLane(queue: Queue): void {
    queue.sid = randomSid(context.random)
    queue.nextN = 1
  }

  function giveLane(queue: Queue, row: Row): void {
    row.sid = queue.sid
    row.n = queue.nextN++
  }

  return {
    all,
    load,
    of: (room) => open(room, room),
    flyingIn: (room) => (all.get(room)?.inFlight ?? 0) + (all.get(asideKey(room))?.inFlight ?? 0),

    find(messageId, room) {
      const near = room === undefined ? all.values() : [all.get(room), all.get(asideKey(room))]
      for (const queue of near) {
        const index = queue ? queue.rows.findIndex((row) => row.messageId === messageId) : -1
        const row = queue?.rows[index]
        if (queue && row) return { queue, row, index }
      }
      return undefined
    },

    setAside({ queue, row, index }) {
      const beside = open(queue.room, asideKey(queue.room))
      queue.rows.splice(index, 1)
      row.order = IN_MEMORY
      beside.rows.splice(row.ref === 0 ? beside.rows.length : beside.inFlight++, 0, row)
      if (row.ref !== 0) queue.inFlight--
    },

    enqueue(row) {
      const queue = open(row.room, row.room)
      if (row.n === 0) giveLane(queue, row)
      queue.rows.push(row)
      if (row.order !== IN_MEMORY) sort(queue)
      context.emit({ type: 'progress', messageId: row.messageId, status: 'queued' })
    },

    remove({ queue, row, index }) {
      queue.rows.splice(index, 1)
      if (index >= queue.inFlight) return
      queue.inFlight--
      land(row)
    },

    goBack(queue, index) {
      for (const row of queue.rows.slice(index, queue.inFlight)) {
        land(row)
        context.emit({ type: 'progress', messageId: row.messageId, status: 'queued' })
      }
      queue.inFlight = Math.min(queue.inFlight, index)
      sort(queue)
    },

    weigh,

    newLane,
    giveLane,

    renumber(queue) {
      newLane(queue)
      for (const row of queue.rows) giveLane(queue, row)
    },

    cancelUnsent() {
      for (const { room, rows } of all.values())
        for (const row of rows.splice(0)) {
          if (row.wasSent) rows.push(row)
          else {
            weigh(row, -1)
            const outcome = { status: 'failed', code: 'CANCELLED' } as const
            context.emit({ type: 'settled', room, messageId: row.messageId, outcome })
          }
        }
    },
  }
}
