import { MESSAGE_ID } from '@tautline/protocol'
import { expect, it } from 'vitest'
import { createRandom, randomText } from '../../../packages/server/src/core/random.ts'

it('repeats itself from the same seed and differs from another', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed)
    return Array.from({ length: 20 }, random)
  }
  expect(draw(42)).toEqual(draw(42))
  expect(draw(42)).not.toEqual(draw(43))
  expect(draw(2 ** 40)).not.toEqual(draw(2 ** 41))
})

it('gives numbers from 0 to 1, evenly', () => {
  const random = createRandom(1)
  const buckets = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 10_000; i++) buckets[Math.floor(random() * 10)]!++
  for (const count of buckets) expect(count).toBeGreaterThan(850)
})

it('makes text that an id may hold', () => {
  const random = createRandom(3)
  const texts = Array.from({ length: 1_000 }, () => randomText(random, 12))
  for (const text of texts) expect(text).toMatch(MESSAGE_ID)
  expect(new Set(texts).size).toBe(1_000)
})
