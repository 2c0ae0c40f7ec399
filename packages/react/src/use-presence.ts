/** How chosen users are. They are watched while somebody shows them, each once however many components do. */
import { whileWatched } from '@tautline/client'
import { presence, type WatchedUser, type WatchSnapshot } from '@tautline/client/presence'
import { useMemo } from 'react'
import { useClient } from './use-client.ts'
import { useReadable } from './use-readable.ts'

export type Users = ReadonlyMap<string, WatchedUser>

const NOBODY: WatchSnapshot = { users: new Map() }

/**
 * These users as they are, whatever rooms they are in; without those of whom we may not know, and empty without a
 * connection. With `select` just what it picks: `usePresence([id], (users) => users.get(id)?.status)`. The list may be
 * made anew at each render. How we are ourselves says `presence(client).set()`.
 */
export function usePresence(userIds: readonly string[]): Users
export function usePresence<S>(userIds: readonly string[], select: (users: Users) => S): S
export function usePresence<S>(userIds: readonly string[], select?: (users: Users) => S): Users | S {
  const client = useClient()
  const key = userIds.join(' ')
  const watched = useMemo(
    () => whileWatched(() => presence(client).watch(key.split(' ').filter(Boolean)), NOBODY),
    [client, key],
  )
  const pick = useMemo(
    () =>
      ({ users }: WatchSnapshot) =>
        select ? select(users) : users,
    [select],
  )
  return useReadable<WatchSnapshot, Users | S>(watched, NOBODY, pick)
}
