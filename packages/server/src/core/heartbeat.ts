/**
 * Keeps a connection alive through proxies and finds the dead ones. Every 25 s ± 10 %, the first after a random part of
 * that (a herd that came together must not be pinged together), a WebSocket ping, which the peer's WebSocket answers by
 * itself, and an application `ping`, which a page can see. Anything that is heard counts; 60 s of nothing end it.
 */
import type { Connection } from './connection.ts'
import { type Context, send } from './context.ts'

export function startHeartbeat(context: Context, connection: Connection): void {
  connection.heardAt = context.now
  connection.nextPingAt = context.now + context.options.heartbeatIntervalMs * context.random()
}

export function heartbeatDeadline(context: Context, connection: Connection): number {
  return Math.min(connection.nextPingAt, silenceDeadline(context, connection))
}

/** One sum for who waits for it and who looks: with another, rounded otherwise, a deadline can be reached and not be met. */
function silenceDeadline(context: Context, connection: Connection): number {
  return connection.heardAt + context.options.heartbeatTimeoutMs
}

/** Called at or after the deadline; false: the connection is dead. */
export function beat(context: Context, connection: Connection): boolean {
  const { heartbeatIntervalMs } = context.options
  if (context.now >= silenceDeadline(context, connection)) return false
  if (context.now >= connection.nextPingAt) {
    connection.nextPingAt = context.now + heartbeatIntervalMs * (0.9 + 0.2 * context.random())
    context.effects.push({ do: 'ping', connection: connection.id })
    send(context, connection, { type: 'ping', payload: { ref: connection.nextPingRef++ } })
  }
  return true
}
