// The promises, as questions to the history of a run. Each invariant is a pure function: it knows nothing of how clients
// and servers work, only what was said, decided and told. Where the contract lets something happen (a restored snapshot
// takes back what was acknowledged), the exception stands beside the rule.
//
// One file of checker/ for each promise or two.

import { bounded, oneSocketOneTimer } from './checker/bounds.ts'
import { comesRight } from './checker/comes-right.ts'
import { dialDiscipline } from './checker/dialling.ts'
import { appliedOnceInOrder, divergenceIsVisible, liveIsTrue } from './checker/following.ts'
import { identity } from './checker/identity.ts'
import { acknowledgedIsDurable, acknowledgedIsKept } from './checker/kept.ts'
import { oneEffect, oneOrder } from './checker/order.ts'
import { failuresAreKept, outcomesAreStable } from './checker/outcomes.ts'
import { readPositionsRise } from './checker/positions.ts'
import { nobodyIsReplacedByNobody, noSpuriousFailure } from './checker/reasons.ts'
import { commandDiscipline } from './checker/retries.ts'
import { authorized } from './checker/rights.ts'
import { outboxOrder, senderOrder } from './checker/sender-order.ts'
import { standsAsTheLogSays } from './checker/standing.ts'
import type { Invariant, Violation } from './checker/violation.ts'
import type { History } from './history.ts'

const CHECKS: { readonly [I in Invariant]: (history: History) => Violation[] } = {
  I1: acknowledgedIsKept,
  I2: oneEffect,
  I3: oneOrder,
  I4: (history) => [...appliedOnceInOrder(history), ...liveIsTrue(history)],
  I5: (history) => [...senderOrder(history), ...outboxOrder(history)],
  I6: (history) => [...outcomesAreStable(history), ...failuresAreKept(history)],
  I7: (history) => (history.hintsWereLost ? [] : comesRight(history, 'I7')),
  I8: (history) => [...noSpuriousFailure(history), ...nobodyIsReplacedByNobody(history)],
  I9: authorized,
  I10: acknowledgedIsDurable,
  I11: bounded,
  I12: divergenceIsVisible,
  I13: readPositionsRise,
  I14: identity,
  I15: (history) => (history.hintsWereLost ? comesRight(history, 'I15') : []),
  I16: oneSocketOneTimer,
  I17: (history) => [...commandDiscipline(history), ...dialDiscipline(history)],
  I18: standsAsTheLogSays,
  broken: ({ broken }) => broken.map(({ at, what }) => ({ invariant: 'broken', at, what, about: [] })),
}

export function check(history: History): Violation[] {
  return Object.values(CHECKS).flatMap((invariant) => invariant(history))
}

export function checkOne(invariant: Invariant, history: History): Violation[] {
  return CHECKS[invariant](history)
}
