/**
 * The hash of digests and fingerprints: 53 bits in base 36 (at most 11 characters). The mixing is cyrb53 (public domain, by
 * bryc). Both ends of a cursor are compared with what was stored years before, so its text never changes.
 */

export function hash53(text: string): string {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return base36(4294967296 * (2097151 & b) + (a >>> 0))
}

/** 36 ** 5: what is below it, and how often it is in 53 bits, are small integers. */
const HALF = 60_466_176
const LAST_DIGIT = 10

/** As `value.toString(36)`, which divides in floating point, digit by digit, and takes ten times as long. */
function base36(value: number): string {
  const high = Math.floor(value / HALF)
  const low = value - high * HALF
  const text = String.fromCharCode(
    digit(high / HALF),
    digit(high / 1_679_616),
    digit(high / 46_656),
    digit(high / 1_296),
    digit(high / 36),
    digit(high),
    digit(low / 1_679_616),
    digit(low / 46_656),
    digit(low / 1_296),
    digit(low / 36),
    digit(low),
  )
  let start = 0
  while (start < LAST_DIGIT && text.startsWith('0', start)) start++
  return start === 0 ? text : text.slice(start)
}

/** The character of the last digit before the point. */
function digit(quotient: number): number {
  const is = Math.trunc(quotient) % 36
  return is < 10 ? 48 + is : 87 + is
}
