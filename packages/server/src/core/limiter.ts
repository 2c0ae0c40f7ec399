/**
 * Token buckets. A bucket is two numbers and is filled when it is looked at; there is no timer. A node keeps some for
 * each user (usage.ts) and two for each connection (messages of any kind, and refusals: who goes on being refused is
 * abusing the server).
 */
export interface Bucket {
  tokens: number
  /** When `tokens` was true, in monotonic milliseconds. */
  at: number
}

export interface Rate {
  readonly perSecond: number
  /** What a full bucket holds. */
  readonly burst: number
}

export function fullBucket(rate: Rate, now: number): Bucket {
  return { tokens: rate.burst, at: now }
}

/** Takes one token; false: there is none. */
export function takeToken(bucket: Bucket, rate: Rate, now: number): boolean {
  fill(bucket, rate, now)
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}

/** How long until there is one token, in whole milliseconds, at least 1. Ask after a refusal. */
export function msUntilToken(bucket: Bucket, rate: Rate): number {
  return msUntilTokens(bucket, rate, 1, bucket.at) || 1
}

export function isFull(bucket: Bucket, rate: Rate, now: number): boolean {
  fill(bucket, rate, now)
  return bucket.tokens >= rate.burst
}

/** How long until there are so many tokens, in whole milliseconds; 0: they are there. Takes none. */
export function msUntilTokens(bucket: Bucket, rate: Rate, count: number, now: number): number {
  fill(bucket, rate, now)
  if (bucket.tokens >= count) return 0
  return Math.max(1, Math.ceil(((count - bucket.tokens) / rate.perSecond) * 1_000))
}

function fill(bucket: Bucket, rate: Rate, now: number): void {
  const passed = now - bucket.at
  if (passed <= 0) return
  bucket.tokens = Math.min(rate.burst, bucket.tokens + (passed / 1_000) * rate.perSecond)
  bucket.at = now
}

/** The buckets of all users. A bucket outlives the user's connections until it is full: a reconnect refills nothing. */
export class UserBuckets {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()
  #sweepAt = 1_024

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** How long until the user has so many tokens; 0: now. Takes none. More than a full bucket holds are a full bucket. */
  msUntil(user: string, count: number, now: number): number {
    return msUntilTokens(this.of(user, now), this.#rate, Math.min(count, this.#rate.burst), now)
  }

  /** Takes what `msUntil` said to be there. */
  take(user: string, count: number, now: number): void {
    this.of(user, now).tokens -= Math.min(count, this.#rate.burst)
  }

  /** How many whole ones the user has. */
  left(user: string, now: number): number {
    const bucket = this.of(user, now)
    fill(bucket, this.#rate, now)
    return Math.floor(bucket.tokens)
  }

  /** How long until the user has one whole token more, whether those that are left are taken or not. */
  msUntilNext(user: string, now: number): number {
    const more = Math.max(0, this.left(user, now)) + 1
    return msUntilTokens(this.of(user, now), this.#rate, more, now)
  }

  of(user: string, now: number): Bucket {
    const found = this.#buckets.get(user)
    if (found) return found
    const bucket = fullBucket(this.#rate, now)
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now)
    this.#buckets.set(user, bucket)
    return bucket
  }

  /** Forgets the full ones, which are as good as new; each sweep is paid for by the growth since the last. */
  #sweep(now: number): void {
    for (const [user, bucket] of this.#buckets) {
      if (isFull(bucket, this.#rate, now)) this.#buckets.delete(user)
    }
    this.#sweepAt = 1_024 + 2 * this.#buckets.size
  }
}
