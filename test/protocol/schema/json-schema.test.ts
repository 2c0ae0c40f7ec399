import { CLIENT_MESSAGES, COMMANDS, ENTRIES, EXAMPLES, SERVER_MESSAGES } from '@tautline/protocol'
import { type Group, type JsonSchema, jsonSchemas } from '@tautline/protocol/schema'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { MEANING_KEYS, meaningKeys } from '../../../packages/protocol/src/schema/glossary.ts'

const schemas = jsonSchemas()
const examples: Readonly<Record<Group, Readonly<Record<string, object>>>> = {
  client: EXAMPLES.client,
  server: EXAMPLES.server,
  command: EXAMPLES.commands,
  entry: EXAMPLES.entries,
}

describe('the JSON Schemas', () => {
  it('are one for everything in the vocabulary', () => {
    const names = [
      ...Object.keys(CLIENT_MESSAGES).map((type) => `client.${type}`),
      ...Object.keys(SERVER_MESSAGES).map((type) => `server.${type}`),
      ...Object.keys(COMMANDS).map((type) => `command.${type}`),
      ...Object.keys(ENTRIES).map((type) => `entry.${type}`),
    ]
    expect(schemas.map(({ name }) => name)).toEqual(names)
    expect(new Set(names).size).toBe(names.length)
  })

  it('are what they say: of draft 2020-12, and of draft 7 where asked', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
    for (const { name, schema } of schemas) {
      expect(schema.$schema, name).toBe('https://json-schema.org/draft/2020-12/schema')
      expect(ajv.validateSchema(schema), name).toBe(true)
    }
    const older = new Ajv()
    for (const { name, schema } of jsonSchemas('draft-7'))
      expect(older.validateSchema(schema), name).toBe(true)
  })
})

describe('the JSON Schema of a message', () => {
  const ajv = new Ajv2020()

  it.each(schemas)(
    '$name accepts its example, with fields that it does not know',
    ({ group, type, schema }) => {
      const validate = ajv.compile(schema)
      const example = examples[group][type]
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
      expect(validate({ ...example, unknownField: [1] })).toBe(true)
    },
  )

  it.each(schemas)('$name refuses its example under another type, and without a payload', (named) => {
    const validate = ajv.compile(named.schema)
    const example = examples[named.group][named.type]
    expect(validate({ ...example, type: 'other' })).toBe(false)
    expect(validate({ ...example, payload: undefined })).toBe(false)
    expect(validate([example])).toBe(false)
  })

  it.each(schemas)('$name requires of the payload what the validator requires', ({ group, type, schema }) => {
    const validate = ajv.compile(schema)
    const tables = { client: CLIENT_MESSAGES, server: SERVER_MESSAGES, command: COMMANDS, entry: ENTRIES }
    const validator = new Map(Object.entries(tables[group])).get(type)
    const { payload, ...rest } = examples[group][type] as { payload: Record<string, unknown> }
    for (const field of Object.keys(payload)) {
      const { [field]: _, ...without } = payload
      const isAccepted = validator?.safeParse(without).success
      expect(validate({ ...rest, payload: without }), `without ${field}`).toBe(isAccepted)
    }
  })
})

describe('the glossary', () => {
  const fields = schemas.flatMap(({ type, schema }) => fieldsOf(schema).map((path) => ({ type, path })))

  it('has a sentence for every field', () => {
    const keys = new Set(MEANING_KEYS)
    const silent = fields.filter(({ type, path }) => !meaningKeys(type, path).some((key) => keys.has(key)))
    expect(silent).toEqual([])
  })

  it('has no sentence for what is no field', () => {
    const keys = new Set(fields.flatMap(({ type, path }) => meaningKeys(type, path)))
    expect(MEANING_KEYS.filter((key) => !keys.has(key))).toEqual([])
  })

  it('stands in the schemas', () => {
    const subscribe = schemas.find(({ name }) => name === 'client.subscribe')
    expect(JSON.stringify(subscribe)).toContain('"description":"The epoch that the cursors belong to."')
  })
})

/** The paths of all fields, from the payload on. */
function fieldsOf(schema: JsonSchema, path: readonly string[] = []): string[][] {
  const inner = [schema.oneOf ?? [], schema.anyOf ?? [], schema.items ?? []].flat()
  return [
    ...inner.flatMap((item) => (typeof item === 'object' ? fieldsOf(item, path) : [])),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
      const isPayload = path.length === 0 && key === 'payload'
      const here = [...path, key]
      return [here, ...(typeof field === 'object' ? fieldsOf(field, isPayload ? [] : here) : [])]
    }),
  ]
}
