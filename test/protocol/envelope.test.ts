// Frames and their envelopes: what is none, which types there are, batches, sizes, times, and what a refusal may say.

import {
  CLIENT_MESSAGES,
  type ClientMessage,
  type Decoded,
  decodeClientFrame,
  decodeServerFrame,
  EXAMPLES,
  encode,
  MAX_BATCH,
  MAX_FRAME_BYTES,
  SERVER_MESSAGES,
  type ServerMessage,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { codesOf, frame, nest } from './frames.ts'

const ping = (ref: number): ClientMessage => ({ type: 'ping', payload: { ref } })
const refsOf = (decoded: Decoded<unknown>[]) => decoded.map((each) => (each.ok ? 'ok' : each.ref))

describe('a frame that is no envelope', () => {
  it.each<[what: string, text: string]>([
    ['nothing', ''],
    ['white space', ' \n'],
    ['words', 'hello'],
    ['half an object', '{"type":"ping","payload":{"ref":1}'],
    ['two objects', '{"type":"ping","payload":{"ref":1}}{"type":"ping","payload":{"ref":2}}'],
    ['a comma too many', '{"type":"ping","payload":{"ref":1},}'],
    ['a byte order mark', '\ufeff{"type":"ping","payload":{"ref":1}}'],
    ['a control character in a string', '{"type":"pi\0ng","payload":{"ref":1}}'],
    ['a nest without an end', '['.repeat(60_000)],
    ['NaN', 'NaN'],
    ['a number', '1'],
    ['null', 'null'],
    ['a string', '"ping"'],
    ['an empty batch', '[]'],
    ['a batch in a batch', '[[{"type":"ping","payload":{"ref":1}}]]'],
    ['a deep nest', nest(30_000)],
    ['an empty object', '{}'],
    ['no type', '{"payload":{"ref":1}}'],
    ['a type that is a number', '{"type":1,"payload":{"ref":1}}'],
    ['a type that is a list', '{"type":["ping"],"payload":{"ref":1}}'],
    ['a type in its prototype', '{"__proto__":{"type":"ping"},"payload":{"ref":1}}'],
  ])('closes the connection: %s', (_what, text) => {
    for (const decode of [decodeClientFrame, decodeServerFrame])
      expect(decode(text)).toEqual([
        { ok: false, code: 'PARSE_ERROR', detail: expect.any(String), ref: undefined },
      ])
  })
})

describe('a type that is not known', () => {
  it.each([
    'nope',
    '',
    'Ping',
    'ping ',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'send_message',
  ])('is answered under its ref: %j', (type) => {
    const refused = [{ ok: false, code: 'UNKNOWN_TYPE', detail: expect.any(String), ref: 7 }]
    expect(decodeClientFrame(frame(type, { ref: 7 }))).toEqual(refused)
    expect(decodeServerFrame(frame(type, { ref: 7 }))).toEqual(refused)
  })

  it('is one that the other end alone may send', () => {
    for (const message of Object.values(EXAMPLES.client)) {
      const expected = message.type in SERVER_MESSAGES ? 'ok' : 'UNKNOWN_TYPE'
      expect(codesOf(decodeServerFrame(encode(message)))).toEqual([expected])
    }
    for (const message of Object.values(EXAMPLES.server)) {
      const expected = message.type in CLIENT_MESSAGES ? 'ok' : 'UNKNOWN_TYPE'
      expect(codesOf(decodeClientFrame(encode(message)))).toEqual([expected])
    }
  })
})

describe('a batch', () => {
  const batch = (length: number) => encode(Array.from({ length }, (_, i) => ping(i + 1)))

  it.each([1, 2, MAX_BATCH])('of %i envelopes is that many messages, in order', (length) => {
    expect(decodeClientFrame(batch(length))).toEqual(
      Array.from({ length }, (_, i) => ({ ok: true, message: ping(i + 1) })),
    )
  })

  it.each([0, MAX_BATCH + 1])('of %i envelopes is none', (length) => {
    expect(codesOf(decodeClientFrame(batch(length)))).toEqual(['PARSE_ERROR'])
  })

  it('may hold good and bad: each has its own answer', () => {
    const text = JSON.stringify([
      ping(1),
      { type: 'nope', payload: { ref: 2 } },
      { type: 'join_room', payload: { ref: 3 } },
      null,
      { type: 'nope' },
      ping(6),
    ])
    const decoded = decodeClientFrame(text)
    expect(codesOf(decoded)).toEqual([
      'ok',
      'UNKNOWN_TYPE',
      'INVALID_MESSAGE',
      'PARSE_ERROR',
      'UNKNOWN_TYPE',
      'ok',
    ])
    expect(refsOf(decoded)).toEqual(['ok', 2, 3, undefined, undefined, 'ok'])
  })
})

describe('the size of a frame', () => {
  const sized = (bytes: number, letter = 'x') => {
    const text = (letters: string) => `{"type":"ping","payload":{"ref":1,"x":"${letters}"}}`
    const left = bytes - text('').length
    return text(
      letter.repeat(left / Buffer.byteLength(letter)) + 'x'.repeat(left % Buffer.byteLength(letter)),
    )
  }

  it.each(['x', 'é', '漢', '🙂'])('is counted in bytes: %s', (letter) => {
    expect(Buffer.byteLength(sized(65_536, letter))).toBe(65_536)
    expect(codesOf(decodeClientFrame(sized(65_536, letter)))).toEqual(['ok'])
    expect(codesOf(decodeClientFrame(sized(65_537, letter)))).toEqual(['FRAME_TOO_BIG'])
  })

  it('may be set', () => {
    expect(codesOf(decodeClientFrame(sized(100), { maxFrameBytes: 99 }))).toEqual(['FRAME_TOO_BIG'])
    expect(codesOf(decodeClientFrame(sized(100_000), { maxFrameBytes: MAX_FRAME_BYTES }))).toEqual(['ok'])
    expect(codesOf(decodeServerFrame(sized(100), { maxFrameBytes: 99 }))).toEqual(['FRAME_TOO_BIG'])
  })

  it('binds the server only where it is told so: a page is larger than any frame of a client', () => {
    const entry = { ...EXAMPLES.entries.new_message, payload: { content: 'x'.repeat(60_000) } }
    const { page } = EXAMPLES.server
    const message = { ...page, payload: { ...page.payload, entries: [entry, entry] } }
    expect(decodeServerFrame(encode(message))).toEqual([{ ok: true, message }])
  })

  it('is looked at before the text is parsed', () => {
    expect(codesOf(decodeClientFrame('['.repeat(65_537)))).toEqual(['FRAME_TOO_BIG'])
  })
})

describe('the timestamp of an envelope', () => {
  it.each([0, 1_784_000_000_000, Number.MAX_SAFE_INTEGER])('is kept where it is a time: %i', (timestamp) => {
    const message = { ...ping(1), timestamp }
    expect(decodeClientFrame(encode(message))).toEqual([{ ok: true, message }])
  })

  it.each([null, '5', 1.5, -1, 2 ** 53, {}])('is left out where it is %j', (timestamp) => {
    expect(decodeClientFrame(JSON.stringify({ ...ping(1), timestamp }))).toEqual([
      { ok: true, message: ping(1) },
    ])
  })
})

describe('a detail', () => {
  it('never holds what was sent', () => {
    const secret = 'sEcReT'
    const poison = (value: unknown): unknown[] => {
      if (Array.isArray(value))
        return [secret, [secret], ...value.flatMap((item) => poison(item).map((p) => [p]))]
      if (typeof value !== 'object' || value === null) return [secret, `${secret}\n`, { [secret]: secret }]
      return Object.entries(value).flatMap(([key, field]) =>
        poison(field).map((p) => ({ ...value, [key]: p })),
      )
    }
    let refusals = 0
    for (const [examples, decode] of [
      [EXAMPLES.client, decodeClientFrame],
      [EXAMPLES.server, decodeServerFrame],
    ] as const) {
      for (const message of Object.values<ClientMessage | ServerMessage>(examples)) {
        for (const poisoned of poison(message)) {
          for (const result of decode(JSON.stringify(poisoned))) {
            if (result.ok) continue
            refusals++
            expect(result.detail).not.toContain(secret)
            expect(result.detail.length).toBeLessThan(100)
          }
        }
      }
    }
    expect(refusals).toBeGreaterThan(200)
  })
})
