/**
 * What JSON text must satisfy before any schema sees it: no deeper than the limit, no lone surrogate, no NUL, no key
 * that names a prototype. One walk, no allocation.
 */
import { MAX_DEPTH } from './limits.ts'

export type TextFault = 'too_deep' | 'bad_text' | 'bad_key'

/** With the `u` flag, a surrogate in a class matches only where it stands alone. */
const LONE_SURROGATE = /[\ud800-\udfff]/u

/** NUL is refused because Postgres refuses it: a message with one would be tried again for ever. */
export function isWellFormed(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text)
}

/** The first fault in a parsed JSON value, or undefined. `hasEscapes` is false where the text held no `\u`: then no string can be bad. */
export function findFault(value: unknown, hasEscapes = true, depthLeft = MAX_DEPTH): TextFault | undefined {
  if (typeof value === 'string') return hasEscapes && !isWellFormed(value) ? 'bad_text' : undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (depthLeft === 0) return 'too_deep'
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = findFault(item, hasEscapes, depthLeft - 1)
      if (fault) return fault
    }
    return undefined
  }
  for (const key in value) {
    if (key === '__proto__') return 'bad_key'
    if (hasEscapes && !isWellFormed(key)) return 'bad_text'
    const fault = findFault((value as Record<string, unknown>)[key], hasEscapes, depthLeft - 1)
    if (fault) return fault
  }
  return undefined
}

/** Bytes of the text in UTF-8, without encoding it. */
export function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // A surrogate is half of four bytes: two each, of which one is counted already.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}
