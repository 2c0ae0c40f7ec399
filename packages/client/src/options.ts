/**
 * What a client is made of: the options with their defaults, and what the core and the shell need of them. What cannot
 * work is refused here, with VALIDATION_ERROR, before anything is opened.
 */

import {
  DEFAULT_LIMITS,
  LANE_RETENTION_MS,
  MAX_FRAME_BYTES,
  TautlineError,
  USER_ID,
} from '@tautline/protocol/wire'
import { nanoid } from 'nanoid'
import { NEVER } from './core/alarms.ts'
import { type BackoffOptions, DEFAULT_BACKOFF } from './core/backoff.ts'
import type { CoreOptions } from './core/context.ts'
import { DEFAULT_HEARTBEAT, type HeartbeatOptions } from './core/heartbeat.ts'
import { DEFAULT_OUTBOX, type OutboxOptions } from './core/outbox.ts'
import type { Door } from './door.ts'
import type { DurableOutbox } from './durable.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Scheduler } from './scheduler.ts'
import type { Dial } from './transport.ts'
import { type WebSocketConstructor, webSocket } from './transports/websocket.ts'

export interface ClientOptions {
  /** Where the server listens, as `ws://` or `wss://`. Needed unless `transport` is given. */
  readonly url?: string | undefined
  /**
   * Who signs in. Given, the client stops with IDENTITY_MISMATCH where a token turns out to be another user's, before
   * anything is sent.
   */
  readonly userId?: string | undefined
  /**
   * Called for each connection and before a token expires. `refused`: the server did not take the last one, so a fresh
   * one is needed. A rejection counts as a failed attempt, and is tried again.
   */
  getToken(context: { readonly refused: boolean }): string | Promise<string>
  /** Default: the global WebSocket. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** Instead of `url`: anything that carries text frames. */
  readonly transport?: Dial | undefined
  /** Who notices that the page is visible again and the network back. Default: the browser's events. */
  readonly lifecycle?: Lifecycle | undefined
  /** How frames are checked. Default: by hand, without a schema library. */
  readonly door?: Door | undefined
  /** Waits between attempts. Default: at random between a quarter and the whole of min(30 s, 1 s · 1.5ⁿ). */
  readonly backoff?: Partial<BackoffOptions> | undefined
  readonly heartbeat?: Partial<HeartbeatOptions> | undefined
  /**
   * `store`: where queued messages are kept so that they survive a reload or a crash. It needs `userId` (offline nobody
   * else can say whose they are), without which they are kept in memory, and `url`, which names the server whose they
   * are, also beside `transport`.
   */
  readonly outbox?: (Partial<OutboxOptions> & { readonly store?: DurableOutbox | undefined }) | undefined
  /** Until the token and the transport are there. Default 10,000 ms. */
  readonly connectTimeoutMs?: number | undefined
  /** Until the server has answered who we are. Default 10,000 ms. */
  readonly authenticationTimeoutMs?: number | undefined
  /** Without an answer for so long, the connection is put to the proof. Default 10,000 ms. */
  readonly ackTimeoutMs?: number | undefined
  /** Joining, history and other requests fail with TIMEOUT after this. Default 10,000 ms. */
  readonly requestTimeoutMs?: number | undefined
  /** `waiting` becomes `suspended` after this. Default 120,000 ms. */
  readonly suspendedAfterMs?: number | undefined
  /** How often cursors are compared with the server's heads, ± 20 %. Default 60,000 ms. */
  readonly checkIntervalMs?: number | undefined
  /**
   * Whether others see how far followed rooms have come to this device; told at most once a second a room, and in rooms of
   * up to 100 members alone. Default true.
   */
  readonly deliveryReceipts?: boolean | undefined
  /** Clock and timer, for tests. */
  readonly scheduler?: Scheduler | undefined
  /** Seed of the jitter, for tests. */
  readonly seed?: number | undefined
}

/**
 * Until a server has told its own, which may be larger or smaller than the defaults: `send()` refuses at once only what
 * no server takes. What is too long for the server that is met then fails with MESSAGE_TOO_LONG there.
 */
const LIMITS_BEFORE_CONNECTING = {
  ...DEFAULT_LIMITS,
  maxMessageChars: NEVER,
  maxFrameBytes: MAX_FRAME_BYTES,
}

/** So many random characters that an id may have. */
export const randomLetters = nanoid
/** Of the jitter: any number will do, so long as clients that start together differ. */
export function randomSeed(): number {
  let seed = 0
  for (const letter of randomLetters(8)) seed = (Math.imul(seed, 31) + letter.charCodeAt(0)) | 0
  return seed
}

export function dialOf({ transport, url, WebSocket = globalThis.WebSocket }: ClientOptions): Dial {
  if (transport) return transport
  if (url === undefined) throw new TautlineError('VALIDATION_ERROR', 'give a url or a transport')
  if (!WebSocket) {
    throw new TautlineError('VALIDATION_ERROR', 'no WebSocket here: give one as an option')
  }
  return webSocket(url, WebSocket)
}

/** Without a user there is no saying whose messages they are. */
export function storeOf({ userId, outbox }: ClientOptions): DurableOutbox | undefined {
  return userId === undefined ? undefined : outbox?.store
}

export function coreOptionsOf(options: ClientOptions): CoreOptions {
  if (options.userId !== undefined && !USER_ID.test(options.userId)) {
    throw new TautlineError('VALIDATION_ERROR', 'not the id of a user')
  }
  const outbox = { ...DEFAULT_OUTBOX, ...options.outbox }
  if (!(outbox.timeToLiveMs < LANE_RETENTION_MS)) {
    throw new TautlineError('VALIDATION_ERROR', 'outbox.timeToLiveMs must be less than 30 days')
  }
  return {
    userId: options.userId,
    sid: randomLetters(16),
    limits: LIMITS_BEFORE_CONNECTING,
    backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
    heartbeat: { ...DEFAULT_HEARTBEAT, ...options.heartbeat },
    outbox,
    keeper: storeOf(options)?.keeper,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    authenticationTimeoutMs: options.authenticationTimeoutMs ?? 10_000,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    suspendedAfterMs: options.suspendedAfterMs ?? 120_000,
    checkIntervalMs: options.checkIntervalMs ?? 60_000,
    followOwnLog: true,
    tellDeliveries: options.deliveryReceipts ?? true,
  }
}
