/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives exactly
 * as long as React is subscribed: Strict Mode, which subscribes twice, gets two and keeps one.
 */
import type { Readable, Room, Timeline, TimelineOptions, TimelineSnapshot } from '@tautline/client'
import { useMemo } from 'react'
import { useReadable } from './use-readable.ts'

export interface Messages extends TimelineSnapshot {
  /** One page of older messages. Never rejects: a failure stands in `error`, and the next call tries again. */
  loadOlder(): Promise<void>
}

const NOTHING_YET: TimelineSnapshot = { items: [], hasOlder: true, isLoading: false, error: undefined }

/**
 * The messages of a room from `useRoom` or `client.room`. The newest page is read once the room is live.
 * Another room or page size begins anew.
 */
export function useMessages(room: Room, { pageSize }: TimelineOptions = {}): Messages {
  const timeline = useMemo(() => timelineWhileWatched(room, { pageSize }), [room, pageSize])
  const snapshot = useReadable(timeline, NOTHING_YET)
  return useMemo(() => ({ ...snapshot, loadOlder: timeline.loadOlder }), [snapshot, timeline])
}

function timelineWhileWatched(
  room: Room,
  options: TimelineOptions,
): Readable<TimelineSnapshot> & Pick<Messages, 'loadOlder'> {
  let timeline: Timeline | undefined
  return {
    getSnapshot: () => timeline?.getSnapshot() ?? NOTHING_YET,
    subscribe(listener) {
      const opened = room.timeline(options)
      timeline = opened
      const stop = opened.subscribe(listener)
      return () => {
        stop()
        opened.close()
        if (timeline === opened) timeline = undefined
      }
    },
    loadOlder: async () => timeline?.loadOlder(),
  }
}
