/**
 * The newest message of a room, as much of it as a line in a list of rooms shows: who said it and when, what kind it is,
 * and the beginning of its words as they stand. Ciphertext is no words, and of what was deleted none are left.
 *
 * It costs a look at one row, at what came of it, and at its last edit, however long the log is.
 */
import { MAX_PREVIEW_CHARS } from '@tautline/protocol/wire'
import type { View } from '../core/batch.ts'
import { canRead } from '../core/rights.ts'
import type { LastMessage } from '../core/store.ts'
import { type Log, saidBy } from './log.ts'

/** Undefined: there is none that the user may read. */
export function lastMessage(
  view: View,
  log: Pick<Log, 'entries' | 'standings'>,
  id: string,
  user: string,
): LastMessage | undefined {
  const readable = canRead(view, user, id)
  if (!readable) return undefined
  const at = readable.room.lastMessage
  if (at < readable.first) return undefined
  const [row] = log.entries(id, at, at, false)
  if (row === undefined) throw new Error(`the log of ${id} has no entry ${at}`)
  const [[, standing] = []] = log.standings(id, at, at)
  const { kind = 'text', content } = saidBy(log, id, row, standing?.editSeq)
  const { seq, sender, messageId, timestamp } = row
  const last: LastMessage = {
    seq,
    sender,
    messageId,
    timestamp,
    kind,
    content: kind === 'encrypted' ? '' : beginningOf(content),
  }
  if (standing?.editedAt !== undefined) last.editedAt = standing.editedAt
  return last
}

/** Half of a surrogate pair is no text, and no frame may hold it. */
function beginningOf(content: string): string {
  const isCutInTwo = /[\ud800-\udbff]/.test(content.charAt(MAX_PREVIEW_CHARS - 1))
  return content.slice(0, isCutInTwo ? MAX_PREVIEW_CHARS - 1 : MAX_PREVIEW_CHARS)
}
