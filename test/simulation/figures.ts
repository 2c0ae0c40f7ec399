// What is known of a series when it is over.

export interface Figures {
  readonly runs: number
  /** Runs that broke a promise. */
  readonly violations: number
  /** Whole milliseconds of each run, so that their sum does not depend on its order. */
  readonly simulatedMs: number
  readonly simulatedHours: number
  readonly faults: Readonly<Record<string, number>>
  readonly events: number
  /** By the time of the processor, not of the clock: of one core, however many took part. */
  readonly runsPerSecond: number
  /** Seeds that broke a promise, the first hundred, with the promises. */
  readonly broken: readonly {
    readonly seed: number
    readonly profile: string
    readonly invariants: readonly string[]
  }[]
}

export const MAX_BROKEN = 100
