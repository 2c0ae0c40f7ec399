/**
 * Keeps the outbox below the server's rate: the same token bucket as the server's, filled a little more slowly, so that
 * a flush of hundreds of queued messages is neither refused nor taken for abuse.
 */
const MARGIN = 0.95

export interface Pacing {
  /** The limits told by the server. The bucket keeps its level: a reconnect earns nothing. */
  configure(perSecond: number, burst: number, now: number): void
  /** Whole tokens there are now. */
  available(now: number): number
  take(count: number): void
  /** When the next token is there. */
  nextAt(): number
}

export function createPacing(perSecond: number, burst: number): Pacing {
  let ratePerMs = (perSecond * MARGIN) / 1_000
  let size = burst
  let tokens = burst
  let filledAt = Number.NEGATIVE_INFINITY

  function fill(now: number): void {
    if (filledAt !== Number.NEGATIVE_INFINITY) tokens = Math.min(size, tokens + (now - filledAt) * ratePerMs)
    filledAt = now
  }

  return {
    configure(newPerSecond, newBurst, now) {
      fill(now)
      // What was spent stays spent, whatever the size of the new bucket.
      tokens = Math.max(0, newBurst - (size - tokens))
      ratePerMs = (newPerSecond * MARGIN) / 1_000
      size = newBurst
    },
    available(now) {
      fill(now)
      // Rounded up by a hair: a deadline computed from nextAt() must find its token.
      return Math.floor(tokens + 1e-6)
    },
    take(count) {
      tokens -= count
    },
    nextAt: () => (tokens >= 1 ? filledAt : filledAt + (1 - tokens) / ratePerMs),
  }
}
