/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives as long
 * as the scope that asked for it.
 */
import type { Readable, Room } from '@tautline/client'
import {
  type Timeline,
  type TimelineOptions,
  type TimelineSnapshot,
  timeline,
} from '@tautline/client/timeline'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { type Fields, readableRefs } from './readable-refs.ts'

export interface Messages extends Fields<TimelineSnapshot> {
  /** One page of older messages. Never rejects: a failure stands in `error`, and the next call tries again. */
  loadOlder(): Promise<void>
}

const NOTHING_YET: TimelineSnapshot = { items: [], hasOlder: true, isLoading: false, error: undefined }

/**
 * The messages of a room from `useRoom` or `client.room`. The newest page is read once the room is live.
 * Another room begins anew.
 */
export function useMessages(room: MaybeRefOrGetter<Room>, { pageSize }: TimelineOptions = {}): Messages {
  const watched = computed(() => timelineWhileWatched(toValue(room), { pageSize }))
  return { ...readableRefs(() => watched.value), loadOlder: () => watched.value.loadOlder() }
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
