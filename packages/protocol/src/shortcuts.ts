/**
 * Short ways through the door for what nearly all frames of clients are: `commands`, with plain messages in them. Each
 * says of a value exactly what its schema says, or leaves it to the schema; that it does is a property
 * (test/protocol/shortcuts.test.ts). A schema walks a description of what it checks, and costs several times the
 * JSON.parse before it; this costs a fraction, of which most are the characters of ids.
 *
 * Whoever changes a schema that stands beside a function here changes the function.
 */
import { ROOM_ID, usersOfDirectRoom } from './ids.ts'
import { MAX_BATCH, MAX_FRAME_BYTES } from './limits.ts'
import type { CommandPayload, PayloadOf } from './vocabulary.ts'

/**
 * One envelope of `commands`, all of them plain messages, with no key but those of such frames: that also says how deep it
 * is, so that nobody has to walk through it. Undefined: anything but that. Of texts in which nothing is escaped.
 */
export function readPlainFrame(
  value: unknown,
): { readonly type: 'commands'; readonly payload: PayloadOf<'commands'> } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const key in value) if (key !== 'type' && key !== 'payload') return undefined
  const { type, payload } = value as Readonly<Record<string, unknown>>
  const frame = type === 'commands' ? readCommands(payload) : undefined
  if (!frame) return undefined
  for (const key in payload as object) if (!isKeyOfCommands(key)) return undefined
  const commands: PlainMessage[] = []
  for (const item of frame.commands) {
    const command = readPlainMessage(item)
    if (!command) return undefined
    for (const key in item as object)
      if (key !== 'type' && key !== 'messageId' && key !== 'payload') return undefined
    commands.push(command)
  }
  frame.commands = commands
  return { type: 'commands', payload: frame }
}

function isKeyOfCommands(key: string): boolean {
  return key === 'ref' || key === 'room' || key === 'sid' || key === 'n' || key === 'commands'
}

/** The payload of `commands` as its schema gives it; undefined: it is none, and the schema can say why. */
export function readCommands(payload: unknown): PayloadOf<'commands'> | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const { ref, room, sid, n, commands } = payload as Readonly<Record<string, unknown>>
  if (!isFromOne(ref) || !isFromOne(n) || !isRoom(room)) return undefined
  if (typeof sid !== 'string' || !isRandomId(sid) || !Array.isArray(commands)) return undefined
  const { length } = commands
  const isBatch = length >= 1 && length <= MAX_BATCH && ref <= Number.MAX_SAFE_INTEGER - length + 1
  return isBatch ? { ref, room, sid, n, commands } : undefined
}

/** A `send_message` that holds its content and nothing else: an item of `commands` that is known to be of its form. */
export class PlainMessage {
  readonly type = 'send_message'
  readonly messageId: string
  readonly payload: CommandPayload<'send_message'>

  constructor(messageId: string, payload: CommandPayload<'send_message'>) {
    this.messageId = messageId
    this.payload = payload
  }
}

/** Undefined: anything but a plain message, right or wrong. */
export function readPlainMessage(item: unknown): PlainMessage | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { type, messageId, payload } = item as Readonly<Record<string, unknown>>
  if (type !== 'send_message' || typeof messageId !== 'string' || !isRandomId(messageId)) return undefined
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  for (const key in payload) if (key !== 'content') return undefined
  const { content } = payload as { readonly content?: unknown }
  const isText = typeof content === 'string' && content.length >= 1 && content.length <= MAX_FRAME_BYTES
  return isText ? new PlainMessage(messageId, { content }) : undefined
}

/** As MESSAGE_ID and SID, in two thirds of their time. */
function isRandomId(text: string): boolean {
  return text.length >= 8 && text.length <= 64 && !STRANGE_IN_ID.test(text)
}

const STRANGE_IN_ID = /[^A-Za-z0-9_-]/

function isFromOne(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
}

function isRoom(value: unknown): value is string {
  if (typeof value !== 'string' || !ROOM_ID.test(value)) return false
  return !value.includes('~', 1) || usersOfDirectRoom(value) !== undefined
}
