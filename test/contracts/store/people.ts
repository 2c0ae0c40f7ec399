// The contract of what a store knows of users: which of them share a room, and when each was last there.

import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { commit, join, leave, NOW, type StoreHarness, send } from './harness.ts'

export function describePeople(open: () => Promise<Store>, harness: () => StoreHarness): void {
  const shares = async (store: Store, user: string, ...others: string[]) =>
    (await store.readAcquaintances(user, others)).map(({ sharesRoom }) => sharesRoom)

  it('says which users share a room, in the order asked, and that everybody does with themselves', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), join('carol', 'another'))
    expect(await store.readAcquaintances('alice', ['nobody', 'bob', 'carol', 'alice'])).toEqual([
      { userId: 'nobody', sharesRoom: false, lastSeenAt: undefined },
      { userId: 'bob', sharesRoom: true, lastSeenAt: undefined },
      { userId: 'carol', sharesRoom: false, lastSeenAt: undefined },
      { userId: 'alice', sharesRoom: true, lastSeenAt: undefined },
    ])
    expect(await shares(store, 'nobody', 'alice')).toEqual([false])
    await commit(store, leave('bob'))
    expect(await shares(store, 'alice', 'bob')).toEqual([false])
    expect(await shares(store, 'bob', 'alice')).toEqual([false])
  })

  it('counts a direct room once the other has written in it: nobody knows a stranger by writing to them', async () => {
    const store = await open()
    const room = '~alice~bob'
    expect(await shares(store, 'alice', 'bob')).toEqual([false])
    await commit(store, send(1, { room }), send(2, { room }))
    expect(await shares(store, 'alice', 'bob')).toEqual([false])
    expect(await shares(store, 'bob', 'alice')).toEqual([true])
    const { appended } = await store.commit(
      [send(1, { user: 'bob', room }), send(2, { user: 'bob', room })],
      NOW,
    )
    expect(appended.map(({ spokeFirst }) => spokeFirst)).toEqual([['bob']])
    expect(await shares(store, 'alice', 'bob')).toEqual([true])
    await commit(store, send(1, { user: 'system', room: '~alice~cleo' }))
    expect(await shares(store, 'alice', 'cleo')).toEqual([false])
    expect(await shares(store, 'cleo', 'alice')).toEqual([false])
  })

  it('lets others have their turn while it looks at many users', async () => {
    const store = await open()
    const rooms = Array.from({ length: 50 }, (_, i) => `room-${i}`)
    await commit(store, ...rooms.map((room) => join('alice', room)))
    const others = Array.from({ length: 200 }, (_, i) => `user-${i}`)
    let turns = 0
    let isDone = false
    const count = () => {
      if (isDone) return
      turns++
      setImmediate(count)
    }
    const answer = store.readAcquaintances('alice', others)
    count()
    expect((await answer).map(({ userId }) => userId)).toEqual(others)
    isDone = true
    expect(turns).toBeGreaterThanOrEqual(19)
  })

  it('finds the one that they share among hundreds', async () => {
    const store = await open()
    const rooms = Array.from({ length: 250 }, (_, i) => `room-${String(i).padStart(3, '0')}`)
    await commit(store, ...rooms.map((room) => join('alice', room)), join('bob', 'room-249'))
    await commit(store, ...rooms.map((room) => join('carol', `of-${room}`)), join('carol', 'room-249'))
    expect(await shares(store, 'alice', 'bob', 'carol')).toEqual([true, true])
    expect(await shares(store, 'bob', 'alice', 'carol')).toEqual([true, true])
  })

  it('keeps when users were last seen, never an earlier time, also when it is opened again', async () => {
    const store = await open()
    await store.markSeen([
      { userId: 'alice', at: NOW },
      { userId: 'bob', at: NOW + 1 },
    ])
    await store.markSeen([
      { userId: 'alice', at: NOW - 5 },
      { userId: 'bob', at: NOW + 7 },
    ])
    await store.close()
    await expect(store.markSeen([{ userId: 'alice', at: NOW }])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await expect(store.readAcquaintances('alice', ['bob'])).rejects.toMatchObject({ code: 'FETCH_ERROR' })
    const again = await harness().open()
    const seen = await again.readAcquaintances('eve', ['alice', 'bob'])
    expect(seen.map(({ lastSeenAt }) => lastSeenAt)).toEqual([NOW, NOW + 7])
    await again.close()
  })
}
