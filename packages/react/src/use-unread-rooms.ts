import { onceWatched } from '@tautline/client'
import { type UnreadSnapshot, unread } from '@tautline/client/unread'
import { useMemo } from 'react'
import { useClient } from './use-client.ts'
import { useReadable, whole } from './use-readable.ts'

const NOTHING_YET: UnreadSnapshot = { total: 0, rooms: new Map(), isLoaded: false }

/**
 * What is unread in all rooms of the user, followed or not: `total`, and by room. With `select` just what it picks:
 * `useUnreadRooms(({ total }) => total)`.
 */
export function useUnreadRooms(): UnreadSnapshot
export function useUnreadRooms<S>(select: (unread: UnreadSnapshot) => S): S
export function useUnreadRooms<S>(select?: (unread: UnreadSnapshot) => S): UnreadSnapshot | S {
  const client = useClient()
  const watched = useMemo(() => onceWatched(client, unread, NOTHING_YET), [client])
  return useReadable<UnreadSnapshot, UnreadSnapshot | S>(watched, NOTHING_YET, select ?? whole)
}
