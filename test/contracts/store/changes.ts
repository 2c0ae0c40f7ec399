// The contract of changes of rooms: words and end, roles and heirs, bans and mutes.

import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import {
  accept,
  ack,
  admit,
  ask,
  ban,
  commit,
  commitAll,
  create,
  destroy,
  FORBIDDEN,
  failed,
  invite,
  join,
  leave,
  markRead,
  membersOf,
  mute,
  NOW,
  readPage,
  remove,
  send,
  setRole,
  update,
} from './harness.ts'

const DONE = { outcome: 'done' }

const rolesOf = async (store: Store, user = 'alice') =>
  (await membersOf(store, 'room', user))?.map(({ userId, role }) => `${userId} ${role}`)

const entriesAfter = async (store: Store, seq: number, user = 'alice') =>
  (await readPage(store, { user, after: { seq } })).entries.map(({ type, sender, payload }) => [
    type,
    sender,
    payload,
  ])

export function describeChanges(open: () => Promise<Store>): void {
  it('changes what is named of a room, and tells it once', async () => {
    const store = await open()
    await commit(store, create('alice', 'room', { about: '{"name":"Club","topic":"Old"}' }))
    const change = update('alice', 'room', { about: '{"topic":"","metadata":{"a":1}}' })
    const is = { about: '{"name":"Club","metadata":{"a":1}}', visibility: 'private', head: 2 }
    expect(await commit(store, change)).toMatchObject([{ outcome: 'updated', is }])
    const again = update('alice', 'room', { about: '{"metadata":{"a":1}}', messageId: 'update-again' })
    expect(await commit(store, again)).toMatchObject([{ outcome: 'updated', is }])
    expect(await entriesAfter(store, 1)).toEqual([
      ['room_updated', 'alice', { topic: '', metadata: { a: 1 } }],
    ])
    expect(await store.readRoom('room')).toMatchObject({ about: is.about })
  })

  it('keeps to those who were there what was said before a private room was opened', async () => {
    const store = await open()
    await commit(store, create(), send(1), update('alice', 'room', { visibility: 'public' }), join('bob'))
    expect(await readPage(store, { user: 'bob' })).toMatchObject({ oldest: 3, head: 4 })
    expect(await readPage(store)).toMatchObject({ oldest: 1 })
    await commit(store, update('alice', 'room', { visibility: 'private', messageId: 'close' }))
    expect(await commit(store, join('carol'))).toEqual([FORBIDDEN])
  })

  it('deletes a room for everybody and for ever, and tells its members', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), send(1), invite('carol'), markRead(3, 'bob'))
    const { outcomes, appended } = await commitAll(store, [destroy(), send(2)])
    expect(outcomes).toEqual([{ outcome: 'deleted' }, FORBIDDEN])
    expect(appended[0]).toMatchObject({ room: 'room', entries: [{ type: 'room_deleted' }], memberCount: 0 })
    for (const user of ['alice', 'bob']) {
      const { entries } = await readPage(store, { user, room: `~${user}` })
      expect(entries.at(-1)).toMatchObject({
        type: 'removal',
        sender: 'alice',
        payload: { room: 'room', reason: 'deleted' },
      })
      expect(await store.readPage(ask({ user }))).toEqual({ result: 'forbidden' })
    }
    const rest = [
      join('dora'),
      accept('carol'),
      create(),
      create('bob', 'room', { visibility: 'public' }),
      invite('dora'),
      admit('dora'),
      update(),
      send(2, { user: 'bob', messageId: 'message-of-bob' }),
      destroy('bob'),
      markRead(2, 'bob'),
    ]
    const again = rest.map((op) =>
      'noticeId' in op && op.op !== 'command' ? { ...op, messageId: `${op.messageId}-x` } : op,
    )
    expect(await commit(store, ...again)).toEqual(
      again.map((op) => failed(op.op === 'command' ? 'GAP' : 'FORBIDDEN')),
    )
    expect(await commit(store, destroy('alice', 'room', { messageId: 'delete-again' }))).toEqual([
      { outcome: 'deleted' },
    ])
    expect(await store.readRoom('room')).toBeUndefined()
    expect(await store.readReceipts('alice', 'room')).toBeUndefined()
    for (const which of ['own', 'public'] as const) {
      const { rooms } = await store.readRooms({ user: 'alice', which, after: undefined, limit: 9 })
      expect(rooms).toEqual([])
    }
  })

  it('finds a deleted room deleted, and the banned banned, when it is opened again', async () => {
    const first = await open()
    await commit(first, join(), join('alice', 'other'), destroy(), ban('bob', 'alice', 'other'))
    await first.close()
    const store = await open()
    expect(await commit(store, join('bob'), join('bob', 'other'))).toEqual([FORBIDDEN, FORBIDDEN])
    expect(await commit(store, ban('bob', 'alice', 'other', { lift: true }), join('bob', 'other'))).toEqual([
      DONE,
      { outcome: 'joined', role: 'member' },
    ])
  })

  it('gives roles, tells them, and keeps the last owner one', async () => {
    const store = await open()
    await commit(store, join(), join('bob'))
    expect(await commit(store, setRole('alice', 'member'))).toEqual([FORBIDDEN])
    expect(await commit(store, setRole('bob', 'moderator'))).toEqual([DONE])
    expect(await commit(store, setRole('bob', 'moderator', 'alice', 'room', { messageId: 'again' }))).toEqual(
      [DONE],
    )
    expect(await entriesAfter(store, 2)).toEqual([
      ['role_changed', 'alice', { userId: 'bob', role: 'moderator' }],
    ])
    const { entries } = await readPage(store, { user: 'bob', room: '~bob' })
    expect(entries.at(-1)).toMatchObject({
      type: 'appointment',
      sender: 'alice',
      payload: { room: 'room', role: 'moderator' },
    })
    expect(await commit(store, setRole('bob', 'owner'), setRole('alice', 'member'))).toEqual([DONE, DONE])
    expect(await rolesOf(store)).toEqual(['alice member', 'bob owner'])
  })

  it.each([
    ['leaves', leave()],
    ['is removed by the application', remove('alice', 'system')],
    ['is banned by the application', ban('alice', 'system')],
  ])(
    'hands the room to the oldest moderator, else the oldest member, when its owner %s',
    async (_how, op) => {
      const store = await open()
      await commit(store, join(), join('dora'), join('bob'), join('carol'))
      await commit(store, setRole('carol', 'moderator'), setRole('bob', 'moderator'))
      await commit(store, op)
      expect(await rolesOf(store, 'bob')).toEqual(['bob owner', 'carol moderator', 'dora member'])
      expect((await entriesAfter(store, 7, 'bob')).at(-1)).toEqual([
        'role_changed',
        op.user,
        { userId: 'bob', role: 'owner' },
      ])
      await commit(store, leave('bob'), leave('carol', 'room'))
      expect(await rolesOf(store, 'dora')).toEqual(['dora owner'])
    },
  )

  it('hands nothing over while there is another owner, or nobody left', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), setRole('bob', 'owner'), leave())
    expect((await readPage(store, { user: 'bob' })).head).toBe(4)
    expect(await commit(store, leave('bob'))).toEqual([{ outcome: 'left' }])
  })

  it('bans members and strangers until that is lifted', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), invite('carol'))
    expect(await commit(store, ban('bob'), ban('carol'), ban('eve'))).toEqual([DONE, DONE, DONE])
    expect(await commit(store, join('bob'), accept('carol'), invite('bob'), invite('eve'))).toEqual([
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
    ])
    expect(await entriesAfter(store, 3)).toEqual(
      ['bob', 'carol', 'eve'].map((userId) => ['member_left', 'alice', { userId, reason: 'banned' }]),
    )
    // Who was never let in is not told of the room.
    expect((await readPage(store, { user: 'eve', room: '~eve' })).entries).toEqual([])
    const lift = ban('bob', 'alice', 'room', { lift: true })
    expect(await commit(store, lift, join('bob', 'room', { messageId: 'join-again' }))).toEqual([
      DONE,
      { outcome: 'joined', role: 'member' },
    ])
    expect(await commit(store, admit('eve'))).toEqual([{ outcome: 'joined', role: 'member' }])
  })

  it('refuses for good what a muted member writes, until the time is over, also after a leave', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), mute('bob', 'alice', 'room', { durationMs: 1_000 }))
    await commit(store, leave('bob'), join('bob', 'room', { messageId: 'join-again' }))
    const said = (n: number) => send(n, { user: 'bob', messageId: `message-of-bob-${n}` })
    expect(await commit(store, said(1))).toEqual([failed('MUTED')])
    const { rooms } = await store.readRooms({ user: 'bob', which: 'own', after: undefined, limit: 9 })
    expect(rooms).toMatchObject([{ member: { mutedUntil: NOW + 1_000 } }])
    expect((await commitAll(store, [said(2)], NOW + 1_000)).outcomes).toEqual([ack(6, NOW + 1_000)])
    await commit(store, mute('bob', 'alice', 'room', { messageId: 'mute-again' }))
    const unmute = mute('bob', 'alice', 'room', { durationMs: 0 })
    expect(await commit(store, unmute, said(3))).toEqual([DONE, ack(9)])
  })
}
