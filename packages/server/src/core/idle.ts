/**
 * Ends connections that are of no use to anybody: authenticated, follows nothing (not even the user's own log), and has
 * asked for nothing for half an hour. What keeps a connection alive is no use of it: `ping`, `pong`, `check` and
 * `renew_token` do not count; all else does, typing too.
 *
 * Whoever follows something is never idle, however quiet the room: waiting is what such a connection is for, and to
 * close a reader would cost a reconnect and save nothing. Dead ones are found by the heartbeat.
 */
import type { ClientMessage } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'

const KEEPALIVE: ReadonlySet<ClientMessage['type']> = new Set(['ping', 'pong', 'check', 'renew_token'])

export function noteUse(context: Context, connection: Connection, type: ClientMessage['type']): void {
  if (!KEEPALIVE.has(type)) connection.usedAt = context.now
}

/** Infinity while it follows something. */
export function idleDeadline(context: Context, connection: Connection): number {
  if (connection.phase !== 'ready' || connection.subscriptions.size > 0) return Number.POSITIVE_INFINITY
  return connection.usedAt + context.options.idleTimeoutMs
}
