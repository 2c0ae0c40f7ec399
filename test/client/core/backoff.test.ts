import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, DEFAULT_BACKOFF } from '../../../packages/client/src/core/backoff.ts'
import { createRandom } from '../../../packages/client/src/core/random.ts'
import { holds } from '../support/property.ts'

const shortest = () => 0
const longest = () => 1 - Number.EPSILON

describe('backoff', () => {
  it.each([
    [0, 250, 1_250],
    [1, 250, 1_750],
    [2, 250, 2_500],
    [5, 250, 7_843.75],
    [8, 250, 25_878.906],
    // From here on the cap binds: inside the jitter, so that the waits still spread over the whole range.
    [9, 250, 30_000],
    [100, 250, 30_000],
    [Number.POSITIVE_INFINITY, 250, 30_000],
  ])('after %d losses lies between %d and %d ms', (losses, least, most) => {
    expect(backoffMs(DEFAULT_BACKOFF, losses, shortest)).toBe(least)
    expect(backoffMs(DEFAULT_BACKOFF, losses, longest)).toBeCloseTo(most, 2)
    expect(backoffMs(DEFAULT_BACKOFF, losses, () => 0.5)).toBeCloseTo((least + most) / 2, 2)
  })

  it('spreads evenly over the range when the cap binds', () => {
    const random = createRandom(7)
    const thirds = [0, 0, 0]
    for (let i = 0; i < 3_000; i++) {
      const waitMs = backoffMs(DEFAULT_BACKOFF, 40, random)
      const third = Math.min(2, Math.floor((waitMs - 250) / (29_750 / 3)))
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
    holds(
      fc.property(options, fc.nat(2_000), fc.nat(), (backoff, losses, seed) => {
        const waitMs = backoffMs(backoff, losses, createRandom(seed))
        return waitMs >= backoff.minMs && waitMs <= Math.max(backoff.minMs, backoff.capMs)
      }),
    )
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
