/** A node's question to the store, put to it: each kind of query to the read that answers it. */
import type { Code } from '@tautline/protocol/wire'
import type { ReadAnswer, ReadQuery } from './core/contract.ts'
import type { Acquaintance, ListedRoom, Store } from './core/store.ts'

export async function ask(store: Store, query: ReadQuery): Promise<ReadAnswer> {
  switch (query.of) {
    case 'page':
      return { of: 'page', result: await store.readPage(query.request) }
    case 'history':
      return { of: 'history', result: await store.readHistory(query.request) }
    case 'thread':
      return { of: 'history', result: await store.readThread(query.request) }
    case 'versions':
      return { of: 'versions', result: await store.readVersions(query.request) }
    case 'reactions':
      return { of: 'reactions', result: await store.readReactions(query.request) }
    case 'heads':
      return { of: 'heads', heads: await store.readHeads(query.user, query.rooms) }
    case 'members':
      return { of: 'members', result: await store.readMembers(query.request) }
    case 'receipts':
      return { of: 'receipts', receipts: await store.readReceipts(query.user, query.room) }
    case 'rooms':
      return { of: 'rooms', result: await store.readRooms(query.request) }
    case 'unread':
      return { of: 'unread', result: await store.readUnread(query.request) }
    case 'notices':
      return { of: 'notices', result: await store.readNotices(query.request) }
    case 'visible': {
      const acquaintances = await store.readAcquaintances(query.user, query.users)
      return { of: 'visible', users: acquaintances.filter(({ sharesRoom }) => sharesRoom) }
    }
    // A store knows no names: see user-directory.ts.
    case 'users':
      return { of: 'users', users: [] }
    default:
      return unreachable(query)
  }
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}

/** What the application has to say to reads. */
export interface ReadPolicy {
  readonly objectionToRead: ReadObjection
  /** Of which of them the user may know, or a code to retry; undefined: that is for the rooms to say. */
  readonly visibleTo:
    | ((user: string, others: readonly Acquaintance[]) => Promise<readonly Acquaintance[] | Code>)
    | undefined
}

/** What speaks against the user's reading the room: FORBIDDEN, or a code to retry; undefined: nothing. */
export type ReadObjection = (user: string, room: string) => Promise<Code | undefined>

/** As `ask`, of what the application lets the reader see: the rest is not there for them. */
export async function askAllowed(
  store: Store,
  query: ReadQuery,
  { objectionToRead: objectionTo, visibleTo }: ReadPolicy,
): Promise<ReadAnswer> {
  if (query.of === 'rooms') return askRooms(store, query, objectionTo)
  if (query.of === 'unread') return askUnread(store, query, objectionTo)
  // One's own log is never asked about.
  if (query.of === 'notices') return ask(store, query)
  if (query.of === 'users') return ask(store, query)
  if (query.of === 'visible') {
    if (!visibleTo) return ask(store, query)
    const users = await visibleTo(query.user, await store.readAcquaintances(query.user, query.users))
    return typeof users === 'string' ? { of: 'failure', code: users } : { of: 'visible', users }
  }
  if (query.of === 'heads') {
    const objections = await Promise.all(query.rooms.map((room) => objectionTo(query.user, room)))
    const undecided = objections.find((code) => code !== undefined && code !== 'FORBIDDEN')
    if (undecided !== undefined) return { of: 'failure', code: undecided }
    return ask(store, { ...query, rooms: query.rooms.filter((_room, i) => objections[i] === undefined) })
  }
  const { user, room } = query.of === 'receipts' ? query : query.request
  const objection = await objectionTo(user, room)
  if (objection === undefined) return ask(store, query)
  return objection === 'FORBIDDEN' ? forbidden(query.of) : { of: 'failure', code: objection }
}

/** The names of rooms are there for everybody who is in them; what was said last only for who may read. */
async function askRooms(
  store: Store,
  query: Extract<ReadQuery, { of: 'rooms' }>,
  objectionTo: ReadObjection,
): Promise<ReadAnswer> {
  const { rooms, hasMore } = await store.readRooms(query.request)
  const objections = await Promise.all(
    rooms.map(async ({ room, member }) => member?.last && objectionTo(query.request.user, room)),
  )
  const told = rooms.map((room, i) => (objections[i] === undefined ? room : withoutLast(room)))
  return { of: 'rooms', result: { rooms: told, hasMore } }
}

/** What nobody may read is not left for them to read. */
async function askUnread(
  store: Store,
  query: Extract<ReadQuery, { of: 'unread' }>,
  objectionTo: ReadObjection,
): Promise<ReadAnswer> {
  const { rooms, next } = await store.readUnread(query.request)
  const objections = await Promise.all(rooms.map(({ room }) => objectionTo(query.request.user, room)))
  const undecided = objections.find((code) => code !== undefined && code !== 'FORBIDDEN')
  if (undecided !== undefined) return { of: 'failure', code: undecided }
  const readable = rooms.filter((_room, i) => objections[i] === undefined)
  return { of: 'unread', result: { rooms: readable, next } }
}

function withoutLast(room: ListedRoom): ListedRoom {
  if (!room.member) return room
  const { last: _last, ...member } = room.member
  return { ...room, member }
}

/** What the store says to who may not. */
function forbidden(
  of: Exclude<ReadQuery['of'], 'rooms' | 'unread' | 'notices' | 'heads' | 'visible' | 'users'>,
): ReadAnswer {
  switch (of) {
    case 'page':
    case 'history':
      return { of, result: { result: 'forbidden' } }
    case 'thread':
      return { of: 'history', result: { result: 'forbidden' } }
    case 'versions':
    case 'reactions':
    case 'members':
      return { of, result: undefined }
    case 'receipts':
      return { of, receipts: undefined }
    default:
      return unreachable(of)
  }
}
