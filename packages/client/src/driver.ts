/**
 * Drives the core: one input, then all its effects, then the next, and one timer armed for the core's next deadline.
 * What an effect's listener asks for waits until its turn. What is sent in one turn of the event loop goes out at its end.
 */
import { NEVER } from './core/alarms.ts'
import type { Effect } from './core/context.ts'
import type { Core, Input } from './core/core.ts'
import { guarded } from './listeners.ts'
import type { Scheduler } from './scheduler.ts'

/** A timer this late, or clocks that drifted apart by so much, mean that the machine slept. */
const SLEPT_MS = 5_000

export interface DriverParts {
  readonly core: Core
  readonly scheduler: Scheduler
  /** Runs a task when this turn of the event loop has done what it is at: as `queueMicrotask` does. */
  endOfTurn(task: () => void): void
  perform(effect: Effect): void
  /** All effects of a step were performed. */
  settled(): void
}

export interface Driver {
  step(input: Input): void
  /** Lets the timer go: the host is gone. */
  stop(): void
}

export function createDriver({ core, scheduler, endOfTurn, perform, settled }: DriverParts): Driver {
  let armedFor = NEVER
  let disarm = () => {}
  let clockOffset = scheduler.unixTime() - scheduler.now()
  const inputs: Input[] = []
  let isStepping = false
  /** Something was sent in this turn, and its end is awaited. */
  let isTurnOpen = false

  /** One input, then all its effects, then the next: what a listener asks for waits until its turn. */
  function step(input: Input): void {
    inputs.push(input)
    if (isStepping) return
    isStepping = true
    try {
      for (let next = inputs.shift(); next; next = inputs.shift()) {
        if (next.type === 'send') awaitEndOfTurn()
        for (const effect of core.step(next, scheduler.now())) guarded(() => perform(effect))
      }
    } finally {
      isStepping = false
    }
    settled()
    if (!isTurnOpen) arm()
  }

  function awaitEndOfTurn(): void {
    if (isTurnOpen) return
    isTurnOpen = true
    endOfTurn(() => {
      isTurnOpen = false
      step({ type: 'tick' })
    })
  }

  function arm(): void {
    const deadline = core.nextDeadline()
    if (deadline === armedFor) return
    disarm()
    armedFor = deadline
    disarm = () => {}
    if (deadline === NEVER) return
    disarm = scheduler.after(deadline - scheduler.now(), () => {
      armedFor = NEVER
      if (hasSlept(deadline)) step({ type: 'lifecycle', event: 'wake' })
      step({ type: 'tick' })
    })
  }

  /** A timer that is late, or a wall clock that went on while the monotonic one stood still. */
  function hasSlept(deadline: number): boolean {
    const offset = scheduler.unixTime() - scheduler.now()
    const jumped = Math.abs(offset - clockOffset) > SLEPT_MS
    clockOffset = offset
    return jumped || scheduler.now() > deadline + SLEPT_MS
  }

  return { step, stop: () => disarm() }
}
