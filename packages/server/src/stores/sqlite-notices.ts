/**
 * The rows of notifications in the database: which are read, which are cleared (they have none), and of which rooms
 * users want to hear. What is decided about them stands in core/notices.ts.
 */
import type { NotificationLevel } from '@tautline/protocol/wire'
import type Database from 'better-sqlite3'
import type { Notice, NoticeChanges, NoticeSetting, NoticeView } from '../core/notice-changes.ts'
import type { StoredEntry, StoredNotice } from './log.ts'
import { RecentMap } from './recent.ts'

/** Rooms, and pairs of room and user, whose settings are kept in memory, at least; at most twice as many. */
const CACHED_ROWS = 20_000

export class SqliteNotices implements NoticeView {
  readonly #statements: ReturnType<typeof prepare>
  /** By room. The limit is that of whoever asked first, and the same for all. */
  readonly #listeners = new RecentMap<string, readonly string[]>(CACHED_ROWS)
  /** By room and user. Null: as by default. */
  readonly #settings = new RecentMap<string, NoticeSetting | null>(CACHED_ROWS)

  constructor(db: Database.Database) {
    this.#statements = prepare(db)
  }

  notice(user: string, seq: number): Notice | undefined {
    const isRead = this.#statements.isRead.get(user, seq)
    return isRead === undefined ? undefined : { isRead: isRead === 1 }
  }

  unreadNotices(user: string, upTo: number): number {
    return this.#statements.unread.get(user, upTo) ?? 0
  }

  noticeSetting(room: string, user: string): NoticeSetting | undefined {
    const key = pair(room, user)
    const known = this.#settings.get(key)
    if (known !== undefined) return known ?? undefined
    const is = this.#statements.setting.get(room, user)
    this.#settings.set(key, is ?? null)
    return is
  }

  listeners(room: string, limit: number): readonly string[] {
    const known = this.#listeners.get(room)
    if (known) return known
    const listeners = this.#statements.listeners.all(room, limit)
    this.#listeners.set(room, listeners)
    return listeners
  }

  *notices(user: string, before: number, limit: number): Generator<StoredNotice> {
    for (const { isRead, ...row } of this.#statements.page.iterate(`~${user}`, user, before, limit))
      yield { ...row, isRead: isRead === 1 }
  }

  write({ rows, readUpTo, clearedUpTo, settings }: NoticeChanges): void {
    const { put, clear, clearUpTo, putReadUpTo, putSetting, deleteSetting } = this.#statements
    for (const [user, upTo] of clearedUpTo) clearUpTo.run(user, upTo)
    for (const [user, upTo] of readUpTo) putReadUpTo.run(user, upTo)
    for (const [user, own] of rows) {
      for (const [seq, is] of own) {
        if (is) put.run(user, seq, Number(is.isRead))
        else clear.run(user, seq)
      }
    }
    for (const [room, users] of settings) {
      for (const [user, is] of users) {
        if (is) putSetting.run(room, user, is.level, is.silencedUntil)
        else deleteSetting.run(room, user)
      }
    }
  }

  erase(room: string): void {
    this.#statements.eraseSettings.run(room)
  }

  /** Takes over what was committed. */
  remember({ settings }: NoticeChanges): void {
    for (const [room, users] of settings) {
      this.#listeners.delete(room)
      for (const [user, is] of users) this.#settings.set(pair(room, user), is ?? null)
    }
  }

  forget(): void {
    this.#listeners.clear()
    this.#settings.clear()
  }
}

function pair(room: string, user: string): string {
  return `${room}\n${user}`
}

type Page = StoredEntry & { readonly isRead: number }

function prepare(db: Database.Database) {
  return {
    isRead: db
      .prepare<[string, number], number>('select is_read from notices where user = ? and seq = ?')
      .pluck(),
    unread: db
      .prepare<[string, number], number>(
        'select count(*) from notices where user = ? and seq <= ? and is_read = 0',
      )
      .pluck(),
    setting: db.prepare<[string, string], NoticeSetting>(
      'select level, silenced_until as silencedUntil from notice_settings where room = ? and user = ?',
    ),
    listeners: db
      .prepare<[string, number], string>(
        `select user from notice_settings where room = ? and level = 'all' order by user limit ?`,
      )
      .pluck(),
    page: db.prepare<[string, string, number, number], Page>(
      `select entries.seq, sender, message_id as messageId, type, payload, timestamp, h, is_read as isRead
       from notices join entries on entries.room = ? and entries.seq = notices.seq
       where notices.user = ? and notices.seq < ? order by notices.seq desc limit ?`,
    ),
    put: db.prepare<[string, number, number]>(
      'insert or replace into notices (user, seq, is_read) values (?, ?, ?)',
    ),
    clear: db.prepare<[string, number]>('delete from notices where user = ? and seq = ?'),
    clearUpTo: db.prepare<[string, number]>('delete from notices where user = ? and seq <= ?'),
    putReadUpTo: db.prepare<[string, number]>(
      'update notices set is_read = 1 where user = ? and seq <= ? and is_read = 0',
    ),
    putSetting: db.prepare<[string, string, NotificationLevel, number]>(
      'insert or replace into notice_settings (room, user, level, silenced_until) values (?, ?, ?, ?)',
    ),
    deleteSetting: db.prepare<[string, string]>('delete from notice_settings where room = ? and user = ?'),
    eraseSettings: db.prepare<[string]>('delete from notice_settings where room = ?'),
  }
}
