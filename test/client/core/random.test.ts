import { SID } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createRandom, randomSid } from '../../../packages/client/src/core/random.ts'

describe('the dice', () => {
  it('fall the same for the same seed', () => {
    const throws = (seed: number) => Array.from({ length: 5 }, createRandom(seed))
    expect(throws(42)).toEqual(throws(42))
    expect(throws(42)).not.toEqual(throws(43))
    // Pinned: a seed that found a fault finds it in the next version as well.
    expect(throws(42)[0]).toBeCloseTo(0.601_103_751_9, 9)
  })

  it.each([0, 1, -1, 2 ** 32, 1.5, Number.MAX_SAFE_INTEGER])(
    'give numbers in [0, 1) for the seed %d',
    (seed) => {
      const random = createRandom(seed)
      let sum = 0
      for (let i = 0; i < 2_000; i++) {
        const value = random()
        expect(value >= 0 && value < 1).toBe(true)
        sum += value
      }
      expect(sum / 2_000).toBeGreaterThan(0.45)
      expect(sum / 2_000).toBeLessThan(0.55)
    },
  )

  it('make lane ids that the protocol takes, one unlike the other', () => {
    const random = createRandom(1)
    const sids = new Set(Array.from({ length: 1_000 }, () => randomSid(random)))
    expect(sids.size).toBe(1_000)
    for (const sid of sids) expect(sid).toMatch(SID)
  })
})
