/**
 * What a message has said, each time: its own entry and those of its edits, the newest first. A deletion blanked them all, so
 * that nothing is left to tell.
 */
import { MAX_PAGE_BYTES, type MessageBody } from '@tautline/protocol/wire'
import type { MessageRow } from '../core/batch.ts'
import type { MessageVersion, VersionsRequest, VersionsResult } from '../core/store.ts'
import { jsonBytes, type Log, type StoredEntry } from './log.ts'

/** Of a message that the asker may read. */
export function versionsOf(
  log: Pick<Log, 'edits' | 'entries'>,
  { room, seq, standing }: MessageRow,
  { before = Number.MAX_SAFE_INTEGER, limit }: VersionsRequest,
): VersionsResult {
  const versions: MessageVersion[] = []
  if (standing.isDeleted) return { versions, hasOlder: false }
  let bytesLeft = MAX_PAGE_BYTES
  for (const row of saidBefore(log, room, seq, before, limit + 1)) {
    bytesLeft -= jsonBytes(row)
    if (versions.length === limit || (bytesLeft < 0 && versions.length > 0))
      return { versions, hasOlder: true }
    versions.push(versionOf(row))
  }
  return { versions, hasOlder: false }
}

function* saidBefore(
  log: Pick<Log, 'edits' | 'entries'>,
  room: string,
  seq: number,
  before: number,
  limit: number,
): Generator<StoredEntry> {
  yield* log.edits(room, seq, before, limit)
  if (seq < before) yield* log.entries(room, seq, seq, false)
}

/** What it answers and where it comes from is the message's, not what it said. */
function versionOf({ seq, timestamp, payload }: StoredEntry): MessageVersion {
  const said = JSON.parse(payload) as MessageBody & { readonly target?: unknown }
  const { target: _target, replyTo: _replyTo, forwardedFrom: _forwardedFrom, ...body } = said
  return { seq, timestamp, body }
}
