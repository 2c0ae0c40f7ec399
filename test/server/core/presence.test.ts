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
  /** Each comes, follows and goes, and is there for the time of the grace. */
  async function fill(bench: Awaited<ReturnType<typeof alone>>, from: number, to: number) {
    for (let id = from; id < to; id++) {
      await bench.login(id, `user-${id}`)
      bench.say(id, { type: 'join_room', payload: { ref: 2, room: 'general' } }, follow)
      await bench.settle()
      if (id < to - 1) bench.step({ type: 'closed', connection: id })
    }
  }

  it('is named in part, with how many there are, and costs a follower one frame a second', async () => {
    const bench = await alone()
    // Alice, and those who are there for the time of their grace.
    await fill(bench, 3, MAX_PRESENT_USERS + 2)
    bench.advance(1_000)
    const filled = bench.heardOf(1, 'presence_changed')
    expect(filled).toHaveLength(2)
    expect(filled.flatMap(({ users }) => users)).toHaveLength(MAX_PRESENT_USERS - 1)
    expect(filled.map(({ count }) => count)).toEqual([undefined, undefined])
    const named = (connection: number) =>
      bench.heardOf(connection, 'room_presence').map(({ users, count }) => [users.length, count])
    expect(named(MAX_PRESENT_USERS + 1)).toEqual([[MAX_PRESENT_USERS, undefined]])

    await fill(bench, MAX_PRESENT_USERS + 2, MAX_PRESENT_USERS + 12)
    bench.advance(1_000)
    const grown = bench.heardOf(1, 'presence_changed')
    expect(grown.map(({ users, count }) => [users.length, count])).toEqual([[0, MAX_PRESENT_USERS + 10]])
    expect(named(MAX_PRESENT_USERS + 11)).toEqual([[MAX_PRESENT_USERS, MAX_PRESENT_USERS + 10]])

    // One who is named goes, and another takes the place.
    bench.advance(DEFAULT_NODE_OPTIONS.presenceGraceMs)
    const shown = new Set(['alice', ...filled.flatMap(({ users }) => users.map(({ userId }) => userId))])
    for (const message of bench.heard(1)) {
      if (message.type !== 'presence_changed' && message.type !== 'room_presence') continue
      const { users, count } = message.payload
      if (message.type === 'room_presence') shown.clear()
      for (const { userId, status } of users) {
        if (status === 'offline') shown.delete(userId)
        else shown.add(userId)
      }
      if (count !== undefined) expect(shown.size).toBe(MAX_PRESENT_USERS)
    }
    expect(shown).toEqual(
      new Set(['alice', `user-${MAX_PRESENT_USERS + 1}`, `user-${MAX_PRESENT_USERS + 11}`]),
    )
  })

  it('that comes and goes within one second is told as one list', async () => {
    const bench = await alone()
    await fill(bench, 3, MAX_PRESENT_USERS + 302)
    bench.advance(DEFAULT_NODE_OPTIONS.presenceGraceMs)
    await bench.login(9_000, 'alice', 'the-other-tab')
    bench.say(9_000, follow)
    await bench.settle()
    const [list] = bench.heardOf(9_000, 'room_presence')
    const told = bench.heard(1).filter(({ type }) => type.includes('presence'))
    expect(told.at(-1)).toMatchObject({ type: 'room_presence', payload: { users: list?.users } })
    for (const { payload } of told) expect(JSON.stringify(payload).length).toBeLessThan(60_000)
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
      { room: 'general', users: [{ userId: 'bob', status: 'online' }] },
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
      { room: 'general', users: [{ userId: 'bob', status: 'offline', lastSeenAt: seenAt }] },
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
    expect(bench.heardOf(1, 'presence_changed')).toMatchObject([
      { users: [{ userId: 'bob', status: 'offline' }] },
    ])
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
    bench.advance(1_000)
    bench.heard(1)
    bench.say(2, { type: 'leave_room', payload: { ref: 4, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'presence_changed')).toMatchObject([
      { users: [{ userId: 'bob', status: 'offline' }] },
    ])
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
