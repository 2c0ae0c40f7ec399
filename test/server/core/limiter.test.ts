import { describe, expect, it } from 'vitest'
import {
  fullBucket,
  msUntilToken,
  takeToken,
  UserBuckets,
} from '../../../packages/server/src/core/limiter.ts'

const rate = { perSecond: 20, burst: 40 }

describe('a token bucket', () => {
  it('gives its burst at once and then no more than its rate', () => {
    const bucket = fullBucket(rate, 0)
    let taken = 0
    for (let now = 0; now < 10_000; now += 1) while (takeToken(bucket, rate, now)) taken++
    expect(taken).toBe(40 + 199)
  })

  it('says how long until the next token, and keeps its word', () => {
    const bucket = fullBucket(rate, 0)
    while (takeToken(bucket, rate, 0));
    const wait = msUntilToken(bucket, rate)
    expect(wait).toBe(50)
    expect(takeToken(bucket, rate, wait - 1)).toBe(false)
    expect(takeToken(bucket, rate, wait)).toBe(true)
  })

  it('never holds more than its burst, and survives a clock that stands or goes back', () => {
    const bucket = fullBucket(rate, 1_000)
    expect(takeToken(bucket, rate, 1_000)).toBe(true)
    expect(takeToken(bucket, rate, 500)).toBe(true)
    expect(bucket.tokens).toBe(38)
    takeToken(bucket, rate, 1_000_000)
    expect(bucket.tokens).toBe(39)
  })
})

describe('the buckets of users', () => {
  it('outlive their connections until they are full', () => {
    const buckets = new UserBuckets(rate)
    const alice = buckets.of('alice', 0)
    takeToken(alice, rate, 0)
    for (let i = 0; i < 5_000; i++) buckets.of(`user-${i}`, 0)
    expect(buckets.of('alice', 0)).toBe(alice)
    for (let i = 5_000; i < 20_000; i++) buckets.of(`user-${i}`, 60_000)
    expect(buckets.of('alice', 60_000)).not.toBe(alice)
  })

  it('say how many whole tokens are left, and when there is one more', () => {
    const buckets = new UserBuckets({ perSecond: 2, burst: 3 })
    const state = (now: number) => [buckets.left('alice', now), buckets.msUntilNext('alice', now)]
    expect(state(0)).toEqual([3, 500])
    for (let i = 0; i < 3; i++) buckets.take('alice', 1, 0)
    expect(state(0)).toEqual([0, 500])
    expect(state(800)).toEqual([1, 200])
    // What was taken beyond what there was comes first.
    for (let i = 0; i < 3; i++) buckets.take('alice', 1, 1_000)
    expect(state(1_000)).toEqual([-1, 1_000])
  })
})
