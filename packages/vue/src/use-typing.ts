import type { Room } from '@tautline/client'
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import { readableRefs } from './readable-refs.ts'
import { useRoomOf } from './use-client.ts'

export interface TypingView {
  /** Who types in the room, oneself not included. */
  readonly typing: ComputedRef<readonly string[]>
  /** Call it with each key: others are told every 3 s at most, and forget it after 6 s. Needs a connection, else nothing happens. */
  startTyping(): void
  stopTyping(): void
}

/** Who types in a followed room, and how to say that we do. */
export function useTyping(room: MaybeRefOrGetter<Room | string>): TypingView {
  const from = useRoomOf(room)
  const { typing } = readableRefs(from)
  return { typing, startTyping: () => from().typing(), stopTyping: () => from().typing(false) }
}
