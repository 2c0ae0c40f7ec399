/** Becomes a member of these rooms, and again where the server knows nothing of it any more. Returns why it could not, by room. */
import { type Client, TautlineError } from '@tautline/client'
import { useEffect, useState } from 'react'

export function useMemberships(client: Client, ids: readonly string[]): ReadonlyMap<string, TautlineError> {
  const [refusals, setRefusals] = useState<ReadonlyMap<string, TautlineError>>(new Map())

  useEffect(() => {
    function join(id: string): void {
      client
        .room(id)
        .join()
        .then(
          () => setRefusals((known) => without(known, id)),
          (error: unknown) => {
            if (error instanceof TautlineError) setRefusals((known) => new Map(known).set(id, error))
          },
        )
    }

    const stops = [
      // Only a disconnect by hand ends a join that has no answer yet.
      client.on('status', ({ status }) => {
        if (status !== 'connecting') return
        for (const id of ids) if (client.room(id).getSnapshot().phase === 'idle') join(id)
      }),
      ...ids.map((id) => client.room(id).on('phase', (phase) => phase === 'refused' && join(id))),
    ]
    for (const id of ids) if (client.room(id).getSnapshot().phase === 'idle') join(id)
    return () => {
      for (const stop of stops) stop()
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
