import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, DEFAULT_BACKOFF } from '../../../packages/client/src/core/backoff.ts'
import { createRandom } from '../../../packages/client/src/core/random.ts'
import { holds } from '../support/property.ts'

const shortest = () => 0
const longest = () => 1 - Number.EPSILON

describe('backoff', () => {
  it.each([
    [0, 250, 1_000],
    [1, 375, 1_500],
    [2, 562.5, 2_250],
    [5, 1_898.438, 7_593.75],
    [8, 6_407.227, 25_628.906],
    // From here on the cap binds: the jitter still spans the whole range below it.
    [9, 7_500, 30_000],
    [100, 7_500, 30_000],
    [Number.POSITIVE_INFINITY, 7_500, 30_000],
  ])('after %d losses lies between %d and %d ms', (losses, least, most) => {
    expect(backoffMs(DEFAULT_BACKOFF, losses, shortest)).toBeCloseTo(least, 2)
    expect(backoffMs(DEFAULT_BACKOFF, losses, longest)).toBeCloseTo(most, 2)
    expect(backoffMs(DEFAULT_BACKOFF, losses, () => 0.5)).toBeCloseTo((least + most) / 2, 2)
  })

  it('spreads evenly over the range when the cap binds', () => {
    const random = createRandom(7)
    const thirds = [0, 0, 0]
    for (let i = 0; i < 3_000; i++) {
      const waitMs = backoffMs(DEFAULT_BACKOFF, 40, random)
      const third = Math.min(2, Math.floor((waitMs - 7_500) / 7_500))
      thirds[third] = (thirds[third] ?? 0) + 1
    }
    for (const count of thirds) expect(count).toBeGreaterThan(900)
  })

  it.each([
    { factor: 1, baseMs: 1_000 },
    { factor: 1.5, baseMs: 0 },
  ])('starts from the longest wait where that is asked for, with %o', (change) => {
    const options = { ...DEFAULT_BACKOFF, ...change }
    expect(backoffMs(options, Number.POSITIVE_INFINITY, longest)).toBeCloseTo(30_000, 2)
  })

  it('stays within its bounds for all options', () => {
    const options = fc.record({
      minMs: fc.nat(5_000),
      baseMs: fc.nat(10_000),
      factor: fc.double({ min: 1, max: 4, noNaN: true }),
      capMs: fc.nat(60_000),
    })
    const losses = fc.oneof(fc.nat(2_000), fc.constant(Number.POSITIVE_INFINITY))
    holds(
      fc.property(options, losses, fc.nat(), (backoff, lost, seed) => {
        const waitMs = backoffMs(backoff, lost, createRandom(seed))
        return waitMs >= backoff.minMs && waitMs <= Math.max(backoff.minMs, backoff.capMs)
      }),
    )
  })

  /** When the last in a hundred of a herd is back after its server, and how often the most patient dialled. */
  function returnAfter(awayMs: number): { readonly p99Ms: number; readonly dials: number } {
    const random = createRandom(awayMs)
    const waits: number[] = []
    let dials = 0
    for (let client = 0; client < 2_000; client++) {
      let at = 0
      let losses = 0
      while (at < awayMs) at += backoffMs(DEFAULT_BACKOFF, losses++, random)
      waits.push(at - awayMs)
      dials = Math.max(dials, losses)
    }
    waits.sort((a, b) => a - b)
    return { p99Ms: waits[1_979] ?? 0, dials }
  }

  it.each([
    [1_500, 2_500],
    [10_500, 12_000],
    // In the long run: waits between a and b seconds, 7.5 and 30, leave (b - t)² / (b² - a²) of all with more than t.
    // That is one in a hundred for t = 27.1. Were the cap applied to what was drawn, most would wait for the whole of it.
    [60_000, 28_000],
  ])('brings a herd back whose server was away for %d ms within %d ms', (awayMs, withinMs) => {
    expect(returnAfter(awayMs).p99Ms).toBeLessThan(withinMs)
  })

  it('dials at most eight times for a server that is away for ten seconds', () => {
    expect(returnAfter(10_000).dials).toBeLessThanOrEqual(8)
  })

  it('is the same for the same seed', () => {
    const waits = (seed: number) => {
      const random = createRandom(seed)
      return [0, 1, 2, 3].map((losses) => backoffMs(DEFAULT_BACKOFF, losses, random))
    }
    expect(waits(1)).toEqual(waits(1))
    expect(waits(1)).not.toEqual(waits(2))
  })
})
