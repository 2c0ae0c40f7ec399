import type { ClientSnapshot } from '@tautline/client'
import { useClient } from './use-client.ts'
import { useReadable, whole } from './use-readable.ts'

const NOT_CONNECTED: ClientSnapshot = {
  status: 'idle',
  reason: undefined,
  detail: undefined,
  userId: undefined,
  retryAt: undefined,
  queued: 0,
  pressure: 0,
  storage: 'memory',
  latencyMs: undefined,
}

/**
 * The state of the connection, and why: status, reason, detail, userId, retryAt, queued, latencyMs. With `select` just
 * what it picks: `useConnection(({ status }) => status)`.
 */
export function useConnection(): ClientSnapshot
export function useConnection<S>(select: (connection: ClientSnapshot) => S): S
export function useConnection<S>(select?: (connection: ClientSnapshot) => S): ClientSnapshot | S {
  return useReadable<ClientSnapshot, ClientSnapshot | S>(useClient(), NOT_CONNECTED, select ?? whole)
}
