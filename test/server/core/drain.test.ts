import { describe, expect, it } from 'vitest'
import { createBench } from './bench.ts'

describe('a drain', () => {
  it('tells everybody when to come back, and closes', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.open(2)
    bench.step({ type: 'drain' })
    const [goodbye] = bench.heardOf(1, 'going_away')
    expect(goodbye?.reconnectAfterMs).toBeGreaterThanOrEqual(500)
    expect(bench.heard(2)).toEqual([])
    expect([...bench.closes]).toEqual([
      [1, 'RESTART retry'],
      [2, 'RESTART retry'],
    ])
    expect(bench.others).toContainEqual({ do: 'drained' })
    expect(bench.node.nextDeadline()).toBeUndefined()
  })

  it('finishes and acknowledges what is being committed first', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    bench.hold('commit')
    bench.send(1, 'general', ['running'])
    bench.step({ type: 'turn_ended' })
    bench.send(1, 'general', ['queued'])
    bench.step({ type: 'drain' })
    expect(bench.closes.size).toBe(0)
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['going_away'])
    await bench.perform(bench.takeWork('commit'))
    expect(bench.closes.size).toBe(0)
    bench.release('commit')
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['ack', 'entries', 'ack', 'entries'])
    expect([...bench.closes]).toEqual([[1, 'RESTART retry']])
  })

  it('ends after a refused commit too', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.hold('commit')
    bench.send(1, 'general', ['x'])
    bench.step({ type: 'turn_ended' })
    bench.step({ type: 'drain' })
    bench.step({ type: 'commit_failed' })
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['going_away', 'error'])
    expect(bench.closes.size).toBe(1)
  })

  it('takes no new change and no new connection', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.hold('commit')
    bench.send(1, 'general', ['x'])
    bench.step({ type: 'turn_ended' })
    bench.step({ type: 'drain' })
    bench.heard(1)
    bench.say(1, { type: 'join_room', payload: { ref: 50, room: 'other' } })
    const ref = bench.send(1, 'general', ['y', 'z'])
    expect(bench.heardOf(1, 'error').map((error) => [error.ref, error.code, error.count])).toEqual([
      [50, 'UNAVAILABLE', undefined],
      [ref, 'UNAVAILABLE', 2],
    ])
    bench.open(2)
    expect([...bench.closes]).toEqual([[2, 'RESTART retry']])
  })

  it('spreads the return of many', async () => {
    const bench = await createBench({ admissionsPerSecond: 10 })
    for (let id = 1; id <= 100; id++) await bench.login(id, `user-${id}`)
    bench.step({ type: 'drain' })
    const waits = Array.from(
      { length: 100 },
      (_, i) => bench.heardOf(i + 1, 'going_away')[0]!.reconnectAfterMs,
    )
    expect(Math.max(...waits)).toBeGreaterThan(9_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_500)
    expect(Math.min(...waits)).toBeLessThan(1_500)
  })

  it('happens once', async () => {
    const bench = await createBench()
    bench.step({ type: 'drain' })
    expect(bench.step({ type: 'drain' })).toEqual([])
  })
})
