/**
 * What the parts of a node share: options, dice, deadlines, connections, the time of the input at hand, and the ways
 * out. Every part writes its effects here, in order; the node hands them to the shell when the input is dealt with.
 */
import { CODES, type Code, MEANINGS, type PayloadOf, type ServerMessage } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import type { Effect, Said } from './contract.ts'
import type { Ask } from './extensions.ts'
import type { NodeOptions } from './options.ts'
import type { Person } from './people.ts'
import type { Absence } from './presence.ts'
import type { Pulse } from './pulse.ts'
import type { PushWait } from './pushes.ts'
import type { Random } from './random.ts'
import type { Review } from './reviews.ts'
import type { Schedule } from './schedule.ts'

/** What has a deadline. */
export type Alarm = Connection | Absence | Person | Pulse | PushWait | Review | Ask

export interface Context {
  readonly options: NodeOptions
  readonly random: Random
  readonly schedule: Schedule<Alarm>
  readonly connections: Map<number, Connection>
  /** Monotonic milliseconds of the input at hand. */
  now: number
  /** Unix milliseconds when the monotonic clock showed 0. */
  unixOffsetMs: number
  effects: Effect[]
  /** What is told at the end of the input at hand; see pulse.ts. */
  readonly beating: Set<Pulse>
  /** Closes the connection and forgets it. */
  hangUp(connection: Connection, code: Code, retryAfterMs?: number): void
}

export function unixMs(context: Context): number {
  return Math.max(0, Math.round(context.now + context.unixOffsetMs))
}

export function send(context: Context, connection: Connection, message: ServerMessage): void {
  context.effects.push({ do: 'send', connection: connection.id, message })
}

export function broadcast(context: Context, connections: readonly number[], message: ServerMessage): void {
  if (connections.length > 0) context.effects.push({ do: 'broadcast', connections, message })
}

/** Answers a request: it did not happen. The sentence is that of the code's row unless `more` has a better one. */
export function refuse(
  context: Context,
  connection: Connection,
  ref: number | undefined,
  code: Code,
  more?: Partial<PayloadOf<'error'>>,
): void {
  const payload: PayloadOf<'error'> = { code, message: MEANINGS[code], ...more }
  if (ref !== undefined) payload.ref = ref
  send(context, connection, { type: 'error', payload })
}

/** What an error says beside, or in place of, a code of the table. */
export function refusalOf({
  code,
  detail,
  applicationCode,
  retryAfterMs,
}: Said & { readonly code: Code; readonly retryAfterMs?: number | undefined }): Partial<PayloadOf<'error'>> {
  const more: Partial<PayloadOf<'error'>> = {}
  if (detail !== undefined) more.message = detail
  if (retryAfterMs !== undefined) more.retryAfterMs = retryAfterMs
  if (applicationCode === undefined) return more
  more.code = applicationCode
  if (CODES[code].final) more.final = true
  return more
}

/** Answers `count` commands of one lane with consecutive refs: none of them happened. */
export function refuseRun(
  context: Context,
  connection: Connection,
  ref: number,
  code: Code,
  count: number,
  retryAfterMs: number | undefined,
  said?: Said,
): void {
  const more = refusalOf({ code, retryAfterMs, ...said })
  if (count > 1) more.count = count
  refuse(context, connection, ref, code, more)
}

/** How long to wait after the codes that say so; undefined where it is up to the client. */
export const RETRY_AFTER_MS: { readonly [C in Code]?: number } = {
  UNAVAILABLE: 1_000,
  INTERNAL_ERROR: 1_000,
  FETCH_ERROR: 1_000,
  SEND_ERROR: 1_000,
  GAP: 50,
}

/** As `refuse`, with the room it is about and the wait that belongs to the code. */
export function refuseInRoom(
  context: Context,
  connection: Connection,
  ref: number,
  code: Code,
  room: string,
  said?: Said,
): void {
  const more = refusalOf({ code, retryAfterMs: RETRY_AFTER_MS[code], ...said })
  refuse(context, connection, ref, code, { room, ...more })
}

/** The end of a switch over a union: the compiler says which case was forgotten. */
export function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
