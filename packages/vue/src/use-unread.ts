import type { Room } from '@tautline/client'
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import { readableRefs } from './readable-refs.ts'
import { useRoomOf } from './use-client.ts'

/** Messages of others in a followed room that none of our devices has read. Undefined until the room is live. */
export function useUnread(room: MaybeRefOrGetter<Room | string>): ComputedRef<number | undefined> {
  return readableRefs(useRoomOf(room)).unread
}
