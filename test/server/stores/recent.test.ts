import { expect, it } from 'vitest'
import { RecentMap } from '../../../packages/server/src/stores/recent.ts'

it('keeps what was used of late, and at most twice its capacity', () => {
  const map = new RecentMap<number, string>(10)
  for (let i = 0; i < 1_000; i++) {
    map.set(i, String(i))
    map.get(0)
  }
  const kept = Array.from({ length: 1_000 }, (_, i) => i).filter((i) => map.get(i) !== undefined)
  expect(kept[0]).toBe(0)
  expect(kept.slice(1).every((i) => i >= 980)).toBe(true)
  expect(kept.length).toBeGreaterThan(10)
})

it('gives the last value, in whichever generation it was', () => {
  const map = new RecentMap<string, number | null>(1)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  expect([map.get('a'), map.get('b')]).toEqual([3, 2])
  map.set('a', null)
  expect(map.get('a')).toBeNull()
  map.delete('a')
  expect(map.get('a')).toBeUndefined()
  map.clear()
  expect(map.get('b')).toBeUndefined()
})
