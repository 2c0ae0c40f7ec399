// The contract of rooms: how they are made, from whom they are kept, what the own logs of users tell of them, and how they
// are listed.

import { expect, it } from 'vitest'
import type { RoomsRequest, Store } from '../../../packages/server/src/core/store.ts'
import { expectNothing } from './expect-nothing.ts'
import {
  accept,
  commit,
  create,
  FORBIDDEN,
  failed,
  invite,
  JOINED,
  join,
  leave,
  listed,
  markRead,
  readPage,
  remove,
  send,
} from './harness.ts'

export function describeRooms(open: () => Promise<Store>): void {
  it('makes a room once, for its owner', async () => {
    const store = await open()
    const about = JSON.stringify({ name: 'The reading room' })
    const is = {
      room: 'room',
      visibility: 'private',
      about,
      memberCount: 1,
      head: 1,
      member: { role: 'owner', read: 0, unread: 0 },
    } as const
    expect(await commit(store, create('alice', 'room', { about }))).toEqual([{ outcome: 'created', is }])
    expect(await commit(store, join('alice', 'room', { messageId: 'join-mine' }))).toEqual([
      { outcome: 'joined', role: 'owner' },
    ])
    const again = { about, messageId: 'create-again' }
    expect(await commit(store, create('alice', 'room', again))).toEqual([{ outcome: 'created', is }])
    expect((await readPage(store)).entries).toMatchObject([
      {
        type: 'room_created',
        seq: 1,
        sender: 'alice',
        payload: { visibility: 'private', name: 'The reading room' },
      },
    ])
  })

  it('makes none that is there already in another form, of others, or whose id nobody chooses', async () => {
    const store = await open()
    await commit(store, create(), join('bob', 'public'), join('alice', 'public'))
    expect(
      await commit(
        store,
        create('alice', 'room', { visibility: 'public', messageId: 'create-public' }),
        create('bob'),
        create('alice', 'public', { visibility: 'public' }),
        create('alice', '~alice'),
        create('alice', '~alice~bob'),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN])
    expect((await readPage(store)).head).toBe(1)
  })

  it('keeps strangers out of a private room, on every path, as if it were not there', async () => {
    const store = await open()
    await commit(store, create(), send(1))
    expect(
      await commit(
        store,
        join('eve'),
        accept('eve'),
        invite('eve', 'eve'),
        remove('alice', 'eve'),
        send(1, { user: 'eve' }),
        markRead(1, 'eve'),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN])
    expect(
      await commit(
        store,
        join('eve', 'nowhere', { create: false }),
        accept('eve', 'nowhere'),
        invite('eve', 'eve', 'nowhere'),
        remove('alice', 'eve', 'nowhere'),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN])
    await expectNothing(store, 'eve', 'room')
  })

  it('tells each user in their own log where they belong, and lets nobody write or read it but them', async () => {
    const store = await open()
    await commit(store, create(), join('alice', 'public'), leave('alice', 'public'))
    const own = await readPage(store, { room: '~alice' })
    expect(own.entries.map(({ type, payload }) => ({ type, ...payload }))).toEqual([
      { type: 'admission', room: 'room', role: 'owner' },
      { type: 'admission', room: 'public', role: 'owner' },
      { type: 'removal', room: 'public', reason: 'left' },
    ])
    expect(await commit(store, send(1, { room: '~alice' }), leave('alice', '~alice'))).toEqual([
      FORBIDDEN,
      { outcome: 'left' },
    ])
    expect(await commit(store, invite('bob', 'alice', '~alice'), remove('bob', 'alice', '~alice'))).toEqual([
      FORBIDDEN,
      FORBIDDEN,
    ])
    await expectNothing(store, 'bob', '~alice')
    expect((await readPage(store, { room: '~alice' })).head).toBe(3)
    expect(await commit(store, markRead(2, 'alice', '~alice'))).toMatchObject([{ outcome: 'read', seq: 2 }])
  })

  it('lists the rooms of a user, and the public ones, by id and in pages', async () => {
    const store = await open()
    const ids = Array.from({ length: 25 }, (_, i) => `room-${String(i).padStart(2, '0')}`)
    await commit(
      store,
      ...ids.map((room, i) =>
        create(i % 5 === 4 ? 'bob' : 'alice', room, {
          visibility: i % 2 ? 'public' : 'private',
          about: JSON.stringify({ name: `Number ${i}` }),
        }),
      ),
    )
    await commit(store, invite('bob', 'alice', 'room-00'))
    const mine = ids.filter((_, i) => i % 5 !== 4)
    const list = async (request: Partial<RoomsRequest>) => {
      const found: string[] = []
      let after: string | undefined
      for (;;) {
        const { rooms, hasMore } = await store.readRooms({
          user: 'alice',
          which: 'own',
          limit: 7,
          ...request,
          after,
        })
        found.push(...rooms.map(({ room }) => room))
        if (!hasMore) return found
        expect(rooms).toHaveLength(7)
        after = rooms.at(-1)?.room
      }
    }
    expect(await list({})).toEqual(mine)
    expect(await list({ user: 'bob' })).toEqual(ids.filter((_, i) => i % 5 === 4))
    expect(await list({ which: 'public' })).toEqual(ids.filter((_, i) => i % 2))
    const { rooms } = await store.readRooms({ user: 'alice', which: 'public', after: 'room-07', limit: 2 })
    expect(rooms).toEqual([
      {
        room: 'room-09',
        visibility: 'public',
        about: '{"name":"Number 9"}',
        memberCount: 1,
        head: 1,
        member: undefined,
      },
      expect.objectContaining({ room: 'room-11', member: { role: 'owner', read: 0, unread: 0 } }),
    ])
  })

  it('keeps the rooms, invitations and counts when it is opened again', async () => {
    const first = await open()
    const about = JSON.stringify({ name: 'The room', topic: 'All of it' })
    await commit(first, create('alice', 'room', { about }), invite('bob'), invite('carol'), accept('carol'))
    await commit(first, send(1), send(1, { room: '~alice~bob', messageId: 'message-to-bob' }))
    const before = [await listed(first, 'alice'), await listed(first, 'carol'), await listed(first, 'bob')]
    await first.close()
    const second = await open()
    expect([
      await listed(second, 'alice'),
      await listed(second, 'carol'),
      await listed(second, 'bob'),
    ]).toEqual(before)
    expect(await commit(second, accept('bob'), join('dora'))).toEqual([JOINED, FORBIDDEN])
    expect((await listed(second, 'bob')).map(({ room, memberCount }) => [room, memberCount])).toEqual([
      ['room', 3],
      ['~alice~bob', 2],
    ])
  })

  it('keeps all rows of an operation or none', async () => {
    const store = await open()
    await commit(store, create(), send(1, { messageId: 'notice-taken-id' }))
    // The id for one's own log is taken: neither the entry of the room nor the membership stays.
    const taken = { messageId: 'join-other', noticeId: 'notice-taken-id' }
    expect(await commit(store, join('alice', 'other', taken), send(1, { room: 'other' }))).toEqual([
      failed('INTERNAL_ERROR'),
      FORBIDDEN,
    ])
    expect(await commit(store, join('alice', 'other'))).toEqual([{ outcome: 'joined', role: 'owner' }])
    expect((await readPage(store, { room: 'other' })).head).toBe(1)
  })
}
