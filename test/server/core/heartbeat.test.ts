import { describe, expect, it } from 'vitest'
import { type Bench, createBench } from './bench.ts'

/** When the pings of connection 1 came, while it answers each. */
function pingTimes(bench: Bench, totalMs: number): number[] {
  const times: number[] = []
  for (let i = 0; i < totalMs; i += 100) {
    bench.advance(100)
    for (const { ref } of bench.heardOf(1, 'ping')) {
      times.push(bench.now())
      bench.say(1, { type: 'pong', payload: { ref } })
    }
  }
  return times
}

describe('the heartbeat', () => {
  it('ends a silent connection at a deadline that no sum of doubles hits twice', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    // So much after it, 60,000 ms have gone by, but the difference of the two clocks is a little less.
    const heardAt = 52_522.53448599342
    expect(heardAt + 60_000 - heardAt).toBeLessThan(60_000)
    bench.advance(heardAt - bench.now())
    bench.say(1, { type: 'ping', payload: { ref: 1 } })
    bench.advance(heardAt + 60_000 - bench.now())
    expect(bench.closes.get(1)).toBe('IDLE')
  })

  it('pings every 25 s ± 10 %, the first time after a part of that', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    const times = pingTimes(bench, 600_000)
    expect(times[0]).toBeLessThanOrEqual(25_100)
    const gaps = times.slice(1).map((time, i) => time - times[i]!)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(22_400)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(27_600)
    expect(new Set(gaps).size).toBeGreaterThan(10)
    expect(bench.closes.size).toBe(0)
  })

  it('sends a WebSocket ping with each', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.advance(25_000)
    expect(bench.others.filter((effect) => effect.do === 'ping')).toEqual([{ do: 'ping', connection: 1 }])
    expect(bench.heardOf(1, 'ping')).toEqual([{ ref: 1 }])
  })

  it('does not ping all connections of a herd at once', async () => {
    const bench = await createBench()
    for (let id = 1; id <= 50; id++) await bench.login(id, `user-${id}`)
    const deadlines = new Set<number>()
    for (let i = 0; i < 250; i++) {
      const before = bench.others.length
      bench.advance(100)
      if (bench.others.length > before) deadlines.add(i)
    }
    expect(deadlines.size).toBeGreaterThan(25)
  })

  it('gives a connection up after 60 s without a word', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.advance(59_999)
    expect(bench.closes.size).toBe(0)
    bench.advance(1)
    expect(bench.closes.get(1)).toBe('IDLE')
  })

  it.each([
    ['a WebSocket pong', (bench: Bench) => bench.step({ type: 'ponged', connection: 1 })],
    ['any frame', (bench: Bench) => bench.say(1, { type: 'stop_typing', payload: { room: 'general' } })],
  ])('counts %s as life', async (_, live) => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.advance(59_000)
    live(bench)
    bench.advance(59_000)
    expect(bench.closes.size).toBe(0)
    bench.advance(1_000)
    expect(bench.closes.get(1)).toBe('IDLE')
  })

  it('answers the pings of the client', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(1, { type: 'ping', payload: { ref: 77 } })
    expect(bench.heard(1)).toEqual([{ type: 'pong', payload: { ref: 77 } }])
  })
})
