/**
 * The outbox in IndexedDB, shared by all tabs of the browser in which this user speaks with this server: what was queued
 * survives a reload, a crash of the tab and the end of the browser, for as long as the browser keeps the site's storage
 * (`navigator.storage.persist()` asks it to). One tab at a time holds it and sends; see lock.ts.
 *
 * A page that sleeps lets go of everything: another tab takes over, and nobody waits for a page that cannot answer.
 */
import type { OutboxNotice } from '../core/outbox-row.ts'
import { type DurableOutbox, durable } from '../durable.ts'
import type { OutboxScope, OutboxStore, OutboxStoreEvents } from '../outbox-store.ts'
import { type Scheduler, systemScheduler } from '../scheduler.ts'
import { type Database, openDatabase, resultOf } from './database.ts'
import { type HeldLock, queueForLock } from './lock.ts'
import { type NoticeChannel, openNoticeChannel } from './notice-channel.ts'
import { watchPageSleep } from './page-sleep.ts'
import { addRows, failRow, listRows, removeRows, renumberRows, skipRows } from './rows.ts'

export interface IndexedDbOptions {
  /**
   * Some browsers never open a database, nor say why (private windows). After this the client goes on in memory.
   * Default 5,000 ms.
   */
  readonly openTimeoutMs?: number | undefined
  /** The timer, for tests. */
  readonly scheduler?: Scheduler | undefined
}

/**
 * The outbox of a browser, for the option `outbox.store`. Opens nothing by itself, so that it may be made in a server,
 * too, and may be given to several clients.
 */
export function indexedDb(options: IndexedDbOptions = {}): DurableOutbox {
  return durable({ open: (scope, events) => openStore(scope, events, options) })
}

const CLOSED = 'this outbox is closed'

async function openStore(
  scope: OutboxScope,
  events: OutboxStoreEvents,
  { openTimeoutMs: timeoutMs = 5_000, scheduler = systemScheduler }: IndexedDbOptions,
): Promise<OutboxStore> {
  const name = nameOf(scope)
  let phase: 'awake' | 'asleep' | 'closing' | 'gone' = 'awake'
  let connection: Promise<Database> | undefined
  /** Settles when everything that was asked for is done. */
  let last: Promise<unknown> = Promise.resolve()
  let lock: HeldLock | undefined
  let channel: NoticeChannel | undefined
  let isHolder = false

  /** The second time it has to be there: an empty one in its place would mean that all rows were delivered. */
  function connect(mustExist: boolean): Promise<Database> {
    if (phase === 'gone') return Promise.reject(new Error(CLOSED))
    connection ??= openDatabase({ name, scheduler, timeoutMs, mustExist, lost })
    return connection
  }

  function attend(): void {
    if (phase !== 'awake' || lock) return
    lock = queueForLock(name, hold)
    channel = openNoticeChannel(name, tell)
  }

  function hold(isHeld: boolean): void {
    isHolder = isHeld
    if (phase === 'awake' || phase === 'asleep') events.held(isHeld)
  }

  function tell(notice: OutboxNotice): void {
    if (phase === 'awake') events.told(notice)
  }

  async function letGo(stop: (database: Database) => void): Promise<void> {
    lock?.release()
    channel?.close()
    const opened = connection
    lock = channel = connection = undefined
    await opened?.then(stop, () => {}) // What did not open needs no end.
  }

  /** More than once in a row: last words may have opened the database again. */
  function sleep(stop: (database: Database) => void): void {
    if (phase === 'awake') phase = 'asleep'
    void letGo(stop)
    if (isHolder) hold(false)
  }

  function wake(): void {
    if (phase !== 'asleep') return
    phase = 'awake'
    const opening = connect(true)
    opening.then(
      () => {
        attend()
        // What was told meanwhile nobody heard.
        tell({ settled: [], isChanged: true, isHolder: false })
      },
      () => {
        if (connection === opening) lost()
      },
    )
  }

  async function end(): Promise<void> {
    phase = 'gone'
    stopWatching()
    await letGo((database) => database.close())
  }

  function lost(): void {
    const isOurs = phase === 'awake' || phase === 'asleep'
    void end()
    if (isOurs) events.lost()
  }

  async function close(): Promise<void> {
    if (phase === 'gone') return
    phase = 'closing'
    await last
    await end()
  }

  /** One after the other, so that they stay in their order where one has to be done again. */
  function ask<T>(work: (database: Database) => Promise<T>): Promise<T> {
    if (phase === 'closing' || phase === 'gone') return Promise.reject(new Error(CLOSED))
    const answer = last.then(() => perform(work))
    const done = () => {} // The answer is for who asked.
    last = answer.then(done, done)
    return answer
  }

  async function perform<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const opening = connect(true)
    try {
      return await work(await opening)
    } catch (error) {
      if (phase === 'gone' || connection === opening) throw error
      // The page fell asleep in the middle: nothing of it happened, so it is done now.
      return perform(work)
    }
  }

  const strictly = <T>(work: (rows: IDBObjectStore) => Promise<T>): Promise<T> =>
    ask((database) => database.change('strict', work))

  await connect(false)
  const stopWatching = watchPageSleep(
    () => sleep((database) => database.close()),
    () => sleep((database) => database.abort()),
    wake,
  )
  // In a later turn: who opens it has the store before anything is told of it.
  scheduler.after(0, attend)

  return {
    list: () => ask((database) => database.read(listRows)),
    add: (added) => strictly((rows) => addRows(rows, added)),
    skip: (messageIds, code) => strictly((rows) => skipRows(rows, messageIds, code)),
    fail: (messageId, ...fault) => strictly((rows) => failRow(rows, messageId, ...fault)),
    renumber: (room, lostSid, sid) => strictly((rows) => renumberRows(rows, room, lostSid, sid)),
    remove: (messageIds) =>
      ask((database) => database.change('relaxed', (rows) => removeRows(rows, messageIds))),
    clear: () => strictly((rows) => resultOf(rows.clear())),
    tell: (notice) => channel?.tell(notice),
    steal: () => lock?.steal(),
    close,
  }
}

/** Unambiguous, whatever stands in its parts. */
function nameOf({ server, userId }: OutboxScope): string {
  return `tautline/outbox/${encodeURIComponent(server)}/${encodeURIComponent(userId)}`
}
