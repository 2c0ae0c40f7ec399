// Frames that are nearly right: messages with a few values changed, taken away or added.

import * as fc from 'fast-check'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const WORDS = [
  '',
  'den',
  'ada',
  'h3',
  'NORMAL',
  'RATE_LIMIT',
  'GAP',
  'constructor',
  '__proto__',
  'x'.repeat(200),
]
const NUMBERS = [0, 1, 2, 3, 7, 41, 256, 257, -1, 0.5, 2 ** 31, Number.MAX_SAFE_INTEGER, 1e300]

const leaf = fc.oneof(
  fc.constantFrom<Json>(...NUMBERS),
  fc.constantFrom<Json>(...WORDS),
  fc.constantFrom<Json>(null, true, false, [], {}),
)

interface Change {
  readonly at: number
  readonly how: 'replace' | 'remove' | 'add'
  readonly value: Json
}

const change = fc.record<Change>({
  at: fc.nat(1_000),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  value: leaf,
})

/** Every place in the value where something stands, as its container and key. */
function places(value: Json, found: [Json[] | { [key: string]: Json }, string | number][] = []) {
  if (typeof value !== 'object' || value === null) return found
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value)
  for (const key of keys) {
    found.push([value, key])
    places((value as { [key: string]: Json })[key] as Json, found)
  }
  return found
}

function apply(value: Json, { at, how, value: put }: Change): void {
  const all = places(value)
  const place = all[at % Math.max(1, all.length)]
  if (!place) return
  const container = place[0] as { [key: string]: Json }
  const key = String(place[1])
  if (how === 'replace') container[key] = put
  else if (how === 'add') container[`extra_${key}`] = put
  else if (Array.isArray(container)) container.splice(Number(key), 1)
  else delete container[key]
}

/** The text of a frame: one of the messages with a few changes, or several. */
export function framesLike(messages: readonly object[]): fc.Arbitrary<string> {
  const message: fc.Arbitrary<Json> = fc
    .tuple(fc.constantFrom(...messages), fc.array(change, { maxLength: 3 }))
    .map(([example, changes]) => {
      const value = structuredClone(example) as unknown as Json
      for (const one of changes) apply(value, one)
      return value
    })
  return fc
    .oneof(message, fc.array(message, { minLength: 1, maxLength: 3 }))
    .map((value) => JSON.stringify(value))
}

/** The same with a piece of the text taken away, said twice, or another put in. */
export function textsLike(messages: readonly object[]): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    '',
    '"',
    '{',
    ']',
    ',',
    '\\',
    '\\u0000',
    '\\ud800',
    '1e20',
    '-',
    '\0',
    '"__proto__":1,',
  )
  return fc
    .tuple(framesLike(messages), fc.nat(2_000), fc.nat(40), piece, fc.boolean())
    .map(([text, at, length, put, isTwice]) => {
      const from = at % text.length
      const rest = text.slice(from + (isTwice ? 0 : length))
      return text.slice(0, from) + put + (isTwice ? text.slice(from, from + length) : '') + rest
    })
}
