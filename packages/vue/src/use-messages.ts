/**
 * History, live messages and own ones on their way, as one list for a chat window. The timeline behind it lives as long
 * as the scope that asked for it.
 */
import { type Room, whileWatched } from '@tautline/client'
import { type TimelineOptions, type TimelineSnapshot, timeline } from '@tautline/client/timeline'
import { computed, type MaybeRefOrGetter } from 'vue'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useRoomOf } from './use-client.ts'

export interface Messages extends Fields<TimelineSnapshot> {
  /** One page of older messages. Never rejects: a failure stands in `error`, and the next call tries again. */
  loadOlder(): Promise<void>
}

const NOTHING_YET: TimelineSnapshot = { items: [], hasOlder: true, isLoading: false, error: undefined }

/**
 * The messages of a room, or of the room of this id. The newest page is read once the room is live. Another room begins
 * anew. An item keeps its key from `queued` to `acknowledged`, and its identity until something in it changes.
 */
export function useMessages(
  room: MaybeRefOrGetter<Room | string>,
  { pageSize }: TimelineOptions = {},
): Messages {
  const from = useRoomOf(room)
  const watched = computed(() => {
    const shown = from()
    return whileWatched(() => timeline(shown, { pageSize }), NOTHING_YET)
  })
  return {
    ...readableRefs(() => watched.value),
    loadOlder: async () => watched.value.current()?.loadOlder(),
  }
}
