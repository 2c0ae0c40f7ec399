/**
 * The one binding between React and anything that the client lets us watch. `initial` is what a server renders and what
 * the browser's first render repeats while it hydrates, so that both are the same whatever happened in between.
 */
import type { Readable } from '@tautline/client'
import { useSyncExternalStore } from 'react'

export function useReadable<T>({ subscribe, getSnapshot }: Readable<T>, initial: T): T {
  return useSyncExternalStore(subscribe, getSnapshot, () => initial)
}
