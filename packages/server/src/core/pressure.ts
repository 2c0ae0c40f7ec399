/**
 * Slow consumers. The log is the buffer: above 256 KiB of unsent bytes nothing more is pushed to a connection; once
 * it is below 64 KiB it is caught up from the store. Above 1 MiB, or congested for 30 s, it is closed, and resumes
 * later from its cursors without loss.
 */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'

const CALM = Number.POSITIVE_INFINITY

/** What the shell told about the connection's buffer; true: there is room again for what was left out. */
export function notePressure(context: Context, connection: Connection, bytes: number): boolean {
  const { congestedBytes, relievedBytes, overflowBytes } = context.options
  const before = connection.bufferedBytes
  connection.bufferedBytes = bytes
  if (bytes > overflowBytes) {
    context.hangUp(connection, 'SLOW_CONSUMER')
    return false
  }
  if (bytes > congestedBytes && connection.congestedSince === CALM) connection.congestedSince = context.now
  if (bytes >= relievedBytes) return false
  connection.congestedSince = CALM
  return before >= relievedBytes
}

/** Infinity while the connection is not congested. */
export function pressureDeadline(context: Context, connection: Connection): number {
  return connection.congestedSince + context.options.congestedTimeoutMs
}
