/** Messages of others in the rooms that are not looked at, since this page was opened. */
import type { Client } from '@tautline/client'
import { useEffect, useState } from 'react'

export function useUnread(
  client: Client,
  ids: readonly string[],
  current: string,
): ReadonlyMap<string, number> {
  const [unread, setUnread] = useState<ReadonlyMap<string, number>>(new Map())

  useEffect(() => {
    setUnread((counts) => new Map(counts).set(current, 0))
    const stops = ids
      .filter((id) => id !== current)
      .map((id) =>
        client.room(id).on('message', ({ sender }) => {
          if (sender !== client.userId)
            setUnread((counts) => new Map(counts).set(id, (counts.get(id) ?? 0) + 1))
        }),
      )
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, ids, current])

  return unread
}
