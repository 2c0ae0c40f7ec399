// Properties of decoding: whatever comes is answered, and what was encoded comes back.

import {
  CLIENT_MESSAGES,
  type ClientMessage,
  COMMANDS,
  type Code,
  type DecodedCommand,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  EXAMPLES,
  encode,
  SERVER_MESSAGES,
  type ServerMessage,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame } from './frames.ts'
import { anyText, character, holds, wellFormed } from './property.ts'

const room = 'general'

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
