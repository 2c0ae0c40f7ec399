import { expect } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { ask, listed } from './harness.ts'

/** The room is not there for this user. */
export async function expectNothing(store: Store, user: string, room: string): Promise<void> {
  for (const after of [undefined, { seq: 0 }, { seq: 1, h: 'elsewhere' }])
    expect(await store.readPage(ask({ user, room, after }))).toEqual({ result: 'forbidden' })
  expect(await store.readHistory({ user, room, before: undefined, after: undefined, limit: 9 })).toEqual({
    result: 'forbidden',
  })
  expect(await store.readHeads(user, [room])).toEqual(new Map())
  expect(await store.readMembers({ user, room, after: undefined, limit: 9 })).toBeUndefined()
  expect(await store.readReceipts(user, room)).toBeUndefined()
  expect((await listed(store, user)).map((one) => one.room)).not.toContain(room)
}
