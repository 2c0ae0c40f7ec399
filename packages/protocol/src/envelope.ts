/**
 * The only door for text. `decode…` turns one frame into messages and never throws: what is wrong becomes a result
 * with its code. The order of the checks is size, JSON, depth and text, envelope, type, schema; each later one may
 * rely on those before. A fault of depth or text condemns the frame, but within a durable command that command alone:
 * an outbox would send the frame again for ever. `encode` is the way out.
 */
import type * as z from 'zod/mini'
import type { Code } from './codes.ts'
import { DEFAULT_LIMITS, MAX_BATCH, MAX_DEPTH } from './limits.ts'
import { command as commandSchema } from './messages/messages.ts'
import { PlainMessage, readCommands, readPlainFrame, readPlainMessage } from './shortcuts.ts'
import { findFault, type TextFault, utf8Bytes } from './text.ts'
import {
  CLIENT_MESSAGES,
  type ClientMessage,
  COMMANDS,
  type CommandPayload,
  type CommandType,
  SERVER_MESSAGES,
  type ServerMessage,
} from './vocabulary.ts'

export interface DecodeOptions {
  /** Largest frame in bytes of UTF-8. Default: 65,536 for a client's, no bound for a server's (a page is larger). */
  readonly maxFrameBytes?: number
}

export type Decoded<M> =
  | { readonly ok: true; readonly message: M }
  | {
      readonly ok: false
      readonly code: Code
      /** For people; never holds what was sent. */
      readonly detail: string
      /** The `ref` of the message, where it could be read. */
      readonly ref: number | undefined
      /** Of `commands` that could be counted: how many refs, from that one on, are refused with it. */
      readonly count?: number | undefined
    }

/** What a client sent: for servers. A frame holds one envelope or an array of at most 256. */
export function decodeClientFrame(text: string, options?: DecodeOptions): Decoded<ClientMessage>[] {
  return decodeFrame<ClientMessage>(
    text,
    CLIENT_MESSAGES,
    options?.maxFrameBytes ?? DEFAULT_LIMITS.maxFrameBytes,
  )
}

/** What a server sent: for clients that want every frame validated. */
export function decodeServerFrame(text: string, options?: DecodeOptions): Decoded<ServerMessage>[] {
  return decodeFrame<ServerMessage>(text, SERVER_MESSAGES, options?.maxFrameBytes ?? Number.POSITIVE_INFINITY)
}

export type DecodedCommand =
  | {
      readonly [K in CommandType]: {
        readonly ok: true
        readonly type: K
        readonly messageId: string
        readonly payload: CommandPayload<K>
      }
    }[CommandType]
  /**
   * `messageId` could be read: the command is decided in its lane, with this code, which is final; but a type that the
   * vocabulary lacks (UNKNOWN_TYPE) may be the application's. Else the code is INVALID_MESSAGE, and the command has no
   * effect.
   */
  | { readonly ok: false; readonly messageId: string | undefined; readonly code: Code }

/** One item of a `commands` frame. */
export function decodeCommand(item: unknown): DecodedCommand {
  const plain = item instanceof PlainMessage ? item : readPlainMessage(item)
  if (plain) return { ok: true, type: plain.type, messageId: plain.messageId, payload: plain.payload }
  const head = commandSchema.safeParse(item)
  if (!head.success) {
    const messageId = messageIdOf(item)
    return { ok: false, messageId, code: messageId === undefined ? 'INVALID_MESSAGE' : 'VALIDATION_ERROR' }
  }
  const { type, messageId, payload } = head.data
  if (!isKeyOf(COMMANDS, type)) return { ok: false, messageId, code: 'UNKNOWN_TYPE' }
  const body = COMMANDS[type].safeParse(payload ?? {})
  if (!body.success) return { ok: false, messageId, code: 'VALIDATION_ERROR' }
  return { ok: true, type, messageId, payload: body.data } as DecodedCommand
}

export function encode(
  message: ClientMessage | ServerMessage | readonly (ClientMessage | ServerMessage)[],
): string {
  return JSON.stringify(message)
}

function decodeFrame<M>(
  text: string,
  table: Readonly<Record<string, z.ZodMiniType>>,
  maxBytes: number,
): Decoded<M>[] {
  // No character takes more than three bytes: most frames need no counting.
  if (text.length > maxBytes || (text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes))
    return [refuse('FRAME_TOO_BIG', 'the frame is too large')]
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return [refuse('PARSE_ERROR', 'the frame is not JSON')]
  }
  // Without an escape there is no way to write NUL or a lone surrogate: a text frame is valid UTF-8.
  const hasEscapes = text.includes('\\')
  const plain = !hasEscapes && table === CLIENT_MESSAGES ? readPlainFrame(value) : undefined
  if (plain) return [{ ok: true, message: plain as M }]
  let fault = findFrameFault(value, hasEscapes)
  if (fault) {
    value = Array.isArray(value) ? value.map(withoutFaultyCommands) : withoutFaultyCommands(value)
    fault = findFrameFault(value, hasEscapes)
  }
  if (fault) return [refuse('PARSE_ERROR', FAULTS[fault])]
  if (!Array.isArray(value)) return [decodeEnvelope<M>(value, table)]
  if (value.length === 0 || value.length > MAX_BATCH) {
    return [refuse('PARSE_ERROR', `a batch holds 1 to ${MAX_BATCH} envelopes`)]
  }
  return value.map((item) => decodeEnvelope<M>(item, table))
}

/** A batch is a level of its own: an envelope may nest as deep in one as alone. */
function findFrameFault(value: unknown, hasEscapes: boolean): TextFault | undefined {
  return findFault(value, hasEscapes, Array.isArray(value) ? MAX_DEPTH + 1 : MAX_DEPTH)
}

/** The envelope without the content of commands that are at fault: what is left of one is decided in its lane. */
function withoutFaultyCommands(envelope: unknown): unknown {
  if (!isObject(envelope) || envelope['type'] !== 'commands' || !isObject(envelope['payload']))
    return envelope
  const { payload } = envelope
  if (!Array.isArray(payload['commands'])) return envelope
  const commands = payload['commands'].map((item: unknown) =>
    findFault(item, true, MAX_DEPTH - COMMAND_LEVEL) ? { messageId: messageIdOf(item), payload: null } : item,
  )
  return { ...envelope, payload: { ...payload, commands } }
}

/** The levels around a command: the envelope, its payload, the list. */
const COMMAND_LEVEL = 3

const FAULTS = {
  too_deep: 'the frame nests too deep',
  bad_text: 'the frame holds NUL or a lone surrogate',
  bad_key: 'the frame holds a forbidden key',
} as const

function decodeEnvelope<M>(value: unknown, table: Readonly<Record<string, z.ZodMiniType>>): Decoded<M> {
  if (!isObject(value) || typeof value['type'] !== 'string') {
    return refuse('PARSE_ERROR', 'an envelope is an object with a type and a payload')
  }
  const { type, payload, timestamp } = value
  const commands = type === 'commands' && table === CLIENT_MESSAGES ? readCommands(payload) : undefined
  if (commands) return { ok: true, message: messageOf(type, commands, timestamp) as M }
  if (!isKeyOf(table, type)) return refuse('UNKNOWN_TYPE', 'no such type of message', refOf(payload))
  const parsed = table[type]?.safeParse(payload)
  if (!parsed?.success)
    return refuse('INVALID_MESSAGE', faultOf(parsed?.error), refOf(payload), countOf(type, payload))
  return { ok: true, message: messageOf(type, parsed.data, timestamp) as M }
}

function messageOf(type: string, payload: unknown, timestamp: unknown) {
  return isTime(timestamp) ? { type, payload, timestamp } : { type, payload }
}

/** Where the first fault is: names of fields of the schema only, never what was sent. */
function faultOf(error: z.core.$ZodError | undefined): string {
  const path = error?.issues[0]?.path.filter((part) => typeof part === 'string' || typeof part === 'number')
  return path?.length
    ? `the field ${path.join('.')} is missing or not of its form`
    : 'the payload is not of its form'
}

function refuse(code: Code, detail: string, ref?: number, count?: number): Decoded<never> {
  return count === undefined ? { ok: false, code, detail, ref } : { ok: false, code, detail, ref, count }
}

/** Each command awaits an answer under a ref of its own, also where the frame around them is at fault. */
function countOf(type: string, payload: unknown): number | undefined {
  if (type !== 'commands' || !isObject(payload) || !Array.isArray(payload['commands'])) return undefined
  const { length } = payload['commands']
  return length > 1 && length <= MAX_BATCH ? length : undefined
}

function refOf(payload: unknown): number | undefined {
  const ref = isObject(payload) ? payload['ref'] : undefined
  return typeof ref === 'number' && Number.isSafeInteger(ref) && ref > 0 ? ref : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function messageIdOf(item: unknown): string | undefined {
  const parsed = commandSchema.shape.messageId.safeParse(isObject(item) ? item['messageId'] : undefined)
  return parsed.success ? parsed.data : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isKeyOf<T extends object>(table: T, key: unknown): key is keyof T & string {
  return typeof key === 'string' && Object.hasOwn(table, key)
}
