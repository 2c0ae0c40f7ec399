import type { Room, RoomSnapshot } from '@tautline/client'
import { useMemo } from 'react'
import { useClient } from './use-client.ts'
import { useReadable } from './use-readable.ts'

export const NOT_FOLLOWED: RoomSnapshot = {
  phase: 'idle',
  error: undefined,
  users: new Map(),
  userCount: 0,
  typing: [],
  read: new Map(),
  delivered: new Map(),
  unread: undefined,
}

export interface RoomView extends RoomSnapshot {
  /** The same object as `client.room(id)`: join, send, typing, … */
  readonly room: Room
}

/**
 * The room of this id and what is known of it: phase, who is there, who types, how far each has read, what is unread.
 * With `select` just what it picks: `useRoom(id, ({ userCount }) => userCount)`. It neither joins nor follows; call
 * `room.join()` or `room.follow()` for that. Throws VALIDATION_ERROR where this can be no room's id.
 */
export function useRoom(id: string): RoomView
export function useRoom<S>(id: string, select: (room: RoomSnapshot) => S): S
export function useRoom<S>(id: string, select?: (room: RoomSnapshot) => S): RoomView | S {
  const room = useClient().room(id)
  const pick = useMemo(() => select ?? ((shown: RoomSnapshot) => ({ room, ...shown })), [room, select])
  return useReadable<RoomSnapshot, RoomView | S>(room, NOT_FOLLOWED, pick)
}
