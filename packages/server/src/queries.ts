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
