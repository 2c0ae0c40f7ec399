/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives as long
 * as the scope that asked for it.
 */
import type { Readable, Room, Timeline, TimelineOptions, TimelineSnapshot } from '@tautline/client'
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
  const timeline = computed(() => timelineWhileWatched(toValue(room), { pageSize }))
  return { ...readableRefs(() => timeline.value), loadOlder: () => timeline.value.loadOlder() }
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
