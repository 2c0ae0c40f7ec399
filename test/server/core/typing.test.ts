import { describe, expect, it } from 'vitest'
import { type Bench, createBench } from './bench.ts'

async function room() {
  const bench = await createBench()
  for (const [id, user] of [
    [1, 'alice'],
    [2, 'bob'],
    [3, 'alice'],
  ] as const) {
    await bench.login(id, user, `lane-number-${id}`)
    await bench.enter(id, 'general')
  }
  return bench
}

const start = (bench: Bench, id: number) =>
  bench.say(id, { type: 'start_typing', payload: { room: 'general' } })
const stop = (bench: Bench, id: number) =>
  bench.say(id, { type: 'stop_typing', payload: { room: 'general' } })
const alice = { room: 'general', userId: 'alice' }

describe('typing', () => {
  it('is told to the others, not to the user’s own connections', async () => {
    const bench = await room()
    start(bench, 1)
    expect(bench.heard(2)).toEqual([{ type: 'typing_started', payload: alice }])
    expect(bench.heard(1)).toEqual([])
    expect(bench.heard(3)).toEqual([])
    stop(bench, 1)
    expect(bench.heard(2)).toEqual([{ type: 'typing_stopped', payload: alice }])
  })

  it('is relayed no faster than clients are to say it, even between starts and stops', async () => {
    const bench = await room()
    for (let i = 0; i < 30; i++) {
      start(bench, 1)
      stop(bench, 1)
      bench.advance(100)
    }
    expect(bench.heardOf(2, 'typing_started')).toHaveLength(2)
  })

  it('is stopped only where it was started', async () => {
    const bench = await room()
    stop(bench, 1)
    start(bench, 1)
    stop(bench, 1)
    stop(bench, 1)
    expect(bench.heardOf(2, 'typing_stopped')).toHaveLength(1)
  })

  it.each([
    ['is lost', (bench: Bench) => void bench.step({ type: 'closed', connection: 1 })],
    [
      'follows no more',
      (bench: Bench) => bench.say(1, { type: 'unsubscribe', payload: { ref: 5, rooms: ['general'] } }),
    ],
    [
      'leaves the room',
      (bench: Bench) => bench.say(1, { type: 'leave_room', payload: { ref: 5, room: 'general' } }),
    ],
  ])('ends when the connection %s', async (_, act) => {
    const bench = await room()
    start(bench, 1)
    bench.heard(2)
    act(bench)
    await bench.settle()
    expect(bench.heardOf(2, 'typing_stopped')).toEqual([alice])
  })

  it('of who does not follow the room goes nowhere', async () => {
    const bench = await room()
    await bench.login(4, 'eve')
    start(bench, 4)
    bench.say(2, { type: 'unsubscribe', payload: { ref: 5, rooms: ['general'] } })
    bench.heard(2)
    start(bench, 2)
    expect(bench.heardOf(1, 'typing_started')).toEqual([])
  })
})
