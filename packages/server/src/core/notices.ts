/**
 * Notifications: what becomes of reading and clearing them, of the wish to hear more or less of a room, and of what the
 * application has to say to a user. Who hears of what is said in a room is decided here too.
 *
 * `none`, and any level while it is silenced, keeps mentions and answers of that room out of the user's own log. They
 * count as what they are, messages of the room, and so to its unread ones. What concerns the user and not the talk (an
 * invitation, a role, a removal, a call) is told all the same.
 */
import { defaultLevel, MAX_OWN_LOG_ENTRIES, ownLogId, usersOfDirectRoom } from '@tautline/protocol/wire'
import type { Batch, Step, View } from './batch.ts'
import { nextRow, refused } from './log-rows.ts'
import type { Notice, NoticeSetting } from './notice-changes.ts'
import { membershipOf } from './rights.ts'
import type { MarkNoticesOp, NotifyOp, SetNoticesOp } from './store.ts'

/** Users who are told of every message of one room. In a larger one nobody reads them all. */
const MAX_LISTENERS = 1_000
/** So many entries beyond those that are kept go at once. */
const CUT_ENTRIES = 100

/** Idempotent and monotone: nothing becomes unread again or comes back. */
export function transactMarkNotices(view: View, { user, change, seqs, upTo }: MarkNoticesOp): Step {
  const head = view.room(ownLogId(user))?.lastSeq ?? 0
  const unread = view.unreadNotices(user, Number.MAX_SAFE_INTEGER)
  if (upTo !== undefined) {
    const last = Math.min(upTo, head)
    const left = unread - view.unreadNotices(user, last)
    const notices = { user, [change === 'read' ? 'readUpTo' : 'clearedUpTo']: last }
    return {
      outcome: { outcome: 'noticed', unread: left, head, moved: change === 'cleared' || left < unread },
      notices,
    }
  }
  const rows = new Map<number, Notice | undefined>()
  let left = unread
  for (const seq of new Set(seqs)) {
    const is = view.notice(user, seq)
    if (!is || (is.isRead && change === 'read')) continue
    if (!is.isRead) left--
    rows.set(seq, change === 'read' ? { isRead: true } : undefined)
  }
  const outcome = { outcome: 'noticed', unread: left, head, moved: rows.size > 0 } as const
  return rows.size > 0 ? { outcome, notices: { user, rows: [...rows] } } : { outcome }
}

/** For a room that is there, and theirs. */
export function transactSetNotices(view: View, op: SetNoticesOp, unixMs: number): Step {
  const { user, room, level, silenceMs } = op
  const known = view.room(room)
  if (!known || known.visibility === 'own' || !membershipOf(view, room, user)) return refused('FORBIDDEN')
  const old = settingOf(view, room, user)
  const silencedUntil = silenceMs === undefined ? old.silencedUntil : silenceMs && unixMs + silenceMs
  const is: NoticeSetting = {
    level: level ?? old.level,
    silencedUntil: silencedUntil > unixMs ? silencedUntil : 0,
  }
  const moved = is.level !== old.level || is.silencedUntil !== old.silencedUntil
  const outcome = { outcome: 'notices_set', ...is, moved } as const
  if (!moved) return { outcome }
  const isDefault = is.level === defaultLevel(room) && is.silencedUntil === 0
  return { outcome, setting: { room, user, is: isDefault ? undefined : is } }
}

/** Under an id of the application's own: the same again is where it is. */
export function transactNotify(view: View, op: NotifyOp, unixMs: number): Step {
  const { user, room, messageId, digest, type, payload } = op
  const known = view.entry(user, messageId)
  if (known) {
    const { seq, timestamp } = known
    if (known.room !== room || known.digest !== digest) return refused('ID_CONFLICT')
    return { outcome: { outcome: 'acknowledged', seq, timestamp, appended: false } }
  }
  const row = nextRow(view, op, { type, payload }, digest, unixMs)
  const outcome = { outcome: 'acknowledged', seq: row.entry.seq, timestamp: unixMs, appended: true } as const
  return { outcome, append: [row] }
}

function settingOf(view: View, room: string, user: string): NoticeSetting {
  return view.noticeSetting(room, user) ?? { level: defaultLevel(room), silencedUntil: 0 }
}

/** Whether the user wants to hear nothing of what is said there. */
export function isSilenced(view: View, room: string, user: string, unixMs: number): boolean {
  const { level, silencedUntil } = settingOf(view, room, user)
  return level === 'none' || silencedUntil > unixMs
}

/** Who wants to hear of every message of the room. */
function listenersOf(view: View, room: string, unixMs: number): readonly string[] {
  const users = usersOfDirectRoom(room) ?? view.listeners(room, MAX_LISTENERS)
  return users.filter((user) => {
    const { level, silencedUntil } = settingOf(view, room, user)
    return level === 'all' && silencedUntil <= unixMs
  })
}

/** At the end of a batch: who shall be told of the messages in it, and the old end of the own logs that grew. */
export function finishNotices(batch: Batch, unixMs: number): void {
  for (const { room: id, hasMessage, firstSeq } of batch.grown()) {
    const room = batch.room(id)
    if (hasMessage) batch.listen(id, listenersOf(batch, id, unixMs))
    if (room?.visibility !== 'own' || room.lastSeq - room.oldest < MAX_OWN_LOG_ENTRIES + CUT_ENTRIES) continue
    // What this batch brings has yet to be told.
    const oldest = Math.min(room.lastSeq - MAX_OWN_LOG_ENTRIES + 1, firstSeq)
    const baseH = batch.fingerprint(id, oldest - 1)
    if (baseH !== undefined) batch.cut(id, { ...room, oldest, baseH })
  }
}
