// Fills in the parts of docs/protocol.md that say what tables say: what each message carries, its example, the codes, the
// limits, the forms of ids. They stand between `<!-- begin: … -->` and `<!-- end -->`; all other text is written by hand.
// test/docs.test.ts holds the document to it. After a change of the vocabulary or of a table:
//
//     node_modules/.bin/node --conditions=source scripts/protocol-document.ts

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  CODE_NAME,
  CODES,
  type Code,
  DEFAULT_LIMITS,
  EXAMPLES,
  FINGERPRINT,
  MAX_BATCH,
  MAX_DEPTH,
  MAX_DURATION_MS,
  MAX_EMOJIS_PER_MESSAGE,
  MAX_FRAME_BYTES,
  MAX_MENTIONS,
  MAX_METADATA_BYTES,
  MAX_PAGE_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_PAGE_MEMBERS,
  MAX_PAYLOAD_BYTES,
  MAX_PRESENT_USERS,
  MAX_RECEIPT_MEMBERS,
  MAX_REPLAY_ENTRIES,
  MAX_ROOM_METADATA_BYTES,
  MAX_ROOMS_PER_FRAME,
  MAX_RUN_ENTRIES,
  MAX_UNREAD_LOOKS,
  MAX_UNREAD_ROOMS,
  MAX_USERS_PER_FRAME,
  MAX_WATCHED_USERS,
  MEANINGS,
  MESSAGE_ID,
  ROOM_ID,
  USER_ID,
} from '@tautline/protocol'
import { CALL_ID, callProtocol, PEER_ID } from '@tautline/protocol/calls'
import {
  CLIENT_EXCHANGES,
  COMMAND_EXCHANGES,
  type JsonSchema,
  jsonSchemas,
  type NamedSchema,
} from '@tautline/protocol/schema'
import * as z from 'zod/mini'

const path = fileURLToPath(new URL('../docs/protocol.md', import.meta.url))
const schemas = new Map(jsonSchemas().map((schema) => [schema.name, schema]))

/** The document with its generated parts as they must be. */
export function fillIn(text: string): string {
  return text.replaceAll(
    /(<!-- begin: ([\w.]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_whole, begin: string, name: string, end: string) => `${begin}\n${partOf(name)}\n\n${end}`,
  )
}

function partOf(name: string): string {
  const schema = schemas.get(name)
  if (schema) return messagePart(schema)
  switch (name) {
    case 'codes':
      return codesPart()
    case 'close_codes':
      return closeCodesPart()
    case 'limits':
      return limitsPart()
    case 'bounds':
      return boundsPart()
    case 'ids':
      return idsPart()
    case 'content':
      return contentPart()
    case 'calls':
      return callsPart()
    case 'call':
      return callFieldsPart('call_changed', 'call')
    case 'call_record':
      return callFieldsPart('call_ended')
    case 'call_signal':
      return callFieldsPart('peer_signal')
    case 'call_errors':
      return callErrorsPart()
    default:
      throw new Error(`docs/protocol.md asks for a part that nobody makes: ${name}`)
  }
}

// --- a message -----------------------------------------------------------------------------------------------------

function messagePart(named: NamedSchema): string {
  const payload = payloadOf(named.schema)
  const rows = fieldRows(payload)
  const fields = rows.length > 0 ? table(['field', 'form', 'meaning'], rows) : 'No fields.'
  const body = holdsContent(payload)
    ? `${fields}\n\nBeside these, the fields of [content](#content).`
    : fields
  return [`${directionOf(named)} ${named.summary}${afterwards(named)}`, body, example(named)].join('\n\n')
}

function directionOf({ group }: NamedSchema): string {
  const directions = {
    client: '**Client to server.**',
    server: '**Server to client.**',
    command: '**Command**, an item of `commands`.',
    entry: '**Entry** of a log.',
  }
  return directions[group]
}

function afterwards({ group, type }: NamedSchema): string {
  if (group === 'client') {
    const { replies } = CLIENT_EXCHANGES[type as keyof typeof CLIENT_EXCHANGES]
    const names = quoted(replies).replaceAll(', ', ' or ')
    return names ? ` Answered by ${names}, or by \`error\`.` : ' Not answered.'
  }
  if (group !== 'command') return ''
  const { becomes } = COMMAND_EXCHANGES[type as keyof typeof COMMAND_EXCHANGES]
  return becomes ? ` Becomes \`${becomes}\`.` : ' Becomes nothing.'
}

function example({ group, type }: NamedSchema): string {
  const examples: Readonly<Record<NamedSchema['group'], Readonly<Record<string, unknown>>>> = {
    client: EXAMPLES.client,
    server: EXAMPLES.server,
    command: EXAMPLES.commands,
    entry: EXAMPLES.entries,
  }
  return `\`\`\`json\n${JSON.stringify(examples[group][type])}\n\`\`\``
}

// --- fields --------------------------------------------------------------------------------------------------------

/** Shapes that have a name in the document, told by what they demand. */
const SHAPES = new Map<string, string>([
  [fingerprintOf(fieldAt('server.entries', ['entries', '[]'])), '[entry](#entries)'],
  [fingerprintOf(fieldAt('server.page', ['after'])), 'cursor'],
  [fingerprintOf(fieldAt('client.get_reactions', ['target'])), 'message name'],
  [fingerprintOf(fieldAt('entry.message_deleted', ['target'])), 'message place'],
  [fingerprintOf(fieldAt('server.room_list', ['rooms', '[]'])), 'room description'],
])
/** Where a named shape is told in full. */
const TOLD_IN_FULL = new Set(['room description'])

const PATTERNS = new Map([
  [USER_ID.source, 'user id'],
  [ROOM_ID.source, 'room id'],
  [MESSAGE_ID.source, 'message id'],
  [FINGERPRINT.source, 'fingerprint'],
])

function payloadOf(schema: JsonSchema): JsonSchema {
  return propertyOf(schema, 'payload')
}

function fieldRows(schema: JsonSchema, prefix = ''): string[][] {
  const skipped = holdsContent(schema) ? contentFields() : new Set<string>()
  const merged = schema.oneOf?.[0] ?? schema
  const required = new Set(typeof merged === 'object' ? (merged.required ?? []) : [])
  return Object.keys(propertiesOf(merged))
    .filter((key) => !skipped.has(key))
    .flatMap((key) => {
      const field = propertyOf(merged, key)
      const name = `${prefix}${key}`
      const row = [`\`${name}\`${required.has(key) ? '' : ' ?'}`, formOf(field, key), field.description ?? '']
      const items = itemsOf(field)
      return [row, ...(items ? innerRows(items, `${name}[].`) : innerRows(field, `${name}.`))]
    })
}

function innerRows(schema: JsonSchema, prefix: string): string[][] {
  const shape = SHAPES.get(fingerprintOf(schema))
  return shape && !TOLD_IN_FULL.has(shape) ? [] : fieldRows(schema, prefix)
}

/** What a field may be, in words. */
function formOf(schema: JsonSchema, key: string): string {
  const nullable = schema.anyOf?.find((inner) => typeof inner === 'object' && inner.type !== 'null')
  if (typeof nullable === 'object') return `${formOf(nullable, key)}, or null`
  const items = itemsOf(schema)
  if (items) {
    const many = bounds(schema.minItems, schema.maxItems).replace('from', 'at least')
    const what = key === 'commands' ? 'commands' : plural(formOf(items, key))
    return `list of ${many ? `${many} ` : ''}${what}`
  }
  if (schema.enum) return quoted(schema.enum.map(String))
  if (schema.const !== undefined) return schema.const === '' ? 'empty' : `\`${String(schema.const)}\``
  if (schema.type === 'integer' || schema.type === 'number') return numberForm(schema)
  if (schema.type === 'string') return textForm(schema, key)
  if (schema.type === 'boolean') return 'true or false'
  return SHAPES.get(fingerprintOf(schema)) ?? (isOpen(schema) ? 'any object' : 'object')
}

function numberForm({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const noun = type === 'integer' ? 'integer' : 'number'
  if (exclusiveMinimum !== undefined) return `${noun} above ${exclusiveMinimum}`
  const range = bounds(minimum, maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum)
  return range ? `${noun} ${range}` : noun
}

function textForm({ pattern, minLength, maxLength }: JsonSchema, key: string): string {
  if (key === 'sid') return 'lane id'
  if (key === 'callId') return 'call id'
  if (key === 'peerId' || ((key === 'from' || key === 'to') && pattern === PEER_ID.source)) return 'peer id'
  if (key === 'emoji') return 'emoji'
  if (key === 'type') return 'type name'
  if (key === 'mediaType') return 'media type'
  if (key === 'code') return 'code'
  if (key === 'url' || key === 'avatarUrl') return `address, ${bounds(minLength, maxLength)} characters`
  const known = PATTERNS.get(pattern ?? '')
  if (known) return known
  if (pattern !== undefined) throw new Error(`the form of ${key} has no name`)
  const length = bounds(minLength, maxLength)
  return length ? `text, ${length} characters` : 'text'
}

function bounds(least: number | undefined, most: number | undefined): string {
  if (most === undefined) return least === undefined ? '' : `from ${number(least)}`
  return least === undefined ? `up to ${number(most)}` : `${number(least)} to ${number(most)}`
}

/** `[entry](#entries)` as well as `entry`. */
function plural(form: string): string {
  return form.replace(/^\[?[\w ]+/, (noun) => (noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`))
}

// --- content -------------------------------------------------------------------------------------------------------

function holdsContent(schema: JsonSchema): boolean {
  return schema.oneOf !== undefined && 'content' in propertiesOf(schema.oneOf[0] ?? {})
}

/** What `send_message` may say beside what it answers: the same in every command and entry that holds content. */
function contentVariants(): JsonSchema[] {
  const { oneOf = [] } = payloadOf(schemaOf('entry.message_edited'))
  return oneOf.filter((variant): variant is JsonSchema => typeof variant === 'object')
}

function contentFields(): Set<string> {
  return new Set(
    contentVariants().flatMap((variant) =>
      Object.keys(propertiesOf(variant)).filter((key) => key !== 'target'),
    ),
  )
}

function contentPart(): string {
  const kinds = contentVariants().map((variant) => String(propertyOf(variant, 'kind').const))
  const rows = new Map<string, { row: string[]; within: string[] }>()
  for (const variant of contentVariants()) {
    const { target: _target, kind, ...properties } = propertiesOf(variant)
    for (const row of fieldRows({ ...variant, properties })) {
      const within = rows.get(row.join())?.within ?? []
      within.push(String(Object(kind).const))
      rows.set(row.join(), { row, within })
    }
  }
  return table(
    ['field', 'form', 'in', 'meaning'],
    [
      ['`kind` ?', quoted(kinds), 'all', String(propertyOf(contentVariants()[0] ?? {}, 'kind').description)],
      ...[...rows.values()]
        .map(({ row: [name = '', form = '', meaning = ''], within }) => [
          name,
          form,
          within.length === kinds.length - 1 ? `all but \`${kinds.at(-1)}\`` : quoted(within),
          meaning,
        ])
        .sort(byName),
    ],
  )
}

/** The rows of one field stand together; else the order stays. */
function byName([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return Number(b === '`content`') - Number(a === '`content`')
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

// --- tables of the protocol ----------------------------------------------------------------------------------------

function codesPart(): string {
  return table(
    ['code', 'meaning', 'again?', 'final', 'the client'],
    codeRows()
      .filter(([, row]) => row.closeCode === null)
      .map(([code, { retryable, final, action }]) => [
        `\`${code}\``,
        MEANINGS[code],
        retryable ? 'yes' : 'no',
        final ? 'yes' : 'no',
        ACTIONS[action],
      ]),
  )
}

function closeCodesPart(): string {
  return table(
    ['close code', 'code', 'meaning', 'the client'],
    codeRows()
      .filter(([, row]) => row.closeCode !== null)
      .map(([code, { closeCode, action }]) => [
        String(closeCode),
        `\`${code}\``,
        MEANINGS[code],
        ACTIONS[action],
      ]),
  )
}

const ACTIONS = {
  none: 'tells the application',
  fail: 'fails the one command, and goes on',
  retry: 'tries again after a wait',
  retry_slowly: 'tries again after the longest wait',
  reauthenticate: 'asks for a fresh token once, then stops',
  stop: 'stops until it is told to connect',
} as const

function codeRows(): [Code, (typeof CODES)[Code]][] {
  return Object.entries(CODES) as [Code, (typeof CODES)[Code]][]
}

function limitsPart(): string {
  const connected = propertyOf(payloadOf(schemaOf('server.connected')), 'limits')
  return table(
    ['limit', 'default', 'meaning'],
    Object.entries(DEFAULT_LIMITS).map(([name, value]) => [
      `\`${name}\``,
      number(value),
      propertyOf(connected, name).description ?? '',
    ]),
  )
}

function boundsPart(): string {
  return table(
    ['bound', 'value'],
    [
      ['the largest frame that a server may be set to take, in bytes', number(MAX_FRAME_BYTES)],
      ['levels of a frame, the outermost object included, an array of envelopes not', number(MAX_DEPTH)],
      ['envelopes in a frame, and commands in `commands`', number(MAX_BATCH)],
      ['rooms in `subscribe`, `unsubscribe`, `check`, `join_rooms`', number(MAX_ROOMS_PER_FRAME)],
      ['users in `subscribe_presence` and `unsubscribe_presence`', number(MAX_USERS_PER_FRAME)],
      ['users of whom one connection is told by `subscribe_presence`', number(MAX_WATCHED_USERS)],
      ['users mentioned by one message', number(MAX_MENTIONS)],
      ["bytes of the payload of a message of the application's own, as JSON", number(MAX_PAYLOAD_BYTES)],
      ['bytes of the metadata of a message, as JSON', number(MAX_METADATA_BYTES)],
      ['bytes of the metadata of a room, as JSON', number(MAX_ROOM_METADATA_BYTES)],
      ['different emojis on one message', number(MAX_EMOJIS_PER_MESSAGE)],
      ['users named by `room_presence` and `active_member_list`', number(MAX_PRESENT_USERS)],
      ['members of a room in which others are told how far one has read', number(MAX_RECEIPT_MEMBERS)],
      ['entries of `entries`, and items of `ack`', number(MAX_RUN_ENTRIES)],
      ['rooms at which one `list_unread` looks', number(MAX_UNREAD_LOOKS)],
      ['rooms of an `unread_list`', number(MAX_UNREAD_ROOMS)],
      ['milliseconds of a duration: thirty days', number(MAX_DURATION_MS)],
      ['entries of a page', number(MAX_PAGE_ENTRIES)],
      ['members of a `member_list`', number(MAX_PAGE_MEMBERS)],
      ['bytes beyond which a page ends (it holds at least one entry)', number(MAX_PAGE_BYTES)],
      ['entries behind, beyond which a subscription may jump to the newest page', number(MAX_REPLAY_ENTRIES)],
    ],
  )
}

function idsPart(): string {
  const row = (name: string, form: RegExp) => [name, `\`${form.source.replaceAll('|', '\\|')}\``]
  return table(
    ['id', 'form'],
    [
      row('user id', USER_ID),
      row('room id', ROOM_ID),
      row('message id, lane id (`sid`)', MESSAGE_ID),
      row('call id', CALL_ID),
      row('peer id', PEER_ID),
      row('fingerprint (`h`)', FINGERPRINT),
      ['type name', `\`${fieldAt('server.entries', ['entries', '[]', 'type']).pattern}\``],
      row('code', CODE_NAME),
      [
        'address of a file',
        `\`${fieldAt('command.send_message', ['file', 'url']).pattern?.replaceAll('|', '\\|')}\``,
      ],
      ['media type', `\`${fieldAt('command.send_message', ['file', 'mediaType']).pattern}\``],
    ],
  )
}

// --- calls ---------------------------------------------------------------------------------------------------------

const CALL_MESSAGES = {
  start_call:
    'Call members of the room: `to`, or all of it. Where a call is on in the room, come into it instead.',
  answer_call: 'Take the call with this device, or come (back) into one that is on.',
  reject_call: 'The user does not take the call.',
  end_call: 'Hang up, before or after an answer.',
  resume_call: 'Still in the call, on another connection.',
  get_calls: 'The calls in which the user is, or that ring for them.',
  signal_peer: 'Say something to another peer.',
  peer_signal: 'What another peer says: to the device of `to`.',
  call_changed: 'How a call stands now: to all devices of who is in it or is called.',
  call_started: 'A call began; its message id is the `callId`, its sender who started it.',
  call_ended: 'A call is over; said by `system`.',
} satisfies Record<keyof (typeof callProtocol)['messages'], string>

const CALL_FIELDS: Readonly<Record<string, string>> = {
  callId: 'Names the call: chosen by who starts it.',
  room: 'The room whose members it is of.',
  media: 'What it shall carry. What is sent is up to each.',
  startedBy: 'Who started it.',
  seq: 'The position of `call_started`.',
  startedAt: 'When it began to ring, in Unix milliseconds.',
  answeredAt: 'When the second user came in, in Unix milliseconds.',
  revision: 'Of two pictures of a call the one with the higher number is newer.',
  isRestored: 'The server was started anew, and waits for devices that it may not know of yet.',
  participants: 'Who is in it, is called, or was.',
  userId: 'The user.',
  state: 'What the user is in it.',
  peerId: "Names this device's part in it: chosen by it anew each time that it comes in.",
  isConnected: 'Whether the server has a connection of the device now.',
  ended: 'Once it is over.',
  at: 'When, in Unix milliseconds.',
  reason: 'Why.',
  durationMs: 'From the answer to the end; 0 where nobody answered.',
  users: 'Who was in it or was called.',
  from: 'The peer that says it.',
  to: 'The peer that is told.',
  signal: 'What it says.',
  n: 'Its number in the lane from the one peer to the other; 0: it is a hello, and has none.',
  received: 'Up to which number the lane back arrived.',
  description: 'A session description.',
  type: 'As in RTCSessionDescriptionInit.',
  sdp: 'As in RTCSessionDescriptionInit.',
  candidates: 'ICE candidates, as RTCIceCandidate.toJSON() gives them.',
  candidate: 'The candidate line.',
  sdpMid: 'As in RTCIceCandidateInit.',
  sdpMLineIndex: 'As in RTCIceCandidateInit.',
  usernameFragment: 'As in RTCIceCandidateInit.',
}

type CallMessage = keyof typeof CALL_MESSAGES

function callsPart(): string {
  const kinds = { request: 'request', event: 'event', durable: 'entry' }
  return table(
    ['message', 'kind', 'carries', 'answer', 'meaning'],
    Object.entries(callProtocol.messages).map(([type, message]) => [
      `\`${type}\``,
      kinds[message.kind],
      fieldNames(message.payload),
      message.kind === 'request' ? fieldNames(message.response) : '',
      CALL_MESSAGES[type as CallMessage],
    ]),
  )
}

function fieldNames(schema: z.ZodMiniType): string {
  const { properties = {}, required = [] } = jsonOf(schema)
  return Object.keys(properties)
    .map((key) => `\`${key}\`${required.includes(key) ? '' : ' ?'}`)
    .join(', ')
}

function callFieldsPart(type: CallMessage, field?: string): string {
  const payload = jsonOf(callProtocol.messages[type].payload)
  const shown = field === undefined ? payload : propertyOf(payload, field)
  const rows = fieldRows(shown).map(([name = '', form = '']) => {
    const key = name.match(/(\w+)`/)?.[1] ?? ''
    const meaning = CALL_FIELDS[key]
    if (meaning === undefined) throw new Error(`nobody says what ${key} of a call means`)
    return [name, form, meaning]
  })
  return table(['field', 'form', 'meaning'], rows)
}

function callErrorsPart(): string {
  return table(
    ['error', 'meaning'],
    Object.entries(callProtocol.errors).map(([code, { message }]) => [`\`${code}\``, message]),
  )
}

function jsonOf(schema: z.ZodMiniType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input' })
}

// --- reading schemas -----------------------------------------------------------------------------------------------

function schemaOf(name: string): JsonSchema {
  const found = schemas.get(name)
  if (!found) throw new Error(`no schema is named ${name}`)
  return found.schema
}

function propertiesOf(schema: JsonSchema | boolean): Readonly<Record<string, JsonSchema | boolean>> {
  return typeof schema === 'object' ? (schema.properties ?? {}) : {}
}

function propertyOf(schema: JsonSchema | boolean, key: string): JsonSchema {
  const property = propertiesOf(schema)[key]
  if (typeof property !== 'object') throw new Error(`a schema has no field ${key}`)
  return property
}

/** The field at a path below the payload; `[]` stands for the items of a list. */
function fieldAt(name: string, keys: readonly string[]): JsonSchema {
  let schema = payloadOf(schemaOf(name))
  for (const key of keys) {
    const variant = schema.oneOf?.find((inner) => key in propertiesOf(inner)) ?? schema
    schema = key === '[]' ? (itemsOf(schema) ?? {}) : propertyOf(variant, key)
  }
  return schema
}

function itemsOf({ type, items }: JsonSchema): JsonSchema | undefined {
  if (type !== 'array') return undefined
  return typeof items === 'object' && !Array.isArray(items) ? items : {}
}

function isOpen({ properties }: JsonSchema): boolean {
  return properties === undefined
}

/** The schema without its sentences: two that demand the same are one shape. */
function fingerprintOf(schema: JsonSchema): string {
  return JSON.stringify(schema, (key, value: unknown) => (key === 'description' ? undefined : value))
}

// --- writing -------------------------------------------------------------------------------------------------------

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

// Last, when everything above is there.
if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(path, fillIn(readFileSync(path, 'utf8')))
