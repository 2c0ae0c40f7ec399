/**
 * Reading a log: `subscribe` to follow it, `get_page` to read on, `check` to ask whether one is behind; and `get_history`
 * and `get_thread` to scroll through messages as they stand.
 */
import * as z from 'zod/mini'
import { MAX_PAGE_ENTRIES, MAX_ROOMS_PER_FRAME } from '../limits.ts'
import { recordedContentWith } from './content.ts'
import {
  cursor,
  fingerprint,
  looseCursor,
  messageTarget,
  position,
  ref,
  roomId,
  seq,
  timestamp,
} from './fields.ts'
import { entry } from './messages.ts'

const epoch = z.string().check(z.minLength(1), z.maxLength(64))
const rooms = z.array(roomId).check(z.minLength(1), z.maxLength(MAX_ROOMS_PER_FRAME))

/** To the server: follow these rooms on this connection, each from its cursor, or from the newest page where it has none. */
export const subscribe = z.object({
  ref,
  /** The epoch that the cursors belong to. */
  epoch: z.optional(epoch),
  rooms: z
    .array(
      z.object({
        room: roomId,
        after: z.optional(cursor),
        /** Without `after`: at most so many of the newest entries (default 100; 0 to begin at the head). */
        limit: z.optional(z.int().check(z.minimum(0), z.maximum(MAX_PAGE_ENTRIES))),
      }),
    )
    .check(z.minLength(1), z.maxLength(MAX_ROOMS_PER_FRAME)),
})

export const unsubscribe = z.object({ ref, rooms })
export const unsubscribed = z.object({ ref, rooms })

/** To the server: the entries after this position, without following the room. */
export const getPage = z.object({ ref, epoch: z.optional(epoch), room: roomId, after: looseCursor })

/** From the server: a run of entries without holes that begins right after `after`. */
export const page = z.object({
  ref,
  room: roomId,
  epoch,
  /** Where this page begins: the cursor asked for, or a later one (then `gap` says why). */
  after: cursor,
  entries: z.array(entry).check(z.maxLength(MAX_PAGE_ENTRIES)),
  /** Of the last entry, or of `after` where there is none. */
  h: fingerprint,
  /** The last position of the log when the page was read. */
  head: position,
  /** Whether this connection follows the room: the page of a mere read is no proof of that. */
  live: z.boolean(),
  /** The oldest position that the asker could still read. */
  oldest: seq,
  /** Positions that the asker wanted and does not get here. */
  gap: z.optional(z.object({ from: seq, to: seq, reason: z.enum(['retention', 'membership', 'behind']) })),
})

/**
 * From the server: the cursor asked with is not one of this log. Drop what is cached of the room (not the outbox),
 * tell the application, ask again without a cursor.
 */
export const reset = z.object({
  ref,
  room: roomId,
  epoch,
  reason: z.enum(['epoch', 'diverged', 'ahead']),
})

/** To the server: am I behind anywhere? `checked` names only the rooms that are behind, diverged or not followed. */
export const check = z.object({
  ref,
  epoch: z.optional(epoch),
  rooms: z
    .array(z.object({ room: roomId, after: cursor }))
    .check(z.minLength(1), z.maxLength(MAX_ROOMS_PER_FRAME)),
})
export const checked = z.object({ ref, rooms: z.array(roomId).check(z.maxLength(MAX_ROOMS_PER_FRAME)) })

const pageSize = z.int().check(z.minimum(1), z.maximum(MAX_PAGE_ENTRIES))

/**
 * To the server: messages as they stand, those next before a position (default: the newest), or next after one. Not both:
 * `before` wins.
 */
export const getHistory = z.object({
  ref,
  room: roomId,
  before: z.optional(seq),
  after: z.optional(position),
  limit: z.optional(pageSize),
})

/** To the server: the answers to a message, as they stand. Answered by `history`. */
export const getThread = z.object({
  ref,
  room: roomId,
  target: messageTarget,
  before: z.optional(seq),
  limit: z.optional(pageSize),
})

/** To the server: tell me of the answers to this message, or do so no longer. Idempotent. */
export const followThread = z.object({ ref, room: roomId, target: messageTarget })
export const unfollowThread = followThread

/** To the server: what a message has said so far, and says now: the newest, or those next before a position. */
export const getVersions = z.object({
  ref,
  room: roomId,
  target: messageTarget,
  before: z.optional(seq),
  limit: z.optional(pageSize),
})

/** From the server: the newest first. Of a message that was deleted there is none. */
export const versionList = z.object({
  ref,
  room: roomId,
  versions: z
    .array(
      z.object({
        /** The position of the entry that said it. */
        seq,
        timestamp,
        body: recordedContentWith({}),
      }),
    )
    .check(z.maxLength(MAX_PAGE_ENTRIES)),
  hasOlder: z.boolean(),
})

/**
 * From the server: entries in the order of the log, with later changes up to position `at` folded in. Those that are
 * folded in are left out, so there may be holes.
 */
export const history = z.object({
  ref,
  room: roomId,
  entries: z.array(entry).check(z.maxLength(MAX_PAGE_ENTRIES)),
  at: position,
  /** Where to go on: the first and the last position that were looked at. Absent: those of the entries. */
  from: z.optional(seq),
  to: z.optional(seq),
  /** Whether there is anything older that the asker may read. */
  hasOlder: z.boolean(),
  /** … or newer, up to `at`. */
  hasNewer: z.boolean(),
  /** Of a thread: whether the asker is told of its answers. */
  following: z.optional(z.boolean()),
})
