// A database file in a folder of its own, and a second handle on it for what a server never does.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type SqliteOptions, sqlite } from '../../../packages/server/src/stores/sqlite.ts'
import type { StoreHarness } from '../../contracts/store.ts'

export interface SqliteHarness extends StoreHarness {
  readonly file: string
  /** Opens the file without a store, runs the statements and closes it. */
  exec(sql: string, ...values: readonly (string | number)[]): void
}

export function startSqlite(options: SqliteOptions = {}): SqliteHarness {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-store-'))
  const file = join(folder, 'chat.db')
  const exec = (sql: string, ...values: readonly (string | number)[]) => {
    const db = new Database(file)
    if (values.length > 0) db.prepare(sql).run(...values)
    else db.exec(sql)
    db.close()
  }
  return {
    file,
    exec,
    open: () => sqlite(file, options).open(),
    cut: async (room, oldest) => {
      exec(
        `update rooms set oldest = ?, base_h = (select h from entries where room = id and seq = ? - 1) where id = ?`,
        oldest,
        oldest,
        room,
      )
      exec('delete from entries where room = ? and seq < ?', room, oldest)
    },
    limitReading: async (room, user, fromSeq) => {
      exec('update members set from_seq = ? where room = ? and user = ?', fromSeq, room, user)
    },
    makePrivate: async (room) => {
      exec(`update rooms set visibility = 'private' where id = ?`, room)
    },
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
