// The commands of a frame, decided one by one.

import {
  CODES,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  EXAMPLES,
  encode,
  type ServerMessage,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { codesOf, frame, nest } from './frames.ts'

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
