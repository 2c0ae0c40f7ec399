// A host whose page the user does not look at, for the ports of a client: while it is hidden, time passes by the minute
// alone, and a timer fires at the end of one, once: as browsers do with a tab that has been hidden for long. What comes
// over the network, or from the database, comes at once, as it does there. What a timer sets has to wait for the next minute.

import type { Lifecycle, LifecycleEvent, Scheduler } from '@tautline/client'

interface Timer {
  readonly dueAt: number
  readonly callback: () => void
}

export interface HiddenHost {
  readonly scheduler: Scheduler
  readonly lifecycle: Lifecycle
  hide(): void
  /** A minute passes, of which the page has only the end. */
  minute(): void
  /** The user looks at it again. */
  show(): void
}

export function createHiddenHost(): HiddenHost {
  let isHidden = false
  /** How far its clocks are ahead of the real ones. */
  let aheadMs = 0
  /** Real time stands still while the page is hidden. */
  let stoodAt = 0
  const timers = new Set<Timer>()
  const listeners = new Set<(event: LifecycleEvent) => void>()
  let disarm: ReturnType<typeof setTimeout> | undefined

  const now = () => (isHidden ? stoodAt : performance.now() + aheadMs)

  function arm(): void {
    clearTimeout(disarm)
    if (isHidden || timers.size === 0) return
    const next = Math.min(...Array.from(timers, ({ dueAt }) => dueAt))
    disarm = setTimeout(fire, Math.max(0, next - now()))
  }

  function fire(): void {
    const due = Array.from(timers).filter(({ dueAt }) => dueAt <= now())
    for (const timer of due) if (timers.delete(timer)) timer.callback()
    arm()
  }

  return {
    scheduler: {
      now,
      unixTime: () => Math.floor(performance.timeOrigin + now()),
      after(ms, callback) {
        const timer = { dueAt: now() + Math.max(0, ms), callback }
        timers.add(timer)
        arm()
        return () => void timers.delete(timer)
      },
    },
    lifecycle(notice) {
      listeners.add(notice)
      return () => void listeners.delete(notice)
    },
    hide() {
      stoodAt = now()
      isHidden = true
      arm()
    },
    minute() {
      stoodAt += 60_000
      fire()
    },
    show() {
      aheadMs = stoodAt - performance.now()
      isHidden = false
      for (const notice of listeners) notice('wake')
      arm()
    },
  }
}
