/**
 * The rows that an operation appends: what comes next in the log of a room, and in the own logs of the users who are to
 * know of it. Nothing is decided here.
 */
import { type Code, type Entry, nextFingerprint, ownLogId } from '@tautline/protocol/wire'
import { failure, isMessage, type LogRow, newRoom, type Room, type Step, type View } from './batch.ts'

/** Where each log stands. */
export interface Heads {
  room(room: string): Room | undefined
}

/** The row that comes next in a user's own log. */
export function noticeRow(
  view: Heads,
  by: { readonly user: string; readonly noticeId: string },
  target: string,
  type: 'admission' | 'invitation' | 'removal' | 'appointment' | 'mention' | 'reply',
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
  view: Heads,
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

/** Where the logs stand when this row is in: for the next one of the same log. */
export function behind(view: Heads, { room: id, entry, ordinal, h }: LogRow): Heads {
  return {
    room(room) {
      const is = view.room(room)
      return room === id ? { ...(is ?? newRoom(id)), lastSeq: entry.seq, lastH: h, lastOrdinal: ordinal } : is
    },
  }
}

/** The ids of such entries come from the server: one that is taken is the server's fault, and another is tried. */
export function fresh(view: View, step: Step & { readonly append: readonly LogRow[] }): Step {
  const isTaken = step.append.some(({ entry }) => view.entry(entry.sender, entry.messageId) !== undefined)
  return isTaken ? refused('INTERNAL_ERROR') : step
}

/** It is so, and there is nothing more to say. */
export const DONE: Step = { outcome: { outcome: 'done' } }

export function refused(code: Code): Step {
  return { outcome: failure(code) }
}
