import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPacing } from '../../../packages/client/src/core/pacing.ts'
import { holds } from '../support/property.ts'

/** The server's bucket. */
function modelBucket(perSecond: number, burst: number) {
  let tokens = burst
  let filledAt = 0
  return (now: number, count: number): boolean => {
    tokens = Math.min(burst, tokens + ((now - filledAt) * perSecond) / 1_000)
    filledAt = now
    tokens -= count
    return tokens >= -1e-6
  }
}

describe('pacing', () => {
  it('lets a burst go at once, then waits for each further one', () => {
    const pacing = createPacing(20, 40)
    pacing.configure(20, 40, 0)
    expect(pacing.available(0)).toBe(40)
    pacing.take(40)
    expect(pacing.available(0)).toBe(0)
    expect(pacing.nextAt()).toBeCloseTo(1_000 / 19, 6)
    expect(pacing.available(pacing.nextAt())).toBe(1)
  })

  it('never fills beyond the burst', () => {
    const pacing = createPacing(20, 40)
    pacing.take(40)
    expect(pacing.available(0)).toBe(0)
    expect(pacing.available(3_600_000)).toBe(40)
  })

  it('earns nothing by a reconnect', () => {
    const pacing = createPacing(20, 40)
    pacing.configure(20, 40, 0)
    pacing.take(40)
    pacing.configure(20, 40, 10)
    expect(pacing.available(10)).toBe(0)
  })

  it.each([
    [40, 100, 60],
    [40, 40, 0],
    [40, 10, 0],
    [10, 100, 90],
    [0, 5, 5],
  ])('after %d spent, a bucket of %d holds %d', (spent, burst, left) => {
    const pacing = createPacing(20, 40)
    pacing.configure(20, 40, 0)
    pacing.take(spent)
    pacing.configure(20, burst, 0)
    expect(pacing.available(0)).toBe(left)
  })

  it('stays below the bucket of the server, whatever is asked when', () => {
    const moves = fc.array(
      fc.oneof(
        fc.record({ wait: fc.nat(3_000), want: fc.nat(60) }),
        // Waiting exactly until the next token, as the outbox does.
        fc.record({ wait: fc.constant(-1), want: fc.nat(60) }),
        fc.constant('reconnect' as const),
      ),
      { maxLength: 60 },
    )
    const rate = fc.double({ min: 0.5, max: 200, noNaN: true })
    holds(
      fc.property(rate, fc.integer({ min: 1, max: 100 }), moves, (perSecond, burst, inputs) => {
        const pacing = createPacing(perSecond, burst)
        const allows = modelBucket(perSecond, burst)
        let now = 0
        pacing.configure(perSecond, burst, now)
        return inputs.every((input) => {
          if (input === 'reconnect') {
            pacing.configure(perSecond, burst, now)
            return true
          }
          const isExact = input.wait < 0
          now = isExact ? Math.max(now, pacing.nextAt()) : now + input.wait
          const available = pacing.available(now)
          if (isExact && available < 1) return false
          const count = Math.min(available, input.want)
          pacing.take(count)
          return allows(now, count)
        })
      }),
    )
  })
})
