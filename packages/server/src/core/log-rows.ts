/**
 * The rows that an operation appends: what comes next in the log of a room, and in the own logs of the users who are to
 * know of it. Nothing is decided here.
 */
import { type Code, type Entry, nextFingerprint, ownLogId } from '@tautline/protocol/wire'
import { failure, isMessage, type LogRow, newRoom, type Step, type View } from './batch.ts'

/** The row that comes next in a user's own log. */
export function noticeRow(
  view: View,
  by: { readonly user: string; readonly noticeId: string },
  target: string,
  type: 'admission' | 'invitation' | 'removal' | 'mention' | 'reply',
  payload: Readonly<Record<string, unknown>>,
  unixMs: number,
): LogRow {
  const room = ownLogId(target)
  // One operation tells several users under one id of the server: the sender and this make the key.
  const messageId = target === by.user ? by.noticeId : `${by.noticeId}-to`
  return nextRow(view, { user: by.user, room, messageId }, { type, payload }, '', unixMs)
}

/** The row that comes next in the room's log. */
export function nextRow(
  view: View,
  by: { readonly user: string; readonly room: string; readonly messageId: string },
  content: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
  digest: string,
  unixMs: number,
): LogRow {
  const { user: sender, room, messageId } = by
  const { type, payload } = content
  const { lastSeq, lastH, lastOrdinal } = view.room(room) ?? newRoom(room)
  const entry: Entry = { type, seq: lastSeq + 1, sender, messageId, timestamp: unixMs, payload }
  const ordinal = isMessage(entry) ? lastOrdinal + 1 : lastOrdinal
  return { room, entry, digest, ordinal, h: nextFingerprint(lastH, sender, messageId) }
}

/** The ids of such entries come from the server: one that is taken is the server's fault, and another is tried. */
export function fresh(view: View, step: Step & { readonly append: readonly LogRow[] }): Step {
  const isTaken = step.append.some(({ entry }) => view.entry(entry.sender, entry.messageId) !== undefined)
  return isTaken ? refused('INTERNAL_ERROR') : step
}

export function refused(code: Code): Step {
  return { outcome: failure(code) }
}
