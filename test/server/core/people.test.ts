import type { PayloadOf } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import { type Bench, createBench } from './bench.ts'

const GRACE_MS = DEFAULT_NODE_OPTIONS.presenceGraceMs
type Said = PayloadOf<'update_presence'>

/** Alice (1) watches bob from a room that both belong to. */
async function watched() {
  const bench = await createBench()
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  await bench.login(2, 'bob', 'phone-of-bob')
  await bench.enter(2, 'general')
  bench.say(1, { type: 'subscribe_presence', payload: { ref: 9, users: ['bob'] } })
  await bench.settle()
  expect(bench.heardOf(1, 'user_presence')).toEqual([
    { ref: 9, users: [{ userId: 'bob', status: 'online' }] },
  ])
  bench.advance(2_000)
  bench.heard(2)
  return bench
}

const say = (bench: Bench, id: number, said: Said) =>
  bench.say(id, { type: 'update_presence', payload: said })
/** How bob is by what alice was told since, change by change. */
const told = (bench: Bench, after = 2_000) => {
  bench.advance(after)
  return bench.heardOf(1, 'user_presence').flatMap(({ users }) => users.map(({ userId: _bob, ...is }) => is))
}

describe('what a device says of its user', () => {
  it('is told to who watches, and in the rooms where the user is', async () => {
    const bench = await watched()
    say(bench, 2, { status: 'busy', statusText: 'On the pier' })
    const bob = { userId: 'bob', status: 'busy', statusText: 'On the pier' }
    const heard = bench.heard(1).map(({ payload }) => payload)
    expect(heard).toContainEqual({ users: [bob] })
    expect(heard).toContainEqual({ room: 'general', users: [bob] })
    // The user's other devices see it as well.
    expect(bench.heardOf(2, 'presence_changed')).toEqual([{ room: 'general', users: [bob] }])
    await bench.login(3, 'carol')
    await bench.enter(3, 'general')
    bench.say(1, { type: 'list_members', payload: { ref: 4, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'member_list')[0]?.members.map(({ status }) => status)).toEqual([
      'online',
      'busy',
      'online',
    ])
  })

  it('is told once a second, as it is then, and not at all where it was taken back', async () => {
    const bench = await watched()
    say(bench, 2, { status: 'busy' })
    expect(told(bench, 0)).toEqual([{ status: 'busy' }])
    for (const status of ['away', 'online', 'away'] as const) say(bench, 2, { status })
    expect(told(bench, 999)).toEqual([])
    expect(told(bench, 1)).toEqual([{ status: 'away' }])
    say(bench, 2, { status: 'busy' })
    say(bench, 2, { status: 'away' })
    expect(told(bench)).toEqual([])
  })

  it('is made one: hidden before busy before online before away', async () => {
    const bench = await watched()
    await bench.login(3, 'bob', 'laptop-of-bob')
    const together = (phone: Said['status'], laptop: Said['status']) => {
      say(bench, 2, { status: phone })
      say(bench, 3, { status: laptop })
      return told(bench).at(-1)?.status
    }
    expect(together('away', 'away')).toBe('away')
    expect(together('away', 'online')).toBe('online')
    expect(together('busy', 'online')).toBe('busy')
    expect(together('busy', 'offline')).toBe('offline')
    expect(together('online', 'away')).toBe('online')
  })

  it('has the text that was given last, and one device does not take back that of another', async () => {
    const bench = await watched()
    await bench.login(3, 'bob', 'laptop-of-bob')
    say(bench, 2, { status: 'online', statusText: 'at sea' })
    say(bench, 3, { status: 'online', statusText: 'on land' })
    expect(told(bench).at(-1)).toEqual({ status: 'online', statusText: 'on land' })
    // The same again is no news.
    say(bench, 2, { status: 'away', statusText: 'at sea' })
    expect(told(bench)).toEqual([])
    say(bench, 3, { status: 'online' })
    expect(told(bench)).toEqual([{ status: 'online', statusText: 'at sea' }])
  })

  it('counts for the grace after the device went, so that a reload changes nothing', async () => {
    const bench = await watched()
    say(bench, 2, { status: 'busy', statusText: 'On the pier' })
    expect(told(bench)).toHaveLength(1)
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(5_000)
    await bench.login(3, 'bob', 'phone-again')
    expect(told(bench)).toEqual([])
    say(bench, 3, { status: 'busy', statusText: 'On the pier' })
    expect(told(bench, 2 * GRACE_MS)).toEqual([])
  })

  it('is forgotten after the grace, and by what a device says that came later', async () => {
    const bench = await watched()
    for (const forget of [
      () => bench.advance(GRACE_MS),
      () => say(bench, 4, { status: 'online', statusText: 'back' }),
    ]) {
      say(bench, 2, { status: 'busy' })
      await bench.login(3, 'bob', 'laptop-of-bob')
      bench.step({ type: 'closed', connection: 2 })
      await bench.login(4, 'bob', 'tablet-of-bob')
      expect(told(bench).at(-1)?.status).not.toBe('online')
      forget()
      expect(told(bench).at(-1)?.status).toBe('online')
      await bench.login(2, 'bob', 'phone-of-bob')
      bench.step({ type: 'closed', connection: 3 })
      bench.step({ type: 'closed', connection: 4 })
      bench.advance(GRACE_MS)
      bench.heard(1)
    }
  })
})

describe('a hidden user', () => {
  it('is offline for all others from the moment of hiding, and counts nowhere', async () => {
    const bench = await watched()
    const hiddenAt = bench.unixMs()
    say(bench, 2, { status: 'offline', statusText: 'nobody hears this' })
    const offline = { userId: 'bob', status: 'offline', lastSeenAt: hiddenAt }
    const heard = bench.heard(1).map(({ payload }) => payload)
    expect(heard).toHaveLength(2)
    expect(heard).toContainEqual({ users: [offline] })
    expect(heard).toContainEqual({ room: 'general', users: [offline] })
    bench.advance(10_000)
    say(bench, 2, { status: 'offline', statusText: 'nor this' })
    bench.step({ type: 'closed', connection: 2 })
    expect(told(bench, 2 * GRACE_MS)).toEqual([])
    await bench.settle()
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 10, users: ['bob'] } })
    await bench.settle()
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ ref: 10, users: [offline] }])
  })

  it('who says so with the hello is never seen, in no room and by nobody', async () => {
    const bench = await watched()
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(2 * GRACE_MS)
    bench.heard(1)
    await bench.login(3, 'bob', 'phone-again', { status: 'offline' })
    bench.say(3, { type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general' }] } })
    bench.say(1, { type: 'list_active_members', payload: { ref: 11, room: 'general' } })
    await bench.settle()
    bench.advance(5_000)
    expect(bench.heard(1).map(({ payload }) => payload)).toEqual([
      { ref: 11, room: 'general', members: [{ userId: 'alice', role: 'owner', status: 'online' }] },
    ])
    say(bench, 3, { status: 'online' })
    expect(bench.heardOf(1, 'presence_changed')).toEqual([
      { room: 'general', users: [{ userId: 'bob', status: 'online' }] },
    ])
  })
})

it('who of the members is there is told by user id, whoever came first', async () => {
  const bench = await createBench()
  for (const [i, user] of ['carol', 'alice', 'bob'].entries()) {
    await bench.login(i + 1, user)
    await bench.enter(i + 1, 'general')
  }
  bench.say(1, { type: 'list_active_members', payload: { ref: 11, room: 'general' } })
  await bench.settle()
  const [list] = bench.heardOf(1, 'active_member_list')
  expect(list?.members.map(({ userId }) => userId)).toEqual(['alice', 'bob', 'carol'])
})

describe('when a user was last seen', () => {
  it('is told when the grace is over, and kept in the store from the moment of going', async () => {
    const bench = await watched()
    const seenAt = bench.unixMs()
    bench.step({ type: 'closed', connection: 2 })
    await bench.settle()
    expect(await bench.store.readAcquaintances('alice', ['bob'])).toEqual([
      { userId: 'bob', sharesRoom: true, lastSeenAt: seenAt },
    ])
    expect(told(bench, GRACE_MS - 1)).toEqual([])
    expect(told(bench, 1)).toEqual([{ status: 'offline', lastSeenAt: seenAt }])
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 10, users: ['bob', 'alice'] } })
    await bench.settle()
    expect(bench.heardOf(1, 'user_presence')).toEqual([
      {
        ref: 10,
        users: [
          { userId: 'bob', status: 'offline', lastSeenAt: seenAt },
          { userId: 'alice', status: 'online' },
        ],
      },
    ])
  })

  it('is written at most once a second, for all who went, and again where that failed', async () => {
    const bench = await watched()
    bench.hold('mark_seen')
    for (let id = 10; id < 20; id++) {
      await bench.login(id, `user-${id}`)
      bench.step({ type: 'closed', connection: id })
    }
    const first = bench.takeWork('mark_seen')
    expect(first.seen.map(({ userId }) => userId)).toEqual(['user-10'])
    bench.step({ type: 'seen_marked', isDone: false })
    expect(bench.heldWork()).toEqual([])
    bench.advance(1_000)
    expect(bench.takeWork('mark_seen').seen).toHaveLength(10)
    bench.advance(5_000)
    expect(bench.heldWork()).toEqual([])
    bench.step({ type: 'seen_marked', isDone: true })
    bench.advance(5_000)
    expect(bench.heldWork()).toEqual([])
  })

  it('is now for everybody who is there when the node ends', async () => {
    const bench = await watched()
    bench.step({ type: 'drain' })
    await bench.settle()
    for (const user of ['alice', 'bob'])
      expect(await bench.store.readAcquaintances(user, [user])).toMatchObject([
        { lastSeenAt: bench.unixMs() },
      ])
  })
})
