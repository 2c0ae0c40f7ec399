// The time of one simulated tab or process: a clock that drifts and may stand still in sleep, a date that is set, timers
// that are never early and can be late, and a sleep out of which everything that waited comes at once.

import type { Dice } from './dice.ts'
import type { Session } from './history.ts'
import { UNIX_START } from './time.ts'
import type { World } from './world.ts'

export interface HostClock {
  /** Monotonic, at the rate of the session. */
  now(): number
  /** What the device takes for the date. */
  unixTime(): number
  /** Calls back once; what it gives disarms it. */
  after(ms: number, callback: () => void): () => void
  /** How many timers are armed. */
  timers(): number
  /** Happens when the host is awake; not at all where its page is gone. */
  whenAwake(action: () => void): void
  isAsleep(): boolean
  /** Whether timers are late, or were until less than so long ago. */
  isLate(ms: number): boolean
  /** Timers, frames and all else stand still for so long. */
  sleep(ms: number): void
  /** Timers are late for so long, by up to a minute. */
  throttle(ms: number): void
  /** The date is set. */
  step(ms: number): void
}

export interface HostClockParts {
  readonly world: World
  readonly dice: Dice
  /** Whose it is; when it was late, and how wrong the date, is written there. */
  readonly session: Session
  readonly stopsInSleep: boolean
  /** What it shows at the beginning of the run, in milliseconds. */
  readonly origin: number
  readonly count: (what: string) => void
  /** Whether the page is there: else nothing happens. */
  readonly isAlive: () => boolean
  /** The page hears that it wakes: before what waited, after it, or not at all. */
  readonly wakes: () => void
  /** A timer is armed and fires over and over within a moment. */
  readonly spins: () => void
}

/** No timer fires early. */
const TIMER_GRAIN_MS = 0.001
/** Times that a timer may fire within a millisecond. */
const MOST_SPINS = 100
/** Timers of a page that is not looked at fire once a minute. */
const THROTTLE_MS = 60_000

export function createHostClock(parts: HostClockParts): HostClock {
  const { world, dice, session, stopsInSleep, origin, count, isAlive, wakes, spins } = parts
  const rate = session.clockRate
  /** What waits for its waking. */
  let asleep: (() => void)[] | undefined
  let asleepUntil = 0
  let fellAsleepAt = 0
  /** Time that the monotonic clock left out. */
  let frozenMs = 0
  let throttledUntil = 0
  let dateErrorMs = 0
  let timers = 0
  let firedAt = 0
  let timesFired = 0

  function now(): number {
    return (world.now - frozenMs) * rate + origin
  }

  function whenAwake(action: () => void): void {
    if (!isAlive()) return
    if (asleep) asleep.push(action)
    else action()
  }

  function wake(): void {
    if (world.now < asleepUntil) return world.after(asleepUntil - world.now + TIMER_GRAIN_MS, wake)
    const waiting = asleep ?? []
    asleep = undefined
    if (stopsInSleep) frozenMs += world.now - fellAsleepAt
    if (!isAlive()) return
    world.note(() => `${session.id}: wakes`)
    const isToldFirst = dice.chance(0.5)
    if (isToldFirst) wakes()
    for (const action of waiting) whenAwake(action)
    if (!isToldFirst && dice.chance(0.5)) wakes()
  }

  /** A deadline that stays in the past would keep a processor busy for nothing. */
  function watchSpinning(): void {
    if (world.now - firedAt > 1) {
      firedAt = world.now
      timesFired = 0
    }
    if (++timesFired === MOST_SPINS) spins()
  }

  return {
    now,
    unixTime: () => Math.round(UNIX_START + world.now + dateErrorMs),

    after(ms, callback) {
      const dueAt = now() + Math.max(0, ms)
      let isArmed = true
      timers++
      session.mostTimers = Math.max(session.mostTimers, timers)
      const disarm = () => {
        if (isArmed) timers--
        isArmed = false
      }
      const look = () => {
        if (!isArmed || !isAlive()) return
        if (asleep) {
          asleep.push(look)
          return
        }
        const leftMs = (dueAt - now()) / rate
        if (leftMs > 0) return world.after(leftMs + TIMER_GRAIN_MS, look)
        if (world.now < throttledUntil) {
          const lateMs = dice.between(0, Math.min(THROTTLE_MS, throttledUntil - world.now))
          count('timer_late')
          return world.after(lateMs, ring)
        }
        ring()
      }
      const ring = () => {
        if (!isArmed || !isAlive()) return
        if (asleep) {
          asleep.push(ring)
          return
        }
        disarm()
        watchSpinning()
        callback()
      }
      world.after(Math.max(0, ms) / rate + TIMER_GRAIN_MS, look)
      return disarm
    },

    timers: () => timers,
    whenAwake,
    isAsleep: () => asleep !== undefined,
    isLate: (ms) => asleep !== undefined || world.now < Math.max(throttledUntil, asleepUntil) + ms,

    sleep(ms) {
      if (!isAlive()) return
      asleepUntil = Math.max(asleepUntil, world.now + ms)
      session.late.push([world.now, asleepUntil + 1])
      if (asleep) return
      world.note(() => `${session.id}: sleeps for ${Math.round(ms / 1_000)} s`)
      asleep = []
      fellAsleepAt = world.now
      world.after(ms, wake)
    },

    throttle(ms) {
      throttledUntil = Math.max(throttledUntil, world.now + ms)
      session.late.push([world.now, throttledUntil + 1])
    },

    step(ms) {
      dateErrorMs += ms
      session.clockErrorMs = Math.max(session.clockErrorMs, Math.abs(dateErrorMs))
    },
  }
}
