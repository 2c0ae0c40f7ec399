import {
  digestOf,
  FINGERPRINT,
  type Follow,
  follow,
  LOG_START,
  makeMessageId,
  nextFingerprint,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText, holds } from './property.ts'

describe('follow', () => {
  it.each<[cursor: number, first: number, last: number, expected: Follow]>([
    [0, 1, 1, { do: 'apply', skip: 0 }],
    [0, 1, 9, { do: 'apply', skip: 0 }],
    [0, 2, 2, { do: 'hole' }],
    [5, 6, 6, { do: 'apply', skip: 0 }],
    [5, 6, 9, { do: 'apply', skip: 0 }],
    [5, 5, 6, { do: 'apply', skip: 1 }],
    [5, 1, 6, { do: 'apply', skip: 5 }],
    [5, 1, 9, { do: 'apply', skip: 5 }],
    [5, 7, 7, { do: 'hole' }],
    [5, 7, 9, { do: 'hole' }],
    [5, 5, 5, { do: 'drop' }],
    [5, 1, 5, { do: 'drop' }],
    [5, 1, 1, { do: 'drop' }],
    [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, { do: 'apply', skip: 0 }],
  ])('at %i, for the run %i to %i', (cursor, first, last, expected) => {
    expect(follow(cursor, first, last)).toEqual(expected)
  })

  it('applies each entry once and in order, whatever runs arrive and however often, if holes are read', () => {
    const run = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 12 }))
    holds(
      fc.property(fc.array(run, { maxLength: 40 }), (runs) => {
        const applied: number[] = []
        const receive = (first: number, last: number) => {
          const step = follow(applied.length, first, last)
          if (step.do === 'hole') {
            receive(applied.length + 1, first - 1)
            receive(first, last)
          }
          if (step.do === 'apply') for (let seq = first + step.skip; seq <= last; seq++) applied.push(seq)
        }
        for (const [first, more] of runs) receive(first, first + more)
        const end = Math.max(0, ...runs.map(([first, more]) => first + more))
        return applied.length === end && applied.every((seq, index) => seq === index + 1)
      }),
    )
  })
})

describe('the fingerprint of a log', () => {
  // The vectors are part of the protocol: a server in another language must arrive at the same.
  it('is pinned, entry by entry', () => {
    const entries: [sender: string, messageId: string, h: string][] = [
      ['ada', '01234567', 'wi1wtyxhew'],
      ['bob', '01234567', '25k6jpp7yfe'],
      ['ada', '0mrk3jdvkV1StGXR8_Z5j', '4uotbscle2'],
    ]
    let h = LOG_START.h
    for (const [sender, messageId, expected] of entries) {
      h = nextFingerprint(h, sender, messageId)
      expect(h).toBe(expected)
    }
  })

  it('begins empty, at position 0', () => expect(LOG_START).toEqual({ seq: 0, h: '' }))

  it('has the form of a fingerprint', () => {
    holds(
      fc.property(anyText, anyText, anyText, (h, a, b) => /^[0-9a-z]{1,11}$/.test(nextFingerprint(h, a, b))),
    )
    expect((2 ** 53 - 1).toString(36)).toHaveLength(11)
    expect(FINGERPRINT.test((2 ** 53 - 1).toString(36))).toBe(true)
  })

  it('depends on what was before, on the sender, on the message id and on which is which', () => {
    const parts = ['h', 'ada', 'id'] as const
    const all = new Set([
      nextFingerprint(...parts),
      nextFingerprint('g', 'ada', 'id'),
      nextFingerprint('', 'ada', 'id'),
      nextFingerprint('h', 'bob', 'id'),
      nextFingerprint('h', 'ada', 'di'),
      nextFingerprint('h', 'id', 'ada'),
      nextFingerprint('ha', 'da', 'id'),
    ])
    expect(all.size).toBe(7)
  })

  it('does not collide in a hundred thousand samples', () => {
    const next = random(7)
    const seen = new Set<string>()
    for (let i = 0; i < 100_000; i++) {
      seen.add(
        nextFingerprint(next().toString(36), `user${next() % 50}`, makeMessageId(next(), 'AAAAAAAAAAAA')),
      )
    }
    expect(seen.size).toBe(100_000)
  })

  it('does not collide among neighbours: one log, one sender, ids that differ in their last character', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 20_000; i++) seen.add(nextFingerprint('', 'ada', i.toString(36).padStart(21, '0')))
    expect(seen.size).toBe(20_000)
  })

  it('never meets again once two logs have gone apart', () => {
    let [left, right] = [nextFingerprint('', 'ada', 'aaaaaaaa'), nextFingerprint('', 'ada', 'aaaaaaab')]
    for (let i = 0; i < 20_000; i++) {
      if (left === right) throw new Error(`both are ${left} after ${i} common entries`)
      const id = makeMessageId(i, 'AAAAAAAAAAAA')
      ;[left, right] = [nextFingerprint(left, 'bob', id), nextFingerprint(right, 'bob', id)]
    }
  })
})

describe('digestOf', () => {
  // The first two were published with the hash, cyrb53.
  it.each<[text: string, digest: string]>([
    ['revenge', (4051478007546757).toString(36)],
    ['revenue', (8309097637345594).toString(36)],
    ['', 'wvjl67o803'],
    ['{"content":"añ漢🙂"}', 'do8sumpzd3'],
  ])('of %j is %s', (value, digest) => expect(digestOf(value)).toBe(digest))

  it('is a number of 53 bits in base 36, short where that is small', () => {
    const digests = Array.from({ length: 200_000 }, (_, i) => digestOf(`${i}`))
    for (const digest of digests) {
      const value = Number.parseInt(digest, 36)
      if (value > Number.MAX_SAFE_INTEGER || value.toString(36) !== digest) throw new Error(digest)
    }
    expect(new Set(digests.map(({ length }) => length))).toEqual(new Set([11, 10, 9, 8]))
  })

  it('differs where one character of a message does', () => {
    holds(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), (value, at) => {
        const i = at % value.length
        const other = value.slice(0, i) + String.fromCharCode(value.charCodeAt(i) ^ 1) + value.slice(i + 1)
        return digestOf(value) !== digestOf(other)
      }),
      2_000,
    )
  })
})

/** Numbers from 0 to 2³²−1, the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
