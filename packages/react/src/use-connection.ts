import type { ClientSnapshot } from '@tautline/client'
import { useClient } from './use-client.ts'
import { useReadable } from './use-readable.ts'

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

/** The state of the connection, and why: status, reason, detail, userId, retryAt, queued, latencyMs. */
export function useConnection(): ClientSnapshot {
  return useReadable(useClient(), NOT_CONNECTED)
}
