/**
 * How long to stay away after the n-th loss in a row: at random between `minMs` and `baseMs`, both times factorⁿ until
 * that reaches `capMs`. The jitter spans the range and the cap is applied to both its ends, never to what was drawn:
 * clients that lost the same server at the same moment must not come back at the same moment. The near end grows too,
 * so that of a few draws none is nearly nothing: as many attempts reach further, and nobody is left far behind.
 */
import { NEVER } from './alarms.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  /** The shortest first wait, and never sooner than this. Default 250 ms. */
  readonly minMs: number
  /** The longest first wait. Default 1,000 ms. */
  readonly baseMs: number
  /** Growth of both with each loss. Default 1.5. */
  readonly factor: number
  /** Never later than this, unless the server asks for it. Default 30,000 ms. */
  readonly capMs: number
}

export const DEFAULT_BACKOFF: BackoffOptions = { minMs: 250, baseMs: 1_000, factor: 1.5, capMs: 30_000 }

/** `losses`: 0 for the first in a row; Infinity for the latest range. `random` that gives 0: the shortest of it. */
export function backoffMs(options: BackoffOptions, losses: number, random: Random): number {
  const { minMs, baseMs, factor, capMs } = options
  const first = Math.max(minMs, baseMs)
  // Not by arithmetic alone: 0 / 0 and 1 ** ∞ are no numbers.
  const widest = first === 0 ? 1 : Math.max(capMs / first, 1)
  const growth = losses === NEVER ? widest : Math.min(factor ** losses, widest)
  const longest = Math.max(minMs, Math.min(first * growth, capMs))
  const shortest = Math.min(minMs * growth, longest)
  return shortest + random() * (longest - shortest)
}
