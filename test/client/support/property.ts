// Every property of the client runs with the same seed, so that a run can be repeated.

import * as fc from 'fast-check'

const seed = 20_260_714

export function holds<Ts>(property: fc.IRawProperty<Ts, false>, numRuns = 200): void {
  fc.assert(property, { seed, numRuns })
}

/** For what takes real turns of the event loop. */
export function holdsInTime<Ts>(property: fc.IRawProperty<Ts, true>, numRuns = 200): Promise<void> {
  return fc.assert(property, { seed, numRuns })
}
