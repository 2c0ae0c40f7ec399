import { DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { contentsOf, createBench } from './bench.ts'

async function room(...users: string[]) {
  const bench = await createBench()
  for (const [i, user] of users.entries()) {
    await bench.login(i + 1, user, `lane-number-${i + 1}`)
    await bench.enter(i + 1, 'general')
  }
  return bench
}

describe('new entries', () => {
  it('reach every follower, the sender too, once and in the order of the log', async () => {
    const bench = await room('alice', 'bob', 'bob', 'carol')
    bench.send(1, 'general', ['1', '2'])
    bench.send(2, 'general', ['3'])
    await bench.settle()
    bench.send(4, 'general', ['4'])
    await bench.settle()
    for (const connection of [1, 2, 3, 4]) {
      const heard = bench.heardOf(connection, 'entries')
      expect(contentsOf(heard)).toEqual(['1', '2', '3', '4'])
      // One frame for each commit.
      expect(heard).toHaveLength(2)
    }
  })

  it('reach nobody outside the room', async () => {
    const bench = await room('alice')
    await bench.login(2, 'bob')
    await bench.enter(2, 'elsewhere')
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it('are one broadcast, whose text the shell writes once', async () => {
    const bench = await room('alice', 'bob', 'carol')
    bench.hold('commit')
    bench.send(1, 'general', ['x'])
    bench.step({ type: 'turn_ended' })
    const { ops, unixMs } = bench.takeWork('commit')
    const effects = bench.step({ type: 'committed', result: await bench.store.commit(ops, unixMs) })
    expect(effects.filter((effect) => effect.do === 'broadcast')).toMatchObject([{ connections: [1, 2, 3] }])
  })
})

describe('who leaves', () => {
  it('gets what stood before, is told on every connection, and gets nothing later', async () => {
    const bench = await room('alice', 'bob', 'bob')
    bench.hold('commit')
    bench.send(1, 'general', ['before'])
    bench.say(2, { type: 'leave_room', payload: { ref: 30, room: 'general' } })
    bench.send(1, 'general', ['after'])
    bench.step({ type: 'turn_ended' })
    await bench.perform(bench.takeWork('commit'))
    bench.release('commit')
    bench.send(1, 'general', ['much later'])
    await bench.settle()
    const asker = bench.heard(2)
    expect(asker.map(({ type }) => type)).toEqual(['entries', 'room_left'])
    expect(asker[1]).toEqual({ type: 'room_left', payload: { ref: 30, room: 'general', reason: 'left' } })
    const other = bench.heard(3)
    expect(other.map(({ type }) => type)).toEqual(['entries', 'room_left'])
    expect(other[1]).toEqual({ type: 'room_left', payload: { room: 'general', reason: 'left' } })
    expect(contentsOf(other.flatMap((each) => (each.type === 'entries' ? [each.payload] : [])))).toEqual([
      'before',
    ])
    expect(contentsOf(bench.heardOf(1, 'entries'))).toEqual(['before', undefined, 'after', 'much later'])
  })

  it('gets what stood before with the fingerprint of just that', async () => {
    const bench = await room('alice', 'bob', 'bob')
    bench.hold('commit')
    bench.send(1, 'general', ['before'])
    bench.say(2, { type: 'leave_room', payload: { ref: 30, room: 'general' } })
    bench.step({ type: 'turn_ended' })
    await bench.perform(bench.takeWork('commit'))
    const [entries] = bench.heardOf(3, 'entries')
    const last = entries!.entries.at(-1)!
    const page = await bench.store.readPage({
      user: 'alice',
      room: 'general',
      after: { seq: last.seq - 1 },
      maxEntries: 1,
      maxBytes: 1,
      maxReplay: 1_000,
    })
    expect(page).toMatchObject({ result: 'page', h: entries!.h })
  })

  it('may come back in the same commit, and follows nothing until it asks again', async () => {
    const bench = await room('alice', 'bob')
    bench.say(
      2,
      { type: 'leave_room', payload: { ref: 30, room: 'general' } },
      { type: 'join_room', payload: { ref: 31, room: 'general' } },
    )
    await bench.settle()
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['room_left', 'room_joined'])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it('does so whether or not somebody follows the room', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(1, { type: 'join_room', payload: { ref: 2, room: 'general' } })
    await bench.settle()
    bench.say(1, { type: 'leave_room', payload: { ref: 3, room: 'general' } })
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['room_joined', 'room_left'])
    expect(bench.node.figures().rooms).toBe(0)
  })
})

describe('a busy node', () => {
  it('keeps the order of each room over many commits and connections', async () => {
    const bench = await createBench({
      limits: { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 },
    })
    const rooms = ['a', 'b', 'c']
    for (let id = 1; id <= 9; id++) {
      await bench.login(id, `user-${id}`)
      for (const each of rooms) await bench.enter(id, each)
    }
    for (let round = 0; round < 20; round++) {
      for (let id = 1; id <= 9; id++) bench.send(id, rooms[(id + round) % 3]!, [`${id}.${round}`])
      if (round % 3 === 0) await bench.settle()
    }
    await bench.settle()
    const logs = Array.from({ length: 9 }, (_, i) =>
      bench
        .heardOf(i + 1, 'entries')
        .flatMap(({ room: id, entries }) => entries.map(({ seq }) => `${id} ${seq}`)),
    )
    for (const log of logs) {
      for (const each of rooms) {
        const seqs = log.filter((line) => line.startsWith(each)).map((line) => Number(line.slice(2)))
        expect(seqs).toEqual(Array.from({ length: 60 }, (_, i) => 10 + i))
      }
    }
  })
})
