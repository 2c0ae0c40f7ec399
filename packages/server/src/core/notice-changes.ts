/**
 * What a batch changes beside the own logs of users: which notifications are read or cleared, of which rooms they want
 * to hear, and where their logs begin. The newest over what was committed before; nothing is decided here.
 *
 * A notification has a row from its entry on, until it is cleared: so what is cleared stays cleared, and what is read
 * stays read, whatever comes in which order.
 */
import type { NotificationLevel } from '@tautline/protocol/wire'

/** A notification that is not cleared. */
export interface Notice {
  readonly isRead: boolean
}

export interface NoticeSetting {
  readonly level: NotificationLevel
  /** Unix milliseconds; 0: not. */
  readonly silencedUntil: number
}

/** What is committed. */
export interface NoticeView {
  notice(user: string, seq: number): Notice | undefined
  /** How many of the user are unread, up to this position of their own log. */
  unreadNotices(user: string, upTo: number): number
  /** Undefined: as by default. */
  noticeSetting(room: string, user: string): NoticeSetting | undefined
  /** Users who set for this room that they want to hear of every message: the first so many, by id. */
  listeners(room: string, limit: number): readonly string[]
}

/** Of one user. */
export interface NoticeStep {
  readonly user: string
  /** By position; undefined: cleared. */
  readonly rows?: readonly (readonly [seq: number, is: Notice | undefined])[] | undefined
  readonly readUpTo?: number | undefined
  readonly clearedUpTo?: number | undefined
}

export class NoticeChanges implements NoticeView {
  /** By user, then position. Beyond `clearedUpTo`, and over `readUpTo`. */
  readonly rows = new Map<string, Map<number, Notice | undefined>>()
  readonly readUpTo = new Map<string, number>()
  readonly clearedUpTo = new Map<string, number>()
  /** By room, then user. */
  readonly settings = new Map<string, Map<string, NoticeSetting | undefined>>()
  readonly #view: NoticeView

  constructor(view: NoticeView) {
    this.#view = view
  }

  notice(user: string, seq: number): Notice | undefined {
    if (seq <= (this.clearedUpTo.get(user) ?? 0)) return undefined
    const changed = this.rows.get(user)
    if (changed?.has(seq)) return changed.get(seq)
    const is = this.#view.notice(user, seq)
    return is && seq <= (this.readUpTo.get(user) ?? 0) ? { isRead: true } : is
  }

  unreadNotices(user: string, upTo: number): number {
    const floor = Math.max(this.clearedUpTo.get(user) ?? 0, this.readUpTo.get(user) ?? 0)
    let count = 0
    if (upTo > floor) {
      count = this.#view.unreadNotices(user, upTo)
      if (floor > 0) count -= this.#view.unreadNotices(user, floor)
    }
    for (const [seq, is] of this.rows.get(user) ?? []) {
      if (seq > upTo) continue
      const was = seq > floor ? this.#view.notice(user, seq) : undefined
      count += Number(is?.isRead === false) - Number(was?.isRead === false)
    }
    return count
  }

  noticeSetting(room: string, user: string): NoticeSetting | undefined {
    const changed = this.settings.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.noticeSetting(room, user)
  }

  listeners(room: string, limit: number): readonly string[] {
    const changed = this.settings.get(room)
    const known = this.#view.listeners(room, limit)
    if (!changed) return known
    const listeners = known.filter((user) => !changed.has(user))
    for (const [user, is] of changed) if (is?.level === 'all') listeners.push(user)
    return listeners.slice(0, limit)
  }

  accept({ user, rows, readUpTo, clearedUpTo }: NoticeStep): void {
    const own = this.rows.get(user) ?? new Map<number, Notice | undefined>()
    if (readUpTo !== undefined) {
      raise(this.readUpTo, user, readUpTo)
      for (const [seq, is] of own) if (is && seq <= readUpTo) own.set(seq, { isRead: true })
    }
    if (clearedUpTo !== undefined) {
      raise(this.clearedUpTo, user, clearedUpTo)
      for (const seq of own.keys()) if (seq <= clearedUpTo) own.delete(seq)
    }
    for (const [seq, is] of rows ?? []) own.set(seq, is)
    if (own.size > 0) this.rows.set(user, own)
    else this.rows.delete(user)
  }

  set(room: string, user: string, is: NoticeSetting | undefined): void {
    const changed = this.settings.get(room) ?? new Map<string, NoticeSetting | undefined>()
    changed.set(user, is)
    this.settings.set(room, changed)
  }
}

function raise(positions: Map<string, number>, user: string, seq: number): void {
  positions.set(user, Math.max(positions.get(user) ?? 0, seq))
}
