/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives exactly
 * as long as React is subscribed: Strict Mode, which subscribes twice, gets two and keeps one.
 */
import { type Room, whileWatched } from '@tautline/client'
import { type TimelineOptions, type TimelineSnapshot, timeline } from '@tautline/client/timeline'
import { useMemo } from 'react'
import { useRoomOf } from './use-client.ts'
import { useReadable } from './use-readable.ts'

export interface Messages extends TimelineSnapshot {
  /** One page of older messages. Never rejects: a failure stands in `error`, and the next call tries again. */
  loadOlder(): Promise<void>
}

const NOTHING_YET: TimelineSnapshot = { items: [], hasOlder: true, isLoading: false, error: undefined }

/**
 * The messages of a room, or of the room of this id. The newest page is read once the room is live. Another room or page
 * size begins anew. An item keeps its key from `queued` to `acknowledged`, and its identity until something in it changes.
 */
export function useMessages(room: Room | string, { pageSize }: TimelineOptions = {}): Messages {
  const from = useRoomOf(room)
  const { watched, pick } = useMemo(() => {
    const opened = whileWatched(() => timeline(from, { pageSize }), NOTHING_YET)
    const loadOlder = async () => opened.current()?.loadOlder()
    return { watched: opened, pick: (shown: TimelineSnapshot): Messages => ({ ...shown, loadOlder }) }
  }, [from, pageSize])
  return useReadable(watched, NOTHING_YET, pick)
}
