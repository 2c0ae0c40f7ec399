// The promises, as questions to the history of a run. Each invariant is a pure function: it knows nothing of how clients
// and servers work, only what was said, decided and told. Where the contract lets something happen (a restored snapshot
// takes back what was acknowledged), the exception stands beside the rule.
//
// One file of checker/ for each promise or two.

import { belongsAsTheLogSays } from './checker/belonging.ts'
import { bounded, oneSocketOneTimer } from './checker/bounds.ts'
import { comesRight } from './checker/comes-right.ts'
import { dialDiscipline } from './checker/dialling.ts'
import { appliedOnceInOrder, divergenceIsVisible, liveIsTrue, readsAreNoProof } from './checker/following.ts'
import { identity } from './checker/identity.ts'
import { acknowledgedIsDurable, acknowledgedIsKept } from './checker/kept.ts'
import { oneEffect, oneOrder } from './checker/order.ts'
import { failuresAreKept, outcomesAreStable } from './checker/outcomes.ts'
import { positionsRise } from './checker/positions.ts'
import { nobodyIsReplacedByNobody, noSpuriousFailure } from './checker/reasons.ts'
import { commandDiscipline } from './checker/retries.ts'
import { authorized, reviewed } from './checker/rights.ts'
import { outboxOrder, senderOrder } from './checker/sender-order.ts'
import {
  spokenFailsForAReason,
  spokenIsDecided,
  spokenIsKept,
  spokenOutcomesAreStable,
} from './checker/spoken.ts'
import { standsAsTheLogSays } from './checker/standing.ts'
import type { Invariant, Violation } from './checker/violation.ts'
import type { History } from './history.ts'

const CHECKS: { readonly [I in Invariant]: (history: History) => Violation[] } = {
  I1: (history) => [...acknowledgedIsKept(history), ...spokenIsKept(history, 'I1')],
  I2: oneEffect,
  I3: oneOrder,
  I4: (history) => [...appliedOnceInOrder(history), ...liveIsTrue(history), ...readsAreNoProof(history)],
  I5: (history) => [...senderOrder(history), ...outboxOrder(history)],
  I6: (history) => [
    ...outcomesAreStable(history),
    ...failuresAreKept(history),
    ...spokenOutcomesAreStable(history),
  ],
  I7: (history) => (history.hintsWereLost ? [] : allComesRight(history, 'I7')),
  I8: (history) => [
    ...noSpuriousFailure(history),
    ...nobodyIsReplacedByNobody(history),
    ...spokenFailsForAReason(history),
  ],
  I9: (history) => [...authorized(history), ...reviewed(history)],
  I10: (history) => [...acknowledgedIsDurable(history), ...spokenIsKept(history, 'I10')],
  I11: bounded,
  I12: divergenceIsVisible,
  I13: positionsRise,
  I14: identity,
  I15: (history) => (history.hintsWereLost ? allComesRight(history, 'I15') : []),
  I16: oneSocketOneTimer,
  I17: (history) => [...commandDiscipline(history), ...dialDiscipline(history)],
  I18: standsAsTheLogSays,
  I19: belongsAsTheLogSays,
  broken: ({ broken }) => broken.map(({ at, what }) => ({ invariant: 'broken', at, what, about: [] })),
}

function allComesRight(history: History, invariant: 'I7' | 'I15'): Violation[] {
  return [...comesRight(history, invariant), ...spokenIsDecided(history, invariant)]
}

export function check(history: History): Violation[] {
  return Object.values(CHECKS).flatMap((invariant) => invariant(history))
}

export function checkOne(invariant: Invariant, history: History): Violation[] {
  return CHECKS[invariant](history)
}
