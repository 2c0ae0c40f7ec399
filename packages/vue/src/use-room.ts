import type { Room, RoomSnapshot } from '@tautline/client'
import { type ComputedRef, computed, type MaybeRefOrGetter, toValue } from 'vue'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

export interface RoomView extends Fields<RoomSnapshot> {
  /** The same object as `client.room(id)`: join, send, typing, … */
  readonly room: ComputedRef<Room>
}

/**
 * The room of this id and what is known of it: phase, who is there, who types, how far each has read. It neither joins
 * nor follows; call `room.value.join()` or `.follow()` for that. Throws VALIDATION_ERROR where this can be no room's id.
 */
export function useRoom(id: MaybeRefOrGetter<string>): RoomView {
  const client = useClient()
  const room = computed(() => client.room(toValue(id)))
  return { room, ...readableRefs(() => room.value) }
}
