/** How chosen users are. They are watched while somebody shows them, each once however many components do. */
import { whileWatched } from '@tautline/client'
import { presence, type WatchedUser, type WatchSnapshot } from '@tautline/client/presence'
import { type ComputedRef, computed, type MaybeRefOrGetter, toValue } from 'vue'
import { readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

export type Users = ReadonlyMap<string, WatchedUser>

const NOBODY: WatchSnapshot = { users: new Map() }

/**
 * These users as they are, whatever rooms they are in; without those of whom we may not know, and empty without a
 * connection. How we are ourselves says `presence(client).set()`.
 */
export function usePresence(userIds: MaybeRefOrGetter<readonly string[]>): ComputedRef<Users> {
  const client = useClient()
  // A list that was made anew of the same users is the same list.
  const key = computed(() => toValue(userIds).join(' '))
  const watched = computed(() => {
    const named = key.value.split(' ').filter(Boolean)
    return whileWatched(() => presence(client).watch(named), NOBODY)
  })
  return readableRefs(() => watched.value).users
}
