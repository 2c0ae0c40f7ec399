// Every property of the protocol runs with the same seed, so that a run can be repeated; fast-check prints it, and the
// path to the smallest counterexample, when one fails.

import * as fc from 'fast-check'

const seed = 20_260_714

export function holds<Ts>(property: fc.IRawProperty<Ts, false>, numRuns = 300): void {
  fc.assert(property, { seed, numRuns })
}
