import { CLIENT_MESSAGES, COMMANDS, ENTRIES, MAX_DURATION_MS, SERVER_MESSAGES } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type * as z from 'zod/mini'
import {
  cursor,
  durationMs,
  looseCursor,
  position,
  ref,
  roomId,
  seq,
  timestamp,
} from '../../../packages/protocol/src/messages/fields.ts'
import { command, entry } from '../../../packages/protocol/src/messages/messages.ts'

const MAX = Number.MAX_SAFE_INTEGER

describe('a number', () => {
  it.each([
    { field: 'ref', schema: ref, least: 1 },
    { field: 'seq', schema: seq, least: 1 },
    { field: 'position', schema: position, least: 0 },
    { field: 'timestamp', schema: timestamp, least: 0 },
    { field: 'durationMs', schema: durationMs, least: 0, most: MAX_DURATION_MS },
  ])('$field is a safe integer from $least on', ({ schema, least, most = MAX }) => {
    const bad = [least - 1, least + 0.5, most + 1, Number.NaN, Number.POSITIVE_INFINITY, `${least}`, null]
    expect([least, least + 1, most].filter((value) => !schema.safeParse(value).success)).toEqual([])
    expect(bad.filter((value) => schema.safeParse(value).success)).toEqual([])
  })
})

describe('a room', () => {
  it.each(['general', 'a', '~ada', '~ada~bob', '~B~a'])('may be %s', (room) =>
    expect(roomId.safeParse(room).success).toBe(true),
  )

  it.each(['~bob~ada', '~a~B', '~ada~ada', '~', '~~', '~a~', '~a~b~c'])(
    'may not be %s: a direct room has one name',
    (room) => expect(roomId.safeParse(room).success).toBe(false),
  )
})

describe('a cursor', () => {
  it('has a fingerprint, but where the asker may not know it', () => {
    expect(cursor.safeParse({ seq: 0, h: '' }).success).toBe(true)
    expect(cursor.safeParse({ seq: 0 }).success).toBe(false)
    expect(looseCursor.safeParse({ seq: 0 }).success).toBe(true)
  })
})

describe('the name of a type', () => {
  it.each(['a', 'new_message', 'job.v2_done', 'a'.repeat(64)])('may be %s', (type) => {
    expect(command.safeParse({ type, messageId: 'message1' }).success).toBe(true)
  })

  it.each(['', 'A', '_a', '.a', '1a', 'a-b', 'a b', 'é', 'a'.repeat(65)])('may not be %j', (type) => {
    expect(command.safeParse({ type, messageId: 'message1' }).success).toBe(false)
    expect(entry.shape.type.safeParse(type).success).toBe(false)
  })
})

// What every schema of the vocabulary has in common, found by walking it.

interface Field {
  readonly path: string
  readonly schema: z.ZodMiniType
}

/** The schema and all that it is made of, each with the way to it. */
function walk(path: string, schema: z.ZodMiniType): Field[] {
  const { def } = schema as z.ZodMiniObject | z.ZodMiniArray | z.ZodMiniOptional | z.ZodMiniUnion
  switch (def.type) {
    case 'object':
      return [
        { path, schema },
        ...Object.entries(def.shape).flatMap(([key, part]) => walk(`${path}.${key}`, part as z.ZodMiniType)),
      ]
    case 'array':
      return [{ path, schema }, ...walk(`${path}[]`, def.element as z.ZodMiniType)]
    case 'optional':
      return [{ path: `${path}?`, schema }, ...walk(path, def.innerType as z.ZodMiniType)]
    case 'union':
      return def.options.flatMap((option, i) => walk(`${path}|${i}`, option as z.ZodMiniType))
    default:
      return [{ path, schema }]
  }
}

const all = [CLIENT_MESSAGES, SERVER_MESSAGES, COMMANDS, ENTRIES].flatMap(
  (table: Record<string, z.ZodMiniType>) =>
    Object.entries(table).flatMap(([type, schema]) => walk(type, schema)),
)
const typeOf = ({ schema }: Field) => (schema as z.ZodMiniUnknown | z.ZodMiniNullable).def.type as string

describe('every field of the vocabulary', () => {
  it('is left out where it has no value: null is none, but where a browser says it', () => {
    const nullable = all.filter(({ schema }) => schema.safeParse(null).success).map(({ path }) => path)
    expect(nullable.filter((path) => !BROWSER_FIELD.test(path))).toEqual(['commands.commands[]'])
  })

  it('is required or may be left out, and nothing is filled in', () => {
    for (const { path, schema } of all) {
      const parsed = schema.safeParse(undefined)
      if (parsed.success && path !== 'commands.commands[]')
        expect([path, parsed.data]).toEqual([expect.stringMatching(/\?$/), undefined])
    }
  })

  it('is bounded, where it is a list or a text', () => {
    const isBounded = ({ schema }: Field) =>
      ((schema as z.ZodMiniArray).def.checks ?? []).some((check) =>
        ['max_length', 'string_format'].includes(check._zod.def.check),
      )
    const lists = all.filter((field) => ['array', 'string'].includes(typeOf(field)))
    expect(lists.length).toBeGreaterThan(100)
    expect(lists.filter((field) => !isBounded(field)).map(({ path }) => path)).toEqual([])
  })

  it('is of a type that JSON Schema has', () => {
    const types = new Set(all.map(typeOf))
    const known = [
      'object',
      'array',
      'optional',
      'nullable',
      'record',
      'unknown',
      'string',
      'number',
      'boolean',
      'enum',
      'literal',
    ]
    expect([...types].filter((type) => !known.includes(type))).toEqual([])
  })
})

/** RTCIceCandidate.toJSON() gives null for what it does not know. */
const BROWSER_FIELD = /candidate\.candidate\.\w+\??$/
