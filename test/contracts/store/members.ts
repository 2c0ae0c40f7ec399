// The contract of membership and read positions, and of the log that they and messages share.

import { MAX_RECEIPT_MEMBERS, nextFingerprint } from '@tautline/protocol'
import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import {
  ack,
  commit,
  commitAll,
  failed,
  join,
  leave,
  markRead,
  membersOf,
  NOW,
  readLog,
  readPage,
  remove,
  type StoreHarness,
  send,
} from './harness.ts'

export function describeMembers(open: () => Promise<Store>, harness: () => StoreHarness): void {
  it('makes a room for its first member, who owns it', async () => {
    const store = await open()
    expect(await commit(store, join(), join('bob'))).toEqual([
      { outcome: 'joined', role: 'owner' },
      { outcome: 'joined', role: 'member' },
    ])
    const { entries } = await readPage(store)
    expect(entries).toEqual([
      {
        type: 'member_joined',
        seq: 1,
        sender: 'alice',
        messageId: 'join-room-alice',
        timestamp: NOW,
        payload: { userId: 'alice', role: 'owner' },
      },
      {
        type: 'member_joined',
        seq: 2,
        sender: 'bob',
        messageId: 'join-room-bob',
        timestamp: NOW,
        payload: { userId: 'bob', role: 'member' },
      },
    ])
  })

  it('writes no entry where a join or a leave changes nothing', async () => {
    const store = await open()
    await commit(store, join(), join('bob'))
    const { outcomes, appended } = await commitAll(store, [
      join('alice', 'room', { messageId: 'join-again' }),
      leave('carol'),
      leave('alice', 'nowhere'),
    ])
    expect(outcomes).toEqual([{ outcome: 'joined', role: 'owner' }, { outcome: 'left' }, { outcome: 'left' }])
    expect(appended).toEqual([])
  })

  it('tells in the log who left and why', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), join('carol'), leave('bob'), remove('carol'))
    const { entries } = await readPage(store, { after: { seq: 3 } })
    expect(entries.map(({ type, sender, payload }) => ({ type, sender, payload }))).toEqual([
      { type: 'member_left', sender: 'bob', payload: { userId: 'bob', reason: 'left' } },
      { type: 'member_left', sender: 'alice', payload: { userId: 'carol', reason: 'removed' } },
    ])
    expect(await membersOf(store)).toEqual([{ userId: 'alice', role: 'owner', joinedAt: NOW }])
  })

  it('lets a member come back, reading from the beginning, as a member like others', async () => {
    const store = await open()
    await commit(store, join(), send(1), leave(), join('bob'), send(1, { user: 'bob' }))
    expect(await commit(store, join('alice', 'room', { messageId: 'join-again' }))).toEqual([
      { outcome: 'joined', role: 'member' },
    ])
    expect(await readLog(store)).toHaveLength(6)
  })

  it('makes no room where that is not asked for', async () => {
    const store = await open()
    expect(await commit(store, join('alice', 'room', { create: false }))).toEqual([failed('FORBIDDEN')])
    expect(await commit(store, join('bob'), join('alice', 'room', { create: false }))).toEqual([
      { outcome: 'joined', role: 'owner' },
      { outcome: 'joined', role: 'member' },
    ])
  })

  it.each(['~alice', '~alice~bob'])('lets nobody join %s', async (room) => {
    const store = await open()
    expect(await commit(store, join('alice', room), join('carol', room))).toEqual([
      failed('FORBIDDEN'),
      failed('FORBIDDEN'),
    ])
    expect(await store.readPage({ ...pageOf('carol', room) })).toEqual({ result: 'forbidden' })
  })

  it('lets nobody join a private room, and keeps its members', async () => {
    const before = await open()
    await commit(before, join())
    await before.close()
    await harness().makePrivate('room')
    const store = await open()
    expect(await commit(store, join('bob'), join())).toEqual([
      failed('FORBIDDEN'),
      { outcome: 'joined', role: 'owner' },
    ])
  })

  it('reads the positions of others in rooms where they are told, and in no larger one', async () => {
    const store = await open()
    const users = Array.from({ length: MAX_RECEIPT_MEMBERS - 1 }, (_, i) => `user-${i}`)
    await commitAll(store, [join(), ...users.map((user) => join(user)), markRead(1, 'user-1')])
    const read = () => store.readReceipts('alice', 'room')
    expect(await read()).toMatchObject({ memberCount: 100, positions: [{ userId: 'user-1', seq: 1 }] })
    await commitAll(store, [join('one-too-many'), markRead(3)])
    expect(await read()).toMatchObject({ memberCount: 101, positions: [], own: { seq: 3, head: 101 } })
  })

  it('lists members page by page, by their ids', async () => {
    const store = await open()
    const users = ['zoe', 'alice', 'mia', 'bob']
    for (const [index, user] of users.entries()) await commitAll(store, [join(user)], NOW + index)
    await commitAll(store, [leave('alice'), join('alice', 'room', { messageId: 'join-again' })], NOW + 9)
    const page = async (limit: number, after?: string) => {
      const read = await store.readMembers({ user: 'bob', room: 'room', after, limit })
      return [...(read?.members.map(({ userId }) => userId) ?? []), read?.hasMore]
    }
    expect(await page(4)).toEqual(['alice', 'bob', 'mia', 'zoe', false])
    expect(await page(3)).toEqual(['alice', 'bob', 'mia', true])
    expect(await page(2, 'bob')).toEqual(['mia', 'zoe', false])
    // Whoever the last page ended with may be gone by now.
    expect(await page(2, 'carol')).toEqual(['mia', 'zoe', false])
    expect(await page(2, 'zoe')).toEqual([false])
    expect((await membersOf(store))?.[0]).toEqual({ userId: 'alice', role: 'member', joinedAt: NOW + 9 })
  })

  it('answers INTERNAL_ERROR where the id that the server made is taken, and changes nothing', async () => {
    const store = await open()
    await commit(
      store,
      join('bob'),
      join('alice', 'other'),
      send(1, { room: 'other', messageId: 'taken-id' }),
    )
    expect(await commit(store, join('alice', 'room', { messageId: 'taken-id' }))).toEqual([
      failed('INTERNAL_ERROR'),
    ])
    expect(await commit(store, join())).toEqual([{ outcome: 'joined', role: 'member' }])
  })

  it('raises a read position, never lowers it, and never beyond the head', async () => {
    const store = await open()
    await commit(store, join('bob'), join(), send(1, { user: 'bob' }), send(2, { user: 'bob' }))
    const readAt = async (seq: number, unixMs: number) =>
      (await commitAll(store, [markRead(seq)], unixMs)).outcomes[0]
    expect(await readAt(3, 10)).toEqual({ outcome: 'read', seq: 3, timestamp: 10, head: 4, unread: 1 })
    expect(await readAt(1, 20)).toEqual({ outcome: 'read', seq: 3, timestamp: 10, head: 4, unread: 1 })
    expect(await readAt(3, 30)).toEqual({ outcome: 'read', seq: 3, timestamp: 10, head: 4, unread: 1 })
    expect(await readAt(99, 40)).toEqual({ outcome: 'read', seq: 4, timestamp: 40, head: 4, unread: 0 })
    expect(await store.readReceipts('alice', 'room')).toEqual({
      memberCount: 2,
      positions: [
        { userId: 'alice', seq: 4, timestamp: 40 },
        { userId: 'bob', seq: 4, timestamp: NOW },
      ],
      deliveries: [],
      own: { seq: 4, head: 4, unread: 0 },
    })
    expect(await commit(store, send(3, { user: 'bob' }), markRead(5), markRead(4))).toEqual([
      ack(5),
      { outcome: 'read', seq: 5, timestamp: NOW, head: 5, unread: 0 },
      { outcome: 'read', seq: 5, timestamp: NOW, head: 5, unread: 0 },
    ])
  })

  it('keeps a read position over leaving and coming back, and shows those of members only', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), send(1), markRead(3), markRead(2, 'bob'), leave())
    expect(await store.readReceipts('bob', 'room')).toMatchObject({
      memberCount: 1,
      positions: [{ userId: 'bob', seq: 2, timestamp: NOW }],
    })
    expect(await commit(store, markRead(4))).toEqual([failed('FORBIDDEN')])
    await commit(store, join('alice', 'room', { messageId: 'join-again' }))
    expect(await commit(store, markRead(1))).toMatchObject([{ outcome: 'read', seq: 3 }])
    expect((await store.readReceipts('bob', 'room'))?.positions.map((position) => position.userId)).toEqual([
      'alice',
      'bob',
    ])
  })

  it('raises a delivery, never lowers it, and holds what was read for delivered', async () => {
    const store = await open()
    await commit(store, join('bob'), join(), send(1, { user: 'bob' }), send(2, { user: 'bob' }))
    const at = async (seq: number, unixMs: number) =>
      (await commitAll(store, [{ op: 'mark_delivered', user: 'alice', room: 'room', seq }], unixMs))
        .outcomes[0]
    const is = { outcome: 'delivered', seq: 3, timestamp: 10 }
    expect(await at(3, 10)).toEqual({ ...is, moved: true })
    expect(await at(1, 20)).toEqual({ ...is, moved: false })
    expect((await store.readReceipts('bob', 'room'))?.deliveries).toEqual([
      { userId: 'alice', seq: 3, timestamp: 10 },
    ])
    await commit(store, markRead(4))
    expect(await at(99, 40)).toEqual({ outcome: 'delivered', seq: 4, timestamp: NOW, moved: false })
    expect((await store.readReceipts('bob', 'room'))?.deliveries).toEqual([])
    const strange = { op: 'mark_delivered', user: 'eve', room: 'room', seq: 1 } as const
    expect(await commit(store, strange)).toEqual([failed('FORBIDDEN')])
  })

  it('lets nobody mark a room of others, or one that does not exist', async () => {
    const store = await open()
    await commit(store, join('bob'))
    expect(await commit(store, markRead(1), markRead(1, 'alice', 'nowhere'))).toEqual([
      failed('FORBIDDEN'),
      failed('FORBIDDEN'),
    ])
  })

  it('numbers each log from 1 without holes, chains its fingerprints, and tells what it appended', async () => {
    const store = await open()
    const told = new Map<string, string[]>()
    const heads = new Map<string, string>()
    for (let i = 0; i < 20; i++) {
      const room = `room-${i % 3}`
      const ops = [
        join('bob', room),
        join('alice', room),
        send(Math.floor(i / 3) + 1, { room, messageId: `message-${i}` }),
      ]
      for (const { room: id, entries, h } of (await commitAll(store, [...ops, skip9(room)])).appended) {
        const run = told.get(id) ?? []
        run.push(...entries.map((entry) => `${entry.seq} ${entry.messageId}`))
        told.set(id, run)
        heads.set(id, h)
      }
    }
    for (const room of ['room-0', 'room-1', 'room-2']) {
      const { entries, h, head } = await readPage(store, { room })
      expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1))
      expect(entries.map((entry) => `${entry.seq} ${entry.messageId}`)).toEqual(told.get(room))
      expect(
        entries.reduce((last, { sender, messageId }) => nextFingerprint(last, sender, messageId), ''),
      ).toBe(h)
      expect([h, head]).toEqual([heads.get(room), entries.length])
      expect((await store.readHeads('bob', [room])).get(room)).toEqual({ seq: head, h })
    }
  })
}

/** A command that comes to GAP: it must leave no trace in the log. */
function skip9(room: string) {
  return send(999, { room, messageId: 'message-far-ahead' })
}

function pageOf(user: string, room: string) {
  return { user, room, after: undefined, maxEntries: 1, maxBytes: 1, maxReplay: 1 }
}
