/**
 * The one table of codes, read by both ends: whether trying again helps, whether the connection closes and with which
 * WebSocket close code, and what the client does about it. Nobody decides by text.
 *
 * A new reason to refuse, fail or close is one row here and its sentence in MEANINGS, and nothing else.
 */
import { MAX_WAIT_MS } from './limits.ts'

/**
 * What the client does when it meets the code.
 * - `none`: nothing beyond telling the application
 * - `fail`: the one command fails, the queue behind it goes on
 * - `retry`: the same again after a wait (a command) or a backoff (a connection)
 * - `retry_slowly`: as `retry`, starting from the longest wait
 * - `reauthenticate`: ask the application for a fresh token, then as `retry`; a second refusal in a row stops
 * - `stop`: stay disconnected until the application calls `connect()` again
 */
export type ClientAction = 'none' | 'fail' | 'retry' | 'retry_slowly' | 'reauthenticate' | 'stop'

export interface CodeRow {
  /** True where the same request may succeed later, unchanged. */
  readonly retryable: boolean
  /** True where a durable command with this outcome has used up its place in the lane. */
  readonly final: boolean
  /** The WebSocket close code, or null where the connection stays open. */
  readonly closeCode: number | null
  readonly action: ClientAction
}

const final: CodeRow = { retryable: false, final: true, closeCode: null, action: 'fail' }
const retryable: CodeRow = { retryable: true, final: false, closeCode: null, action: 'retry' }
const refused: CodeRow = { retryable: false, final: false, closeCode: null, action: 'none' }
const closing = (closeCode: number, action: ClientAction): CodeRow => ({
  retryable: action !== 'stop',
  final: false,
  closeCode,
  action,
})

const TABLE = {
  // Final: the command failed for good and its place in the lane is used up.
  VALIDATION_ERROR: final,
  FORBIDDEN: final,
  MUTED: final,
  MESSAGE_TOO_LONG: final,
  MESSAGE_DELETED: final,
  TOO_MANY_REACTIONS: final,
  ID_CONFLICT: final,
  VOID: final,
  SKIPPED: final,

  // Final, decided by the client alone.
  REJECTED: final,
  CANCELLED: final,
  EXPIRED: final,
  POISON: final,
  OUTBOX_FULL: final,

  // Retryable: the lane is as it was.
  RATE_LIMIT: retryable,
  UNAVAILABLE: retryable,
  INTERNAL_ERROR: retryable,
  SEND_ERROR: retryable,
  FETCH_ERROR: retryable,
  GAP: retryable,

  // Answered for one request; the connection stays.
  UNKNOWN_TYPE: refused,
  INVALID_MESSAGE: refused,

  // Decided by the client alone, about a request.
  TIMEOUT: { ...refused, retryable: true },
  DISCONNECTED: { ...refused, retryable: true },
  CLOSED: refused,

  // Connection: the table of close codes. Several codes may share a close code; the reason names the one meant.
  NORMAL: closing(1000, 'retry'),
  GOING_AWAY: closing(1001, 'retry'),
  UNSUPPORTED_DATA: closing(1003, 'retry_slowly'),
  ABUSE: closing(1008, 'retry_slowly'),
  FRAME_TOO_BIG: closing(1009, 'retry_slowly'),
  SERVER_ERROR: closing(1011, 'retry'),
  RESTART: closing(1012, 'retry'),
  TRY_AGAIN_LATER: closing(1013, 'retry'),
  ROOM_ACCESS_DENIED: closing(4001, 'stop'),
  INVALID_TOKEN: closing(4002, 'reauthenticate'),
  NO_TOKEN: closing(4002, 'reauthenticate'),
  TOKEN_EXPIRED: closing(4002, 'reauthenticate'),
  PARSE_ERROR: closing(4400, 'retry_slowly'),
  IDENTITY_MISMATCH: closing(4403, 'stop'),
  UNSUPPORTED_VERSION: closing(4406, 'stop'),
  HELLO_TIMEOUT: closing(4408, 'retry'),
  TOO_MANY_CONNECTIONS: closing(4409, 'retry_slowly'),
  REPLACED: closing(4410, 'stop'),
  IDLE: closing(4411, 'retry'),
  SLOW_CONSUMER: closing(4420, 'retry'),
} as const satisfies Record<string, CodeRow>

export type Code = keyof typeof TABLE

/** The form of every code, also of those that an application or a newer server has beside the table. */
export const CODE_NAME = /^[A-Z][A-Z0-9_]{0,63}$/

export const CODES: { readonly [C in Code]: CodeRow } = TABLE

/**
 * What each code means, for developers. A table beside the one above, so that a page which never shows these sentences
 * does not carry them.
 */
export const MEANINGS: { readonly [C in Code]: string } = {
  VALIDATION_ERROR: 'the content does not satisfy the rules of its type',
  FORBIDDEN: 'the room does not exist, or this user may not do that in it',
  MUTED: 'this user may not write in the room for now',
  MESSAGE_TOO_LONG: 'the message is longer than the server takes',
  MESSAGE_DELETED: 'the message that it is about was deleted',
  TOO_MANY_REACTIONS: 'the message has as many different reactions as it may',
  ID_CONFLICT: 'this sender already used the message id for another message',
  VOID: 'the place in the lane was decided before, without this message',
  SKIPPED: 'the place in the lane was given up at the request of the sender',
  REJECTED: 'refused for good, with a code that the table lacks',
  CANCELLED: 'cancelled by the application before the server took it',
  EXPIRED: 'older than the time-to-live of the outbox',
  POISON: 'the server failed on it again and again',
  OUTBOX_FULL: 'the outbox is full: wait until some of it is acknowledged',
  RATE_LIMIT: 'too many messages: wait for retryAfterMs',
  UNAVAILABLE: 'the server cannot decide this now',
  INTERNAL_ERROR: 'the server failed on this command',
  SEND_ERROR: 'the store refused the write',
  FETCH_ERROR: 'the store refused the read',
  GAP: 'an earlier command of the lane is undecided',
  UNKNOWN_TYPE: 'the server does not handle messages of this type',
  INVALID_MESSAGE: 'the message does not have the form of its type',
  TIMEOUT: 'no answer in time',
  DISCONNECTED: 'the client is not connected and is not trying to be',
  CLOSED: 'the client was closed by the application',
  NORMAL: 'closed without a problem',
  GOING_AWAY: 'the peer is going away',
  UNSUPPORTED_DATA: 'binary frames are not part of the protocol',
  ABUSE: 'limits were exceeded for too long',
  FRAME_TOO_BIG: 'the frame is larger than the server takes',
  SERVER_ERROR: 'the server failed',
  RESTART: 'the server restarts',
  TRY_AGAIN_LATER: 'the server takes no more connections just now',
  ROOM_ACCESS_DENIED: 'access to the room was denied',
  INVALID_TOKEN: 'the token is not valid',
  NO_TOKEN: 'no token was given',
  TOKEN_EXPIRED: 'the token has expired',
  PARSE_ERROR: 'the frame is not an envelope, or an array of them, in well-formed JSON',
  IDENTITY_MISMATCH: 'the token belongs to another user',
  UNSUPPORTED_VERSION: 'the server does not speak this version of the protocol',
  HELLO_TIMEOUT: 'no authentication in time',
  TOO_MANY_CONNECTIONS: 'too many connections',
  REPLACED: 'another connection took over this session',
  IDLE: 'nothing was heard from the client for too long',
  SLOW_CONSUMER: 'the client reads more slowly than the rooms speak',
}

/**
 * The row for a code from the other end. One that the table lacks is the application's, or of a newer server: where it
 * is said to be final it is REJECTED; else nothing is lost where the same is asked again.
 */
export function knownCode(code: string, isFinal: boolean | undefined): Code {
  if (isCode(code)) return code
  return isFinal ? 'REJECTED' : 'UNAVAILABLE'
}

export function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(TABLE, value)
}

/**
 * The one error of Tautline. Switch on `code`; `message` is for developers and may change. It is the code, and behind it
 * what was said beyond the code. `retryAfterMs` is given where the other end said how long to wait.
 *
 * A code that the table lacks is in `applicationCode`, and `code` is what it comes to: REJECTED, or UNAVAILABLE where
 * trying again may help.
 */
export class TautlineError extends Error {
  override readonly name = 'TautlineError'
  readonly code: Code
  /** What `message` says after the code. What a code means by itself stands in MEANINGS. */
  readonly detail: string | undefined
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  /** The application's own code (see defineProtocol), or that of a newer server. */
  readonly applicationCode: string | undefined

  constructor(code: Code, detail?: string, retryAfterMs?: number, applicationCode?: string) {
    const name = applicationCode ?? code
    super(detail ? `${name}: ${detail}` : name)
    this.code = code
    this.detail = detail
    this.retryable = CODES[code].retryable
    this.retryAfterMs = retryAfterMs
    this.applicationCode = applicationCode
  }
}

/** The wait that is kept where so much was asked for. */
export function boundedWait(askedMs: number): number {
  return Math.min(askedMs, MAX_WAIT_MS)
}

/**
 * The reason of a close frame: the code, and how long to stay away. At most 123 bytes, as RFC 6455 asks. A wait that is
 * no number of milliseconds in the range is brought into it, so that the other end can read every reason.
 */
export function encodeCloseReason(code: Code, retryAfterMs?: number): string {
  if (retryAfterMs === undefined) return code
  return `${code} retry=${Math.max(0, Math.round(boundedWait(retryAfterMs)) || 0)}`
}

export interface CloseMeaning {
  readonly code: Code
  readonly action: ClientAction
  readonly retryAfterMs: number | undefined
}

/**
 * What a received close means. The reason's code is believed only where its row has the same close code;
 * a close code that no row has is a lost connection, and is tried again.
 */
export function readClose(closeCode: number, reason: string): CloseMeaning {
  const [word, rest] = reason.split(' ', 2)
  const retry = /^retry=(\d{1,9})$/.exec(rest ?? '')
  const retryAfterMs = retry ? boundedWait(Number(retry[1])) : undefined
  const code = isCode(word) && CODES[word].closeCode === closeCode ? word : codeOfClose(closeCode)
  return { code, action: CODES[code].action, retryAfterMs }
}

function codeOfClose(closeCode: number): Code {
  for (const code of Object.keys(TABLE) as Code[]) if (CODES[code].closeCode === closeCode) return code
  return 'GOING_AWAY'
}
