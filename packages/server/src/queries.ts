/** A node's question to the store, put to it: each kind of query to the read that answers it. */
import type { ReadAnswer, ReadQuery } from './core/contract.ts'
import type { Store } from './core/store.ts'

export async function ask(store: Store, query: ReadQuery): Promise<ReadAnswer> {
  switch (query.of) {
    case 'page':
      return { of: 'page', result: await store.readPage(query.request) }
    case 'history':
      return { of: 'history', result: await store.readHistory(query.request) }
    case 'heads':
      return { of: 'heads', heads: await store.readHeads(query.user, query.rooms) }
    case 'members':
      return { of: 'members', result: await store.readMembers(query.request) }
    case 'receipts':
      return { of: 'receipts', receipts: await store.readReceipts(query.user, query.room) }
    case 'rooms':
      return { of: 'rooms', result: await store.readRooms(query.request) }
    default:
      return unreachable(query)
  }
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}

/** Whether the application lets the user read the room. */
export type MayRead = (user: string, room: string) => Promise<boolean>

/** As `ask`, of what the application lets the reader see: the rest is not there for them. */
export async function askAllowed(store: Store, query: ReadQuery, mayRead: MayRead): Promise<ReadAnswer> {
  switch (query.of) {
    case 'page':
    case 'history': {
      const { user, room } = query.request
      if (await mayRead(user, room)) return ask(store, query)
      return { of: query.of, result: { result: 'forbidden' } }
    }
    case 'heads': {
      const { user } = query
      const allowed = await Promise.all(query.rooms.map((room) => mayRead(user, room)))
      return ask(store, { ...query, rooms: query.rooms.filter((_room, i) => allowed[i]) })
    }
    case 'members': {
      const { user, room } = query.request
      return (await mayRead(user, room)) ? ask(store, query) : { of: 'members', result: undefined }
    }
    case 'receipts': {
      const isAllowed = await mayRead(query.user, query.room)
      return isAllowed ? ask(store, query) : { of: 'receipts', receipts: undefined }
    }
    // Names of rooms, and nothing of what is in them.
    case 'rooms':
      return ask(store, query)
    default:
      return unreachable(query)
  }
}
