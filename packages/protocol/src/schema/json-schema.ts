/**
 * JSON Schema of everything in the vocabulary, from the schemas that validate it: whole envelopes, commands as they stand
 * in `commands`, entries as they stand in `entries`. Two rules say more than a schema can: a direct room's id names its
 * users in order, and a message's length is bound by the limits in force.
 */
import * as z from 'zod/mini'
import { timestamp } from '../messages/fields.ts'
import { command, entry } from '../messages/messages.ts'
import { CLIENT_MESSAGES, COMMANDS, ENTRIES, SERVER_MESSAGES } from '../vocabulary.ts'
import { CLIENT_EXCHANGES, COMMAND_EXCHANGES, ENTRY_SUMMARIES, SERVER_SUMMARIES } from './exchanges.ts'
import { meaningOf } from './glossary.ts'

export type JsonSchema = z.core.JSONSchema.JSONSchema
export type Dialect = 'draft-2020-12' | 'draft-7'
export type Group = 'client' | 'server' | 'command' | 'entry'

export interface NamedSchema {
  readonly group: Group
  readonly type: string
  /** `client.ping`: unique among all. */
  readonly name: string
  readonly summary: string
  readonly schema: JsonSchema
}

/** One schema for each client message, server message, command and entry. */
export function jsonSchemas(dialect: Dialect = 'draft-2020-12'): NamedSchema[] {
  const make = (group: Group, type: string, summary: string, schema: z.ZodMiniType): NamedSchema => {
    const converted = z.toJSONSchema(schema, { io: 'input', target: dialect })
    describe(converted, type, [])
    const { $schema, ...rest } = converted
    return {
      group,
      type,
      name: `${group}.${type}`,
      summary,
      schema: { $schema, title: type, description: summary, ...rest } as JsonSchema,
    }
  }
  return [
    ...keys(CLIENT_MESSAGES).map((type) =>
      make('client', type, CLIENT_EXCHANGES[type].summary, envelope(type, CLIENT_MESSAGES[type])),
    ),
    ...keys(SERVER_MESSAGES).map((type) =>
      make('server', type, SERVER_SUMMARIES[type], envelope(type, SERVER_MESSAGES[type])),
    ),
    ...keys(COMMANDS).map((type) =>
      make('command', type, COMMAND_EXCHANGES[type].summary, commandItem(type, COMMANDS[type])),
    ),
    ...keys(ENTRIES).map((type) => make('entry', type, ENTRY_SUMMARIES[type], logEntry(type, ENTRIES[type]))),
  ]
}

function envelope(type: string, payload: z.ZodMiniType): z.ZodMiniType {
  return z.object({ type: z.literal(type), payload, timestamp: z.optional(timestamp) })
}

function commandItem(type: string, payload: z.ZodMiniType): z.ZodMiniType {
  return z.object({ ...command.shape, type: z.literal(type), payload })
}

function logEntry(type: string, payload: z.ZodMiniType): z.ZodMiniType {
  return z.object({ ...entry.shape, type: z.literal(type), payload })
}

/** Puts what the glossary says beside each field. A path begins in the payload. */
function describe(schema: JsonSchema, type: string, path: readonly string[]): void {
  for (const inner of innerSchemas(schema)) describe(inner, type, path)
  for (const [key, field] of Object.entries(schema.properties ?? {})) {
    if (typeof field === 'boolean') continue
    const fieldPath = [...path, key]
    const meaning = meaningOf(type, fieldPath)
    if (meaning !== undefined) field.description = meaning
    describe(field, type, path.length === 0 && key === 'payload' ? [] : fieldPath)
  }
}

/** The alternatives of a schema, and what the items of a list are. */
function innerSchemas({ oneOf = [], anyOf = [], items = [] }: JsonSchema): JsonSchema[] {
  return [oneOf, anyOf, items].flat().filter((inner): inner is JsonSchema => typeof inner === 'object')
}

function keys<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[]
}
