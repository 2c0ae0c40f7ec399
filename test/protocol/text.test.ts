import { findFault, isWellFormed, MAX_DEPTH, type TextFault, utf8Bytes } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpuMs } from '../support/cpu-time.ts'
import { anyText, character, holds, wellFormed } from './property.ts'

/** Arrays around a value: `[[[value]]]`. */
function nest(depth: number, value: unknown = 1): unknown {
  let nested = value
  for (let i = 0; i < depth; i++) nested = [nested]
  return nested
}

/** Objects around a value: `{"a":{"a":value}}`. */
function nestObjects(depth: number, value: unknown = 1): unknown {
  let nested = value
  for (let i = 0; i < depth; i++) nested = { a: nested }
  return nested
}

describe('isWellFormed', () => {
  it.each(['', 'a', 'é', '🙂', '\u0001', '\ud83d\ude42', '\ue000', '\ufffd', '\u2028', '\uffff'])(
    'takes %j',
    (text) => expect(isWellFormed(text)).toBe(true),
  )

  it.each([
    '\0',
    'a\0b',
    '\ud800',
    '\udfff',
    'a\ud83d',
    '\ude42a',
    '\ude42\ud83d',
    '\ud83d\ud83d\ude42',
    '\ud83d\ude42\ude42',
  ])('refuses %j', (text) => expect(isWellFormed(text)).toBe(false))

  it('agrees with the language, but for NUL', () => {
    holds(
      fc.property(
        anyText,
        (text) => isWellFormed(text) === (!/\p{Surrogate}/u.test(text) && !text.includes('\0')),
      ),
      1_000,
    )
  })
})

describe('findFault', () => {
  it.each<[what: string, value: unknown]>([
    ['a number', 1],
    ['null', null],
    ['undefined', undefined],
    ['an empty object', {}],
    ['sixteen arrays', nest(16)],
    ['sixteen objects', nestObjects(16)],
    ['a wide array', Array.from({ length: 10_000 }, () => [])],
    ['names that only look dangerous', { constructor: 1, prototype: {}, toString: null, ['__proto']: 1 }],
    ['__proto__ as a value', { a: '__proto__' }],
  ])('finds nothing in %s', (_what, value) => expect(findFault(value)).toBeUndefined())

  it.each<[fault: TextFault, what: string, value: unknown]>([
    ['too_deep', 'seventeen arrays', nest(17)],
    ['too_deep', 'seventeen objects', nestObjects(17)],
    ['too_deep', 'an empty array at the bottom', nest(16, [])],
    ['too_deep', 'an empty object at the bottom', nest(16, {})],
    ['too_deep', 'the second item', [1, nest(16)]],
    ['bad_text', 'a lone surrogate', '\ud800'],
    ['bad_text', 'NUL in an array in an object', { a: ['\0'] }],
    ['bad_text', 'NUL in a key', { 'a\0': 1 }],
    ['bad_text', 'a lone surrogate in a key', { a: { '\udc00': 1 } }],
    ['bad_text', 'the bottom', nest(16, '\0')],
    ['bad_key', '__proto__', JSON.parse('{"__proto__":1}')],
    ['bad_key', 'a deep __proto__', JSON.parse('[{"a":{"__proto__":{"isAdmin":true}}}]')],
    ['bad_key', 'an escaped __proto__', JSON.parse('{"\\u005f_proto__":null}')],
  ])('finds %s: %s', (fault, _what, value) => expect(findFault(value)).toBe(fault))

  it('does not look into strings of a text without escapes, but at depth and keys all the same', () => {
    expect(findFault('\0', false)).toBeUndefined()
    expect(findFault(nest(17), false)).toBe('too_deep')
    expect(findFault(JSON.parse('{"__proto__":1}'), false)).toBe('bad_key')
  })

  it('counts from the depth that is left', () => {
    expect(findFault(nest(3), true, 3)).toBeUndefined()
    expect(findFault(nest(4), true, 3)).toBe('too_deep')
    expect(findFault([], true, 0)).toBe('too_deep')
    expect(findFault('a', true, 0)).toBeUndefined()
    expect(MAX_DEPTH).toBe(16)
  })

  it.each<[what: string, text: string]>([
    ['arrays', '['.repeat(32_000) + ']'.repeat(32_000)],
    ['objects', `${'{"a":'.repeat(32_000)}1${'}'.repeat(32_000)}`],
    ['both', `${'[{"a":'.repeat(32_000)}1${'}]'.repeat(32_000)}`],
    ['a megabyte of arrays', '['.repeat(524_288) + ']'.repeat(524_288)],
  ])('does not follow a nest of %s down the stack', (_what, text) => {
    expect(findFault(JSON.parse(text))).toBe('too_deep')
  })

  it('finds nothing in any JSON of little depth, and never changes it', () => {
    holds(
      fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: character }), (value) => {
        const before = JSON.stringify(value)
        const fault = findFault(value)
        // JSON escapes lone surrogates and NUL, and a backslash by another, which is taken out first.
        const clean = !/\\u0000|\\ud[89a-f]|"__proto__":/.test(before.replaceAll('\\\\', ''))
        return (fault === undefined) === clean && JSON.stringify(value) === before
      }),
    )
  })
})

describe('utf8Bytes', () => {
  it.each<[text: string, bytes: number]>([
    ['', 0],
    ['a', 1],
    ['\x7f', 1],
    ['\x80', 2],
    ['\u07ff', 2],
    ['\u0800', 3],
    ['\ud7ff', 3],
    ['\ue000', 3],
    ['\uffff', 3],
    ['\u{10000}', 4],
    ['\u{10ffff}', 4],
    ['añ漢🙂', 10],
  ])('says of %j that it has %i', (text, bytes) => {
    expect(utf8Bytes(text)).toBe(bytes)
    expect(Buffer.byteLength(text)).toBe(bytes)
  })

  it('is what an encoder makes of any well-formed text', () => {
    holds(
      fc.property(wellFormed, (value) => utf8Bytes(value) === Buffer.byteLength(value)),
      1_000,
    )
  })

  it('counts a lone surrogate as half a pair: no less than its length, no more than an encoder makes of it', () => {
    holds(
      fc.property(anyText, (text) => {
        const bytes = utf8Bytes(text)
        return text.length <= bytes && bytes <= Buffer.byteLength(text)
      }),
      1_000,
    )
  })

  it('takes a megabyte in a few milliseconds', () => {
    const text = '漢'.repeat(1_048_576)
    const started = cpuMs()
    expect(utf8Bytes(text)).toBe(3 * 1_048_576)
    expect(cpuMs(started)).toBeLessThan(1_000)
  })
})
