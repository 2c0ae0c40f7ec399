/** Which room is looked at stands in the address (`#general`), so that a reload stays there and "back" goes back. */
import { useCallback, useSyncExternalStore } from 'react'

export interface Route {
  /** Undefined: none, which on a narrow screen is the list of them. */
  readonly room: string | undefined
  go(room: string | undefined): void
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(listen, () => location.hash)
  const go = useCallback((room: string | undefined) => {
    location.hash = room === undefined ? '' : encodeURIComponent(room)
  }, [])
  return { room: roomIn(hash), go }
}

function listen(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

function roomIn(hash: string): string | undefined {
  try {
    return decodeURIComponent(hash.slice(1)) || undefined
  } catch {
    return undefined // not written by us
  }
}
