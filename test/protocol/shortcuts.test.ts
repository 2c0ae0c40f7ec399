// The short ways through the door say what the schemas say: the property that allows them.

import { CLIENT_MESSAGES, COMMANDS, decodeClientFrame, decodeCommand, MAX_BATCH } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { command } from '../../packages/protocol/src/messages/messages.ts'
import { readCommands, readPlainFrame, readPlainMessage } from '../../packages/protocol/src/shortcuts.ts'
import { anyText, holds } from './property.ts'

const id = fc.stringMatching(/^[A-Za-z0-9_-]{7,65}$/)
/** What may stand in a field by mistake or malice. */
const strange = fc.oneof(
  anyText,
  fc.constantFrom('', ' ', '~a~b', '~b~a', '~ada', 'a~b', 'x'.repeat(128), 'x'.repeat(129), '__proto__'),
  fc.constantFrom(0, 1, -1, 1.5, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, 2 ** 31, null, true),
  fc.constantFrom<unknown>([], {}, [1], { content: 'x' }, undefined),
)

/** An object that is as it should be, but for a field or two, and for what is more. */
function almost(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const names = Object.keys(fields)
  const change = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    fc.dictionary(fc.constantFrom(...names, 'more'), strange, { maxKeys: 2 }),
  )
  return fc.tuple(fc.record(fields), change).map(([good, changes]) => ({ ...good, ...changes }))
}

const plain = almost({
  type: fc.constantFrom('send_message', 'send_message', 'edit_message', 'skip'),
  messageId: id,
  payload: fc.oneof(
    almost({ content: fc.oneof(anyText, fc.constantFrom('', 'x', 'x'.repeat(1_048_577))) }),
    almost({ content: fc.constant('x'), kind: fc.constantFrom('text', 'image', undefined) }),
  ),
})

const payload = almost({
  ref: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constant(Number.MAX_SAFE_INTEGER - 1)),
  room: fc.constantFrom('general', '~a~b', '~b~a', '~ada'),
  sid: id,
  n: fc.integer({ min: 0, max: 10 }),
  commands: fc.oneof(
    fc.array(plain, { maxLength: 3 }),
    fc.constantFrom(MAX_BATCH, MAX_BATCH + 1).map((length) => Array.from({ length }, () => 1)),
  ),
})

describe('a payload of commands', () => {
  it('is read as its schema reads it', () => {
    let good = 0
    holds(
      fc.property(payload, (value) => {
        const parsed = CLIENT_MESSAGES.commands.safeParse(value)
        good += Number(parsed.success)
        expect(readCommands(value)).toEqual(parsed.success ? parsed.data : undefined)
      }),
      3_000,
    )
    expect(good).toBeGreaterThan(500)
  })

  it.each([null, 1, 'x', [], undefined])('is not %j', (value) => expect(readCommands(value)).toBeUndefined())

  it('keeps nothing of what its schema does not know', () => {
    const good = { ref: 1, room: 'general', sid: 'k3J9x_Qp', n: 1, commands: [1] }
    const [decoded] = decodeClientFrame(JSON.stringify({ type: 'commands', payload: { ...good, more: 1 } }))
    expect(decoded).toEqual({ ok: true, message: { type: 'commands', payload: good } })
  })
})

describe('a plain message', () => {
  it('is read as the schemas read it, and nothing else is', () => {
    let good = 0
    holds(
      fc.property(plain, (value) => {
        const short = readPlainMessage(value)
        if (!short) return
        good++
        const { type, messageId, payload: body } = command.parse(value)
        const long = { type, messageId, payload: COMMANDS.send_message.parse(body) }
        expect(short).toEqual(long)
        expect(decodeCommand(value)).toEqual({ ok: true, ...long })
      }),
      3_000,
    )
    expect(good).toBeGreaterThan(300)
  })

  it.each([null, 1, 'x', [], undefined, { type: 'send_message', messageId: 'k3J9x_Qp', payload: ['x'] }])(
    'is not %j',
    (value) => expect(readPlainMessage(value)).toBeUndefined(),
  )
})

describe('a plain frame', () => {
  const frame = almost({
    type: fc.constant('commands'),
    payload: almost({
      ref: fc.constant(1),
      room: fc.constant('general'),
      sid: id,
      n: fc.constant(1),
      commands: fc.array(plain, { minLength: 1, maxLength: 2 }),
    }),
  })

  it('is read as the schemas read it, each command too, and nothing else is', () => {
    let good = 0
    holds(
      fc.property(frame, (value) => {
        const short = readPlainFrame(value)
        if (!short) return
        good++
        expect(short.payload).toEqual(CLIENT_MESSAGES.commands.parse((value as { payload: unknown }).payload))
        for (const item of short.payload.commands) {
          const { type, messageId, payload: body } = command.parse(item)
          const long = { ok: true, type, messageId, payload: COMMANDS.send_message.parse(body) }
          expect(decodeCommand(item)).toEqual(long)
        }
      }),
      3_000,
    )
    expect(good).toBeGreaterThan(100)
  })

  const item = '{"type":"send_message","messageId":"k3J9x_Qp","payload":{"content":"x"}}'
  const text = `{"type":"commands","payload":{"ref":1,"room":"general","sid":"k3J9x_Qp","n":1,"commands":[${item}]}}`

  it.each([
    ['of the envelope', text.replace('{', '{"KEY":VALUE,')],
    ['of its payload', text.replace('"ref"', '"KEY":VALUE,"ref"')],
    ['of a command', text.replace('{"type":"send', '{"KEY":VALUE,"type":"send')],
    ['of what a command says', text.replace('"content"', '"KEY":VALUE,"content"')],
  ])('has no other key %s, where a name of a prototype or a depth could hide', (_where, withKey) => {
    expect(readPlainFrame(JSON.parse(text))).toBeDefined()
    for (const [key, value] of [
      ['__proto__', '1'],
      ['more', '[1]'],
      ['constructor', '{}'],
      ['toString', '1'],
    ] as const)
      expect(readPlainFrame(JSON.parse(withKey.replace('KEY', key).replace('VALUE', value)))).toBeUndefined()
  })

  it.each([null, 1, 'x', [], undefined, [JSON.parse(text)]])('is not %j', (value) =>
    expect(readPlainFrame(value)).toBeUndefined(),
  )
})
