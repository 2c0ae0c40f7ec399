/**
 * What a server counts about itself, from its start on. All counts only grow; nothing here names a user or a room.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Code, isCode, type ServerMessage } from '@tautline/protocol/wire'
import type { NodeFigures } from './core/node.ts'
import type { CommitResult, Visibility } from './core/store.ts'
import type { PushFigures } from './pusher.ts'

export interface Metrics extends NodeFigures, PushFigures {
  /** Since the start. */
  readonly uptimeSeconds: number
  /** Messages that were committed, the application's own included; a retry counts once. */
  readonly messages: number
  /** Commits of the store that succeeded, and those that failed. */
  readonly commits: number
  readonly commitsFailed: number
  /** Commands that were told their position; a retry counts again. */
  readonly acks: number
  /** Commands and requests that were refused, by code, the application's own included. Absent: none. */
  readonly refusals: { readonly [C in Code]?: number }
  /** Connections that the server closed, by code. Absent: none. */
  readonly closes: { readonly [C in Code]?: number }
  /** WebSocket text frames of clients, and their bytes of UTF-8, without what TCP, TLS and WebSocket add. */
  readonly framesIn: number
  readonly bytesIn: number
  /** The same, to clients. */
  readonly framesOut: number
  readonly bytesOut: number
  /** How late the event loop comes to its work, in milliseconds, since the start; by samples every 20 ms. */
  readonly eventLoopDelayMs: { readonly mean: number; readonly p99: number; readonly max: number }
}

/** A connection, as its server sees it now. */
export interface ConnectionInfo {
  /** The `connectionId` that its client was told. */
  readonly id: string
  readonly userId: string
  /** What stands for where it comes from, where that is counted (see maxConnectionsPerAddress); of IPv6 a network. */
  readonly address: string | undefined
  /** When it was authenticated, in Unix milliseconds. */
  readonly connectedAt: number
  /** The rooms that it follows, the user's own log among them, in the order in which it began to. */
  readonly rooms: readonly string[]
  /** Bytes that were given to its socket and are not on their way yet. */
  readonly bufferedBytes: number
}

/** A room, as nobody's rights show it. */
export interface RoomInfo {
  readonly room: string
  readonly visibility: Visibility
  /** What it says of itself. */
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly memberCount: number
  /** The last position of its log. */
  readonly head: number
  /** Connections to this server that follow it. */
  readonly followers: number
}

const EVENT_LOOP_RESOLUTION_MS = 20
const NANOSECONDS_PER_MS = 1e6

type Counts = { [C in Code]?: number }

export class Meter {
  #framesIn = 0
  #bytesIn = 0
  #framesOut = 0
  #bytesOut = 0
  #lastWritten = ''
  #lastBytes = 0
  #messages = 0
  #commits = 0
  #commitsFailed = 0
  #acks = 0
  readonly #refusals: Counts = {}
  readonly #closes: Counts = {}
  readonly #startedAt = performance.now()
  readonly #loop = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS })

  constructor() {
    this.#loop.enable()
  }

  /** A message to one connection. */
  said({ type, payload }: ServerMessage): void {
    if (type === 'ack') for (const { count = 1 } of payload.acks) this.#acks += count
    else if (type === 'error' && isCode(payload.code))
      this.#refusals[payload.code] = (this.#refusals[payload.code] ?? 0) + (payload.count ?? 1)
  }

  closed(code: Code): void {
    this.#closes[code] = (this.#closes[code] ?? 0) + 1
  }

  committed({ outcomes }: CommitResult): void {
    this.#commits++
    for (const outcome of outcomes)
      if (outcome.outcome === 'acknowledged' && outcome.appended) this.#messages++
  }

  commitFailed(): void {
    this.#commitsFailed++
  }

  heard(text: string): void {
    this.#framesIn++
    this.#bytesIn += Buffer.byteLength(text)
  }

  wrote(text: string): void {
    // The same text goes to many, one after the other.
    if (text !== this.#lastWritten) {
      this.#lastWritten = text
      this.#lastBytes = Buffer.byteLength(text)
    }
    this.#framesOut++
    this.#bytesOut += this.#lastBytes
  }

  read(figures: NodeFigures & PushFigures): Metrics {
    const { mean, max } = this.#loop
    const ms = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / NANOSECONDS_PER_MS : 0)
    return {
      ...figures,
      uptimeSeconds: Math.floor((performance.now() - this.#startedAt) / 1_000),
      messages: this.#messages,
      commits: this.#commits,
      commitsFailed: this.#commitsFailed,
      acks: this.#acks,
      refusals: { ...this.#refusals },
      closes: { ...this.#closes },
      framesIn: this.#framesIn,
      bytesIn: this.#bytesIn,
      framesOut: this.#framesOut,
      bytesOut: this.#bytesOut,
      eventLoopDelayMs: { mean: ms(mean), p99: ms(this.#loop.percentile(99)), max: ms(max) },
    }
  }

  stop(): void {
    this.#loop.disable()
  }
}
