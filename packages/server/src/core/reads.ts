/**
 * The reads of each connection, in the order asked and one at a time in each of four queues: thousands of rooms resumed at
 * once must neither fill the memory nor starve the other connections, and where the application is slow to say what users
 * are called, who may see whom or who may read a room, that holds up nothing that it is not asked about. Answers come in
 * the order asked within a queue, where it matters: what follows a room goes on from the page before it, and later words
 * about a watched user replace earlier ones. Between queues it does not.
 *
 * A read waits while the connection is congested, and while a join or leave of it is being committed, so that it sees
 * what its asker did before. The answer of a connection that is gone is dropped.
 */
import {
  type Cursor,
  MAX_PAGE_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_PAGE_MEMBERS,
  MAX_PRESENT_USERS,
  ownLogId,
  type PayloadOf,
} from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, unreachable } from './context.ts'
import type { ReadAnswer, ReadQuery, ReadQueue } from './contract.ts'
import type { Subscription } from './rooms.ts'

/** Why something is read, and what its answer needs. */
export type Read =
  | {
      readonly why: 'subscribe'
      readonly ref: number
      readonly subscription: Subscription
      readonly after: Cursor | undefined
      readonly limit: number
    }
  | { readonly why: 'page'; readonly ask: PayloadOf<'get_page'> }
  /** What a congested connection missed of a room. */
  | { readonly why: 'catch_up'; readonly subscription: Subscription }
  | { readonly why: 'history'; readonly ask: PayloadOf<'get_history'> }
  | { readonly why: 'thread'; readonly ask: PayloadOf<'get_thread'> }
  | { readonly why: 'versions'; readonly ask: PayloadOf<'get_versions'> }
  | { readonly why: 'reactions'; readonly ask: PayloadOf<'get_reactions'> }
  | { readonly why: 'members'; readonly ask: PayloadOf<'list_members'> }
  /** `users`: who is there, as many as a list may name. */
  | {
      readonly why: 'active'
      readonly ask: PayloadOf<'list_active_members'>
      readonly users: readonly string[]
    }
  | { readonly why: 'room'; readonly ask: PayloadOf<'get_room'> }
  | { readonly why: 'rooms'; readonly ask: PayloadOf<'list_rooms'> }
  | { readonly why: 'unread'; readonly ask: PayloadOf<'list_unread'> }
  | { readonly why: 'notices'; readonly ask: PayloadOf<'get_notifications'> }
  | { readonly why: 'users'; readonly ask: PayloadOf<'get_users'> }
  | { readonly why: 'check'; readonly ask: PayloadOf<'check'> }
  | { readonly why: 'receipts'; readonly subscription: Subscription }
  /** Whose presence somebody wants to be told of, and of whom they may not be told any more, perhaps; see watching.ts. */
  | { readonly why: 'watch'; readonly ref: number; readonly users: readonly string[] }
  | { readonly why: 'doubt'; readonly users: readonly string[] }

/** Entries of one `history` where the asker names no number. */
const DEFAULT_HISTORY_ENTRIES = 50
/** Rooms of one `room_list`, likewise. */
const DEFAULT_ROOMS = 50
/** Notifications of one list, likewise. */
const DEFAULT_NOTICES = 50
/** Reads that may wait beyond one for each subscription. */
const SPARE_READS = 256

/** Whether there is room for `count` more requests of the connection. */
export function mayQueue(context: Context, connection: Connection, count: number): boolean {
  return connection.reads.length + count <= context.options.limits.maxSubscriptions + SPARE_READS
}

export function queueRead(context: Context, connection: Connection, read: Read): void {
  connection.reads.push(read)
  pumpQueue(context, connection, queueOf(connection, read))
}

const QUEUES: readonly ReadQueue[] = ['own', 'rooms', 'presence', 'names']

/** Starts the next reads, if it is time. */
export function pumpReads(context: Context, connection: Connection): void {
  if (connection.reads.length === 0) return
  for (const queue of QUEUES) pumpQueue(context, connection, queue)
}

/** Starts the next read of one queue, likewise. */
export function pumpQueue(context: Context, connection: Connection, queue: ReadQueue): void {
  const { reads, reading, phase } = connection
  if (phase !== 'ready' || reading.some((read) => queueOf(connection, read) === queue)) return
  if (connection.pendingMemberships > 0 || connection.bufferedBytes > context.options.congestedBytes) return
  const at = reads.findIndex((read) => queueOf(connection, read) === queue)
  const [read] = at < 0 ? [] : reads.splice(at, 1)
  if (read === undefined) return
  reading.push(read)
  const query = queryOf(context, connection, read)
  context.effects.push({ do: 'read', connection: connection.id, queue, query })
}

/** The read that an answer in this queue belongs to; the next one may start afterwards. */
export function finishRead(connection: Connection, queue: ReadQueue): Read | undefined {
  const at = connection.reading.findIndex((read) => queueOf(connection, read) === queue)
  return at < 0 ? undefined : connection.reading.splice(at, 1)[0]
}

/** By what of the application it may have to wait for. */
function queueOf({ userId }: Connection, read: Read): ReadQueue {
  switch (read.why) {
    case 'users':
      return 'names'
    case 'watch':
    case 'doubt':
      return 'presence'
    case 'notices':
      return 'own'
    case 'rooms':
    case 'unread':
    case 'check':
      return 'rooms'
    case 'subscribe':
    case 'catch_up':
    case 'receipts':
      return read.subscription.room.id === ownLogId(userId) ? 'own' : 'rooms'
    default:
      return read.ask.room === ownLogId(userId) ? 'own' : 'rooms'
  }
}

function queryOf(context: Context, { userId: user }: Connection, read: Read): ReadQuery {
  switch (read.why) {
    case 'subscribe':
      return pageQuery(
        user,
        read.subscription.room.id,
        read.after,
        read.limit,
        context.options.maxReplayEntries,
      )
    case 'page':
      return pageQuery(user, read.ask.room, read.ask.after, MAX_PAGE_ENTRIES, Number.POSITIVE_INFINITY)
    case 'catch_up': {
      const { room, sent } = read.subscription
      return pageQuery(user, room.id, { seq: sent }, MAX_PAGE_ENTRIES, Number.POSITIVE_INFINITY)
    }
    case 'history': {
      const { room, before, after, limit = DEFAULT_HISTORY_ENTRIES } = read.ask
      return { of: 'history', request: { user, room, before, after, limit } }
    }
    case 'thread': {
      const { room, target, before, limit = DEFAULT_HISTORY_ENTRIES } = read.ask
      return { of: 'thread', request: { user, room, target, before, limit } }
    }
    case 'versions': {
      const { room, target, before, limit = DEFAULT_HISTORY_ENTRIES } = read.ask
      return { of: 'versions', request: { user, room, target, before, limit } }
    }
    case 'reactions': {
      const { room, target } = read.ask
      return { of: 'reactions', request: { user, room, target } }
    }
    case 'members': {
      const { room, after, limit = MAX_PAGE_MEMBERS } = read.ask
      return { of: 'members', request: { user, room, after, limit } }
    }
    case 'active': {
      const request = {
        user,
        room: read.ask.room,
        after: undefined,
        limit: MAX_PRESENT_USERS,
        only: read.users,
      }
      return { of: 'members', request }
    }
    case 'room':
      return {
        of: 'rooms',
        request: { user, which: 'own', after: undefined, limit: 1, only: read.ask.room },
      }
    case 'rooms': {
      const { which, after, limit = DEFAULT_ROOMS } = read.ask
      return { of: 'rooms', request: { user, which, after, limit } }
    }
    case 'unread':
      return { of: 'unread', request: { user, after: read.ask.after } }
    case 'notices': {
      const { before, limit = DEFAULT_NOTICES } = read.ask
      return { of: 'notices', request: { user, before, limit } }
    }
    case 'users':
      return { of: 'users', user, users: read.ask.users }
    case 'check':
      return { of: 'heads', user, rooms: read.ask.rooms.map(({ room }) => room) }
    case 'receipts':
      return { of: 'receipts', user, room: read.subscription.room.id }
    case 'watch':
    case 'doubt':
      return { of: 'visible', user, users: read.users }
    default:
      return unreachable(read)
  }
}

function pageQuery(
  user: string,
  room: string,
  after: { readonly seq: number; readonly h?: string | undefined } | undefined,
  maxEntries: number,
  maxReplay: number,
): ReadQuery {
  return {
    of: 'page',
    request: { user, room, after, maxEntries, maxBytes: MAX_PAGE_BYTES, maxReplay },
  }
}

export type AnswerOf<K extends ReadAnswer['of']> = Extract<ReadAnswer, { of: K }>
