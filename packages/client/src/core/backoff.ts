/**
 * How long to stay away after the n-th loss in a row: `minMs + U(0, min(capMs - minMs, baseMs · factorⁿ))`.
 * The jitter spans the whole range and the cap is applied inside it, never after it: clients that lost the same server
 * at the same moment must not come back at the same moment.
 */
import { NEVER } from './alarms.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  /** Never sooner than this. Default 250 ms. */
  readonly minMs: number
  /** Width of the first wait's range. Default 1,000 ms. */
  readonly baseMs: number
  /** Growth of the range with each loss. Default 1.5. */
  readonly factor: number
  /** Never later than this, unless the server asks for it. Default 30,000 ms. */
  readonly capMs: number
}

export const DEFAULT_BACKOFF: BackoffOptions = { minMs: 250, baseMs: 1_000, factor: 1.5, capMs: 30_000 }

/** `losses`: 0 for the first in a row; Infinity for the widest range. */
export function backoffMs(options: BackoffOptions, losses: number, random: Random): number {
  const { minMs, baseMs, factor, capMs } = options
  const widest = Math.max(capMs - minMs, 0)
  // Not by arithmetic alone: 0 · ∞ and 1 ** ∞ are no numbers.
  const grown = losses === NEVER ? widest : baseMs * Math.min(factor ** losses, Number.MAX_VALUE)
  return minMs + random() * Math.min(widest, grown)
}
