// The requests that make rooms and change who belongs to them, frame by frame; and the own logs of users, which tell it.

import { type ClientMessage, rightsOf } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import { createBench } from './bench.ts'

const make = (ref: number, room = 'club'): ClientMessage => ({
  type: 'create_room',
  payload: { ref, room, visibility: 'private', name: 'The club', topic: '' },
})
const about = (type: 'invite_member' | 'remove_member', ref: number, userId: string): ClientMessage => ({
  type,
  payload: { ref, room: 'club', userId },
})
const accept = (ref: number): ClientMessage => ({ type: 'accept_invitation', payload: { ref, room: 'club' } })
const follow = (ref: number, ...rooms: string[]): ClientMessage => ({
  type: 'subscribe',
  payload: { ref, rooms: rooms.map((room) => ({ room, limit: 0 })) },
})

/** alice (1) owns `club` and follows it; bob (2) and his other tab (3) follow his own log. */
async function club() {
  const bench = await createBench()
  await bench.login(1, 'alice')
  bench.say(1, make(2), follow(3, 'club'))
  await bench.login(2, 'bob')
  await bench.login(3, 'bob', 'the-other-tab')
  bench.say(2, follow(3, '~bob'))
  bench.say(3, follow(3, '~bob'))
  await bench.settle()
  for (const id of [1, 2, 3]) bench.heard(id)
  return bench
}

describe('create_room', () => {
  it('is answered with the room, again as at first', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.login(2, 'bob')
    const room = {
      room: 'club',
      visibility: 'private',
      name: 'The club',
      memberCount: 1,
      head: 1,
      role: 'owner',
      read: 0,
      unread: 0,
      rights: rightsOf('owner', 'private'),
    }
    for (const ref of [2, 3]) {
      bench.say(1, make(ref))
      await bench.settle()
      expect(bench.heard(1)).toEqual([{ type: 'room_info', payload: { ref, ...room } }])
    }
    bench.say(2, make(2))
    await bench.settle()
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 2, code: 'FORBIDDEN', room: 'club' }])
  })

  it('is seen by what the same connection asks behind it', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(
      1,
      make(2),
      { type: 'list_rooms', payload: { ref: 3, which: 'own' } },
      follow(4, 'club'),
      about('invite_member', 5, 'bob'),
    )
    await bench.settle()
    const heard = bench.heard(1)
    expect(heard.map(({ type }) => type)).toEqual([
      'room_info',
      'done',
      'room_list',
      'page',
      'room_presence',
      'unread_changed',
    ])
    expect(heard[2]?.payload).toMatchObject({
      ref: 3,
      rooms: [{ room: 'club', name: 'The club' }],
      hasMore: false,
    })
  })
})

describe('invite_member, accept_invitation and remove_member', () => {
  it('are answered to who asked, told in the room, and to all connections of who they are about', async () => {
    const bench = await club()
    bench.say(1, about('invite_member', 10, 'bob'))
    await bench.settle()
    expect(bench.heard(1)).toMatchObject([
      { type: 'entries', payload: { room: 'club', entries: [{ type: 'member_invited', sender: 'alice' }] } },
      { type: 'done', payload: { ref: 10 } },
    ])
    const invitation = { type: 'invitation', sender: 'alice', payload: { room: 'club', role: 'member' } }
    for (const id of [2, 3]) {
      expect(bench.heard(id)).toMatchObject([
        { type: 'entries', payload: { room: '~bob', entries: [invitation] } },
      ])
    }

    bench.say(2, accept(10), follow(11, 'club'))
    await bench.settle()
    expect(bench.heard(2)).toMatchObject([
      { type: 'entries', payload: { room: '~bob', entries: [{ type: 'admission', sender: 'bob' }] } },
      { type: 'room_joined', payload: { ref: 10, room: 'club', role: 'member' } },
      { type: 'page', payload: { room: 'club', head: 3, oldest: 3, live: true } },
      { type: 'room_presence' },
      { type: 'unread_changed', payload: { room: 'club', read: 0, head: 3, unread: 0 } },
    ])
    bench.heard(1)
    bench.heard(3)

    bench.say(1, about('remove_member', 12, 'bob'))
    bench.send(1, 'club', ['among us'])
    await bench.settle()
    expect(bench.heardOf(1, 'done')).toEqual([{ ref: 12 }])
    expect(bench.heard(2)).toMatchObject([
      { type: 'room_left', payload: { room: 'club', reason: 'removed' } },
      {
        type: 'entries',
        payload: {
          room: '~bob',
          entries: [{ type: 'removal', sender: 'alice', payload: { room: 'club', reason: 'removed' } }],
        },
      },
    ])
    expect(bench.heardOf(3, 'entries')).toMatchObject([{ room: '~bob', entries: [{ type: 'removal' }] }])
  })

  it('are refused alike to members who may not, to strangers, and where there is no such room', async () => {
    const bench = await club()
    const asks = [about('invite_member', 10, 'eve'), about('remove_member', 11, 'alice'), accept(12)]
    const refused = async (user: number) => {
      bench.say(user, ...asks)
      await bench.settle()
      return bench.heardOf(user, 'error').map(({ ref, code, message, room }) => [ref, code, message, room])
    }
    const toStranger = await refused(2)
    expect(toStranger.map(([ref, code]) => [ref, code])).toEqual([
      [10, 'FORBIDDEN'],
      [11, 'FORBIDDEN'],
      [12, 'FORBIDDEN'],
    ])
    const nowhere = await createBench()
    await nowhere.login(2, 'bob')
    nowhere.say(2, ...asks)
    await nowhere.settle()
    expect(
      nowhere.heardOf(2, 'error').map(({ ref, code, message, room }) => [ref, code, message, room]),
    ).toEqual(toStranger)
  })

  it('of which nobody knows whether they happened are looked up: who is out hears no more', async () => {
    const bench = await club()
    bench.say(1, about('invite_member', 10, 'bob'))
    await bench.settle()
    bench.say(2, accept(10), follow(11, 'club'))
    await bench.settle()
    bench.heard(2)

    bench.hold('commit')
    bench.say(1, about('remove_member', 12, 'bob'))
    await bench.settle()
    const { ops, unixMs } = bench.takeWork('commit')
    await bench.store.commit(ops, unixMs)
    bench.step({ type: 'commit_failed' })
    bench.release('commit')
    await bench.settle()
    expect(bench.heardOf(2, 'room_left')).toEqual([{ room: 'club', reason: 'removed' }])
    bench.send(1, 'club', ['among us'])
    await bench.settle()
    expect(bench.heardOf(2, 'entries')).toEqual([])
  })

  it('of another server are found by the hole that they leave: who is out hears no more', async () => {
    const bench = await club()
    bench.say(1, about('invite_member', 10, 'bob'))
    await bench.settle()
    bench.say(2, accept(10), follow(11, 'club'))
    await bench.settle()
    bench.heard(2)

    const change = { room: 'club', messageId: 'of-another-server', noticeId: 'of-another-server-too' }
    await bench.store.commit([{ op: 'remove', user: 'alice', target: 'bob', ...change }], bench.unixMs())
    bench.send(1, 'club', ['among us'])
    await bench.settle()
    expect(bench.heardOf(2, 'room_left')).toEqual([{ room: 'club', reason: 'removed' }])
    expect(bench.heardOf(1, 'entries').at(-1)).toMatchObject({
      entries: [{ type: 'member_left' }, { payload: { content: 'among us' } }],
    })
  })

  it('come too late for a server that goes', async () => {
    const bench = await club()
    bench.hold('commit')
    bench.send(1, 'club', ['the last word'])
    bench.step({ type: 'turn_ended' })
    bench.step({ type: 'drain' })
    bench.say(
      1,
      make(9, 'den'),
      about('invite_member', 10, 'bob'),
      about('remove_member', 11, 'bob'),
      accept(12),
    )
    expect(bench.heardOf(1, 'error').map(({ ref, code }) => [ref, code])).toEqual(
      [9, 10, 11, 12].map((ref) => [ref, 'UNAVAILABLE']),
    )
  })
})

describe('a user’s own log', () => {
  it('is followed without presence, receipts and counts', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(1, follow(2, '~alice'))
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['page'])
    expect(bench.node.figures().rooms).toBe(1)
    bench.step({ type: 'closed', connection: 1 })
    expect(bench.node.figures().rooms).toBe(0)
  })

  it('is followed beside as many rooms as a connection may follow', async () => {
    const limits = { ...DEFAULT_NODE_OPTIONS.limits, maxSubscriptions: 2 }
    const bench = await createBench({ limits })
    await bench.login(1, 'alice')
    for (const room of ['one', 'two', 'three']) await bench.enter(1, room).catch(() => {})
    bench.say(1, follow(2, '~alice'))
    await bench.settle()
    expect(bench.heardOf(1, 'page')).toMatchObject([{ room: '~alice', live: true }])
    bench.say(1, follow(3, 'three'))
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 3, code: 'VALIDATION_ERROR', room: 'three' }])
  })

  it('brings what was read and said elsewhere, to those that do not see it themselves', async () => {
    const bench = await club()
    bench.say(1, about('invite_member', 10, 'bob'))
    bench.say(2, accept(10), follow(11, 'club'))
    await bench.settle()
    bench.send(1, 'club', ['one', 'two'])
    await bench.settle()
    bench.heard(2)
    bench.heard(3)
    bench.say(2, { type: 'mark_read', payload: { ref: 12, room: 'club', seq: 4 } })
    await bench.settle()
    const unread = { room: 'club', read: 4, head: 5, unread: 1 }
    expect(bench.heardOf(2, 'unread_changed')).toEqual([unread])
    expect(bench.heardOf(3, 'unread_changed')).toEqual([unread])
    // The same again moves nothing.
    bench.advance(1_000)
    bench.say(2, { type: 'mark_read', payload: { ref: 13, room: 'club', seq: 3 } })
    await bench.settle()
    expect(bench.heardOf(3, 'unread_changed')).toEqual([])
    bench.send(2, 'club', ['three', 'four'])
    await bench.settle()
    expect(bench.heardOf(2, 'unread_changed')).toEqual([])
    expect(bench.heardOf(3, 'unread_changed')).toEqual([{ room: 'club', read: 7, head: 7, unread: 0 }])
  })
})
