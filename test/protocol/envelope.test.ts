import {
  CLIENT_MESSAGES,
  type ClientMessage,
  CODES,
  COMMANDS,
  type Code,
  type Decoded,
  type DecodedCommand,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  ENTRIES,
  EXAMPLES,
  encode,
  MAX_BATCH,
  MAX_FRAME_BYTES,
  MAX_METADATA_BYTES,
  MAX_ROOM_METADATA_BYTES,
  SERVER_MESSAGES,
  type ServerMessage,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText, character, holds, wellFormed } from './property.ts'

const ping = (ref: number): ClientMessage => ({ type: 'ping', payload: { ref } })
const codesOf = (decoded: Decoded<unknown>[]) => decoded.map((each) => (each.ok ? 'ok' : each.code))
const refsOf = (decoded: Decoded<unknown>[]) => decoded.map((each) => (each.ok ? 'ok' : each.ref))

/** A frame from the client with this payload, as JSON text; the payload may be text that no object could become. */
const frame = (type: string, payload: unknown) => JSON.stringify({ type, payload })
const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const room = 'general'

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

describe('a payload that is not of its form', () => {
  it.each([undefined, null, 1, 'x', [], [{ ref: 1 }]])('is refused where it is %j', (payload) => {
    for (const type of Object.keys(CLIENT_MESSAGES))
      expect(decodeClientFrame(frame(type, payload))).toEqual([
        { ok: false, code: 'INVALID_MESSAGE', detail: expect.any(String), ref: undefined },
      ])
  })

  it.each([undefined, null, 0, -1, 1.5, '1', [1], true, 2 ** 53])('has a ref that is %j', (ref) => {
    expect(decodeClientFrame(frame('ping', { ref }))).toEqual([
      { ok: false, code: 'INVALID_MESSAGE', detail: expect.stringContaining('ref'), ref: undefined },
    ])
  })

  it.each<[field: string, type: keyof typeof CLIENT_MESSAGES, change: Record<string, unknown>]>([
    ['sid', 'authenticate', { sid: 'short' }],
    ['sid', 'authenticate', { sid: `${'s'.repeat(64)}s` }],
    ['token', 'authenticate', { token: '' }],
    ['token', 'authenticate', { token: 't'.repeat(16_385) }],
    ['token', 'authenticate', { token: null }],
    ['token', 'renew_token', { token: undefined }],
    ['userId', 'authenticate', { userId: 'a b' }],
    ['userId', 'authenticate', { userId: '~ada' }],
    ['room', 'join_room', { room: '' }],
    ['room', 'join_room', { room: 'a\nb' }],
    ['room', 'join_room', { room: ['general'] }],
    ['room', 'join_room', { room: 'r'.repeat(129) }],
    ['room', 'join_room', { room: '~bob~ada' }],
    ['room', 'join_room', { room: '~ada~ada' }],
    ['room', 'commands', { room: '~bob~ada' }],
    ['sid', 'commands', { sid: 'a.b.c.d.e' }],
    ['n', 'commands', { n: 0 }],
    ['n', 'commands', { n: 1.5 }],
    ['n', 'commands', { n: 2 ** 53 }],
    ['commands', 'commands', { commands: [] }],
    ['commands', 'commands', { commands: Array.from({ length: 257 }, () => 1) }],
    ['commands', 'commands', { commands: { length: 1 } }],
    ['rooms', 'subscribe', { rooms: [] }],
    ['rooms', 'subscribe', { rooms: Array.from({ length: 201 }, () => ({ room })) }],
    ['rooms.0.room', 'subscribe', { rooms: [{}] }],
    ['rooms.1.after.seq', 'subscribe', { rooms: [{ room }, { room, after: { seq: -1, h: '' } }] }],
    ['rooms.0.after.h', 'subscribe', { rooms: [{ room, after: { seq: 1 } }] }],
    ['rooms.0.after.h', 'subscribe', { rooms: [{ room, after: { seq: 1, h: 'h'.repeat(13) } }] }],
    ['epoch', 'subscribe', { epoch: '' }],
    ['epoch', 'subscribe', { epoch: 'e'.repeat(65) }],
    ['rooms', 'unsubscribe', { rooms: [] }],
    ['rooms.0', 'unsubscribe', { rooms: ['~'] }],
    ['after', 'get_page', { after: undefined }],
    ['after.seq', 'get_page', { after: { seq: '1' } }],
    ['before', 'get_history', { before: 0 }],
    ['limit', 'get_history', { limit: 0 }],
    ['limit', 'get_history', { limit: 101 }],
    ['rooms.0.after', 'check', { rooms: [{ room }] }],
    ['seq', 'mark_read', { seq: 0 }],
    ['room', 'start_typing', { room: undefined }],
  ])('names the field %s of %s: %j', (field, type, change) => {
    const { payload } = EXAMPLES.client[type]
    const ref = 'ref' in payload ? payload.ref : undefined
    expect(decodeClientFrame(frame(type, { ...payload, ...change }))).toEqual([
      expect.objectContaining({
        ok: false,
        code: 'INVALID_MESSAGE',
        detail: expect.stringContaining(`field ${field} `),
        ref,
      }),
    ])
  })

  it.each([
    ['a room that is none', { room: 'a b' }, 2],
    ['one command', { room: 'a b', commands: [1] }, undefined],
    ['commands that are none', { commands: { length: 2 } }, undefined],
    ['more commands than there may be', { commands: Array.from({ length: 257 }, () => 1) }, undefined],
  ])('says how many refs of commands it concerns: %s', (_fault, change, count) => {
    const [decoded] = decodeClientFrame(frame('commands', { ...EXAMPLES.client.commands.payload, ...change }))
    expect(decoded).toMatchObject({ ok: false, ref: 7 })
    expect(decoded).toEqual(
      count === undefined ? expect.not.objectContaining({ count }) : expect.objectContaining({ count }),
    )
  })

  it('may have a code of the application or of a newer server', () => {
    const text = frame('error', { ref: 8, code: 'JOB_NOT_FOUND', final: true, message: 'no such job' })
    expect(codesOf(decodeServerFrame(text))).toEqual(['ok'])
  })

  it.each<[field: string, type: keyof typeof SERVER_MESSAGES, change: Record<string, unknown>]>([
    ['epoch', 'connected', { epoch: '' }],
    ['epoch', 'connected', { epoch: 'e'.repeat(65) }],
    ['acks', 'ack', { acks: [] }],
    ['acks.0.count', 'ack', { acks: [{ ref: 1, seq: 1, count: 0 }] }],
    ['acks.0.count', 'ack', { acks: [{ ref: 1, seq: 1, count: 257 }] }],
    ['acks.0.seq', 'ack', { acks: [{ ref: 1, seq: 0 }] }],
    ['code', 'error', { code: 'no such code' }],
    ['code', 'error', { code: 'C'.repeat(65) }],
    ['count', 'error', { count: 0 }],
    ['count', 'error', { count: 257 }],
    ['final', 'error', { final: 'yes' }],
    ['retryAfterMs', 'error', { retryAfterMs: 2_592_000_001 }],
    ['retryAfterMs', 'error', { retryAfterMs: -1 }],
    ['reconnectAfterMs', 'going_away', { reconnectAfterMs: 1.5 }],
    ['entries', 'entries', { entries: [] }],
    ['entries.0.payload', 'entries', { entries: [{ ...EXAMPLES.entries.new_message, payload: [] }] }],
    ['entries.0.type', 'entries', { entries: [{ ...EXAMPLES.entries.new_message, type: 'New' }] }],
    ['entries.0.sender', 'entries', { entries: [{ ...EXAMPLES.entries.new_message, sender: '' }] }],
    ['h', 'page', { h: 'h'.repeat(13) }],
    ['entries', 'page', { entries: Array.from({ length: 101 }, () => EXAMPLES.entries.new_message) }],
    ['gap.reason', 'page', { gap: { from: 1, to: 2, reason: 'because' } }],
    [
      'limits.windowPerRoom',
      'connected',
      { limits: { ...EXAMPLES.server.connected.payload.limits, windowPerRoom: 0 } },
    ],
  ])('names the field %s of the server’s %s: %j', (field, type, change) => {
    const text = frame(type, { ...EXAMPLES.server[type].payload, ...change })
    expect(decodeServerFrame(text)).toEqual([
      expect.objectContaining({
        ok: false,
        code: 'INVALID_MESSAGE',
        detail: expect.stringContaining(`field ${field} `),
      }),
    ])
  })
})

describe('a payload at the edge of its form', () => {
  it.each<[type: keyof typeof CLIENT_MESSAGES, change: Record<string, unknown>]>([
    ['authenticate', { sid: 's'.repeat(8), token: 't', userId: 'u' }],
    ['authenticate', { sid: 's'.repeat(64), token: 't'.repeat(16_384), userId: 'u'.repeat(128) }],
    ['authenticate', { token: undefined, userId: undefined }],
    ['commands', { commands: [1] }],
    ['commands', { commands: Array.from({ length: 256 }, () => null) }],
    ['commands', { ref: Number.MAX_SAFE_INTEGER - 1, n: Number.MAX_SAFE_INTEGER }],
    ['subscribe', { epoch: undefined, rooms: [{ room }] }],
    ['subscribe', { epoch: 'e', rooms: [{ room, after: { seq: 0, h: '' } }] }],
    ['subscribe', { epoch: 'e'.repeat(64), rooms: [{ room, limit: 0 }] }],
    ['subscribe', { rooms: Array.from({ length: 200 }, () => ({ room, limit: 100 })) }],
    ['unsubscribe', { rooms: Array.from({ length: 200 }, () => room) }],
    [
      'check',
      { epoch: undefined, rooms: Array.from({ length: 200 }, () => ({ room, after: { seq: 0, h: '' } })) },
    ],
    ['get_page', { epoch: undefined, after: { seq: 0 } }],
    ['get_history', { before: 1, limit: 1 }],
    ['get_history', { before: undefined, limit: 100 }],
    ['mark_read', { seq: 1 }],
  ])('is taken as it is: %s %j', (type, change) => {
    const payload: unknown = JSON.parse(JSON.stringify({ ...EXAMPLES.client[type].payload, ...change }))
    expect(decodeClientFrame(frame(type, payload))).toEqual([{ ok: true, message: { type, payload } }])
  })

  it.each<[type: keyof typeof SERVER_MESSAGES, change: Record<string, unknown>]>([
    ['connected', { epoch: 'e', heartbeatIntervalMs: 0, tokenExpiresAt: undefined }],
    ['connected', { epoch: 'e'.repeat(64) }],
    [
      'connected',
      { limits: { ...EXAMPLES.server.connected.payload.limits, windowPerRoom: 1, messagesPerSecond: 0.1 } },
    ],
    ['ack', { acks: [{ ref: 1, seq: 1, count: 1, timestamp: 0 }] }],
    ['ack', { acks: [{ ref: 1, seq: 1, count: 256 }] }],
    ['error', { ref: undefined, room: undefined, messageId: undefined, retryAfterMs: 0 }],
    ['page', { after: { seq: 0, h: '' }, entries: [], h: '', head: 0 }],
    ['page', { entries: Array.from({ length: 100 }, () => EXAMPLES.entries.new_message) }],
    ['page', { gap: { from: 1, to: 1, reason: 'retention' } }],
    ['page', { gap: { from: 1, to: 2, reason: 'membership' } }],
    ['page', { gap: { from: 1, to: Number.MAX_SAFE_INTEGER, reason: 'behind' } }],
    ['history', { entries: [], at: 0 }],
    ['checked', { rooms: [] }],
  ])('is taken as it is from the server: %s %j', (type, change) => {
    const payload: unknown = JSON.parse(JSON.stringify({ ...EXAMPLES.server[type].payload, ...change }))
    expect(decodeServerFrame(frame(type, payload))).toEqual([{ ok: true, message: { type, payload } }])
  })

  it.each<[field: string, type: keyof typeof CLIENT_MESSAGES, change: Record<string, unknown>]>([
    ['rooms', 'unsubscribe', { rooms: Array.from({ length: 201 }, () => room) }],
    ['rooms', 'check', { rooms: [] }],
    ['rooms', 'check', { rooms: Array.from({ length: 201 }, () => ({ room, after: { seq: 0, h: '' } })) }],
    ['rooms.0.limit', 'subscribe', { rooms: [{ room, limit: -1 }] }],
    ['rooms.0.limit', 'subscribe', { rooms: [{ room, limit: 101 }] }],
  ])('is refused one step further: %s of %s', (field, type, change) => {
    const [decoded] = decodeClientFrame(frame(type, { ...EXAMPLES.client[type].payload, ...change }))
    expect(decoded).toMatchObject({ code: 'INVALID_MESSAGE', detail: expect.stringContaining(`${field} `) })
  })
})

describe('a text at fault', () => {
  it.each<[what: string, json: string]>([
    ['seventeen levels', `{"type":"ping","payload":{"ref":7,"x":${nest(15)}}}`],
    ['30,000 levels', `{"type":"ping","payload":{"ref":7,"x":${nest(30_000)}}}`],
    ['NUL', '{"type":"ping","payload":{"ref":7,"x":"\\u0000"}}'],
    ['NUL in a key', '{"type":"ping","payload":{"ref":7,"x\\u0000":1}}'],
    ['a lone surrogate', '{"type":"ping","payload":{"ref":7,"x":"\\ud83d"}}'],
    ['the key __proto__', '{"type":"ping","payload":{"ref":7,"x":{"__proto__":1}}}'],
    ['the key __proto__, escaped', '{"type":"ping","payload":{"ref":7,"\\u005f_proto__":1}}'],
  ])('closes the connection: %s', (_what, json) => {
    expect(codesOf(decodeClientFrame(json))).toEqual(['PARSE_ERROR'])
    expect(codesOf(decodeClientFrame(`[${encode(ping(1))},${json}]`))).toEqual(['PARSE_ERROR'])
  })

  it('may nest as deep in a batch as alone', () => {
    const json = `{"type":"ping","payload":{"ref":7,"x":${nest(14)}}}`
    expect(codesOf(decodeClientFrame(json))).toEqual(['ok'])
    expect(codesOf(decodeClientFrame(`[${json},${json}]`))).toEqual(['ok', 'ok'])
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

describe('decodeCommand', () => {
  const messageId = '0mrk3ko68V1StGXR8_Z5j'
  const good = { type: 'send_message', messageId, payload: { content: 'x' } }

  it.each<[what: string, item: unknown, payload: object]>([
    ['a message', good, { content: 'x' }],
    [
      'metadata',
      { ...good, payload: { content: 'x', metadata: { a: [1] } } },
      { content: 'x', metadata: { a: [1] } },
    ],
    ['a skip', { type: 'skip', messageId, payload: {} }, {}],
    ['a skip without a payload', { type: 'skip', messageId }, {}],
    [
      'a long content',
      { ...good, payload: { content: 'x'.repeat(60_000) } },
      { content: 'x'.repeat(60_000) },
    ],
  ])('takes %s', (_what, item, payload) => {
    expect(decodeCommand(item)).toEqual({
      ok: true,
      type: (item as { type: string }).type,
      messageId,
      payload,
    })
  })

  it.each<[what: string, item: unknown]>([
    ['no content', { ...good, payload: {} }],
    ['no payload', { type: 'send_message', messageId }],
    ['an empty content', { ...good, payload: { content: '' } }],
    ['a content that is a number', { ...good, payload: { content: 1 } }],
    ['metadata that are a list', { ...good, payload: { content: 'x', metadata: [] } }],
    ['metadata that are null', { ...good, payload: { content: 'x', metadata: null } }],
    ['a payload that is null', { ...good, payload: null }],
    ['a payload that is a list', { ...good, payload: [] }],
    ['a skip whose payload is null', { type: 'skip', messageId, payload: null }],
    ['a payload that is a text', { type: 'skip', messageId, payload: 'x' }],
    ['no type', { messageId, payload: {} }],
    ['a type that is no name', { ...good, type: 'Send Message' }],
    ['a type that is a number', { ...good, type: 1 }],
  ])('decides for good, in its lane: %s', (_what, item) => {
    const decoded = decodeCommand(item)
    expect(decoded).toEqual({ ok: false, messageId, code: 'VALIDATION_ERROR' })
    expect(CODES.VALIDATION_ERROR.final).toBe(true)
  })

  it.each(['shout', 'new_message', 'constructor', 'poll.opened'])('may be the application’s: %s', (type) => {
    const item = { ...good, type, payload: 'whatever' }
    expect(decodeCommand({ ...good, type })).toEqual({ ok: false, messageId, code: 'UNKNOWN_TYPE' })
    expect(decodeCommand(item)).toEqual({ ok: false, messageId, code: 'VALIDATION_ERROR' })
  })

  it.each<[what: string, item: unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['a text', 'send_message'],
    ['a list', [good]],
    ['no id', { ...good, messageId: undefined }],
    ['a short id', { ...good, messageId: '1234567' }],
    ['a long id', { ...good, messageId: 'x'.repeat(65) }],
    ['an id that is a number', { ...good, messageId: 12345678 }],
    ['an id that is a list', { ...good, messageId: [messageId] }],
  ])('has no effect without an id to decide under: %s', (_what, item) => {
    expect(decodeCommand(item)).toEqual({ ok: false, messageId: undefined, code: 'INVALID_MESSAGE' })
  })
})

describe('a command at fault in a frame of good ones', () => {
  /** A good one, as deep as one may be. */
  const item = (n: number) => ({
    type: 'send_message',
    messageId: `message${n}`,
    payload: { content: `${n}`, metadata: { a: JSON.parse(nest(10)) } },
  })
  const withMetadata = (json: string) =>
    `{"type":"send_message","messageId":"message2","payload":{"content":"2","metadata":${json}}}`
  const decodeItems = (second: string) => {
    const { payload } = EXAMPLES.client.commands
    const start = frame('commands', { ...payload, commands: [] }).slice(0, -3)
    const text = `${start}${JSON.stringify(item(1))},${second},${JSON.stringify(item(3))}]}}`
    const [decoded] = decodeClientFrame(text)
    if (!decoded?.ok || decoded.message.type !== 'commands') throw new Error(JSON.stringify(decoded))
    return decoded.message.payload.commands
  }

  it.each<[what: string, json: string]>([
    ['NUL', withMetadata('{"a":"\\u0000"}')],
    ['a lone surrogate', withMetadata('{"a":"\\udc00"}')],
    ['a lone surrogate in a key', withMetadata('{"\\ud800":1}')],
    ['the key __proto__', withMetadata('{"__proto__":{}}')],
    ['one level too many', withMetadata(`{"a":${nest(11)}}`)],
    ['10,000 levels', withMetadata(`{"a":${nest(10_000)}}`)],
    ['NUL in a skip', '{"type":"skip","messageId":"message2","payload":{"x":"\\u0000"}}'],
    ['a fault outside of its payload', '{"type":"skip","messageId":"message2","x":"\\u0000"}'],
    ['a fault in its type', '{"type":"\\u0000","messageId":"message2"}'],
  ])('is decided for good by itself: %s', (_what, json) => {
    const items = decodeItems(json)
    expect(items.map(decodeCommand)).toEqual([
      expect.objectContaining({ ok: true, messageId: 'message1' }),
      { ok: false, messageId: 'message2', code: 'VALIDATION_ERROR' },
      expect.objectContaining({ ok: true, messageId: 'message3' }),
    ])
    // A server may make text of what is left of it: for its digest.
    expect(JSON.stringify(items[1])).not.toMatch(/__proto__|\\u|\[\[/)
  })

  it('has no effect where its id is at fault, too', () => {
    for (const json of [
      '{"messageId":"message\\u0000"}',
      '{"messageId":["\\ud800"]}',
      nest(1_000),
      '"\\u0000"',
    ])
      expect(decodeItems(json).map(decodeCommand)[1]).toEqual({
        ok: false,
        messageId: undefined,
        code: 'INVALID_MESSAGE',
      })
  })

  it('may hold metadata as deep as every frame that brings them back allows', () => {
    const [, second] = decodeItems(withMetadata(`{"a":${nest(10)}}`))
    const decoded = decodeCommand(second)
    if (!decoded.ok || decoded.type !== 'send_message') throw new Error('refused')
    const entry = { ...EXAMPLES.entries.new_message, payload: decoded.payload }
    for (const type of ['entries', 'page', 'history'] as const) {
      const message = { ...EXAMPLES.server[type] } as ServerMessage & { payload: { entries: unknown } }
      const text = encode([
        { ...message, payload: { ...message.payload, entries: [entry] } } as ServerMessage,
      ])
      expect(codesOf(decodeServerFrame(text))).toEqual(['ok'])
    }
  })

  it.each([
    '{"type":"commands","payload":{"ref":7,"room":"general\\u0000","commands":[]}}',
    '{"type":"commands","payload":{"ref":7,"commands":[],"x":"\\u0000"}}',
    '{"type":"commands","payload":{"ref":7,"commands":{"x":"\\u0000"}}}',
    '{"type":"commands","payload":["\\u0000"]}',
    '{"type":"subscribe","payload":{"ref":7,"commands":["\\u0000"]}}',
    `{"type":"commands","payload":{"ref":7,"commands":[1],"x":${nest(15)}}}`,
    `{"type":"commands","payload":{"ref":7,"commands":[1],"__proto__":{"commands":["\\u0000"]}}}`,
    `{"type":"commands","__proto__":{"payload":{"ref":7}},"payload":{"ref":7,"commands":[1]}}`,
  ])('does not save a frame that is at fault elsewhere: %s', (text) => {
    expect(codesOf(decodeClientFrame(text))).toEqual(['PARSE_ERROR'])
    expect(codesOf(decodeClientFrame(`[${text}]`))).toEqual(['PARSE_ERROR'])
  })
})

describe('metadata', () => {
  const deep = (levels: number) => ({ a: JSON.parse(nest(levels - 1)) as unknown })

  it.each(['create_room', 'update_room'] as const)(
    'of %s are taken no deeper than its entry can bring them back',
    (type) => {
      const decoded = (levels: number) =>
        decodeClientFrame(frame(type, { ...EXAMPLES.client[type].payload, metadata: deep(levels) }))
      expect(codesOf(decoded(11))).toEqual(['ok'])
      expect(decoded(12)).toEqual([
        expect.objectContaining({ code: 'INVALID_MESSAGE', detail: expect.stringContaining('metadata') }),
      ])
    },
  )

  it.each([
    ['create_room', MAX_ROOM_METADATA_BYTES],
    ['send_message', MAX_METADATA_BYTES],
  ] as const)('of %s are taken up to their bytes, as they will be written', (type, maxBytes) => {
    const take = (metadata: string) =>
      type === 'create_room'
        ? codesOf(
            decodeClientFrame(
              `{"type":"create_room","payload":{"ref":1,"room":"a","visibility":"public","metadata":${metadata}}}`,
            ),
          )[0]
        : decodeCommand(
            JSON.parse(
              `{"type":"${type}","messageId":"message1","payload":{"content":"x","metadata":${metadata}}}`,
            ),
          ).ok && 'ok'
    const text = (length: number) => `{"a":"${'é'.repeat(length)}"}`
    expect(take(text((maxBytes - 8) / 2))).toBe('ok')
    expect(take(text((maxBytes - 8) / 2 + 1))).not.toBe('ok')
    // Four bytes that are written as twenty-one.
    expect(take(`{"a":[${Array.from({ length: maxBytes / 16 }, () => '1e20').join()}]}`)).not.toBe('ok')
  })

  it.each(['new_message', 'message_edited', 'room_updated', 'room_created'] as const)(
    'come back in %s, wherever that stands',
    (type) => {
      const entry = EXAMPLES.entries[type]
      const entries = [{ ...entry, payload: { ...entry.payload, metadata: deep(11) } }]
      for (const message of [EXAMPLES.server.entries, EXAMPLES.server.page, EXAMPLES.server.history]) {
        const text = JSON.stringify([{ ...message, payload: { ...message.payload, entries } }])
        expect(codesOf(decodeServerFrame(text))).toEqual(['ok'])
        expect(ENTRIES[type].safeParse(entries[0]?.payload).success).toBe(true)
      }
    },
  )
})

describe('decoding', () => {
  const REFUSALS: Code[] = ['FRAME_TOO_BIG', 'PARSE_ERROR', 'UNKNOWN_TYPE', 'INVALID_MESSAGE']
  const isTotal = (text: string) =>
    [decodeClientFrame(text), decodeServerFrame(text)].every(
      (decoded) => decoded.length > 0 && decoded.every((each) => each.ok || REFUSALS.includes(each.code)),
    )
  /** An outcome of its own in its lane, or none at all. */
  const isDecided = (command: DecodedCommand) =>
    command.ok || command.code === (command.messageId === undefined ? 'INVALID_MESSAGE' : 'VALIDATION_ERROR')
  const messages: (ClientMessage | ServerMessage)[] = [
    ...Object.values(EXAMPLES.client),
    ...Object.values(EXAMPLES.server),
  ]
  const types = fc.constantFrom(...Object.keys(CLIENT_MESSAGES), ...Object.keys(SERVER_MESSAGES))
  const json = fc.jsonValue({ maxDepth: 5, stringUnit: character })

  it('answers any text', () => {
    holds(fc.property(anyText, isTotal), 500)
    holds(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]{}",:\\u019e-truefalsn '.split('')) }), isTotal),
      500,
    )
  })

  it('answers any JSON, in an envelope and alone', () => {
    holds(
      fc.property(json, (value) => isTotal(JSON.stringify(value))),
      200,
    )
    holds(
      fc.property(types, json, (type, payload) => isTotal(frame(type, payload))),
      500,
    )
  })

  it('answers a good message of which any part was replaced', () => {
    holds(
      fc.property(
        fc.constantFrom(...messages),
        fc.nat(),
        fc.nat({ max: 9 }),
        json,
        (message, at, length, value) => {
          const text = encode(message)
          const start = at % text.length
          return isTotal(text.slice(0, start) + JSON.stringify(value) + text.slice(start + length))
        },
      ),
      500,
    )
    holds(
      fc.property(fc.constantFrom(...messages), fc.nat(), json, (message, at, value) => {
        const keys = Object.keys(message.payload)
        return isTotal(frame(message.type, { ...message.payload, [keys[at % keys.length] ?? '']: value }))
      }),
      500,
    )
  })

  it('answers any item of a commands frame, one by one', () => {
    const item = fc.oneof(
      json,
      fc.record({ type: fc.constantFrom(...Object.keys(COMMANDS)), messageId: json }),
    )
    holds(
      fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), (commands) => {
        const [decoded] = decodeClientFrame(
          frame('commands', { ...EXAMPLES.client.commands.payload, commands }),
        )
        if (!decoded?.ok || decoded.message.type !== 'commands') return false
        const items = decoded.message.payload.commands
        return items.length === commands.length && items.map(decodeCommand).every(isDecided)
      }),
      300,
    )
  })

  it('gives back what was encoded', () => {
    const text = wellFormed.map((value) => value.replaceAll('\0', '0'))
    const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    const h = fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/)
    const entry = fc
      .record({ seq: count, timestamp: count, content: text })
      .map(({ content, ...rest }) => ({ ...EXAMPLES.entries.new_message, ...rest, payload: { content } }))
    const message = fc.oneof(
      fc
        .record({ ref: count, message: text })
        .map((change): ServerMessage => ({ type: 'error', payload: { code: 'GAP', ...change } })),
      fc.record({ entries: fc.array(entry, { minLength: 1, maxLength: 4 }), h, timestamp: count }).map(
        ({ timestamp, ...change }): ServerMessage => ({
          type: 'entries',
          payload: { room, ...change },
          timestamp,
        }),
      ),
      fc.constantFrom(...Object.values<ServerMessage>(EXAMPLES.server)),
    )
    holds(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (batch) => {
        expect(decodeServerFrame(encode(batch))).toEqual(batch.map((each) => ({ ok: true, message: each })))
      }),
      100,
    )
  })
})
