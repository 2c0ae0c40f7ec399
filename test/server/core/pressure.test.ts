import { DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { type Bench, contentsOf, createBench } from './bench.ts'

async function room() {
  const bench = await createBench({
    limits: { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 },
  })
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  await bench.login(2, 'bob')
  await bench.enter(2, 'general')
  return bench
}

const buffer = (bench: Bench, bytes: number) => bench.step({ type: 'buffered', connection: 2, bytes })

async function say(bench: Bench, ...contents: string[]) {
  for (const content of contents) {
    bench.send(1, 'general', [content])
    await bench.settle()
  }
}

describe('a slow connection', () => {
  it('is pushed no entries above 256 KiB, and gets all of them below 64 KiB, in order', async () => {
    const bench = await room()
    buffer(bench, 262_145)
    await say(bench, '1', '2', '3')
    expect(bench.heard(2)).toEqual([])
    buffer(bench, 65_536)
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
    buffer(bench, 65_535)
    await bench.settle()
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(['1', '2', '3'])
    await say(bench, '4')
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(['4'])
  })

  it('still gets them at exactly 256 KiB', async () => {
    const bench = await room()
    buffer(bench, 262_144)
    await say(bench, '1')
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(['1'])
  })

  it('catches up over more than one page, while the room goes on', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    const contents = Array.from({ length: 250 }, (_, i) => `${i}`)
    await say(bench, ...contents)
    buffer(bench, 0)
    bench.send(1, 'general', ['meanwhile'])
    await bench.settle()
    const frames = bench.heardOf(2, 'entries')
    expect(contentsOf(frames)).toEqual([...contents, 'meanwhile'])
    expect(frames.length).toBeGreaterThan(2)
  })

  it('that becomes slow again while it catches up goes on where it was', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    await say(bench, ...Array.from({ length: 150 }, (_, i) => `${i}`))
    bench.hold('read')
    buffer(bench, 0)
    const read = bench.takeWork('read')
    buffer(bench, 300_000)
    await bench.perform(read)
    expect(bench.heldWork()).toEqual([])
    await say(bench, '150')
    bench.release('read')
    buffer(bench, 0)
    await bench.settle()
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(Array.from({ length: 151 }, (_, i) => `${i}`))
  })

  it('is closed above 1 MiB', async () => {
    const bench = await room()
    buffer(bench, 1_048_576)
    expect(bench.closes.size).toBe(0)
    buffer(bench, 1_048_577)
    expect([...bench.closes]).toEqual([[2, 'SLOW_CONSUMER']])
  })

  it('is closed when it is not drained in 30 s', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    bench.advance(20_000)
    buffer(bench, 100_000)
    bench.advance(9_999)
    expect(bench.closes.size).toBe(0)
    bench.advance(1)
    expect([...bench.closes]).toEqual([[2, 'SLOW_CONSUMER']])
  })

  it('is let be when it has drained in time', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    bench.advance(29_000)
    buffer(bench, 0)
    bench.advance(29_000)
    expect(bench.closes.size).toBe(0)
  })

  it('is spared what is ephemeral first, and told anew who is there', async () => {
    const bench = await room()
    await bench.login(3, 'carol')
    buffer(bench, 65_537)
    await bench.enter(3, 'general')
    bench.say(1, { type: 'start_typing', payload: { room: 'general' } })
    bench.say(1, { type: 'mark_read', payload: { ref: 9, room: 'general', seq: 1 } })
    await bench.settle()
    // Entries still come.
    await say(bench, '1')
    bench.advance(1_000)
    expect(new Set(bench.heard(2).map(({ type }) => type))).toEqual(new Set(['entries']))
    buffer(bench, 300_000)
    buffer(bench, 0)
    expect(bench.heardOf(2, 'room_presence')[0]?.users.map(({ userId }) => userId)).toEqual([
      'alice',
      'bob',
      'carol',
    ])
  })

  it('is told anew who is there even if it never was congested', async () => {
    const bench = await room()
    await bench.login(3, 'carol')
    buffer(bench, 100_000)
    await bench.enter(3, 'general')
    bench.advance(1_000)
    expect(bench.heard(2)).toEqual([])
    buffer(bench, 0)
    expect(bench.heardOf(2, 'room_presence')).toHaveLength(1)
  })

  it('gets no page while it is above 256 KiB', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    bench.say(2, { type: 'get_history', payload: { ref: 5, room: 'general' } })
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
    buffer(bench, 0)
    await bench.settle()
    expect(bench.heardOf(2, 'history')).toHaveLength(1)
  })

  it('that may not read any more when it catches up is told so', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    await say(bench, '1')
    bench.hold('read')
    buffer(bench, 0)
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      queue: 'rooms',
      connection: 2,
      answer: { of: 'page', result: { result: 'forbidden' } },
    })
    expect(bench.heardOf(2, 'room_left')).toEqual([{ room: 'general', reason: 'removed' }])
  })

  it('whose catching up fails is caught up with by the next entry', async () => {
    const bench = await room()
    buffer(bench, 300_000)
    await say(bench, '1')
    bench.hold('read')
    buffer(bench, 0)
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection: 2,
      queue: 'rooms',
      answer: { of: 'failure', code: 'FETCH_ERROR' },
    })
    bench.release('read')
    await say(bench, '2')
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(['1', '2'])
  })
})
