/**
 * The calls of a room that are over, found in its history, where the server says of each how it went: so they stand in one
 * order with the messages, and who was away reads them like these.
 */
import type { CallRecord } from '@tautline/protocol/calls'
import { SYSTEM_USER_ID, TautlineError } from '@tautline/protocol/wire'
import type { RoomExtension } from '../extension.ts'
import type { callWords } from './words.ts'

/** A call that is over, with its place in the log of its room. */
export interface PastCall extends CallRecord {
  readonly seq: number
  /** When it was over, in Unix milliseconds. */
  readonly endedAt: number
}

export interface PastCalls {
  /** The oldest first. */
  readonly calls: readonly PastCall[]
  /** Where to go on: the `before` of the next call. Undefined: nothing was looked at. */
  readonly oldestSeq: number | undefined
  readonly hasOlder: boolean
}

export interface CallHistoryOptions {
  /** Calls that ended before this position. Default: the newest. */
  readonly before?: number | undefined
  /** Enough when there are so many, from 1 to 100. Default 20. */
  readonly limit?: number | undefined
}

/** Pages of the room's history for one of its calls: there may be much between two calls. */
const MAX_PAGES = 10
const PAGE_ENTRIES = 100

export async function readPastCalls(
  room: RoomExtension<typeof callWords>,
  { before, limit = 20 }: CallHistoryOptions,
): Promise<PastCalls> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw new TautlineError('VALIDATION_ERROR', 'limit is from 1 to 100')
  let calls: readonly PastCall[] = []
  let oldestSeq = before
  let hasOlder = true
  for (let pages = 0; pages < MAX_PAGES && hasOlder && calls.length < limit; pages++) {
    const page = await room.history({ before: oldestSeq, limit: PAGE_ENTRIES })
    const found = page.messages.flatMap(({ type, sender, payload, seq, timestamp: endedAt }) =>
      // Only the server says how a call went.
      type === 'call_ended' && sender === SYSTEM_USER_ID ? [{ ...payload, seq, endedAt }] : [],
    )
    calls = [...found, ...calls]
    oldestSeq = page.oldestSeq ?? oldestSeq
    hasOlder = page.hasOlder
  }
  return { calls, oldestSeq, hasOlder }
}
