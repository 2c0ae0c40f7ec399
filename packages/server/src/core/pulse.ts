/**
 * Telling at most so often: what changes is collected by its owner, and told at the end of the input that brought it, or,
 * where something was told a moment ago, when the interval since then is over. So a single change is told at once, and a
 * thousand in a second are one.
 */
import type { Context } from './context.ts'
import type { Scheduled } from './schedule.ts'

/** The shortest time between two tellings of one thing. */
export const PULSE_MS = 1_000

export interface Pulse extends Scheduled {
  readonly kind: 'pulse'
  /** Tells what was collected. Called with nothing collected where that was taken back. */
  readonly flush: () => void
  /** When it was told last. */
  flushedAt: number
}

export function createPulse(flush: () => void): Pulse {
  return {
    kind: 'pulse',
    flush,
    flushedAt: Number.NEGATIVE_INFINITY,
    dueAt: Number.POSITIVE_INFINITY,
    place: -1,
  }
}

/** Something was collected. `intervalMs`: between two tellings. */
export function beat(context: Context, pulse: Pulse, intervalMs = PULSE_MS): void {
  if (pulse.place >= 0) return
  const dueAt = pulse.flushedAt + intervalMs
  if (dueAt <= context.now) context.beating.add(pulse)
  else context.schedule.set(pulse, dueAt)
}

/** What fails is tried again after this time. */
export function beatLater(context: Context, pulse: Pulse, waitMs: number): void {
  if (pulse.place < 0) context.schedule.set(pulse, context.now + waitMs)
}

/** The end of an input. */
export function flushBeating(context: Context): void {
  // What one of them sets off is told in the same breath.
  for (const pulse of context.beating) {
    context.beating.delete(pulse)
    pulse.flushedAt = context.now
    pulse.flush()
  }
}
