import type { ClientMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_USAGE, MESSENGER_USAGE } from '../../../packages/server/src/core/usage.ts'
import { type Bench, createBench } from './bench.ts'

const ROOM = { room: 'general', sid: 'the-lane-1' }

async function messenger() {
  const bench = await createBench({ usage: MESSENGER_USAGE, presenceGraceMs: 0 })
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  return bench
}

function commands(ref: number, n: number, types: readonly string[], sid = ROOM.sid): ClientMessage {
  return {
    type: 'commands',
    payload: {
      ...ROOM,
      sid,
      ref,
      n,
      commands: types.map((type, i) => ({ type, messageId: `${sid}-${n + i}`, payload: { content: 'x' } })),
    },
  }
}

function sends(count: number): string[] {
  return Array.from({ length: count }, () => 'send_message')
}

function refusals(bench: Bench, connection = 1) {
  return bench.heardOf(connection, 'error').map(({ ref, code, retryAfterMs }) => [ref, code, retryAfterMs])
}

describe('the profile of a messenger', () => {
  it('cuts a frame at its first command too many, and leaves the lane as it was', async () => {
    const bench = await messenger()
    bench.say(1, commands(100, 1, sends(32)))
    await bench.settle()
    const heard = bench.heard(1)
    expect(heard.find(({ type }) => type === 'ack')?.payload).toEqual({
      acks: [{ ref: 100, seq: 2, count: 30 }],
    })
    const errors = heard.flatMap((each) => (each.type === 'error' ? [each.payload] : []))
    expect(errors).toMatchObject([{ ref: 130, count: 2, code: 'RATE_LIMIT', retryAfterMs: 2_000 }])
    bench.advance(2_000)
    bench.say(1, commands(200, 32, sends(1)))
    await bench.settle()
    expect(refusals(bench)).toEqual([[200, 'GAP', 50]])
    bench.advance(2_000)
    bench.say(1, commands(300, 31, sends(1)))
    await bench.settle()
    expect(bench.heardOf(1, 'ack')).toEqual([{ acks: [{ ref: 300, seq: 32 }] }])
  })

  it('counts over all connections of the user, and not over users', async () => {
    const bench = await messenger()
    await bench.login(2, 'alice', 'the-lane-2')
    await bench.login(3, 'bob')
    await bench.enter(3, 'general')
    bench.say(1, commands(100, 1, sends(30)))
    bench.say(2, commands(100, 1, sends(1), 'the-lane-2'))
    bench.say(3, commands(100, 1, sends(1), 'the-lane-3'))
    await bench.settle()
    expect(refusals(bench, 2)).toEqual([[100, 'RATE_LIMIT', 2_000]])
    expect(refusals(bench, 3)).toEqual([])
  })

  it('counts each kind by itself, and a skip or a deletion not at all', async () => {
    const bench = await messenger()
    bench.say(1, commands(100, 1, sends(30)))
    bench.advance(1_000)
    bench.say(1, commands(200, 31, ['add_reaction', 'delete_message', 'skip']))
    await bench.settle()
    expect(refusals(bench).filter(([, code]) => code === 'RATE_LIMIT')).toEqual([])
  })

  it('never lets more pass than the rate of all commands', async () => {
    const bench = await createBench({
      usage: { sends: { count: 1_000, perMs: 1_000 } },
    })
    await bench.login(1, 'alice')
    bench.say(1, commands(100, 1, sends(41)))
    await bench.settle()
    expect(refusals(bench).filter(([, code]) => code === 'RATE_LIMIT')).toEqual([[140, 'RATE_LIMIT', 50]])
  })

  it('takes nothing from one rate where the other refuses', async () => {
    const bench = await messenger()
    bench.say(1, commands(100, 1, sends(30)))
    // Refused by the quota: the forty of the general rate must not be eaten up by it.
    for (let i = 0; i < 50; i++) bench.say(1, commands(200 + i, 31, sends(1)))
    bench.say(1, commands(300, 31, ['skip']))
    await bench.settle()
    expect(refusals(bench).filter(([ref]) => ref === 300)).not.toContainEqual([
      300,
      'RATE_LIMIT',
      expect.anything(),
    ])
  })

  it('refuses what has an answer, with a time after which it is granted', async () => {
    const bench = await messenger()
    const read = (ref: number): ClientMessage => ({
      type: 'mark_read',
      payload: { ref, room: 'general', seq: 1 },
    })
    for (let ref = 1; ref <= 101; ref++) bench.say(1, read(ref))
    await bench.settle()
    expect(refusals(bench)).toEqual([[101, 'RATE_LIMIT', 600]])
    bench.advance(600)
    bench.say(1, read(102))
    await bench.settle()
    expect(bench.heardOf(1, 'messages_read')).toMatchObject([{ ref: 102 }])
  })

  it('leaves typing out in silence, but never the end of it', async () => {
    const bench = await messenger()
    await bench.login(2, 'bob')
    const rooms = Array.from({ length: 12 }, (_, i) => `room-${i}`)
    for (const room of rooms) {
      await bench.enter(1, room)
      await bench.enter(2, room)
    }
    for (const room of rooms) bench.say(1, { type: 'start_typing', payload: { room } })
    expect(bench.heardOf(2, 'typing_started').map(({ room }) => room)).toEqual(rooms.slice(0, 10))
    for (const room of rooms) bench.say(1, { type: 'stop_typing', payload: { room } })
    expect(bench.heardOf(2, 'typing_stopped').map(({ room }) => room)).toEqual(rooms.slice(0, 10))
    bench.advance(1_000)
    bench.say(1, { type: 'start_typing', payload: { room: 'room-11' } })
    expect(bench.heardOf(2, 'typing_started')).toMatchObject([{ room: 'room-11' }])
    expect(bench.heard(1)).toEqual([])
  })

  it('ends the connection of who goes on and on with ABUSE', async () => {
    const bench = await messenger()
    for (let i = 0; i < 5_000 && bench.closes.size === 0; i++) {
      bench.advance(20)
      bench.say(1, { type: 'mark_read', payload: { ref: i + 1, room: 'general', seq: 1 } })
    }
    expect([...bench.closes]).toEqual([[1, 'ABUSE retry']])
  })
})

describe('without a profile', () => {
  it('typing is told again and again', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.login(2, 'bob')
    await bench.enter(1, 'general')
    await bench.enter(2, 'general')
    let started = 0
    for (let i = 0; i < 40; i++) {
      bench.say(1, { type: 'start_typing', payload: { room: 'general' } })
      bench.advance(1_500)
      bench.say(2, { type: 'stop_typing', payload: { room: 'general' } })
      started += bench.heardOf(2, 'typing_started').length
    }
    expect(started).toBe(40)
  })

  it.each<[string, number, (ref: number) => ClientMessage]>([
    [
      'rooms made',
      DEFAULT_USAGE.rooms.count,
      (ref) => ({ type: 'create_room', payload: { ref, room: `room-${ref}`, visibility: 'public' } }),
    ],
    [
      'invitations',
      DEFAULT_USAGE.invites.count,
      (ref) => ({ type: 'invite_member', payload: { ref, room: 'general', userId: `user-${ref}` } }),
    ],
    [
      'joins',
      DEFAULT_USAGE.joins.count,
      (ref) => ({ type: 'join_room', payload: { ref, room: `room-${ref}` } }),
    ],
  ])('%s are bound all the same', async (_, count, message) => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    for (let ref = 1; ref <= count + 1; ref++) {
      bench.say(1, message(ref))
      if (ref % 10 === 0) await bench.settle()
    }
    await bench.settle()
    const limited = refusals(bench).filter(([, code]) => code === 'RATE_LIMIT')
    expect(limited).toEqual([[count + 1, 'RATE_LIMIT', Math.ceil(60_000 / count)]])
  })

  it('direct rooms that are opened are rooms made, and what is said in those that are there never waits', async () => {
    const bench = await createBench({ usage: { rooms: { count: 3, perMs: 30_000 } } })
    await bench.login(1, 'alice')
    await bench.login(2, 'bob')
    bench.send(2, '~alice~bob', ['hello'])
    await bench.settle()
    const [toBob, toCy, toDan, toEve, toFay] = [
      'alice~bob',
      'alice~cy',
      'alice~dan',
      'alice~eve',
      'alice~fay',
    ]
    for (const to of [toCy, toDan, toEve, toFay]) bench.send(1, `~${to}`, ['one', 'two'])
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([
      { ref: 1_007, code: 'RATE_LIMIT', retryAfterMs: 10_000 },
      { ref: 1_008, code: 'GAP' },
    ])
    expect(bench.tables.rooms.has(`~${toFay}`)).toBe(false)
    expect(bench.tables.rooms.has('~fay')).toBe(false)
    // Those that are there, also one that somebody else has opened, and what else makes a room.
    for (const to of [toBob, toCy, toDan, toEve]) bench.send(1, `~${to}`, ['three'])
    bench.say(1, { type: 'create_room', payload: { ref: 7, room: 'den', visibility: 'public' } })
    await bench.settle()
    expect(refusals(bench)).toEqual([[7, 'RATE_LIMIT', 10_000]])
    // Nothing of the lane was used up: said again in its time, all of it is there.
    bench.advance(10_000)
    const again = (ref: number, to: string) => ({
      ...commands(ref, 1, sends(2), 'lane-of-1').payload,
      room: `~${to}`,
    })
    bench.say(1, { type: 'commands', payload: again(300, toFay) } as ClientMessage)
    await bench.settle()
    expect(bench.heardOf(1, 'ack')).toEqual([{ acks: [{ ref: 300, seq: 1, count: 2 }] }])
    bench.send(1, '~alice~gus', ['hello'])
    await bench.settle()
    expect(refusals(bench)).toEqual([[1_013, 'RATE_LIMIT', 10_000]])
  })

  it('the application opens as many direct rooms as it likes', async () => {
    const bench = await createBench({ usage: { rooms: { count: 1, perMs: 60_000 } } })
    const say = (i: number) => {
      const item = { type: 'send_message', messageId: `message-${i}`, payload: { content: 'hello' } }
      const payload = { room: `~alice~user-${i}`, sid: 'the-lane-1', n: 1, ref: i, commands: [item] }
      bench.step({ type: 'asked', user: 'alice', message: { type: 'commands', payload } })
    }
    for (let i = 1; i <= 5; i++) say(i)
    await bench.settle()
    expect([...bench.tables.rooms.keys()].filter((room) => room.includes('~alice~'))).toHaveLength(5)
  })

  it('several rooms joined at once cost as many', async () => {
    const bench = await createBench({ usage: { joins: { count: 5, perMs: 10_000 } } })
    await bench.login(1, 'alice')
    const join = (ref: number, rooms: string[]): ClientMessage => ({
      type: 'join_rooms',
      payload: { ref, rooms },
    })
    bench.say(1, join(1, ['a', 'b', 'c']), join(2, ['d', 'e', 'f']))
    await bench.settle()
    expect(refusals(bench)).toContainEqual([2, 'RATE_LIMIT', 2_000])
    // More than a full bucket holds can be asked for, once it is full.
    bench.advance(10_000)
    bench.say(1, join(3, ['a', 'b', 'c', 'd', 'e', 'f', 'g']))
    await bench.settle()
    expect(refusals(bench)).not.toContainEqual([3, 'RATE_LIMIT', expect.anything()])
  })

  it('who asks about users, or watches them, pays for each', async () => {
    const bench = await createBench({ usage: { lookups: { count: 300, perMs: 60_000 } } })
    await bench.login(1, 'alice')
    const users = (from: number, count: number) => Array.from({ length: count }, (_, i) => `user-${from + i}`)
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 1, users: users(0, 200) } })
    bench.say(1, { type: 'get_users', payload: { ref: 2, users: users(0, 100) } })
    bench.say(1, { type: 'get_users', payload: { ref: 3, users: users(0, 1) } })
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 4, users: users(200, 2) } })
    bench.say(1, { type: 'unsubscribe_presence', payload: { ref: 5, users: users(0, 200) } })
    await bench.settle()
    expect(refusals(bench)).toEqual([
      [3, 'RATE_LIMIT', 200],
      [4, 'RATE_LIMIT', 400],
    ])
  })

  it('following threads is bound, and to follow them no longer is not', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    const target = { sender: 'alice', messageId: 'no-such-message' }
    const { count } = DEFAULT_USAGE.threads
    for (let ref = 1; ref <= count + 1; ref++) {
      bench.say(1, { type: 'follow_thread', payload: { ref, room: 'general', target } })
      bench.say(1, { type: 'unfollow_thread', payload: { ref: 1_000 + ref, room: 'general', target } })
    }
    await bench.settle()
    expect(refusals(bench).filter(([, code]) => code === 'RATE_LIMIT')).toEqual([
      [count + 1, 'RATE_LIMIT', 1_000],
    ])
  })
})
