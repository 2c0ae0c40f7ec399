/**
 * The store on SQLite: one file, one process, one transaction for each `commit`. A commit runs from its first statement
 * to its last in one go, so nothing else can come between; it is durable when its promise resolves.
 *
 * What is decided stands in core/transaction.ts, the rows in sqlite-rows.ts, their SQL in sqlite-statements.ts, the
 * file and its faults in sqlite-file.ts.
 * Here is only how a transaction begins, ends and fails.
 */
import { randomBytes } from 'node:crypto'
import { LANE_RETENTION_MS } from '@tautline/protocol/wire'
import type Database from 'better-sqlite3'
import type { LogRow } from '../core/batch.ts'
import type { CommitResult, Seen, Store, StoreFactory, StoreOp } from '../core/store.ts'
import { LANE_COLLECTION_INTERVAL_MS, runBatch } from '../core/transaction.ts'
import { attempt, readsOf } from './reading.ts'
import { openFile, sqliteCodeOf } from './sqlite-file.ts'
import { SqliteRows } from './sqlite-rows.ts'

/** What one may do to the open database, beside the store: a part of better-sqlite3's `Database`. */
export interface SqliteHandle {
  readonly inTransaction: boolean
  exec(sql: string): unknown
  pragma(pragma: string, options?: { readonly simple?: boolean }): unknown
}

export interface SqliteOptions {
  /**
   * Called with the open database before the store uses it, for pragmas of your own: cache_size, max_page_count.
   * Weakening `synchronous` loses acknowledged messages when the power fails.
   */
  readonly configure?: (db: SqliteHandle) => void
  /** Told why the row of one operation, which got INTERNAL_ERROR, could not be written. Default: the log of the server. */
  readonly onRowError?: ((error: unknown) => void) | undefined
}

/**
 * A store in this file, which is made where there is none. The server that opens it has it alone until it closes it or
 * ends.
 */
export function sqlite(file: string, options: SqliteOptions = {}): StoreFactory {
  return { open: async (onRowError) => openSqlite(file, { onRowError, ...options }) }
}

function openSqlite(file: string, options: SqliteOptions): Store {
  const db = openFile(file, () => randomBytes(9).toString('base64url'))
  try {
    options.configure?.(db)
    return storeOf(db, options)
  } catch (error) {
    db.close()
    throw error
  }
}

function storeOf(db: Database.Database, options: SqliteOptions): Store {
  const rows = new SqliteRows(db)
  const transactions = new Transactions(db, rows, options.onRowError)
  return {
    epoch: rows.epoch(),
    commit: async (ops, unixMs) => attempt('UNAVAILABLE', () => transactions.run(ops, unixMs)),
    ...readsOf(rows, rows, () => db.open),
    markSeen: async (seen) => attempt('UNAVAILABLE', () => transactions.markSeen(seen)),
    close: async () => {
      db.close()
    },
  }
}

class Transactions {
  readonly #db: Database.Database
  readonly #rows: SqliteRows
  readonly #onRowError: ((error: unknown) => void) | undefined
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  readonly #rollback: Database.Statement
  readonly #savepoint: Database.Statement
  readonly #release: Database.Statement
  readonly #rollbackTo: Database.Statement
  #nextCollectionAt = 0

  constructor(db: Database.Database, rows: SqliteRows, onRowError: SqliteOptions['onRowError']) {
    this.#db = db
    this.#rows = rows
    this.#onRowError = onRowError
    this.#begin = db.prepare('begin immediate')
    this.#commit = db.prepare('commit')
    this.#rollback = db.prepare('rollback')
    this.#savepoint = db.prepare('savepoint op')
    this.#release = db.prepare('release op')
    // The savepoint itself stays, under those of later operations, until the COMMIT.
    this.#rollbackTo = db.prepare('rollback to op')
  }

  run(ops: readonly StoreOp[], unixMs: number): CommitResult {
    try {
      this.#abandon()
      this.#begin.run()
      const batch = runBatch(this.#rows, ops, unixMs, (rows) => this.#insert(rows))
      this.#rows.write(batch, unixMs)
      this.#rows.erase(batch)
      this.#collectLanes(unixMs)
      this.#commit.run()
      this.#rows.remember(batch)
      return batch.result()
    } catch (error) {
      this.#rows.forget()
      this.#abandon()
      throw error
    }
  }

  markSeen(seen: readonly Seen[]): void {
    try {
      this.#abandon()
      this.#begin.run()
      this.#rows.putSeen(seen)
      this.#commit.run()
    } catch (error) {
      this.#abandon()
      throw error
    }
  }

  /** Ends a transaction that failed; some faults end it by themselves. */
  #abandon(): void {
    if (this.#db.inTransaction) this.#rollback.run()
  }

  /** An INSERT that fails leaves no trace of itself, so no savepoint is needed around a single one. */
  #insert(rows: readonly LogRow[]): boolean {
    const isSingle = rows.length === 1
    try {
      if (!isSingle) this.#savepoint.run()
      for (const row of rows) this.#rows.insert(row)
      if (!isSingle) this.#release.run()
      return true
    } catch (error) {
      if (!this.#db.inTransaction || isFaultOfDatabase(error)) throw error
      if (!isSingle) this.#rollbackTo.run()
      this.#onRowError?.(error)
      return false
    }
  }

  #collectLanes(unixMs: number): void {
    if (unixMs < this.#nextCollectionAt) return
    this.#rows.collectLanes(unixMs - LANE_RETENTION_MS)
    this.#nextCollectionAt = unixMs + LANE_COLLECTION_INTERVAL_MS
  }
}

/** Result codes that say nothing of the row: the same would happen to another one. */
const FAULTS_OF_DATABASE =
  /^SQLITE_(?:FULL|IOERR|CORRUPT|NOTADB|BUSY|LOCKED|NOMEM|READONLY|CANTOPEN|PROTOCOL|INTERRUPT)/

function isFaultOfDatabase(error: unknown): boolean {
  return FAULTS_OF_DATABASE.test(sqliteCodeOf(error))
}
