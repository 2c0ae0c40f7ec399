// The contract of rooms: how they are made, who gets in and out, what the own logs of users tell of it, direct rooms,
// and what is listed and counted.

import { expect, it } from 'vitest'
import type { RoomsRequest, Store } from '../../../packages/server/src/core/store.ts'
import {
  accept,
  ack,
  admit,
  ask,
  commit,
  commitAll,
  create,
  failed,
  invite,
  join,
  leave,
  markRead,
  membersOf,
  NOW,
  readPage,
  remove,
  send,
} from './harness.ts'

const JOINED = { outcome: 'joined', role: 'member' } as const
const INVITED = { outcome: 'invited' } as const
const FORBIDDEN = failed('FORBIDDEN')

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

  it('lets in who was invited, from their own entry on, and tells it in the logs of both', async () => {
    const store = await open()
    await commit(store, create(), send(1))
    const { outcomes, appended } = await commitAll(store, [invite('bob')])
    expect(outcomes).toEqual([INVITED])
    expect(appended).toMatchObject([
      {
        room: 'room',
        entries: [{ type: 'member_invited', sender: 'alice', payload: { userId: 'bob', role: 'member' } }],
        memberCount: 1,
      },
      {
        room: '~bob',
        entries: [{ type: 'invitation', sender: 'alice', payload: { room: 'room', role: 'member' } }],
      },
    ])
    await expectNothing(store, 'bob', 'room')

    expect(await commit(store, accept('bob'), send(2))).toEqual([JOINED, ack(5)])
    const page = await readPage(store, { user: 'bob', after: { seq: 0 } })
    expect(page.entries.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '4 member_joined',
      '5 new_message',
    ])
    expect(page.gap).toEqual({ from: 1, to: 3, reason: 'membership' })
    expect(
      await store.readHistory({ user: 'bob', room: 'room', before: undefined, after: undefined, limit: 9 }),
    ).toMatchObject({
      entries: [{ seq: 4 }, { seq: 5 }],
      hasOlder: false,
    })
    expect((await readPage(store, { user: 'bob', room: '~bob' })).entries.map(({ type }) => type)).toEqual([
      'invitation',
      'admission',
    ])
  })

  it('writes no entry where an invitation, an acceptance or a removal changes nothing', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'))
    const { outcomes, appended } = await commitAll(store, [
      invite('bob', 'alice', 'room', { messageId: 'invite-again' }),
      invite('alice'),
      remove('carol'),
    ])
    expect(outcomes).toEqual([INVITED, INVITED, { outcome: 'removed' }])
    expect(appended).toEqual([])
    await commit(store, accept('bob'))
    expect(
      await commitAll(store, [accept('bob', 'room', { messageId: 'accept-again' }), invite('bob')]),
    ).toEqual({ outcomes: [JOINED, INVITED], appended: [] })
  })

  it('spends an invitation once', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'), leave('bob'))
    expect(await commit(store, accept('bob', 'room', { messageId: 'accept-again' }))).toEqual([FORBIDDEN])
    await commit(store, join('alice', 'public'), invite('bob', 'alice', 'public'), join('bob', 'public'))
    await commit(store, leave('bob', 'public'))
    expect(await commit(store, accept('bob', 'public'))).toEqual([FORBIDDEN])
  })

  it('lets owners make moderators, moderators members, and members of private rooms nobody', async () => {
    const store = await open()
    await commit(store, create(), invite('mia', 'alice', 'room', { role: 'moderator' }), accept('mia'))
    await commit(store, invite('bob', 'mia'), accept('bob'))
    expect((await membersOf(store))?.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'alice owner',
      'bob member',
      'mia moderator',
    ])
    expect(
      await commit(
        store,
        invite('carol', 'bob'),
        invite('carol', 'mia', 'room', { role: 'moderator' }),
        invite('carol', 'alice', 'room', { role: 'owner' }),
        invite('carol', 'mia'),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, INVITED])
    // An owner thinks again of the role.
    expect(
      await commit(store, invite('carol', 'alice', 'room', { role: 'moderator' }), accept('carol')),
    ).toEqual([INVITED, { outcome: 'joined', role: 'moderator' }])
  })

  it('lets any member of a public room invite', async () => {
    const store = await open()
    await commit(store, join(), join('bob'))
    expect(
      await commit(
        store,
        invite('carol', 'bob'),
        invite('dora', 'bob', 'room', { role: 'moderator' }),
        accept('carol'),
      ),
    ).toEqual([INVITED, FORBIDDEN, JOINED])
    expect((await readPage(store, { user: 'carol', after: { seq: 0 } })).entries[0]?.seq).toBe(1)
  })

  it('puts a member out: by whom, in the room; that it was so, in their own log; and nothing later', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'), send(1, { user: 'bob' }))
    const { outcomes, appended } = await commitAll(store, [remove('bob'), send(1)])
    expect(outcomes).toEqual([{ outcome: 'removed' }, ack(6)])
    expect(appended).toMatchObject([
      {
        room: 'room',
        entries: [
          { type: 'member_left', sender: 'alice', payload: { userId: 'bob', reason: 'removed' } },
          { type: 'new_message' },
        ],
        memberCount: 1,
      },
      {
        room: '~bob',
        entries: [{ type: 'removal', sender: 'alice', payload: { room: 'room', reason: 'removed' } }],
      },
    ])
    await expectNothing(store, 'bob', 'room')
    // Who comes back reads from the new entry on.
    await commit(store, invite('bob', 'alice', 'room', { messageId: 'invite-again' }))
    await commit(store, accept('bob', 'room', { messageId: 'accept-again' }))
    expect((await readPage(store, { user: 'bob', after: { seq: 4 } })).entries.map(({ seq }) => seq)).toEqual(
      [8],
    )
  })

  it('takes an invitation back', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), remove('bob'))
    expect(await commit(store, accept('bob'))).toEqual([FORBIDDEN])
    expect((await readPage(store, { user: 'bob', room: '~bob' })).entries.map(({ type }) => type)).toEqual([
      'invitation',
      'removal',
    ])
    expect((await store.readReceipts('alice', 'room'))?.memberCount).toBe(1)
  })

  it('lets nobody remove themselves, their like, or those above', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'))
    for (const user of ['mia', 'max'])
      await commit(store, invite(user, 'alice', 'room', { role: 'moderator' }), accept(user))
    expect(
      await commit(
        store,
        remove('alice', 'alice'),
        remove('alice', 'mia'),
        remove('max', 'mia'),
        remove('mia', 'bob'),
        remove('nobody', 'bob'),
        remove('bob', 'mia'),
        remove('mia', 'alice'),
      ),
    ).toEqual([
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      { outcome: 'removed' },
      { outcome: 'removed' },
    ])
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

  it('has a direct room for its two users from the beginning, empty, and for nobody else', async () => {
    const store = await open()
    const room = '~alice~bob'
    for (const user of ['alice', 'bob']) {
      expect(await store.readPage(ask({ room, user }))).toMatchObject({
        result: 'page',
        entries: [],
        head: 0,
      })
      expect(await listed(store, user)).toEqual([])
    }
    expect(await commit(store, markRead(1, 'alice', room))).toEqual([FORBIDDEN])
    await expectNothing(store, 'carol', room)
    expect(await commit(store, send(1, { user: 'carol', room }))).toEqual([FORBIDDEN])
    expect(await store.readPage(ask({ room }))).toMatchObject({ head: 0 })
  })

  it('makes a direct room and its two members with the first message', async () => {
    const store = await open()
    const room = '~alice~bob'
    const { outcomes, appended } = await commitAll(store, [
      send(1, { user: 'bob', room }),
      send(1, { user: 'alice', room, messageId: 'message-of-alice' }),
    ])
    expect(outcomes).toEqual([ack(1), ack(2)])
    expect(appended).toMatchObject([
      { room, entries: [{ type: 'new_message', sender: 'bob' }, { sender: 'alice' }], memberCount: 2 },
      { room: '~alice', entries: [{ type: 'admission', sender: 'bob', payload: { room, role: 'member' } }] },
      { room: '~bob', entries: [{ type: 'admission', sender: 'bob', payload: { room, role: 'member' } }] },
    ])
    expect(await membersOf(store, room)).toEqual([
      { userId: 'alice', role: 'member', joinedAt: NOW },
      { userId: 'bob', role: 'member', joinedAt: NOW },
    ])
    expect(await listed(store, 'alice')).toMatchObject([
      { room, visibility: 'direct', memberCount: 2, head: 2, member: { role: 'member', read: 2, unread: 0 } },
    ])
    expect(await listed(store, 'bob')).toMatchObject([{ member: { read: 1, unread: 1 } }])
    expect(await listed(store, 'carol')).toEqual([])
  })

  it('makes no direct room of a message that is refused, nor lets anybody in, out or take one in', async () => {
    const store = await open()
    const room = '~alice~bob'
    expect(await commit(store, send(1, { room, refusal: 'MESSAGE_TOO_LONG' }))).toEqual([
      failed('MESSAGE_TOO_LONG'),
    ])
    expect(await listed(store, 'alice')).toEqual([])
    await commit(store, send(2, { room }))
    expect(
      await commit(
        store,
        leave('bob', room),
        invite('carol', 'alice', room),
        remove('bob', 'alice', room),
        accept('carol', room),
        join('carol', room),
        join('bob', room),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN])
    await expectNothing(store, 'carol', room)
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

  it('counts as unread what others said since one read, spoke or came', async () => {
    const store = await open()
    await commit(store, join('bob'), send(1, { user: 'bob' }), join(), markRead(1))
    const unread = async () => (await listed(store, 'alice'))[0]?.member
    expect(await unread()).toMatchObject({ role: 'member', read: 1, unread: 0 })
    const say = (n: number) => send(n, { user: 'bob' })
    await commit(store, say(2), say(3), join('carol'), say(4))
    expect(await unread()).toMatchObject({ read: 1, unread: 3 })
    expect(await commit(store, markRead(5))).toMatchObject([{ seq: 5, head: 7, unread: 1 }])
    expect(await unread()).toMatchObject({ read: 5, unread: 1 })
    // In one batch, in the midst of it.
    expect(await commit(store, say(5), say(6), markRead(8), say(7))).toMatchObject([
      {},
      {},
      { seq: 8, head: 9, unread: 1 },
      {},
    ])
    expect(await unread()).toMatchObject({ read: 8, unread: 2 })
    await commit(store, send(1), say(8))
    expect(await unread()).toMatchObject({ read: 11, unread: 1 })
    expect((await store.readReceipts('alice', 'room'))?.own).toEqual({ seq: 11, head: 12, unread: 1 })
  })

  it('lets the system speak where there is a room, and be a member of none', async () => {
    const store = await open()
    const about = JSON.stringify({ name: 'The room' })
    const made = await commit(store, create('system', 'room', { about }))
    expect(made).toEqual([
      {
        outcome: 'created',
        is: { room: 'room', visibility: 'private', about, memberCount: 0, head: 1, member: undefined },
      },
    ])
    expect(await commit(store, create('system', 'room', { about, messageId: 'create-again' }))).toEqual(made)
    const say = (n: number, room: string) =>
      send(n, { user: 'system', room, messageId: `word-in-${room.replaceAll('~', '-')}` })
    expect(
      await commit(
        store,
        say(1, 'room'),
        say(1, 'no-such-room'),
        say(1, '~alice'),
        say(1, '~alice~bob'),
        create('system', 'room', { messageId: 'create-other' }),
        create('system', '~alice'),
        join('system', 'room'),
      ),
    ).toEqual([ack(2), FORBIDDEN, FORBIDDEN, ack(1), FORBIDDEN, FORBIDDEN, FORBIDDEN])
    // Both users of the direct room are told of it.
    expect((await listed(store, 'alice')).map(({ room }) => room)).toEqual(['~alice~bob'])
    for (const user of ['alice', 'bob'])
      expect((await readPage(store, { user, room: `~${user}` })).entries).toMatchObject([
        { type: 'admission', sender: 'system', payload: { room: '~alice~bob' } },
      ])
    await expectNothing(store, 'system', 'room')
  })

  it('never runs out of lanes for the system, which is a stranger everywhere', async () => {
    const store = await open()
    await commit(store, create('system', 'room'))
    const lanes = Array.from({ length: 1_100 }, (_, i) =>
      send(1, {
        user: 'system',
        room: i % 2 === 0 ? 'room' : 'no-such-room',
        sid: `lane-number-${i}`,
        messageId: `message-${i}`,
      }),
    )
    const outcomes = await commit(store, ...lanes)
    expect(outcomes.filter(({ outcome }) => outcome === 'acknowledged')).toHaveLength(550)
    expect(outcomes.slice(-2)).toEqual([ack(551), FORBIDDEN])
  })

  it('tells the application what a room is, whoever may see it, and that a log of a user is none', async () => {
    const store = await open()
    const about = JSON.stringify({ name: 'The room' })
    await commit(
      store,
      create('alice', 'room', { about }),
      send(1),
      send(1, { room: '~alice~bob', messageId: 'to-bob-01' }),
    )
    expect(await store.readRoom('room')).toEqual({
      room: 'room',
      visibility: 'private',
      about,
      memberCount: 1,
      head: 2,
      member: undefined,
    })
    expect(await store.readRoom('~alice~bob')).toMatchObject({
      visibility: 'direct',
      memberCount: 2,
      head: 1,
    })
    for (const none of ['~alice', '~alice~carol', 'no-such-room'])
      expect(await store.readRoom(none)).toBeUndefined()
  })

  it('lets the system make and unmake members, once', async () => {
    const store = await open()
    await commit(store, create('alice'), invite('bob'))
    expect(
      await commit(
        store,
        admit('bob', 'room', { role: 'moderator' }),
        admit('bob', 'room', { messageId: 'admit-again', role: 'owner' }),
        admit('carol', 'no-such-room'),
        admit('carol', '~bob~carol'),
        admit('carol', 'room', { user: 'alice' }),
        admit('alice'),
      ),
    ).toEqual([
      { outcome: 'joined', role: 'moderator' },
      { outcome: 'joined', role: 'moderator' },
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      { outcome: 'joined', role: 'owner' },
    ])
    expect((await readPage(store, { user: 'bob', room: '~bob' })).entries).toMatchObject([
      { type: 'invitation', sender: 'alice' },
      { type: 'admission', sender: 'system', payload: { room: 'room', role: 'moderator' } },
    ])
    // Also the owner; nobody is invited any more.
    expect(
      await commit(
        store,
        remove('alice', 'system'),
        remove('bob', 'system'),
        remove('bob', 'system', 'room', { messageId: 'remove-again' }),
        remove('bob', 'system', 'no-such-room'),
        accept('bob'),
      ),
    ).toEqual([{ outcome: 'removed' }, { outcome: 'removed' }, { outcome: 'removed' }, FORBIDDEN, FORBIDDEN])
    expect(await commit(store, admit('dora'))).toEqual([JOINED])
    expect((await membersOf(store, 'room', 'dora'))?.map(({ userId }) => userId)).toEqual(['dora'])
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

async function listed(store: Store, user: string) {
  return (await store.readRooms({ user, which: 'own', after: undefined, limit: 100 })).rooms
}

/** The room is not there for this user. */
async function expectNothing(store: Store, user: string, room: string): Promise<void> {
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
