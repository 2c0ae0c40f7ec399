/**
 * The only door for text. `decode…` turns one frame into messages and never throws: what is wrong becomes a result
 * with its code. The order of the checks is size, JSON, depth and text, envelope, type, schema; each later one may
 * rely on those before. `encode` is the way out.
 */
import type * as z from 'zod/mini'
import type { Code } from './codes.ts'
import { DEFAULT_LIMITS, MAX_BATCH } from './limits.ts'
import { command as commandSchema } from './messages/messages.ts'
import { findFault, utf8Bytes } from './text.ts'
import {
  CLIENT_MESSAGES,
  type ClientMessage,
  COMMANDS,
  type CommandPayload,
  SERVER_MESSAGES,
  type ServerMessage,
} from './vocabulary.ts'

export interface DecodeOptions {
  /** Largest frame in bytes of UTF-8. Default 65,536. */
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
    }

/** What a client sent: for servers. A frame holds one envelope or an array of at most 256. */
export function decodeClientFrame(text: string, options?: DecodeOptions): Decoded<ClientMessage>[] {
  return decodeFrame<ClientMessage>(text, CLIENT_MESSAGES, options)
}

/** What a server sent: for clients that want every frame validated. */
export function decodeServerFrame(text: string, options?: DecodeOptions): Decoded<ServerMessage>[] {
  return decodeFrame<ServerMessage>(text, SERVER_MESSAGES, options)
}

export type DecodedCommand =
  | {
      readonly ok: true
      readonly type: 'send_message'
      readonly messageId: string
      readonly payload: CommandPayload<'send_message'>
    }
  | {
      readonly ok: true
      readonly type: 'skip'
      readonly messageId: string
      readonly payload: CommandPayload<'skip'>
    }
  /** `messageId` could be read: the command is decided in its lane, with this code. Else it has no effect. */
  | { readonly ok: false; readonly messageId: string | undefined; readonly code: Code }

/** One item of a `commands` frame. */
export function decodeCommand(item: unknown): DecodedCommand {
  const head = commandSchema.safeParse(item)
  if (!head.success) return { ok: false, messageId: messageIdOf(item), code: 'INVALID_MESSAGE' }
  const { type, messageId, payload } = head.data
  if (!isKeyOf(COMMANDS, type)) return { ok: false, messageId, code: 'VALIDATION_ERROR' }
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
  options: DecodeOptions = {},
): Decoded<M>[] {
  const maxBytes = options.maxFrameBytes ?? DEFAULT_LIMITS.maxFrameBytes
  if (text.length > maxBytes || utf8Bytes(text) > maxBytes)
    return [refuse('FRAME_TOO_BIG', 'the frame is too large')]
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return [refuse('PARSE_ERROR', 'the frame is not JSON')]
  }
  // Without an escape there is no way to write NUL or a lone surrogate: a text frame is valid UTF-8.
  const fault = findFault(value, text.includes('\\'))
  if (fault) return [refuse('PARSE_ERROR', FAULTS[fault])]
  if (!Array.isArray(value)) return [decodeEnvelope<M>(value, table)]
  if (value.length === 0 || value.length > MAX_BATCH) {
    return [refuse('PARSE_ERROR', `a batch holds 1 to ${MAX_BATCH} envelopes`)]
  }
  return value.map((item) => decodeEnvelope<M>(item, table))
}

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
  const ref = refOf(payload)
  if (!isKeyOf(table, type)) return refuse('UNKNOWN_TYPE', 'no such type of message', ref)
  const parsed = table[type]?.safeParse(payload)
  if (!parsed?.success) return refuse('INVALID_MESSAGE', faultOf(parsed?.error), ref)
  const time = typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? { timestamp } : undefined
  return { ok: true, message: { type, payload: parsed.data, ...time } as M }
}

/** Where the first fault is: names of fields of the schema only, never what was sent. */
function faultOf(error: z.core.$ZodError | undefined): string {
  const path = error?.issues[0]?.path.filter((part) => typeof part === 'string' || typeof part === 'number')
  return path?.length
    ? `the field ${path.join('.')} is missing or not of its form`
    : 'the payload is not of its form'
}

function refuse(code: Code, detail: string, ref?: number): Decoded<never> {
  return { ok: false, code, detail, ref }
}

function refOf(payload: unknown): number | undefined {
  const ref = isObject(payload) ? payload['ref'] : undefined
  return typeof ref === 'number' && Number.isSafeInteger(ref) && ref > 0 ? ref : undefined
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
