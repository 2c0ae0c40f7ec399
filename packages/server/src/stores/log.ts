/**
 * The runs of rows that a database brings for the reads (reading.ts), and what an entry of them is. Nothing is decided here
 * of who may read what.
 */
import { type Entry, type MessageBody, saidAfter, utf8Bytes } from '@tautline/protocol/wire'
import type { StoredStanding } from '../core/batch.ts'
import type { ReadPosition, StoredMember } from '../core/store.ts'

/** An entry as it is stored: its payload is still JSON. */
export interface StoredEntry {
  readonly seq: number
  readonly sender: string
  readonly messageId: string
  readonly type: string
  readonly payload: string
  readonly timestamp: number
  readonly h: string
}

export interface Log {
  /** The fingerprint of the log up to this entry. */
  fingerprint(room: string, seq: number): string | undefined
  /** The entries from `first` to `last`, by `seq`: upwards, or downwards where `newestFirst`. */
  entries(room: string, first: number, last: number, newestFirst: boolean): Iterable<StoredEntry>
  /** What came of those of the messages of which anything came. */
  standings(room: string, first: number, last: number): Iterable<readonly [number, StoredStanding]>
  /** The user's reactions to messages from `first` to `last`. */
  ownReactions(
    room: string,
    user: string,
    first: number,
    last: number,
  ): Iterable<{ readonly seq: number; readonly emoji: string }>
  /** The first users who reacted so, in the order in which they did. */
  reactors(room: string, seq: number, emoji: string, limit: number): readonly string[]
  /** The answers to a message next before a position, the newest first. */
  answers(room: string, target: number, before: number, limit: number): readonly StoredEntry[]
  /** The edits of a message next before a position, the newest first. */
  edits(room: string, target: number, before: number, limit: number): Iterable<StoredEntry>
  /** The first members after this id, by user id. */
  members(room: string, after: string, limit: number): readonly StoredMember[]
  /** Those of the members, by user id. */
  readMarks(room: string): readonly ReadPosition[]
  /** The same of deliveries. */
  deliveries(room: string): readonly ReadPosition[]
  /** Where the member came (`Membership.joinedSeq`). Undefined: the user is none. */
  joinedSeq(room: string, user: string): number | undefined
  /** The first rooms after this id that the user is a member of, or that are public; by id. */
  roomsOf(user: string, after: string, limit: number): readonly string[]
  publicRooms(after: string, limit: number): readonly string[]
  /** Of the first rooms of the user after this id, by id: what is counted there. */
  countsOf(user: string, after: string, limit: number): readonly StoredCounts[]
  /** The user's notifications next below a position, the newest first. */
  notices(user: string, before: number, limit: number): Iterable<StoredNotice>
  /** When the user was last there, in Unix milliseconds. */
  lastSeen(user: string): number | undefined
}

/** Of a room and one of its members: where its log ends, where they came, and how far they have read. */
export interface StoredCounts {
  readonly room: string
  readonly lastSeq: number
  readonly lastOrdinal: number
  readonly joinedOrdinal: number
  readonly readSeq: number
  readonly readOrdinal: number
}

/** A notification that is not cleared, with its entry. */
export interface StoredNotice extends StoredEntry {
  readonly isRead: boolean
}

/** What a message says now, if its words are those of the edit. */
export function saidBy(
  log: Pick<Log, 'entries'>,
  room: string,
  row: StoredEntry,
  editSeq: number | undefined,
): MessageBody {
  const original = JSON.parse(row.payload) as MessageBody
  const [edit] = editSeq === undefined ? [] : log.entries(room, editSeq, editSeq, false)
  return edit ? saidAfter(original, entryOf(edit)) : original
}

export function entryOf({ type, seq, sender, messageId, timestamp, payload }: StoredEntry): Entry {
  return { type, seq, sender, messageId, timestamp, payload: JSON.parse(payload) as Entry['payload'] }
}

const FRAME: Entry = { type: '', seq: 0, sender: '', messageId: '', timestamp: 0, payload: {} }
/** The braces, names and commas of an entry, and the comma after it. */
const FRAME_BYTES = JSON.stringify(FRAME).length - '0'.length - '0'.length - '{}'.length + ','.length

/** The bytes of the entry in a frame. Ids and types are ASCII. */
export function jsonBytes({ type, seq, sender, messageId, timestamp, payload }: StoredEntry): number {
  const digits = String(seq).length + String(timestamp).length
  return FRAME_BYTES + type.length + digits + sender.length + messageId.length + utf8Bytes(payload)
}
