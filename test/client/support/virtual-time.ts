// A clock that only moves when told to, and counts what was armed.

import type { Scheduler } from '@tautline/client'
import { SERVER_TIME } from './drive.ts'

export interface VirtualTime {
  readonly scheduler: Scheduler
  /** Timers that are armed now. */
  timers(): number
  /** Lets time pass, and between the timers everything that is ready. */
  advance(ms: number): Promise<void>
  /** The monotonic clock goes on without its timers: the machine was busy or asleep. */
  sleep(ms: number): void
  /** The wall clock goes on, the monotonic one stands still: the machine slept. */
  jump(ms: number): void
}

/** Everything that is ready to run has run. */
export function idle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export function createVirtualTime(): VirtualTime {
  let now = 1_000
  let offset = SERVER_TIME - now
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  function next() {
    let first: { readonly at: number; readonly callback: () => void } | undefined
    for (const timer of timers) if (!first || timer.at < first.at) first = timer
    return first
  }

  return {
    scheduler: {
      now: () => now,
      unixTime: () => Math.round(now + offset),
      after(ms, callback) {
        const timer = { at: now + Math.max(0, ms), callback }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    timers: () => timers.size,
    async advance(ms) {
      const end = now + ms
      await idle()
      for (let timer = next(); timer && timer.at <= end; timer = next()) {
        now = Math.max(now, timer.at)
        timers.delete(timer)
        timer.callback()
        await idle()
      }
      now = end
      await idle()
    },
    sleep(ms) {
      now += ms
    },
    jump(ms) {
      offset += ms
    },
  }
}
