import type { ClientSnapshot } from '@tautline/client'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

/** The state of the connection, and why, each as a ref: status, reason, detail, userId, retryAt, queued, latencyMs. */
export function useConnection(): Fields<ClientSnapshot> {
  const client = useClient()
  return readableRefs(() => client)
}
