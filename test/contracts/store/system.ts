// The contract of what the application does and asks by itself: as the system, which is no user.

import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { expectNothing } from './expect-nothing.ts'
import {
  accept,
  ack,
  admit,
  commit,
  create,
  FORBIDDEN,
  invite,
  JOINED,
  join,
  listed,
  membersOf,
  readPage,
  remove,
  send,
} from './harness.ts'

export function describeSystem(open: () => Promise<Store>): void {
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
}
