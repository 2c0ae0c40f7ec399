// What is left to read, in a room and in all rooms of a user: the same as each room says, found in one go.

import { MAX_UNREAD_LOOKS, MAX_UNREAD_ROOMS } from '@tautline/protocol'
import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { commit, create, join, leave, listed, markRead, remove, type StoreHarness, send } from './harness.ts'

export function describeUnread(open: () => Promise<Store>, harness: () => StoreHarness): void {
  const unread = (store: Store, user: string, after?: string) => store.readUnread({ user, after })
  const ids = (count: number) => Array.from({ length: count }, (_, i) => `room-${String(i).padStart(4, '0')}`)

  it('lists the rooms of a user in which something is left to read, as each of them counts', async () => {
    const store = await open()
    const rooms = ['a', 'b', 'c', 'd', 'e']
    for (const [i, room] of rooms.entries()) {
      await commit(store, create('bob', room, { visibility: 'public', messageId: `create-${room}` }))
      await commit(store, send(1, { user: 'bob', room, messageId: `early-${i}` }))
      if (room !== 'e') await commit(store, join('alice', room, { messageId: `join-${room}` }))
      await commit(store, send(2, { user: 'bob', room, messageId: `one-${i}` }))
      await commit(store, send(3, { user: 'bob', room, messageId: `two-${i}` }))
    }
    // In b one of two is read, in c both; in d she spoke. Of e she is no member, and a direct room is hers too.
    await commit(store, markRead(4, 'alice', 'b'), markRead(5, 'alice', 'c'))
    await commit(store, send(1, { room: 'd', messageId: 'own' }))
    await commit(store, send(1, { user: 'bob', room: '~alice~bob', messageId: 'direct' }))
    const all = {
      rooms: [
        { room: 'a', seq: 0, head: 5, unread: 2 },
        { room: 'b', seq: 4, head: 5, unread: 1 },
        { room: '~alice~bob', seq: 0, head: expect.any(Number), unread: 1 },
      ],
      next: undefined,
    }
    expect(await unread(store, 'alice')).toEqual(all)
    const { rooms: described } = await store.readRooms({
      user: 'alice',
      which: 'own',
      after: undefined,
      limit: 9,
    })
    const counted = described.flatMap(({ room, member }) => (member?.unread ? [[room, member.unread]] : []))
    expect(counted).toEqual(all.rooms.map((one) => [one.room, one.unread]))
    expect((await unread(store, 'alice', 'a')).rooms).toEqual(all.rooms.slice(1))
    expect(await unread(store, 'nobody')).toEqual({ rooms: [], next: undefined })
    await store.close()
    expect(await unread(await harness().open(), 'alice')).toEqual(all)
  })

  it('forgets the unread messages of who leaves or is put out, and counts from their return', async () => {
    const store = await open()
    await commit(store, create('bob', 'room', { visibility: 'public' }), join('alice'))
    await commit(store, send(1, { user: 'bob' }))
    expect((await unread(store, 'alice')).rooms).toMatchObject([{ unread: 1 }])
    await commit(store, leave('alice'))
    expect((await unread(store, 'alice')).rooms).toEqual([])
    await commit(store, send(2, { user: 'bob' }), join('alice', 'room', { messageId: 'join-again' }))
    expect((await unread(store, 'alice')).rooms).toEqual([])
    await commit(store, send(3, { user: 'bob' }))
    expect((await unread(store, 'alice')).rooms).toMatchObject([{ unread: 1 }])
    await commit(store, remove('alice', 'bob'))
    expect((await unread(store, 'alice')).rooms).toEqual([])
  })

  it('looks at so many rooms, and names so many, and says where to go on', async () => {
    const store = await open()
    const all = ids(MAX_UNREAD_LOOKS + 2)
    const spoken = all.filter(
      (_, i) => i < MAX_UNREAD_ROOMS || i === MAX_UNREAD_LOOKS - 1 || i > MAX_UNREAD_LOOKS,
    )
    for (let from = 0; from < all.length; from += 100) {
      const some = all.slice(from, from + 100)
      await commit(
        store,
        ...some.map((room) => create('bob', room, { visibility: 'public', messageId: `create-${room}` })),
        ...some.map((room) => join('alice', room, { messageId: `join-${room}` })),
        ...some
          .filter((room) => spoken.includes(room))
          .map((room) => send(1, { user: 'bob', room, messageId: `said-${room}` })),
      )
    }
    const found: string[] = []
    const pages: (string | undefined)[] = []
    let after: string | undefined
    do {
      const page = await unread(store, 'alice', after)
      found.push(...page.rooms.map(({ room }) => room))
      pages.push(page.next)
      after = page.next
    } while (after !== undefined)
    expect(found).toEqual(spoken)
    expect(pages).toEqual([all[MAX_UNREAD_ROOMS - 1], undefined])
    expect((await unread(store, 'alice', undefined)).rooms).toHaveLength(MAX_UNREAD_ROOMS)
    // The last room looked at is not the last one: the next page begins behind it.
    expect((await unread(store, 'bob')).next).toBe(all[MAX_UNREAD_LOOKS - 1])
  })

  it('counts as unread what others said since one read, spoke or came', async () => {
    const store = await open()
    await commit(store, join('bob'), send(1, { user: 'bob' }), join(), markRead(1))
    const ofRoom = async () => (await listed(store, 'alice'))[0]?.member
    expect(await ofRoom()).toMatchObject({ role: 'member', read: 1, unread: 0 })
    const say = (n: number) => send(n, { user: 'bob' })
    await commit(store, say(2), say(3), join('carol'), say(4))
    expect(await ofRoom()).toMatchObject({ read: 1, unread: 3 })
    expect(await commit(store, markRead(5))).toMatchObject([{ seq: 5, head: 7, unread: 1 }])
    expect(await ofRoom()).toMatchObject({ read: 5, unread: 1 })
    // In one batch, in the midst of it.
    expect(await commit(store, say(5), say(6), markRead(8), say(7))).toMatchObject([
      {},
      {},
      { seq: 8, head: 9, unread: 1 },
      {},
    ])
    expect(await ofRoom()).toMatchObject({ read: 8, unread: 2 })
    await commit(store, send(1), say(8))
    expect(await ofRoom()).toMatchObject({ read: 11, unread: 1 })
    expect((await store.readReceipts('alice', 'room'))?.own).toEqual({ seq: 11, head: 12, unread: 1 })
  })
}
