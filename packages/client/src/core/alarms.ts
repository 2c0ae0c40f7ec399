/**
 * Deadlines as data: what is to be done, and when, in the time of `now`. The core calls what is due; the shell arms one
 * timer for the earliest.
 */

/** A deadline that does not come. */
export const NEVER = Number.POSITIVE_INFINITY

export interface Alarms {
  /** Calls `run` once at this time instead of any other; NEVER: not at all. */
  set(run: () => void, at: number): void
  /** Calls what is due, in the order in which it was set first. */
  tick(now: number): void
  /** Nothing is due any more. */
  clear(): void
  deadline(): number
}

export function createAlarms(): Alarms {
  const times = new Map<() => void, number>()
  return {
    set(run, at) {
      if (at === NEVER) times.delete(run)
      else times.set(run, at)
    },
    tick(now) {
      for (const [run] of [...times].filter(([, at]) => at <= now)) {
        // One that was due before may have put it off.
        if ((times.get(run) ?? NEVER) > now) continue
        times.delete(run)
        run()
      }
    },
    clear: () => times.clear(),
    deadline() {
      let earliest = NEVER
      for (const at of times.values()) if (at < earliest) earliest = at
      return earliest
    },
  }
}
