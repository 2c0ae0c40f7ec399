/**
 * @tautline/protocol/extension: messages of an application's own, defined once for both ends. The client speaks them by
 * `extend` (@tautline/client/extension), the server by the option `extensions` and `handle` (@tautline/server).
 *
 * Schemas are of any library that speaks Standard Schema (zod, valibot, arktype …); none is loaded here. They describe
 * JSON objects, answer at once, and what they give satisfies them again: the sender's end checks first, the server
 * checks what it hears, and readers what they are told.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CODE_NAME, isCode, TautlineError } from './codes.ts'
import { TYPE_NAME } from './ids.ts'
import { MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH } from './limits.ts'
import { findFault, utf8Bytes } from './text.ts'
import type { ClientMessageType, CommandType, EntryType, ServerMessageType } from './vocabulary.ts'

/** Of a JSON object. Asynchronous schemas are refused. */
export type PayloadSchema = StandardSchemaV1<object, object>

/**
 * - `durable`: an entry of a room's log. Goes through the outbox; acknowledged, once and in order, like every message
 * - `signal`: ephemeral, from a client to who follows a room. Acknowledged by the server, never queued, never stored
 * - `event`: ephemeral, from the server to who follows a room, to a user's connections, or to one session
 * - `request`: a question to the server, with its answer
 */
export type DefinitionKind = MessageDefinition['kind']

export type MessageDefinition =
  | { readonly kind: 'durable'; readonly payload: PayloadSchema }
  | { readonly kind: 'signal'; readonly payload: PayloadSchema }
  | { readonly kind: 'event'; readonly payload: PayloadSchema }
  | { readonly kind: 'request'; readonly payload: PayloadSchema; readonly response: PayloadSchema }

/** By type: at most 64 of a-z 0-9 _ . beginning with a letter. One with a dot is never a type of the protocol's own. */
export type MessageDefinitions = Readonly<Record<string, MessageDefinition>>

export interface ErrorDefinition {
  /** For developers; what a server says beside it takes its place. At most 1,000 characters. */
  readonly message: string
  /** Whether the same may succeed later: a durable message is then sent again by itself. */
  readonly retryable: boolean
}

/** By code, such as JOB_NOT_FOUND: none of the protocol's own. */
export type ErrorDefinitions = Readonly<Record<string, ErrorDefinition>>

/** One of the application's errors: `code` is REJECTED, or UNAVAILABLE where it is retryable. */
export type ApplicationError<C extends string = string> = TautlineError & { readonly applicationCode: C }

export interface Protocol<
  M extends MessageDefinitions = MessageDefinitions,
  E extends ErrorDefinitions = ErrorDefinitions,
> {
  /** Names it in error messages and logs. */
  readonly name: string
  readonly messages: M
  readonly errors: E
  /**
   * For a handler of the server to throw. `detail`: a sentence in place of the definition's. `retryAfterMs`: how long to
   * wait before the next try, of one that is retryable.
   */
  error<C extends keyof E & string>(code: C, detail?: string, retryAfterMs?: number): ApplicationError<C>
  /** Whether something caught is this error of the application, or any of them. */
  isError<C extends keyof E & string>(error: unknown, code?: C): error is ApplicationError<C>
}

/** The names of its messages of these kinds. */
export type NameOf<P extends Protocol, K extends DefinitionKind> = {
  [N in keyof P['messages'] & string]: P['messages'][N]['kind'] extends K ? N : never
}[keyof P['messages'] & string]

/** What may be given to be said. */
export type PayloadInput<P extends Protocol, N extends keyof P['messages']> = StandardSchemaV1.InferInput<
  P['messages'][N]['payload']
>

/** What is heard. */
export type PayloadOutput<P extends Protocol, N extends keyof P['messages']> = StandardSchemaV1.InferOutput<
  P['messages'][N]['payload']
>

type ResponseSchema<D> = D extends { readonly response: infer S extends PayloadSchema } ? S : never

/** What a handler may answer. */
export type ResponseInput<P extends Protocol, N extends keyof P['messages']> = StandardSchemaV1.InferInput<
  ResponseSchema<P['messages'][N]>
>

/** What the client gets. */
export type ResponseOutput<P extends Protocol, N extends keyof P['messages']> = StandardSchemaV1.InferOutput<
  ResponseSchema<P['messages'][N]>
>

type TakenName = ClientMessageType | ServerMessageType | CommandType | EntryType | 'unknown'

const MAX_SENTENCE_CHARS = 1_000
const KINDS: readonly unknown[] = ['durable', 'signal', 'event', 'request'] satisfies DefinitionKind[]

/**
 * Defines messages and errors. Throws a TypeError where a name, a code or a schema cannot be one. That a type is not one
 * of the protocol's own the compiler checks, and the server at its start.
 */
export function defineProtocol<
  const M extends MessageDefinitions,
  const E extends ErrorDefinitions = { readonly [C in never]: ErrorDefinition },
>(definition: {
  readonly name: string
  readonly messages: M & { readonly [N in keyof M]: N extends TakenName ? never : unknown }
  readonly errors?: E
}): Protocol<M, E> {
  const { name, messages } = definition
  const errors: ErrorDefinitions = definition.errors ?? {}
  if (typeof name !== 'string' || !/^[A-Za-z][\w.-]{0,63}$/.test(name))
    throw new TypeError(`a protocol needs a name, not ${JSON.stringify(name)}`)
  for (const [type, message] of Object.entries(messages)) checkMessage(`${name}: ${type}`, type, message)
  for (const [code, error] of Object.entries(errors)) checkError(`${name}: ${code}`, code, error)
  return {
    name,
    messages,
    errors: errors as E,
    error(code, detail, retryAfterMs) {
      const row = errorRow(errors, code)
      if (!row) throw new TypeError(`${name} has no error ${code}`)
      const base = row.retryable ? 'UNAVAILABLE' : 'REJECTED'
      return new TautlineError(base, detail ?? row.message, retryAfterMs, code) as never
    },
    isError(error, code): error is never {
      // By its name: an application may have another copy of the class.
      if (!(error instanceof Error) || error.name !== 'TautlineError') return false
      const { applicationCode } = error as TautlineError
      if (code !== undefined) return applicationCode === code
      return applicationCode !== undefined && errorRow(errors, applicationCode) !== undefined
    },
  }
}

/** The definition of a message, where it has one and is of this kind. */
export function definitionOf<K extends DefinitionKind>(
  { messages }: Protocol,
  type: string,
  kind: K,
): Extract<MessageDefinition, { readonly kind: K }> | undefined {
  const found = Object.hasOwn(messages, type) ? messages[type] : undefined
  return found?.kind === kind ? (found as never) : undefined
}

export type Checked =
  | { readonly ok: true; readonly payload: Record<string, unknown> }
  | { readonly ok: false; readonly code: 'VALIDATION_ERROR' | 'MESSAGE_TOO_LONG'; readonly detail: string }

/**
 * What the schema makes of a value, as it goes over the wire: plain JSON within the bounds of size and depth, and a copy.
 * Never throws. The detail names fields, and holds nothing of what was sent.
 */
export function checkPayload(schema: PayloadSchema, value: unknown): Checked {
  let payload: unknown
  try {
    const result = schema['~standard'].validate(value)
    if ('then' in result) return invalid('its schema does not answer at once')
    if (result.issues) return invalid(faultOf(result.issues))
    const text = JSON.stringify(result.value)
    if (utf8Bytes(text) > MAX_PAYLOAD_BYTES)
      return { ok: false, code: 'MESSAGE_TOO_LONG', detail: `more than ${MAX_PAYLOAD_BYTES} bytes` }
    payload = JSON.parse(text)
  } catch {
    // A schema that throws, cycles, bigints.
    return invalid('it cannot be checked, or is not JSON')
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    return invalid('a payload is an object')
  if (findFault(payload, true, MAX_PAYLOAD_DEPTH))
    return invalid('it nests too deep, or holds a forbidden text')
  return { ok: true, payload: payload as Record<string, unknown> }
}

function invalid(detail: string): Checked {
  return { ok: false, code: 'VALIDATION_ERROR', detail }
}

/** The first field that is at fault; one whose name was not made by a programmer is left unnamed. */
function faultOf([issue]: readonly StandardSchemaV1.Issue[]): string {
  const keys = issue?.path?.map((part) => String(typeof part === 'object' ? part.key : part)) ?? []
  const isNamed =
    keys.length > 0 && keys.length <= MAX_PAYLOAD_DEPTH && keys.every((key) => /^\w{1,64}$/.test(key))
  return isNamed ? `the field ${keys.join('.')} is missing or not of its form` : 'it is not of its form'
}

function errorRow(errors: ErrorDefinitions, code: string): ErrorDefinition | undefined {
  return Object.hasOwn(errors, code) ? errors[code] : undefined
}

function checkMessage(where: string, type: string, message: MessageDefinition): void {
  if (!TYPE_NAME.test(type) || type === 'unknown' || type in {})
    throw new TypeError(`${where} cannot be the name of a message`)
  if (!KINDS.includes(message?.kind))
    throw new TypeError(`${where} has no kind: durable, signal, event or request`)
  const schemas = message.kind === 'request' ? [message.payload, message.response] : [message.payload]
  for (const schema of schemas)
    if (typeof schema?.['~standard']?.validate !== 'function')
      throw new TypeError(`${where} has no schema that speaks Standard Schema`)
}

function checkError(where: string, code: string, error: ErrorDefinition): void {
  if (!CODE_NAME.test(code) || isCode(code))
    throw new TypeError(`${where} cannot be a code of the application's own`)
  const isSaid = typeof error?.message === 'string' && error.message.length <= MAX_SENTENCE_CHARS
  if (!isSaid || typeof error.retryable !== 'boolean')
    throw new TypeError(`${where} needs a message of at most ${MAX_SENTENCE_CHARS} characters, and retryable`)
}
