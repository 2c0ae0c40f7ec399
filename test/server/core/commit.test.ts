import { DEFAULT_LIMITS, MAX_BATCH } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createBench } from './bench.ts'

async function room(...users: string[]) {
  const bench = await createBench({
    limits: {
      ...DEFAULT_LIMITS,
      messagesPerSecond: 1e6,
      messageBurst: 1e6,
    },
  })
  for (const [i, user] of users.entries()) {
    await bench.login(i + 1, user)
    await bench.enter(i + 1, 'general')
  }
  return bench
}

const texts = (count: number, text: string) => Array.from({ length: count }, () => text)

describe('group commit', () => {
  it('starts at the end of a turn, with all that has arrived', async () => {
    const bench = await room('alice', 'bob')
    bench.hold('commit')
    bench.send(1, 'general', ['a'])
    bench.send(2, 'general', ['b', 'c'])
    expect(bench.heldWork()).toEqual([])
    bench.step({ type: 'turn_ended' })
    expect(bench.takeWork('commit').ops.map((op) => op.user)).toEqual(['alice', 'bob', 'bob'])
  })

  it('keeps what arrives during a commit for the next one', async () => {
    const bench = await room('alice')
    bench.hold('commit')
    bench.send(1, 'general', ['a'])
    bench.step({ type: 'turn_ended' })
    const first = bench.takeWork('commit')
    bench.send(1, 'general', ['b'])
    bench.send(1, 'general', ['c'])
    bench.step({ type: 'turn_ended' })
    expect(bench.heldWork()).toEqual([])
    await bench.perform(first)
    bench.step({ type: 'turn_ended' })
    expect(bench.takeWork('commit').ops).toHaveLength(2)
  })

  it('takes at most 1,024 operations', async () => {
    const bench = await room('alice')
    bench.hold('commit')
    for (let i = 0; i < 20; i++) bench.send(1, 'general', texts(100, 'x'))
    const sizes: number[] = []
    for (let i = 0; i < 2; i++) {
      bench.step({ type: 'turn_ended' })
      const commit = bench.takeWork('commit')
      sizes.push(commit.ops.length)
      await bench.perform(commit)
    }
    expect(sizes).toEqual([1_024, 976])
  })

  it('takes at most 256 KiB, but one operation whatever its size', async () => {
    const bench = await room('alice')
    bench.hold('commit')
    const large = 'x'.repeat(5_000)
    for (let i = 0; i < 10; i++) bench.send(1, 'general', texts(10, large))
    bench.step({ type: 'turn_ended' })
    const { length } = bench.takeWork('commit').ops
    expect(length * 5_000).toBeLessThanOrEqual(262_144)
    expect(length).toBeGreaterThan(45)
  })

  it('answers UNAVAILABLE beyond 65,536 waiting operations, without touching the lane', async () => {
    const bench = await room('alice')
    bench.hold('commit')
    const frame = texts(MAX_BATCH, 'x')
    for (let i = 0; i < 256; i++) {
      bench.advance(100)
      bench.send(1, 'general', frame)
    }
    expect(bench.node.figures().queuedOps).toBe(65_536)
    bench.heard(1)
    const ref = bench.send(1, 'general', ['one more'])
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref, code: 'UNAVAILABLE', retryAfterMs: 1_000 }])
  })

  it('answers UNAVAILABLE beyond so many characters of what waits, until they are on their way', async () => {
    const limits = { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 }
    const bench = await createBench({ limits, maxQueuedChars: 100_000 })
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    await bench.enter(1, 'other')
    bench.heard(1)
    bench.hold('commit')
    const large = 'x'.repeat(4_000)
    const said = Array.from({ length: 30 }, () => bench.send(1, 'general', [large]))
    const refused = bench.heardOf(1, 'error').map(({ ref }) => ref)
    const taken = bench.node.figures().queuedOps
    expect(taken).toBeGreaterThan(20)
    expect(taken).toBeLessThanOrEqual(100_000 / 4_000)
    expect(refused).toEqual(said.slice(taken))
    bench.release('commit')
    await bench.settle()
    expect(bench.heardOf(1, 'ack').flatMap(({ acks }) => acks.map(({ count = 1 }) => count))).not.toEqual([])
    bench.hold('commit')
    bench.send(1, 'other', [large])
    expect(bench.node.figures().queuedOps).toBe(1)
  })
})

describe('the answers of a commit', () => {
  it('are one ack frame for each connection, consecutive ones as one item', async () => {
    const bench = await room('alice', 'bob')
    bench.hold('commit')
    const a = bench.send(1, 'general', ['1', '2', '3'])
    const b = bench.send(2, 'general', ['4'])
    const c = bench.send(1, 'general', ['5', '6'])
    bench.step({ type: 'turn_ended' })
    await bench.perform(bench.takeWork('commit'))
    expect(bench.heardOf(1, 'ack')).toEqual([
      {
        acks: [
          { ref: a, seq: 3, count: 3 },
          { ref: c, seq: 7, count: 2 },
        ],
      },
    ])
    expect(bench.heardOf(2, 'ack')).toEqual([{ acks: [{ ref: b, seq: 6 }] }])
  })

  it('come before the entries', async () => {
    const bench = await room('alice')
    bench.send(1, 'general', ['1'])
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['ack', 'entries'])
  })

  it('name the time of a message that was stored before', async () => {
    const bench = await room('alice')
    const send = (ref: number, n: number) =>
      bench.say(1, {
        type: 'commands',
        payload: {
          ref,
          room: 'general',
          sid: 'the-lane-1',
          n,
          commands: [{ type: 'send_message', messageId: 'the-message', payload: { content: 'x' } }],
        },
      })
    send(10, 1)
    await bench.settle()
    const storedAt = bench.unixMs()
    bench.heard(1)
    bench.advance(5_000)
    send(11, 1)
    await bench.settle()
    const [ack, ...others] = bench.heard(1).filter(({ type }) => type !== 'ping')
    expect(ack).toEqual({
      type: 'ack',
      payload: { acks: [{ ref: 11, seq: 2, timestamp: storedAt }] },
      timestamp: bench.unixMs(),
    })
    expect(others).toEqual([])
  })

  it('are an error for each command that failed, while its neighbours are acknowledged', async () => {
    const bench = await room('alice')
    const long = 'x'.repeat(5_001)
    const ref = bench.send(1, 'general', ['good', long, 'good'])
    await bench.settle()
    const heard = bench.heard(1)
    expect(heard).toMatchObject([
      {
        type: 'ack',
        payload: {
          acks: [
            { ref, seq: 2 },
            { ref: ref + 2, seq: 3 },
          ],
        },
      },
      { type: 'error', payload: { ref: ref + 1, code: 'MESSAGE_TOO_LONG' } },
      { type: 'entries' },
    ])
  })

  it('are UNAVAILABLE for all of a commit that was refused, gaps included', async () => {
    const bench = await room('alice', 'bob')
    bench.hold('commit')
    const ref = bench.send(1, 'general', ['1', '2'])
    bench.say(2, { type: 'join_room', payload: { ref: 50, room: 'other' } })
    bench.say(1, {
      type: 'commands',
      payload: {
        ref: 99,
        room: 'general',
        sid: 'the-lane-9',
        n: 7,
        commands: [{ type: 'skip', messageId: 'gap-before-me' }],
      },
    })
    bench.step({ type: 'turn_ended' })
    bench.takeWork('commit')
    bench.step({ type: 'commit_failed' })
    expect(bench.heardOf(1, 'error').map(({ ref: each, code, count }) => [each, code, count])).toEqual([
      [ref, 'UNAVAILABLE', 2],
      [99, 'UNAVAILABLE', undefined],
    ])
    expect(bench.heardOf(2, 'error')).toMatchObject([
      { ref: 50, code: 'UNAVAILABLE', room: 'other', retryAfterMs: 1_000 },
    ])
  })

  it('speak for several commands where they failed alike, beside each other in one lane', async () => {
    const bench = await room('alice', 'bob')
    const say = (connection: number, ref: number, lane: object, ...commands: unknown[]) =>
      bench.step({
        type: 'received',
        connection,
        text: JSON.stringify({
          type: 'commands',
          payload: { ref, room: 'general', sid: 'the-lane-1', n: 1, ...lane, commands },
        }),
      })
    const bad = (messageId: string) => ({ type: 'send_message', messageId, payload: { content: '' } })
    const skip = (messageId: string) => ({ type: 'skip', messageId })
    say(1, 10, {}, bad('message-1'), bad('message-2'), skip('message-3'), bad('message-4'), bad('message-5'))
    // The next refs and the next places, but of another lane and of another room.
    say(1, 15, { n: 6, sid: 'the-lane-2' }, bad('message-6'))
    say(1, 16, { n: 7, room: 'other' }, bad('message-7'))
    say(2, 17, { n: 8 }, bad('message-8'))
    await bench.settle()
    const told = (connection: number) =>
      bench.heardOf(connection, 'error').map(({ ref, code, count }) => [ref, code, count])
    expect(told(1)).toEqual([
      [10, 'VALIDATION_ERROR', 2],
      [12, 'SKIPPED', undefined],
      [13, 'VALIDATION_ERROR', 2],
      [15, 'GAP', undefined],
      [16, 'GAP', undefined],
    ])
    expect(told(2)).toEqual([[17, 'GAP', undefined]])
  })

  it('go on after a refused commit', async () => {
    const bench = await room('alice')
    bench.hold('commit')
    bench.send(1, 'general', ['1'], 'lane-number-1')
    bench.step({ type: 'turn_ended' })
    bench.takeWork('commit')
    bench.send(1, 'general', ['2'], 'lane-number-2')
    bench.step({ type: 'commit_failed' })
    bench.release('commit')
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['error', 'ack', 'entries'])
  })

  it('are dropped for a connection that is gone, while the others get the entries', async () => {
    const bench = await room('alice', 'bob')
    bench.hold('commit')
    bench.send(1, 'general', ['last words'])
    bench.step({ type: 'turn_ended' })
    const commit = bench.takeWork('commit')
    bench.step({ type: 'closed', connection: 1 })
    await bench.perform(commit)
    expect(bench.heard(1)).toEqual([])
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['entries'])
  })
})
