import { MAX_WATCHED_USERS } from '@tautline/protocol'
import { describe, expect, it, vi } from 'vitest'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import { type Bench, createBench } from './bench.ts'

const GRACE_MS = DEFAULT_NODE_OPTIONS.presenceGraceMs

/** Alice (1) and bob (2) share a room; eve (3) is in none. */
async function three() {
  const bench = await createBench()
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  await bench.login(2, 'bob')
  await bench.enter(2, 'general')
  await bench.login(3, 'eve')
  bench.advance(2_000)
  for (const id of [1, 2, 3]) bench.heard(id)
  return bench
}

async function watch(bench: Bench, id: number, ...users: string[]) {
  bench.say(id, { type: 'subscribe_presence', payload: { ref: 20, users } })
  await bench.settle()
  return bench.heardOf(id, 'user_presence')
}

async function leave(bench: Bench, id: number) {
  bench.say(id, { type: 'leave_room', payload: { ref: 30, room: 'general' } })
  await bench.settle()
}

const busy = (bench: Bench, id: number) =>
  bench.say(id, { type: 'update_presence', payload: { status: 'busy' } })

describe('to be told of users', () => {
  it('is for who shares a room: of the others nothing is said, be they there or not', async () => {
    const bench = await three()
    expect(await watch(bench, 1, 'bob', 'eve', 'nobody')).toEqual([
      { ref: 20, users: [{ userId: 'bob', status: 'online' }] },
    ])
    expect(await watch(bench, 3, 'bob', 'alice', 'nobody')).toEqual([{ ref: 20, users: [] }])
    busy(bench, 2)
    bench.step({ type: 'closed', connection: 2 })
    bench.advance(2 * GRACE_MS)
    expect(bench.heard(3).filter(({ type }) => type !== 'ping')).toEqual([])
    expect(
      bench.heardOf(1, 'user_presence').flatMap(({ users }) => users.map(({ status }) => status)),
    ).toEqual(['busy', 'offline'])
  })

  it('is not to be had by writing to them: only their answer lets a stranger know of them', async () => {
    const bench = await three()
    const room = '~bob~eve'
    await watch(bench, 3, 'bob')
    bench.send(3, room, ['hello'])
    await bench.settle()
    bench.advance(2_000)
    await bench.settle()
    busy(bench, 2)
    bench.advance(2_000)
    await bench.settle()
    expect(bench.heardOf(3, 'user_presence')).toEqual([])
    // Who was written to knows who wrote.
    expect(await watch(bench, 2, 'eve')).toEqual([{ ref: 20, users: [{ userId: 'eve', status: 'online' }] }])
    bench.send(2, room, ['hello'])
    await bench.settle()
    bench.advance(2_000)
    await bench.settle()
    expect(bench.heardOf(3, 'user_presence')).toEqual([{ users: [{ userId: 'bob', status: 'busy' }] }])
  })

  it('costs the store no look for who writes to strangers, whoever watches them and whomever they watch', async () => {
    const bench = await three()
    await bench.enter(3, 'general')
    const strangers = Array.from({ length: 10 }, (_, i) => `stranger-${i}`)
    await watch(bench, 3, 'alice', 'bob', ...strangers)
    await watch(bench, 1, 'eve')
    const looks = vi.spyOn(bench.store, 'readAcquaintances')
    for (const stranger of strangers) {
      bench.send(3, `~eve~${stranger}`, ['hello'])
      await bench.settle()
      bench.advance(1_000)
      await bench.settle()
    }
    expect(looks).not.toHaveBeenCalled()
    // Of the two who are spoken to, each looks at who spoke to them, and at nobody else.
    bench.send(3, '~bob~eve', ['hello'])
    bench.send(2, '~bob~eve', ['hello'])
    await bench.settle()
    bench.advance(1_000)
    await bench.settle()
    expect(looks.mock.calls).toEqual([['eve', ['bob']]])
  })

  it('ends when the last shared room is left, on either side: told once, and nothing more', async () => {
    for (const leaver of [1, 2]) {
      const bench = await three()
      await watch(bench, 1, 'bob')
      await leave(bench, leaver)
      expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [], ended: ['bob'] }])
      busy(bench, 2)
      bench.advance(2_000)
      bench.step({ type: 'closed', connection: 2 })
      bench.advance(2 * GRACE_MS)
      await bench.settle()
      expect(bench.heardOf(1, 'user_presence')).toEqual([])
    }
  })

  it('goes on while another room is shared', async () => {
    const bench = await three()
    await bench.enter(1, 'another')
    await bench.enter(2, 'another')
    await watch(bench, 1, 'bob')
    await leave(bench, 2)
    bench.advance(2_000)
    busy(bench, 2)
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'bob', status: 'busy' }] }])
  })

  it('says nothing while the store is asked whether it still may', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    bench.hold('read')
    await leave(bench, 2)
    busy(bench, 2)
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([])
    bench.release('read')
    await bench.settle()
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [], ended: ['bob'] }])
  })

  it('asks the store again where it could not say', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    bench.hold('read')
    await leave(bench, 2)
    const { connection } = bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection,
      queue: 'presence',
      answer: { of: 'failure', code: 'FETCH_ERROR' },
    })
    expect(bench.heldWork()).toEqual([])
    bench.advance(1_000)
    bench.release('read')
    await bench.settle()
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [], ended: ['bob'] }])
  })

  it('begins when a room comes to be shared, without asking again', async () => {
    const bench = await three()
    expect(await watch(bench, 1, 'eve')).toEqual([{ ref: 20, users: [] }])
    bench.say(3, { type: 'join_room', payload: { ref: 5, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'eve', status: 'online' }] }])
    busy(bench, 3)
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'eve', status: 'busy' }] }])
  })

  it('asks the store again once a second at most, however often somebody comes and goes', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    const looks = vi.spyOn(bench.store, 'readAcquaintances')
    for (let ref = 5; ref < 25; ref += 2) {
      bench.say(2, { type: 'join_room', payload: { ref, room: 'another' } })
      await bench.settle()
      bench.say(2, { type: 'leave_room', payload: { ref: ref + 1, room: 'another' } })
      await bench.settle()
    }
    expect(looks).toHaveBeenCalledTimes(1)
    bench.advance(1_000)
    await bench.settle()
    expect(looks).toHaveBeenCalledTimes(2)
    busy(bench, 2)
    bench.advance(1_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'bob', status: 'busy' }] }])
  })

  it('ends with the room', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    bench.say(1, { type: 'delete_room', payload: { ref: 5, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [], ended: ['bob'] }])
  })

  it('ends by its own wish, for those who are named', async () => {
    const bench = await three()
    await bench.enter(3, 'general')
    await watch(bench, 1, 'bob', 'eve')
    bench.say(1, { type: 'unsubscribe_presence', payload: { ref: 21, users: ['bob', 'nobody'] } })
    expect(bench.heardOf(1, 'done')).toEqual([{ ref: 21 }])
    busy(bench, 2)
    busy(bench, 3)
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'eve', status: 'busy' }] }])
  })

  it('is answered anew when it is asked again', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    expect(await watch(bench, 1, 'bob', 'bob')).toEqual([
      { ref: 20, users: [{ userId: 'bob', status: 'online' }] },
    ])
  })

  it('has a bound for each connection', async () => {
    const bench = await three()
    const users = Array.from({ length: MAX_WATCHED_USERS }, (_, i) => `user-${i}`)
    for (let i = 0; i < users.length; i += 200) await watch(bench, 1, ...users.slice(i, i + 200))
    await watch(bench, 1, 'user-7')
    expect(bench.heardOf(1, 'error')).toEqual([])
    await watch(bench, 1, 'bob', 'user-7')
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 22, users: ['bob'] } })
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 22, code: 'VALIDATION_ERROR' }])
    bench.say(1, { type: 'unsubscribe_presence', payload: { ref: 21, users: ['user-7'] } })
    expect(await watch(bench, 1, 'bob')).toMatchObject([{ users: [{ userId: 'bob' }] }])
  })

  it('tells of many at once, once a second', async () => {
    const bench = await three()
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`)
    for (const [i, user] of users.entries()) {
      await bench.login(100 + i, user)
      await bench.enter(100 + i, 'general')
    }
    await watch(bench, 1, ...users)
    bench.advance(2_000)
    bench.heard(1)
    for (const i of users.keys()) busy(bench, 100 + i)
    bench.advance(2_000)
    const told = bench.heardOf(1, 'user_presence')
    expect(told.map(({ users: some }) => some.length)).toEqual([1, 29])
  })

  it('is refused with a time where the store cannot say, and nothing is kept of it', async () => {
    const bench = await three()
    bench.hold('read')
    bench.say(1, { type: 'subscribe_presence', payload: { ref: 20, users: ['bob'] } })
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection: 1,
      queue: 'presence',
      answer: { of: 'failure', code: 'UNAVAILABLE' },
    })
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 20, code: 'UNAVAILABLE', retryAfterMs: 1_000 }])
    busy(bench, 2)
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([])
  })

  it('waits for a slow connection, which then hears how they are', async () => {
    const bench = await three()
    await watch(bench, 1, 'bob')
    bench.step({ type: 'buffered', connection: 1, bytes: 100_000 })
    busy(bench, 2)
    bench.advance(2_000)
    bench.say(2, { type: 'update_presence', payload: { status: 'away' } })
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([])
    bench.step({ type: 'buffered', connection: 1, bytes: 0 })
    bench.advance(2_000)
    expect(bench.heardOf(1, 'user_presence')).toEqual([{ users: [{ userId: 'bob', status: 'away' }] }])
  })
})
