/**
 * Becomes a member of these rooms as soon as there is a connection, tries again where the server could not decide it,
 * and again where it knows nothing of it any more. Returns why it could not, by room.
 */
import { type Client, TautlineError } from '@tautline/client'
import { useEffect, useState } from 'react'

const RETRY_MS = 2_000

export function useMemberships(client: Client, ids: readonly string[]): ReadonlyMap<string, TautlineError> {
  const [refusals, setRefusals] = useState<ReadonlyMap<string, TautlineError>>(new Map())

  useEffect(() => {
    const joining = new Set<string>()
    const timers = new Set<ReturnType<typeof setTimeout>>()

    function join(id: string): void {
      const room = client.room(id)
      const { phase } = room.getSnapshot()
      if (client.status !== 'connected' || joining.has(id) || phase === 'live' || phase === 'syncing') return
      joining.add(id)
      room
        .join()
        .then(
          () => setRefusals((known) => without(known, id)),
          (error: unknown) => {
            if (!(error instanceof TautlineError)) return
            setRefusals((known) => new Map(known).set(id, error))
            if (error.retryable) timers.add(setTimeout(join, error.retryAfterMs ?? RETRY_MS, id))
          },
        )
        .finally(() => joining.delete(id))
    }

    const joinAll = () => {
      for (const id of ids) join(id)
    }
    const stops = [
      client.on('status', joinAll),
      ...ids.map((id) => client.room(id).on('phase', (phase) => phase === 'refused' && join(id))),
    ]
    joinAll()
    return () => {
      for (const stop of stops) stop()
      for (const timer of timers) clearTimeout(timer)
    }
  }, [client, ids])

  return refusals
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map
  const rest = new Map(map)
  rest.delete(key)
  return rest
}
