// What a payload may be: its fields one by one, their edges, metadata, and texts at fault wherever they stand.

import {
  CLIENT_MESSAGES,
  type ClientMessage,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  ENTRIES,
  EXAMPLES,
  encode,
  MAX_METADATA_BYTES,
  MAX_ROOM_METADATA_BYTES,
  type SERVER_MESSAGES,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { codesOf, frame, nest } from './frames.ts'

const ping = (ref: number): ClientMessage => ({ type: 'ping', payload: { ref } })

const room = 'general'

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
