/** What is narrow shows one thing at a time, and no keyboard of a phone over what somebody came to read. The styles know it, too. */
import { useSyncExternalStore } from 'react'

export const WIDE = '(min-width: 46.01rem)'

/** Now. */
export const isWide = (): boolean => matchMedia(WIDE).matches

/** Now, and whenever it changes. */
export const useIsWide = (): boolean => useSyncExternalStore(listen, isWide)

function listen(listener: () => void): () => void {
  const query = matchMedia(WIDE)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}
