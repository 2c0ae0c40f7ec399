/**
 * The reads of a store, once for all that answer at once: pages, history, heads, members, read positions. What a
 * database brings is a `View` of single rows and the `Log` of runs of them; which of them a reader gets is decided
 * here, behind one `canRead` (core/rights.ts).
 *
 * A page is a run of entries without holes. Where rows are missing that should be there, reading throws.
 */
import {
  type Code,
  type Cursor,
  LOG_START,
  MAX_PAGE_BYTES,
  MAX_RECEIPT_MEMBERS,
  MAX_UNREAD_LOOKS,
  MAX_UNREAD_ROOMS,
  type MessageBody,
  ownLogId,
  standingBody,
  TautlineError,
  tombstone,
  utf8Bytes,
} from '@tautline/protocol/wire'
import type { MessageRow, Room, StoredStanding, View } from '../core/batch.ts'
import { canRead, canSee, membershipOf, type Readable } from '../core/rights.ts'
import type {
  HistoryRequest,
  HistoryResult,
  ListedRoom,
  MembersRequest,
  MembersResult,
  NoticesRequest,
  NoticesResult,
  PageRequest,
  PageResult,
  ReactionsRequest,
  Reactors,
  Receipts,
  RoomsRequest,
  RoomsResult,
  Store,
  StoredMember,
  ThreadRequest,
  UnreadRequest,
  UnreadResult,
} from '../core/store.ts'
import { MAX_REACTORS } from '../core/store.ts'
import { isFollowing } from '../core/threads.ts'
import { runBatch } from '../core/transaction.ts'
import { describe, describeRoom, unreadOf } from '../core/unread.ts'
import { readAcquaintances } from './acquaintances.ts'
import { lastMessage } from './last-message.ts'
import { entryOf, jsonBytes, type Log, type StoredEntry, saidBy } from './log.ts'
import { versionsOf } from './versions.ts'

type Reads = Pick<
  Store,
  | 'preview'
  | 'readRoom'
  | 'readPage'
  | 'readHistory'
  | 'readThread'
  | 'readVersions'
  | 'readReactions'
  | 'readHeads'
  | 'readMembers'
  | 'readReceipts'
  | 'readRooms'
  | 'readUnread'
  | 'readNotices'
  | 'readAcquaintances'
>

/** The reads of a store over these rows. */
export function readsOf(view: View, log: Log, isOpen: () => boolean): Reads {
  async function read<T>(answer: () => T): Promise<T> {
    return attempt('FETCH_ERROR', () => {
      if (!isOpen()) throw new Error('the store is closed')
      return answer()
    })
  }
  return {
    preview: (ops, unixMs) => read(() => runBatch(view, ops, unixMs, () => true).result().outcomes),
    readNotices: (request) => read(() => readNotices(view, log, request)),
    readRoom: (room) => read(() => describeAnyRoom(view, room)),
    readPage: (request) => read(() => readPage(view, log, request)),
    readHistory: (request) => read(() => readHistory(view, log, request)),
    readThread: (request) => read(() => readThread(view, log, request)),
    readVersions: (request) =>
      read(() => {
        const message = readableMessage(view, request)
        return message && versionsOf(log, message, request)
      }),
    readReactions: (request) => read(() => readReactions(view, log, request)),
    readHeads: (user, rooms) => read(() => readHeads(view, user, rooms)),
    readMembers: (request) => read(() => readMembers(view, log, request)),
    readReceipts: (user, room) => read(() => readReceipts(view, log, user, room)),
    readRooms: (request) => read(() => readRooms(view, log, request)),
    readUnread: (request) => read(() => readUnread(log, request)),
    readAcquaintances: (user, others) => readAcquaintances({ log, user }, others, read),
  }
}

function describeAnyRoom(view: View, id: string): ListedRoom | undefined {
  const room = view.room(id)
  if (!room || room.visibility === 'own' || room.visibility === 'deleted') return undefined
  return describeRoom(id, room, undefined, undefined)
}

/** Does it, or fails with this code, the reason being its `cause`. */
export function attempt<T>(code: Code, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    const error = new TautlineError(code)
    error.cause = cause
    throw error
  }
}

function readPage(view: View, log: Log, request: PageRequest): PageResult {
  const { user, after, maxReplay } = request
  const readable = canRead(view, user, request.room)
  if (readable === undefined) return { result: 'forbidden' }
  const { room, first } = readable
  const floor = first - 1
  if (after === undefined) return newestPage(log, request, readable, floor)
  if (after.seq > room.lastSeq) return { result: 'reset', reason: 'ahead' }
  const h = fingerprintAt(log, request.room, room, after.seq)
  // Below what retention has left there is nothing to compare with: the gap says that the log begins later.
  if (after.h !== undefined && h !== undefined && h !== after.h)
    return { result: 'reset', reason: 'diverged' }

  const base = Math.max(after.seq, floor)
  const isBehind = room.lastSeq - base > maxReplay
  const page = isBehind ? newestPage(log, request, readable, base) : pageAfter(log, request, readable, base)
  if (page.after.seq === after.seq) return page
  const cutBy = first > room.oldest ? 'membership' : 'retention'
  const reason = page.after.seq > base ? 'behind' : cutBy
  return { ...page, gap: { from: after.seq + 1, to: page.after.seq, reason } }
}

function readHistory(view: View, log: Log, request: HistoryRequest): HistoryResult {
  const readable = canRead(view, request.user, request.room)
  if (readable === undefined) return { result: 'forbidden' }
  const { room, first } = readable
  const at = room.lastSeq
  const { from, last, newest } = spanOf(request, first, at)
  const shown = asTheyStand(log, request, readShown(log, request, from, last, newest))
  // The end from which it was read is covered in any case, the other up to what was left out.
  const start = newest ? (shown.leftOut ?? from - 1) + 1 : from
  const end = newest ? last : (shown.leftOut ?? last + 1) - 1
  const hasOlder = Math.min(start, at + 1) > first
  const entries = shown.rows.map(entryOf)
  return { result: 'history', entries, at, from: start, to: end, hasOlder, hasNewer: end < at }
}

/** The message of the room, where the user may read it. */
function readableMessage(view: View, { user, room, target }: ReactionsRequest): MessageRow | undefined {
  const message = view.message(target.sender, target.messageId)
  return message?.room === room && canSee(view, user, message) ? message : undefined
}

/** Answers stand after their message, so who may read it may read them. */
function readThread(view: View, log: Log, request: ThreadRequest): HistoryResult {
  const message = readableMessage(view, request)
  if (!message) return { result: 'forbidden' }
  const { room, before, limit } = request
  const at = view.room(room)?.lastSeq ?? 0
  const answers = log.answers(room, message.seq, before ?? at + 1, limit + 1)
  const shown = asTheyStand(log, request, { rows: answers.slice(0, limit), newest: true, leftOut: undefined })
  const { length } = shown.rows
  const from = shown.rows[0]?.seq ?? message.seq
  const to = shown.rows.at(-1)?.seq ?? 0
  const [newest] = before === undefined ? [] : log.answers(room, message.seq, at + 1, 1)
  const hasNewer = newest !== undefined && newest.seq > to
  return {
    result: 'history',
    entries: shown.rows.map(entryOf),
    at,
    from,
    to,
    hasOlder: answers.length > length,
    hasNewer,
    following: isFollowing(view, message, request.user),
  }
}

function readReactions(view: View, log: Log, request: ReactionsRequest): readonly Reactors[] | undefined {
  const message = readableMessage(view, request)
  const { reactions = [] } = message?.standing ?? {}
  return (
    message &&
    reactions.map(({ emoji, count }) => {
      return { emoji, count, users: log.reactors(message.room, message.seq, emoji, MAX_REACTORS) }
    })
  )
}

/** Entries that history looks at for a page: a room may have thousands of reactions between two messages. */
const MAX_SCANNED = 1_000

/** Their effect is in the messages. */
const FOLDED_IN: ReadonlySet<string> = new Set([
  'message_edited',
  'message_deleted',
  'reaction_added',
  'reaction_removed',
])

/** A part of the log in the order of reading; `leftOut`: the position where it stopped for want of room. */
interface Shown {
  readonly rows: readonly StoredEntry[]
  readonly newest: boolean
  readonly leftOut: number | undefined
}

function readShown(
  log: Log,
  { room, limit }: HistoryRequest,
  first: number,
  last: number,
  newest: boolean,
): Shown {
  const rows: StoredEntry[] = []
  let next = newest ? last : first
  let bytesLeft = MAX_PAGE_BYTES
  for (const row of log.entries(room, first, last, newest)) {
    if (row.seq !== next) throw new Error(`the log of ${room} has a hole`)
    if (!FOLDED_IN.has(row.type)) {
      bytesLeft -= jsonBytes(row)
      if (rows.length === limit || (bytesLeft < 0 && rows.length > 0))
        return { rows, newest, leftOut: row.seq }
      rows.push(row)
    }
    next += newest ? -1 : 1
  }
  if (first <= last && next !== (newest ? first - 1 : last + 1))
    throw new Error(`the log of ${room} has a hole`)
  return { rows, newest, leftOut: undefined }
}

/** The same with what came of each message, upwards; fewer where that takes more room. */
function asTheyStand(log: Log, { user, room }: Pick<HistoryRequest, 'user' | 'room'>, shown: Shown): Shown {
  const { newest } = shown
  const seqs = shown.rows.map(({ seq }) => seq)
  const [first, last] = [Math.min(...seqs), Math.max(...seqs)]
  const standings = new Map(seqs.length > 0 ? log.standings(room, first, last) : [])
  if (standings.size === 0) return newest ? { ...shown, rows: [...shown.rows].reverse() } : shown
  const own = new Set(
    Array.from(log.ownReactions(room, user, first, last), ({ seq, emoji }) => `${seq} ${emoji}`),
  )
  const rows: StoredEntry[] = []
  let bytesLeft = MAX_PAGE_BYTES
  let leftOut = shown.leftOut
  for (const row of shown.rows) {
    const standing = standings.get(row.seq)
    const folded = standing ? asItStands(log, room, row, standing, own) : row
    bytesLeft -= jsonBytes(folded)
    if (bytesLeft < 0 && rows.length > 0) {
      leftOut = row.seq
      break
    }
    rows.push(folded)
  }
  return { rows: newest ? rows.reverse() : rows, newest, leftOut }
}

function asItStands(
  log: Log,
  room: string,
  row: StoredEntry,
  { editSeq, isDeleted: _isDeleted, ...standing }: StoredStanding,
  own: ReadonlySet<string>,
): StoredEntry {
  const said = saidBy(log, room, row, editSeq)
  const reactions = standing.reactions?.map(({ emoji, count }) => {
    return { emoji, count, own: own.has(`${row.seq} ${emoji}`) }
  })
  return { ...row, payload: JSON.stringify(standingBody(said, { ...standing, reactions })) }
}

/** The payload of a message, or of an edit, without what it says. */
export function blankPayload(payload: string): string {
  const { replyTo, target } = JSON.parse(payload) as MessageBody & { readonly target?: unknown }
  return JSON.stringify(target === undefined ? tombstone({ replyTo }) : { ...tombstone({}), target })
}

/** The positions in which a page of history may look, and which end of them counts. */
function spanOf({ before, after }: HistoryRequest, first: number, head: number) {
  if (before === undefined && after !== undefined) {
    const from = Math.max(first, after + 1)
    return { from, last: Math.min(head, from + MAX_SCANNED - 1), newest: false }
  }
  const last = Math.min(head, (before ?? Infinity) - 1)
  return { from: Math.max(first, last - MAX_SCANNED + 1), last, newest: true }
}

function readMembers(view: View, log: Log, request: MembersRequest): MembersResult | undefined {
  const { user, room, after = '', limit, only } = request
  if (canRead(view, user, room) === undefined) return undefined
  if (only) return { members: only.flatMap((userId) => storedMember(view, room, userId)), hasMore: false }
  const members = log.members(room, after, limit + 1)
  return { members: members.slice(0, limit), hasMore: members.length > limit }
}

function storedMember(view: View, room: string, userId: string): readonly StoredMember[] {
  const member = membershipOf(view, room, userId)
  return member ? [{ userId, role: member.role, joinedAt: member.joinedAt }] : []
}

function readHeads(view: View, user: string, rooms: readonly string[]): ReadonlyMap<string, Cursor> {
  const heads = new Map<string, Cursor>()
  for (const id of rooms) {
    const room = canRead(view, user, id)?.room
    if (room) heads.set(id, { seq: room.lastSeq, h: room.lastH })
  }
  return heads
}

function readReceipts(view: View, log: Log, user: string, id: string): Receipts | undefined {
  const readable = canRead(view, user, id)
  if (readable === undefined) return undefined
  const { room, member } = readable
  // Nobody is told of others in a larger room: who follows it must not cost a look at each of its members.
  const isLarge = room.memberCount > MAX_RECEIPT_MEMBERS
  const positions = isLarge ? [] : log.readMarks(id)
  const read = new Map(positions.map(({ userId, seq }) => [userId, seq]))
  return {
    memberCount: room.memberCount,
    positions,
    deliveries: isLarge ? [] : log.deliveries(id).filter(({ userId, seq }) => seq >= (read.get(userId) ?? 0)),
    own: unreadOf(room, member, view.readMark(id, user)),
  }
}

/** What a room in a list takes beyond what it says of itself and its newest message, at most. */
const LISTED_BYTES = 400

function readRooms(view: View, log: Log, request: RoomsRequest): RoomsResult {
  const { user, which, after = '', limit, only } = request
  if (only !== undefined) {
    const room = view.room(only)
    const isTheirs = room?.visibility === 'public' || membershipOf(view, only, user) !== undefined
    const isRoom = room && room.visibility !== 'own' && isTheirs
    return { rooms: isRoom ? [describeWithLast(view, log, only, room, user)] : [], hasMore: false }
  }
  const ids = which === 'own' ? log.roomsOf(user, after, limit + 1) : log.publicRooms(after, limit + 1)
  const rooms: ListedRoom[] = []
  let bytesLeft = MAX_PAGE_BYTES
  for (const id of ids.slice(0, limit)) {
    const room = view.room(id)
    if (room === undefined) throw new Error(`there is no room ${id}`)
    const listed = describeWithLast(view, log, id, room, user)
    const last = listed.member?.last
    bytesLeft -= utf8Bytes(room.about) + LISTED_BYTES + (last ? utf8Bytes(JSON.stringify(last)) : 0)
    if (bytesLeft < 0 && rooms.length > 0) break
    rooms.push(listed)
  }
  return { rooms, hasMore: ids.length > rooms.length }
}

function describeWithLast(view: View, log: Log, id: string, room: Room, user: string): ListedRoom {
  const listed = describe(view, id, room, user)
  const last = lastMessage(view, log, id, user)
  return listed.member && last ? { ...listed, member: { ...listed.member, last } } : listed
}

function readUnread(log: Log, { user, after = '' }: UnreadRequest): UnreadResult {
  const rooms: UnreadResult['rooms'][number][] = []
  const counts = log.countsOf(user, after, MAX_UNREAD_LOOKS + 1)
  let next: string | undefined
  for (const [i, { room, readSeq, readOrdinal, ...is }] of counts.entries()) {
    if (i === MAX_UNREAD_LOOKS || rooms.length === MAX_UNREAD_ROOMS) return { rooms, next }
    next = room
    const unread = unreadOf(is, is, { seq: readSeq, ordinal: readOrdinal })
    if (unread.unread > 0) rooms.push({ room, ...unread })
  }
  return { rooms, next: undefined }
}

/** Of one's own log, which nobody else reads. */
function readNotices(view: View, log: Log, { user, before, limit }: NoticesRequest): NoticesResult {
  const notices: NoticesResult['notices'][number][] = []
  let bytesLeft = MAX_PAGE_BYTES
  let hasOlder = false
  for (const { isRead, ...row } of log.notices(user, before ?? Number.MAX_SAFE_INTEGER, limit + 1)) {
    bytesLeft -= jsonBytes(row) + NOTICE_BYTES
    hasOlder = notices.length === limit || (bytesLeft < 0 && notices.length > 0)
    if (hasOlder) break
    notices.push({ entry: entryOf(row), isRead })
  }
  const head = view.room(ownLogId(user))?.lastSeq ?? 0
  const unread = view.unreadNotices(user, Number.MAX_SAFE_INTEGER)
  return { notices: notices.reverse(), hasOlder, unread, head }
}

/** What stands around an entry in a list of them. */
const NOTICE_BYTES = '{"entry":,"read":false},'.length

type Page = Extract<PageResult, { result: 'page' }>

/** The end of the log, as much of it above `floor` as a page holds. */
function newestPage(log: Log, request: PageRequest, readable: Readable, floor: number): Page {
  const last = readable.room.lastSeq
  const from = Math.max(floor + 1, last - request.maxEntries + 1)
  const rows = readRun(log, request.room, from, last, true, request.maxBytes)
  return pageOf(log, request, readable, last - rows.length, rows)
}

function pageAfter(log: Log, request: PageRequest, readable: Readable, base: number): Page {
  const last = Math.min(readable.room.lastSeq, base + request.maxEntries)
  const rows = readRun(log, request.room, base + 1, last, false, request.maxBytes)
  return pageOf(log, request, readable, base, rows)
}

function pageOf(
  log: Log,
  request: PageRequest,
  { room, first }: Readable,
  base: number,
  rows: readonly StoredEntry[],
): Page {
  const baseH = fingerprintAt(log, request.room, room, base)
  if (baseH === undefined) throw new Error(`the log of ${request.room} has no entry ${base}`)
  return {
    result: 'page',
    after: { seq: base, h: baseH },
    entries: rows.map(entryOf),
    h: rows.at(-1)?.h ?? baseH,
    head: room.lastSeq,
    oldest: first,
  }
}

/** Undefined where retention took the entry. The ends of the log are known without a look at it. */
function fingerprintAt(log: Log, id: string, room: Room, seq: number): string | undefined {
  if (seq === LOG_START.seq) return LOG_START.h
  if (seq === room.lastSeq) return room.lastH
  if (seq === room.oldest - 1) return room.baseH
  return seq < room.oldest ? undefined : log.fingerprint(id, seq)
}

/**
 * The entries from `first` to `last`, upwards. Where they come to more than `maxBytes` of JSON, one end of them, at
 * least one entry: the newest ones, or the oldest.
 */
function readRun(
  log: Log,
  room: string,
  first: number,
  last: number,
  newest: boolean,
  maxBytes: number,
): readonly StoredEntry[] {
  if (first > last) return []
  const run: StoredEntry[] = []
  let bytesLeft = maxBytes
  for (const row of log.entries(room, first, last, newest)) {
    if (row.seq !== (newest ? last - run.length : first + run.length)) break
    bytesLeft -= jsonBytes(row)
    if (bytesLeft < 0 && run.length > 0) return newest ? run.reverse() : run
    run.push(row)
  }
  if (run.length !== last - first + 1) throw new Error(`the log of ${room} has a hole`)
  return newest ? run.reverse() : run
}
