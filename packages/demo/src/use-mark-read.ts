/** The room is read up to its newest message while it is shown, wherever in it one is, on a page that is shown. */
import type { Room } from '@tautline/client'
import { useUnread } from '@tautline/react'
import { useEffect } from 'react'

/** `newest`: its position. Undefined: none, or the room is not shown. */
export function useMarkRead(room: Room, newest: number | undefined): void {
  const unread = useUnread(room)
  useEffect(() => {
    if (newest === undefined || !unread) return undefined
    const read = () => {
      // Without a connection it is read with the next message, or on the next look.
      if (document.visibilityState === 'visible') room.markRead(newest).catch(() => {})
    }
    read()
    document.addEventListener('visibilitychange', read)
    return () => document.removeEventListener('visibilitychange', read)
  }, [room, newest, unread])
}
