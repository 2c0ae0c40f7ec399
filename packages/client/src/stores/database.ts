/**
 * The IndexedDB database of one outbox, as promises: opened within a time, or not at all; one transaction at a time, whole
 * or not at all. Written by hand because the library for it (idb, 1.5 kB) does more than is needed and these few lines
 * would still stand around it.
 *
 * In a transaction nothing may be awaited but its own requests: the browser would end it.
 */
import type { Scheduler } from '../scheduler.ts'

/** Raised with the layout; `upgrade` makes each version from the one before. */
const VERSION = 1
const ROWS = 'rows'
const REFUSED = 'the outbox cannot be kept in IndexedDB'
const ENDED = 'the browser ended it'

export interface Database {
  /**
   * Resolves when it is on the disk (`strict`), or handed to the operating system (`relaxed`). Where `work` throws or a
   * request of it fails, nothing of it happened.
   */
  change<T>(durability: IDBTransactionDurability, work: (rows: IDBObjectStore) => Promise<T>): Promise<T>
  read<T>(work: (rows: IDBObjectStore) => Promise<T>): Promise<T>
  /** After what was begun is done. */
  close(): void
  /**
   * What was begun has not happened, and rejects, unless it is complete but for the disk. In a page that stops in the
   * middle of a transaction, it would hold up everybody who wants the same rows.
   */
  abort(): void
}

export interface OpenOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly timeoutMs: number
  /** Whether it has to be there already. */
  readonly mustExist: boolean
  /**
   * The browser closed it, or somebody wants to delete it or to change its layout: it has to be closed now, for who stays
   * holds everybody up.
   */
  lost(): void
}

export function openDatabase({
  name,
  scheduler,
  timeoutMs,
  mustExist,
  lost,
}: OpenOptions): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = requestOf(name)
    let isWanted = true
    const giveUp = (why: string, cause?: unknown) => {
      isWanted = false
      stopTimer()
      reject(new Error(`${REFUSED}: ${why}`, { cause }))
    }
    const stopTimer = scheduler.after(timeoutMs, () => giveUp(`it did not open in ${timeoutMs} ms`))
    request.onblocked = () => giveUp('another tab has it open in an older version')
    request.onerror = () => giveUp(wordsOf(request.error), request.error)
    request.onupgradeneeded = ({ oldVersion }) => {
      if (isWanted && mustExist && oldVersion === 0) giveUp('it is gone')
      // What opens after all is not left behind half made.
      if (isWanted) upgrade(request.result)
      else request.transaction?.abort()
    }
    request.onsuccess = () => {
      if (!isWanted) return request.result.close()
      stopTimer()
      resolve(databaseOf(request.result, lost))
    }
  })
}

/** Throws where there is no IndexedDB (a server), and where it is forbidden (a sandboxed frame). */
function requestOf(name: string): IDBOpenDBRequest {
  try {
    if (!globalThis.indexedDB) throw new Error('there is none here')
    return indexedDB.open(name, VERSION)
  } catch (cause) {
    throw refusal(cause)
  }
}

function upgrade(database: IDBDatabase): void {
  const rows = database.createObjectStore(ROWS, { keyPath: 'order', autoIncrement: true })
  rows.createIndex('messageId', 'messageId', { unique: true })
  rows.createIndex('room', 'room')
}

function databaseOf(database: IDBDatabase, lost: () => void): Database {
  database.onclose = lost
  database.onversionchange = lost

  const running = new Set<IDBTransaction>()

  async function run<T>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    work: (rows: IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    let transaction: IDBTransaction | undefined
    try {
      transaction = database.transaction(ROWS, mode, { durability })
      running.add(transaction)
      const [result] = await Promise.all([wholly(transaction, work), ended(transaction)])
      return result
    } catch (cause) {
      throw refusal(cause)
    } finally {
      if (transaction) running.delete(transaction)
    }
  }

  return {
    change: (durability, work) => run('readwrite', durability, work),
    read: (work) => run('readonly', 'default', work),
    close: () => database.close(),
    abort() {
      for (const transaction of running) abort(transaction)
      database.close()
    },
  }
}

/** A full disk, or a page that ends, shows only at the commit. */
function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error(ENDED))
  })
}

async function wholly<T>(
  transaction: IDBTransaction,
  work: (rows: IDBObjectStore) => Promise<T>,
): Promise<T> {
  try {
    return await work(transaction.objectStore(ROWS))
  } catch (error) {
    abort(transaction)
    throw error
  }
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {
    // It ended already: a request of it failed, or it is being committed.
  }
}

/** The result of one request, to be awaited within its transaction. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error(ENDED))
  })
}

function refusal(cause: unknown): Error {
  return new Error(`${REFUSED}: ${wordsOf(cause)}`, { cause })
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ENDED
  // What the browser refuses, its name says; some have no other words.
  return [cause.name, cause.message].filter((word) => word !== '' && word !== 'Error').join(': ')
}
