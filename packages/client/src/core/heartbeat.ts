/**
 * Finds a dead connection. Any frame feeds a watchdog; a watchdog that fires does not close, it probes: one `ping`,
 * and only its silence is a verdict. A watchdog that fires late says that we slept, not that the server is gone: it
 * looks once more after the frames that were waiting have been read. Once: in a tab that has been hidden for long every
 * timer is late.
 */
import { NEVER } from './alarms.ts'

export interface HeartbeatOptions {
  /** Silence after which the connection is probed. Default 35,000 ms (the server speaks every 25 s ± 10 %). */
  readonly watchdogMs: number
  /** Time for the answer to a probe. Default 5,000 ms. */
  readonly probeTimeoutMs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { watchdogMs: 35_000, probeTimeoutMs: 5_000 }

/** A timer this late means that the process slept or was throttled. */
const LATE_MS = 5_000

export type HeartbeatVerdict = 'fine' | 'probe' | 'dead'

export interface Heartbeat {
  start(now: number): void
  stop(): void
  /** A frame came. */
  feed(now: number): void
  /** Somebody doubts the connection: true where a probe must be sent (none is under way). */
  doubt(now: number): boolean
  tick(now: number): HeartbeatVerdict
  deadline(): number
}

/** Late by so much that frames may be waiting unread: look again in the next turn. */
export function isLate(now: number, deadline: number): boolean {
  return now > deadline + LATE_MS
}

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  let watchdogAt = NEVER
  let probeEndsAt = NEVER
  /** Whether the deadline of now was late before. */
  let isPutOff = false

  function probe(now: number): boolean {
    if (probeEndsAt !== NEVER) return false
    probeEndsAt = now + options.probeTimeoutMs
    isPutOff = false
    return true
  }

  function putOff(now: number, deadline: number): boolean {
    isPutOff = !isPutOff && isLate(now, deadline)
    return isPutOff
  }

  return {
    start(now) {
      watchdogAt = now + options.watchdogMs
      probeEndsAt = NEVER
      isPutOff = false
    },
    stop() {
      watchdogAt = NEVER
      probeEndsAt = NEVER
    },
    feed(now) {
      if (watchdogAt === NEVER) return
      watchdogAt = now + options.watchdogMs
      probeEndsAt = NEVER
      isPutOff = false
    },
    doubt: (now) => watchdogAt !== NEVER && probe(now),
    tick(now) {
      if (now >= probeEndsAt) {
        if (!putOff(now, probeEndsAt)) return 'dead'
        probeEndsAt = now + 1
        watchdogAt = Math.max(watchdogAt, now + 1)
        return 'fine'
      }
      if (now < watchdogAt) return 'fine'
      if (putOff(now, watchdogAt)) {
        watchdogAt = now + 1
        return 'fine'
      }
      watchdogAt = now + options.watchdogMs
      return probe(now) ? 'probe' : 'fine'
    },
    deadline: () => Math.min(watchdogAt, probeEndsAt),
  }
}
