import type { Room, RoomSnapshot } from '@tautline/client'
import { useMemo } from 'react'
import { useRoomOf } from './use-client.ts'
import { useReadable } from './use-readable.ts'
import { NOT_FOLLOWED } from './use-room.ts'

export interface TypingView {
  /** Who types in the room, oneself not included. */
  readonly typing: readonly string[]
  /** Call it with each key: others are told every 3 s at most, and forget it after 6 s. Needs a connection, else nothing happens. */
  startTyping(): void
  stopTyping(): void
}

const typingOf = ({ typing }: RoomSnapshot) => typing

/** Who types in a followed room, and how to say that we do. */
export function useTyping(room: Room | string): TypingView {
  const from = useRoomOf(room)
  const typing = useReadable(from, NOT_FOLLOWED, typingOf)
  return useMemo(
    () => ({ typing, startTyping: () => from.typing(), stopTyping: () => from.typing(false) }),
    [typing, from],
  )
}
