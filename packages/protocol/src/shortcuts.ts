/**
 * Short ways through the door for what nearly all frames of clients are: `commands`, with plain messages in them. Each
 * says of a value exactly what its schema says, or leaves it to the schema; that it does is a property
 * (test/protocol/shortcuts.test.ts). A schema walks a description of what it checks, and costs several times the
 * JSON.parse before it; this costs a fraction.
 *
 * Whoever changes a schema that stands beside a function here changes the function.
 */
import { MESSAGE_ID, ROOM_ID, SID, usersOfDirectRoom } from './ids.ts'
import { MAX_BATCH, MAX_FRAME_BYTES } from './limits.ts'
import type { CommandPayload, PayloadOf } from './vocabulary.ts'

/** The payload of `commands` as its schema gives it; undefined: it is none, and the schema can say why. */
export function readCommands(payload: unknown): PayloadOf<'commands'> | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const { ref, room, sid, n, commands } = payload as Readonly<Record<string, unknown>>
  if (!isFromOne(ref) || !isFromOne(n) || !isRoom(room)) return undefined
  if (typeof sid !== 'string' || !SID.test(sid) || !Array.isArray(commands)) return undefined
  const { length } = commands
  const isBatch = length >= 1 && length <= MAX_BATCH && ref <= Number.MAX_SAFE_INTEGER - length + 1
  return isBatch ? { ref, room, sid, n, commands } : undefined
}

/** As `decodeCommand` gives it. */
interface PlainMessage {
  readonly ok: true
  readonly type: 'send_message'
  readonly messageId: string
  readonly payload: CommandPayload<'send_message'>
}

/** A `send_message` that holds its content and nothing else; undefined: anything but that, right or wrong. */
export function readPlainMessage(item: unknown): PlainMessage | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { type, messageId, payload } = item as Readonly<Record<string, unknown>>
  if (type !== 'send_message' || typeof messageId !== 'string' || !MESSAGE_ID.test(messageId))
    return undefined
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  for (const key in payload) if (key !== 'content') return undefined
  const { content } = payload as { readonly content?: unknown }
  const isText = typeof content === 'string' && content.length >= 1 && content.length <= MAX_FRAME_BYTES
  return isText ? { ok: true, type, messageId, payload: { content } } : undefined
}

function isFromOne(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
}

function isRoom(value: unknown): value is string {
  if (typeof value !== 'string' || !ROOM_ID.test(value)) return false
  return !value.includes('~', 1) || usersOfDirectRoom(value) !== undefined
}
