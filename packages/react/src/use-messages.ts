/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives exactly
 * as long as React is subscribed: Strict Mode, which subscribes twice, gets two and keeps one.
 */
import type { Readable, Room } from '@tautline/client'
import {
  type Timeline,
  type TimelineOptions,
  type TimelineSnapshot,
  timeline,
} from '@tautline/client/timeline'
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
  const watched = useMemo(() => timelineWhileWatched(room, { pageSize }), [room, pageSize])
  const snapshot = useReadable(watched, NOTHING_YET)
  return useMemo(() => ({ ...snapshot, loadOlder: watched.loadOlder }), [snapshot, watched])
}

function timelineWhileWatched(
  room: Room,
  options: TimelineOptions,
): Readable<TimelineSnapshot> & Pick<Messages, 'loadOlder'> {
  let current: Timeline | undefined
  return {
    getSnapshot: () => current?.getSnapshot() ?? NOTHING_YET,
    subscribe(listener) {
      const opened = timeline(room, options)
      current = opened
      const stop = opened.subscribe(listener)
      return () => {
        stop()
        opened.close()
        if (current === opened) current = undefined
      }
    },
    loadOlder: async () => current?.loadOlder(),
  }
}
