import {
  CLIENT_MESSAGES,
  COMMANDS,
  DEFAULT_LIMITS,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  ENTRIES,
  EXAMPLES,
  encode,
  LOG_START,
  nextFingerprint,
  SERVER_MESSAGES,
  type ServerMessage,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'

/** A copy with a field more in every object whose form the protocol knows. */
function withUnknownFields(value: unknown, isEnvelope = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withUnknownFields(item))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([key, field]) => {
    const isOfApplication = key === 'payload' && ('seq' in value || !isEnvelope)
    const isOpen = key === 'metadata' || key === 'commands' || isOfApplication
    return [key, isOpen ? field : withUnknownFields(field)]
  })
  return { ...Object.fromEntries(fields), unknownField: { of: ['a', 'later', 'version'] } }
}

describe('there is one example', () => {
  it.each([
    ['of every message of the client', EXAMPLES.client, CLIENT_MESSAGES],
    ['of every message of the server', EXAMPLES.server, SERVER_MESSAGES],
    ['of every command', EXAMPLES.commands, COMMANDS],
    ['of every entry', EXAMPLES.entries, ENTRIES],
  ])('%s', (_what, examples: Record<string, { type: string }>, table) => {
    expect(Object.keys(examples).sort()).toEqual(Object.keys(table).sort())
    for (const [type, example] of Object.entries(examples)) expect(example.type).toBe(type)
  })
})

describe('a message of the client', () => {
  it.each(Object.values(EXAMPLES.client))('$type decodes to itself, without unknown fields', (message) => {
    const expected = [{ ok: true, message }]
    expect(decodeClientFrame(encode(message))).toEqual(expected)
    expect(decodeClientFrame(JSON.stringify(withUnknownFields(message, true)))).toEqual(expected)
  })
})

describe('a message of the server', () => {
  it.each(Object.values(EXAMPLES.server))('$type decodes to itself, without unknown fields', (message) => {
    const expected = [{ ok: true, message }]
    expect(decodeServerFrame(encode(message))).toEqual(expected)
    expect(decodeServerFrame(JSON.stringify(withUnknownFields(message, true)))).toEqual(expected)
  })
})

describe('a command', () => {
  it.each(Object.values(EXAMPLES.commands))('$type decodes to itself, without unknown fields', (command) => {
    expect(decodeCommand(command)).toEqual({ ok: true, ...command })
    expect(decodeCommand(withUnknownFields(command, true))).toEqual({ ok: true, ...command })
  })
})

describe('an entry', () => {
  it.each(Object.values(EXAMPLES.entries))('$type has the payload of its type', ({ type, payload }) => {
    expect(ENTRIES[type].parse(payload)).toEqual(payload)
    expect(ENTRIES[type].parse(withUnknownFields(payload))).toEqual(payload)
  })

  it.each(Object.values(EXAMPLES.entries))('$type travels in a frame of entries', (entry) => {
    const message: ServerMessage = {
      type: 'entries',
      payload: { room: 'general', entries: [entry], h: 'x' },
    }
    expect(decodeServerFrame(encode(message))).toEqual([{ ok: true, message }])
  })

  it('of a type that this version does not know travels just as well', () => {
    const entry = { ...EXAMPLES.entries.new_message, type: 'poll.opened', payload: { a: [1, { b: null }] } }
    const message: ServerMessage = {
      type: 'entries',
      payload: { room: 'general', entries: [entry], h: 'x' },
    }
    expect(decodeServerFrame(encode(message))).toEqual([{ ok: true, message }])
  })
})

describe('the examples', () => {
  it('tell one story: their fingerprints are those of their entries', () => {
    const { page } = EXAMPLES.server
    const [joined, said] = page.payload.entries
    let h = LOG_START.h
    const after = [EXAMPLES.entries.member_joined, joined!, said!].map((entry) => {
      h = nextFingerprint(h, entry.sender, entry.messageId)
      return h
    })
    expect(page.payload.after).toEqual({ seq: 1, h: after[0] })
    expect([page.payload.h, EXAMPLES.server.entries.payload.h]).toEqual([after[2], after[2]])
    expect(EXAMPLES.client.check.payload.rooms[0]?.after).toEqual({ seq: 3, h: after[2] })
  })

  it('show the default limits', () => {
    expect(EXAMPLES.server.connected.payload.limits).toEqual(DEFAULT_LIMITS)
  })
})
