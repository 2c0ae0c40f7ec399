import { type ClientMessage, MAX_PRESENT_USERS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import { createBench } from './bench.ts'

async function alone() {
  const bench = await createBench()
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  await bench.login(2, 'bob')
  bench.say(2, { type: 'join_room', payload: { ref: 2, room: 'general' } })
  await bench.settle()
  bench.heard(1)
  bench.heard(2)
  return bench
}

const follow: ClientMessage = {
  type: 'subscribe',
  payload: { ref: 3, rooms: [{ room: 'general' }] },
}

describe('a crowd', () => {
  it('is named in part, with how many there are, and told of no change until few are left', async () => {
    const bench = await alone()
    const rejoin = async (from: number, to: number) => {
      for (let id = from; id < to; id++) {
        await bench.login(id, `user-${id}`)
        bench.say(id, { type: 'join_room', payload: { ref: 2, room: 'general' } }, follow)
        await bench.settle()
        if (id < to - 1) bench.step({ type: 'closed', connection: id })
      }
    }
    // Alice, and those who are there for the time of their grace.
    await rejoin(3, MAX_PRESENT_USERS + 2)
    expect(bench.heardOf(1, 'presence_changed')).toHaveLength(MAX_PRESENT_USERS - 1)
    const named = (connection: number) =>
      bench.heardOf(connection, 'room_presence').map(({ users, count }) => [users.length, count])
    expect(named(MAX_PRESENT_USERS + 1)).toEqual([[MAX_PRESENT_USERS, undefined]])
    await rejoin(MAX_PRESENT_USERS + 2, MAX_PRESENT_USERS + 12)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
    expect(named(MAX_PRESENT_USERS + 11)).toEqual([[MAX_PRESENT_USERS, MAX_PRESENT_USERS + 10]])
    bench.advance(DEFAULT_NODE_OPTIONS.presenceGraceMs)
    // The list, when it has emptied, then change by change.
    const told = bench.heard(1).filter(({ type }) => type.includes('presence'))
    expect(told.slice(0, 2)).toMatchObject([
      { type: 'room_presence', payload: { users: Array.from({ length: 400 }, () => ({})) } },
      { type: 'presence_changed', payload: { status: 'offline' } },
    ])
    expect(told.filter(({ type }) => type === 'room_presence')).toHaveLength(1)
    expect(told.length).toBeGreaterThan(100)
  })
})

describe('presence', () => {
  it('is a list after the first page, and a change for the others', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.settle()
    expect(bench.heardOf(2, 'room_presence')).toEqual([
      {
        room: 'general',
        users: [
          { userId: 'alice', status: 'online' },
          { userId: 'bob', status: 'online' },
        ],
      },
    ])
    expect(bench.heardOf(1, 'presence_changed')).toEqual([
      { room: 'general', userId: 'bob', status: 'online' },
    ])
  })

  it('does not follow from being a member alone', async () => {
    const bench = await alone()
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
  })

  it('ends 15 s after the last connection went, with the time when it did', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.settle()
    bench.heard(1)
    const seenAt = bench.unixMs()
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(14_999)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
    bench.advance(1)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([
      { room: 'general', userId: 'bob', status: 'offline', lastSeenAt: seenAt },
    ])
  })

  it('does not flicker at a reload', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.settle()
    bench.heard(1)
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(10_000)
    await bench.login(3, 'bob', 'the-lane-after')
    bench.say(3, follow)
    await bench.settle()
    bench.advance(20_000)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
  })

  it('holds while one of several connections follows', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.login(3, 'bob', 'the-other-tab')
    bench.say(3, follow)
    await bench.settle()
    expect(bench.heardOf(1, 'presence_changed')).toHaveLength(1)
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(20_000)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
    bench.say(3, { type: 'unsubscribe', payload: { ref: 4, rooms: ['general'] } })
    bench.advance(15_000)
    expect(bench.heardOf(1, 'presence_changed')).toMatchObject([{ userId: 'bob', status: 'offline' }])
  })

  it('is not ended by a connection that never got as far as following', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.settle()
    await bench.login(3, 'bob', 'the-other-tab')
    bench.hold('read')
    bench.say(3, follow)
    bench.step({ type: 'closed', connection: 3 })
    bench.heard(1)
    bench.advance(20_000)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
  })

  it('ends at once for who leaves the room', async () => {
    const bench = await alone()
    bench.say(2, follow)
    await bench.settle()
    bench.heard(1)
    bench.say(2, { type: 'leave_room', payload: { ref: 4, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'presence_changed')).toMatchObject([{ userId: 'bob', status: 'offline' }])
    bench.advance(20_000)
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
  })

  it('shows in the list of members', async () => {
    const bench = await alone()
    bench.say(1, { type: 'list_members', payload: { ref: 4, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'member_list')[0]?.members).toMatchObject([
      { userId: 'alice', role: 'owner', status: 'online' },
      { userId: 'bob', role: 'member', status: 'offline' },
    ])
  })

  it('forgets a room when the last absence is over', async () => {
    const bench = await alone()
    bench.step({ type: 'closed', connection: 1 })
    expect(bench.node.figures().rooms).toBe(1)
    bench.advance(15_000)
    expect(bench.node.figures().rooms).toBe(0)
  })
})
