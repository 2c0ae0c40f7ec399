/**
 * The one door to the clock: monotonic time for the core, Unix time for ids, one timer. Tests bring their own.
 */
export interface Scheduler {
  /** Monotonic milliseconds. */
  now(): number
  /** Unix milliseconds. */
  unixTime(): number
  /** Calls back once after `ms`; returns how to prevent it. */
  after(ms: number, callback: () => void): () => void
}

/** Browsers fire a timer beyond 2³¹ ms at once. */
const LONGEST_TIMER_MS = 2_147_483_647

export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  unixTime: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS))
    return () => clearTimeout(timer)
  },
}
