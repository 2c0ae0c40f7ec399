import { onceWatched } from '@tautline/client'
import { type UnreadSnapshot, unread } from '@tautline/client/unread'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

const NOTHING_YET: UnreadSnapshot = { total: 0, rooms: new Map(), isLoaded: false }

/** What is unread in all rooms of the user, followed or not: `total`, and by room. */
export function useUnreadRooms(): Fields<UnreadSnapshot> {
  const watched = onceWatched(useClient(), unread, NOTHING_YET)
  return readableRefs(() => watched)
}
