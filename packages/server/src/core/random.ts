/**
 * The dice of a node: a generator whose whole state comes from one seed, so that a run can be repeated. For jitter and
 * for ids that must differ, never for secrets. The algorithm is sfc32 (public domain, by Chris Doty-Humphrey).
 */
export type Random = () => number

const ID_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-'

/** Numbers from 0 up to but not including 1. `seed`: any safe integer; two that differ give different runs. */
export function createRandom(seed: number): Random {
  let a = seed >>> 0
  let b = Math.floor(seed / 4294967296) >>> 0
  let c = 0x9e3779b9
  let counter = 1
  const next = () => {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  // The first numbers still show the seed.
  for (let i = 0; i < 15; i++) next()
  return next
}

/** `length` characters that an id may hold. */
export function randomText(random: Random, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ID_ALPHABET[Math.floor(random() * ID_ALPHABET.length)]
  return text
}
