/**
 * The outbox kept in a store: what is written down, when, and who sends it. A row is `saving` until the store has it; only
 * the holder of the store sends what is in it; and that a row failed is written before it is reported. A store that fails
 * is given up: everything goes on in memory, and the application is told.
 *
 * Calls leave as effects, and their results come back as inputs in the order of the calls. Several tabs may share the
 * store: nothing here relies on being alone, nor on a notice of another tab to arrive.
 */
import type { Code } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { KeeperFactory, KeeperInput, StorageStatus, StoreCall, StoreResult } from './keeper.ts'
import { IN_MEMORY, laneRowOf, type Place, type Queue, type Row, rowOf } from './outbox-queues.ts'
import type { NewRow, OutboxNotice, SendOutcome, StoredRow } from './outbox-row.ts'
import { randomSid } from './random.ts'
import { answerDueAt, awaitAnswer, isOverdue, LATE_MS, type StoreCalls, takeAnswer } from './store-calls.ts'

/** A store that has not opened by then, or has not finished when we close, is given up. */
const STORE_TIMEOUT_MS = 5_000
/** Who does not hold the store asks so often for a sign of life of who does; without one it becomes the holder. */
const WATCH_MS = 5_000
/** The holder looks so often by itself: what another tab told it may have been lost, and that tab be gone. */
const LOOK_MS = 60_000
/** So many ids of rows that are decided are remembered, lest an old view of the store brings one back. */
const REMEMBERED = 2_000

function isStored(row: Row | undefined): boolean {
  return row !== undefined && row.order !== IN_MEMORY
}

export const keepInStore: KeeperFactory = (context, queues, mustJoin) => {
  let status: StorageStatus = 'opening'
  /** What was told of it: that the store is open only once it was read, so that what is in it counts as queued by then. */
  let toldStatus: StorageStatus = 'opening'
  let nextId = 1
  let isAsked = false
  let isLeaving = false
  let isClosing = false
  let isEmptied = false
  let isEmptying = false
  let isClosed = false
  let isHolder = false
  /** Whether the store was read since we hold it. */
  let isRead = false
  let isListing = false
  let listAgain = false
  /** Rows that the store has not yet: those that wait, and those that are being written, in one strict write. */
  let waiting: Row[] = []
  let adding: Row[] = []
  const replacing = new Map<string, string>()
  /** Told by others before we knew that we had saved it. */
  const early = new Map<string, SendOutcome>()
  /** Refused for good; reported as soon as that is written. */
  const failing = new Map<string, { readonly row: Row; readonly outcome: SendOutcome }>()
  /** Failed rows that are in the store. */
  const failed = new Set<string>()
  /** Rows that are in the store no longer, or should not be. */
  const gone = new Set<string>()
  /** Calls without their answers. */
  const calls: StoreCalls = new Map()
  let removals: string[] = []
  let settled: { messageId: string; outcome: SendOutcome }[] = []
  let isChanged = false
  let isSpeaking = false
  let wasSending = false
  let heard = false
  let watchAt = NEVER
  let lookAt = NEVER
  let giveUpAt = NEVER

  function ask(call: StoreCall, then?: (result: StoreResult) => void): void {
    if (isClosed) return
    const id = nextId++
    if (then) awaitAnswer(calls, id, then, context.now)
    context.emit({ type: 'store', id, call })
  }

  function tellStatus(detail: string | undefined): void {
    toldStatus = status
    context.emit({ type: 'storage', status, detail })
  }

  /** Who holds the store and is not connected leaves to others what is in it: they must know of it. */
  function isSending(): boolean {
    return isHolder && context.ready
  }

  function isIdleHolder(): boolean {
    return isHolder && !context.ready && !isClosing
  }

  function report({ room, messageId }: NewRow, outcome: SendOutcome): void {
    context.emit({ type: 'settled', room, messageId, outcome })
  }

  function forget(messageId: string): void {
    gone.add(messageId)
    for (const oldest of gone) if (gone.size > REMEMBERED) gone.delete(oldest)
  }

  /** The row leaves the outbox, whoever decided it. */
  function leave(place: Place): void {
    queues.remove(place)
    queues.weigh(place.row, -1)
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** All rows that wait, in one write. The lane is given now: until here the room may have got a new one. */
  function add(): void {
    const rows = waiting
    adding = adding.concat(rows)
    waiting = []
    for (const row of rows) queues.giveLane(queues.of(row.room), row)
    ask({ do: 'add', rows: rows.map(laneRowOf) }, ({ orders = [] }) => {
      adding = adding.slice(rows.length)
      rows.forEach((row, i) => {
        row.order = orders[i] ?? 0
        added(row)
      })
      if (!isHolder || isIdleHolder()) isChanged = true
    })
  }

  function added(row: Row): void {
    const { messageId } = row
    row.wasSent = !isHolder
    const old = replacing.get(messageId)
    if (replacing.delete(messageId) && old !== undefined) removals.push(old)
    queues.enqueue(row)
    const outcome = early.get(messageId)
    if (early.delete(messageId) && outcome) heardOf(messageId, outcome)
    else if (row.skipFor) skip([row], row.skipFor)
  }

  function skip(rows: readonly Row[], code: Code): void {
    const messageIds = rows.filter(({ order }) => order !== IN_MEMORY).map(({ messageId }) => messageId)
    if (messageIds.length === 0) return
    ask({ do: 'skip', messageIds, code }, () => {
      if (!isHolder || isIdleHolder()) isChanged = true
    })
  }

  function settle(row: Row, outcome: SendOutcome): void {
    const { messageId } = row
    const done = (known = outcome) => {
      report(row, known)
      if (row.order !== IN_MEMORY) settled.push({ messageId, outcome: known })
    }
    if (row.order === IN_MEMORY) return done()
    if (outcome.status === 'acknowledged') {
      forget(messageId)
      removals.push(messageId)
      return done()
    }
    failing.set(messageId, { row, outcome })
    const { code, detail, applicationCode } = outcome
    ask({ do: 'fail', messageId, code, detail, applicationCode }, ({ rows: [stands] = [] }) => {
      if (!failing.delete(messageId)) return
      failed.add(messageId)
      // Another tab may have written why before us: whoever looks later finds that.
      done(stands?.failed && { status: 'failed', ...stands.failed })
    })
  }

  function renumber(queue: Queue): void {
    const [oldest] = queue.rows
    if (!oldest || oldest.order === IN_MEMORY) return queues.renumber(queue)
    const { room } = queue
    const sid = randomSid(context.random)
    queue.isRenumbering = true
    ask({ do: 'renumber', room, lost: oldest.sid, sid }, ({ rows = [] }) => {
      queue.isRenumbering = false
      compare(rows, [queue])
      const last = rows.at(-1)
      // Where it was us who did it, it is our lane from now on.
      if (last?.sid !== sid) return
      queue.sid = sid
      queue.nextN = last.n + 1
    })
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────

  function list(): void {
    if (isListing) {
      listAgain = true
      return
    }
    isListing = true
    lookAt = context.now + LOOK_MS
    ask({ do: 'list' }, ({ rows = [] }) => {
      isListing = false
      isRead = true
      compare(rows, Array.from(queues.all.values()))
      if (toldStatus !== status) tellStatus(undefined)
      const ids = new Set(rows.map(({ messageId }) => messageId))
      for (const messageId of failed) {
        if (ids.has(messageId)) continue
        failed.delete(messageId)
        context.emit({ type: 'discarded', messageId })
      }
      if (!listAgain) return
      listAgain = false
      list()
    })
  }

  /** How rows stand in the store, all those of these queues. */
  function compare(rows: readonly StoredRow[], of: readonly Queue[]): void {
    for (const row of rows) compareRow(row)
    const ids = new Set(rows.map(({ messageId }) => messageId))
    for (const queue of of) {
      for (const row of queue.rows.filter(
        ({ order, messageId }) => order !== IN_MEMORY && !ids.has(messageId),
      ))
        probe(queue, row)
    }
  }

  function compareRow(stored: StoredRow): void {
    const { messageId } = stored
    if (failing.has(messageId) || failed.has(messageId)) return
    if (gone.has(messageId)) {
      // It came back by a crash, or was put there by somebody who knew less.
      if (!stored.failed) removals.push(messageId)
      return
    }
    const place = queues.find(messageId)
    if (stored.failed) {
      failed.add(messageId)
      const outcome = { status: 'failed', ...stored.failed } as const
      if (!place) return context.emit({ type: 'restored', row: stored, outcome })
      leave(place)
      return report(place.row, outcome)
    }
    if (place) return update(place, stored)
    const row = rowOf(stored, undefined)
    if (isLeaving) row.skipFor ??= 'CANCELLED'
    if (row.joins && !row.skipFor) mustJoin(row.room)
    queues.weigh(row, 1)
    context.emit({ type: 'restored', row: stored, outcome: undefined })
    queues.enqueue(row)
  }

  function update({ queue, row }: Place, { sid, n, skipFor }: StoredRow): void {
    if (row.order === IN_MEMORY) return
    if (row.sid !== sid || row.n !== n) {
      queues.goBack(queue, 0)
      // Somebody gave our rows another lane: what comes next is not of the lane that they left, nor of theirs.
      if (row.sid === queue.sid) queues.newLane(queue)
      row.sid = sid
      row.n = n
      row.wasSent = true
    }
    // On its way it keeps its place in the window: the answer decides, or it comes back and is skipped.
    row.skipFor ??= skipFor
  }

  /**
   * Undecided here and gone from the store: it was decided, and we did not hear how. The server knows: a skip of its place
   * is answered by the acknowledgement where the message has been accepted. What is on its way has been asked already.
   */
  function probe(queue: Queue, row: Row): void {
    queues.setAside({ queue, row, index: queue.rows.indexOf(row) })
    row.skipFor ??= 'VOID'
  }

  // ── Others who share the store ────────────────────────────────────────────────────────────────────────────────

  function heardOf(messageId: string, outcome: SendOutcome): void {
    const place = queues.find(messageId)
    const unreported = failing.get(messageId)
    if (unreported && outcome.status === 'acknowledged') {
      // Refused in one lane and accepted in another: it is in the room.
      failing.delete(messageId)
      removals.push(messageId)
      forget(messageId)
      return report(unreported.row, outcome)
    }
    if (!place && adding.some((row) => row.messageId === messageId)) {
      early.set(messageId, outcome)
      return
    }
    if (outcome.status === 'acknowledged') forget(messageId)
    else if (place) failed.add(messageId)
    // A failed one that we do not know is to be shown; one that is failing here is, soon.
    else if (!unreported && !failed.has(messageId)) list()
    if (!place) return
    leave(place)
    report(place.row, outcome)
  }

  /** Whether undecided rows are in the store. */
  function hasRows(): boolean {
    for (const { rows } of queues.all.values()) if (rows[0]?.order !== undefined) return true
    return false
  }

  /** Whether rows wait in the store for somebody else to send them. */
  function isWatching(): boolean {
    return !isHolder && context.ready && hasRows()
  }

  /** Without a sign of life of the holder since the last time, nobody sends what is in the store. */
  function watch(): void {
    if (!heard && context.now < watchAt + LATE_MS) ask({ do: 'steal' })
    else list()
    askForLife()
  }

  function nextLook(): number {
    return isHolder && context.ready && status === 'durable' && !isClosing ? lookAt : NEVER
  }

  function askForLife(): void {
    heard = false
    isSpeaking = true
    watchAt = context.now + WATCH_MS
  }

  /** What the step left to be written and told. */
  function write(): void {
    if (waiting.length > 0 && mayAdd()) add()
    if (removals.length > 0) {
      ask({ do: 'remove', messageIds: removals }, () => {})
      removals = []
    }
    if (wasSending && isIdleHolder() && hasRows()) isChanged = true
    wasSending = isSending()
    if (isClosing || !isWatching()) watchAt = NEVER
    else if (watchAt === NEVER) askForLife()
    if (settled.length === 0 && !isChanged && !isSpeaking) return
    ask({ do: 'tell', notice: { settled, isChanged, isHolder: isSending() } })
    settled = []
    isChanged = isSpeaking = false
  }

  function lose(detail: string): void {
    if (status !== 'opening' && status !== 'durable') return
    status = 'lost'
    giveUpAt = watchAt = NEVER
    calls.clear()
    removals = []
    settled = []
    failed.clear()
    tellStatus(detail)
    // Who opens it next may send what is in it, and what was on its way into it.
    share()
    for (const row of adding) row.wasSent = true
    if (isClosing) return
    ask({ do: 'close' })
    for (const queue of queues.all.values()) {
      for (const row of queue.rows) row.order = IN_MEMORY
      if (queue.isRenumbering) queues.renumber(queue)
      queue.isRenumbering = false
    }
    const unsure = adding
    adding = []
    for (const row of unsure) queues.enqueue(row)
    for (const [messageId, outcome] of early) heardOf(messageId, outcome)
    for (const row of waiting) queues.enqueue(row)
    waiting = []
    for (const { row, outcome } of failing.values()) report(row, outcome)
    failing.clear()
  }

  function mayAdd(): boolean {
    if (isClosing) return true
    for (const queue of queues.all.values()) if (queue.isRenumbering) return false
    return adding.length === 0
  }

  /** What waits is written, or all that is there removed, before the store is let go of. */
  function finish(): void {
    if (status === 'opening' && isAsked && (isEmptied || waiting.length > 0)) return
    if (isEmptied && status === 'durable') return empty()
    if (isEmptied) queues.cancelUnsent()
    letGo()
  }

  function empty(): void {
    if (isEmptying) return
    isEmptying = true
    ask({ do: 'clear' }, () => {
      queues.cancelUnsent()
      ask({ do: 'tell', notice: { settled: [], isChanged: true, isHolder: false } })
      letGo()
    })
  }

  function letGo(): void {
    ask({ do: 'close' })
    giveUpAt = NEVER
    isClosed = true
  }

  /** Others may have sent what is in the store. */
  function share(): void {
    for (const { rows } of queues.all.values()) for (const row of rows) row.wasSent ||= isStored(row)
  }

  function open(): void {
    if (isAsked || status !== 'opening') return
    isAsked = true
    giveUpAt = context.now + STORE_TIMEOUT_MS
    ask({ do: 'open' }, () => {
      if (!isClosing) giveUpAt = NEVER
      status = 'durable'
      list()
    })
  }

  function discard(messageId: string): void {
    if (!failed.delete(messageId)) return
    forget(messageId)
    removals.push(messageId)
    isChanged = true
  }

  function close(isToBeEmptied = false): void {
    if (isClosing) return
    isClosing = true
    isEmptied = isToBeEmptied
    // Also what a former load left is to go.
    if (isEmptied) open()
    giveUpAt = context.now + STORE_TIMEOUT_MS
  }

  function cancel(messageId: string): void {
    const index = waiting.findIndex((row) => row.messageId === messageId)
    const [row] = index < 0 ? [] : waiting.splice(index, 1)
    if (row) {
      queues.weigh(row, -1)
      report(row, { status: 'failed', code: 'CANCELLED' })
    }
    for (const one of adding) if (one.messageId === messageId) one.skipFor ??= 'CANCELLED'
  }

  function held(isHeld: boolean): void {
    isHolder = isHeld
    isRead = false
    if (!isHeld) share()
    if (isHeld && status === 'durable' && !isClosing) list()
  }

  function told(notice: OutboxNotice): void {
    if (status !== 'durable') return
    heard ||= notice.isHolder
    for (const { messageId, outcome } of notice.settled) heardOf(messageId, outcome)
    if (notice.isChanged) list()
    if (isSending() && !notice.isHolder) isSpeaking = true
  }

  function take(input: KeeperInput): void {
    switch (input.type) {
      case 'connect':
        return open()
      case 'logout':
        isLeaving = true
        for (const { messageId } of waiting.slice()) cancel(messageId)
        for (const { messageId } of adding) cancel(messageId)
        return
      case 'close':
        return close(input.isEmptied)
      case 'discard':
        return discard(input.messageId)
      case 'stored':
        return takeAnswer(calls, input.id, input.result)
      case 'store_lost':
        return lose(input.detail)
      case 'held':
        return held(input.isHeld)
      case 'told':
        return told(input.notice)
      default:
        return input satisfies never
    }
  }

  return {
    status: () => toldStatus,

    isOurs({ rows, isRenumbering }) {
      return !isStored(rows[0]) || (isHolder && isRead && !isRenumbering)
    },

    save(row, replaces) {
      open()
      queues.weigh(row, 1)
      if (status === 'lost') return queues.enqueue(row)
      if (replaces !== undefined && failed.delete(replaces)) {
        forget(replaces)
        replacing.set(row.messageId, replaces)
      }
      waiting.push(row)
    },

    skip,

    cancel,

    settle,
    renumber,

    take,

    tick() {
      // While we close, all calls together have their time.
      if (context.now >= giveUpAt || (!isClosing && isOverdue(calls, context.now)))
        lose('it did not answer in time')
      if (context.now >= watchAt) watch()
      if (context.now >= nextLook()) list()
    },

    flush() {
      if (status === 'durable') write()
      if (isClosing && !isClosed) finish()
    },

    deadline: () => Math.min(giveUpAt, isClosing ? NEVER : answerDueAt(calls), watchAt, nextLook()),
  }
}
