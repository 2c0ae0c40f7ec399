/** The time as far as words like "2 minutes ago" need it: who says it renders again when another half minute has begun. */
import { useSyncExternalStore } from 'react'

const STEP_MS = 30_000

/** Unix milliseconds, at most half a minute ago. */
export const useNow = (): number => useSyncExternalStore(subscribe, look)

const look = (): number => Date.now() - (Date.now() % STEP_MS)

function subscribe(tell: () => void): () => void {
  const timer = setInterval(tell, STEP_MS / 6)
  return () => clearInterval(timer)
}
