import { vi } from 'vitest'
import { PATIENCE_MS } from './patience.ts'

/** Looks again and again until the claim does not throw any more; gives what it gives. */
export function eventually<T>(claim: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(claim, { timeout: PATIENCE_MS, interval: 10 })
}
