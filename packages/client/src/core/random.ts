/** Seeded randomness: the state of the core holds the seed, so that a run can be repeated exactly. (mulberry32) */
export type Random = () => number

/** Numbers in [0, 1), the same for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A lane id of 16 letters and digits, 82 bits wide (as wide as the seed lets it be). */
export function randomSid(random: Random): string {
  let sid = ''
  for (let i = 0; i < 16; i++) sid += Math.floor(random() * 36).toString(36)
  return sid
}
