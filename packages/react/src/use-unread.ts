import type { Room, RoomSnapshot } from '@tautline/client'
import { useRoomOf } from './use-client.ts'
import { useReadable } from './use-readable.ts'
import { NOT_FOLLOWED } from './use-room.ts'

const unreadOf = ({ unread }: RoomSnapshot) => unread

/** Messages of others in a followed room that none of our devices has read. Undefined until the room is live. */
export function useUnread(room: Room | string): number | undefined {
  return useReadable(useRoomOf(room), NOT_FOLLOWED, unreadOf)
}
