// What the application's own code said keeps the same promises as what users say.

import type { History, Outcome, Spoken } from '../history.ts'
import { endOf, keyOf, placesIn } from './logs.ts'
import { wasRefused } from './reasons.ts'
import type { Invariant, Violation } from './violation.ts'

/** I1 and I10: what it was told to be accepted is there, and was before. */
export function spokenIsKept(history: History, invariant: 'I1' | 'I10'): Violation[] {
  const places = placesIn(history)
  return eachOutcome(history, invariant, (spoken, { at, status, seq }) => {
    if (status !== 'acknowledged') return undefined
    const isThere = (places.get(keyOf(spoken.user, spoken.messageId)) ?? []).some(
      (place) => place.room === spoken.room && (invariant === 'I1' ? place.seq === seq : place.at <= at),
    )
    return isThere ? undefined : `was acknowledged at ${seq}, where it is not`
  })
}

/** I6: what failed is in no log, and what is said once more has the place that it had. */
export function spokenOutcomesAreStable(history: History): Violation[] {
  const places = placesIn(history)
  return eachOutcome(history, 'I6', (spoken, { at, status, code, seq }) => {
    const own = places.get(keyOf(spoken.user, spoken.messageId)) ?? []
    const isThere = own.some(({ line }) => endOf(history, line) > at)
    if (status === 'failed' && isThere) return `failed with ${code} and is in the log`
    const [first] = spoken.outcomes
    const isSame = history.lines.length > 1 || first?.seq === seq
    return status === 'acknowledged' && !isSame ? `has two places, ${first?.seq} and ${seq}` : undefined
  })
}

/** I7: all of it has an outcome in the end. */
export function spokenIsDecided(history: History, invariant: 'I7' | 'I15'): Violation[] {
  return history.spoken
    .filter(({ outcomes }) => outcomes.length === 0)
    .map((spoken) => violation(invariant, spoken, history.endedAt, 'has no outcome'))
}

/** I8: it fails for want of a right alone. */
export function spokenFailsForAReason(history: History): Violation[] {
  return eachOutcome(history, 'I8', ({ messageId, user }, { at, status, code }) => {
    if (status !== 'failed') return undefined
    const decided = history.decisions.filter(
      (decision) => decision.messageId === messageId && decision.user === user && decision.at <= at,
    )
    return wasRefused(history, code, decided) ? undefined : `failed with ${code} for no reason`
  })
}

function eachOutcome(
  { spoken }: History,
  invariant: Invariant,
  objection: (spoken: Spoken, outcome: Outcome) => string | undefined,
): Violation[] {
  return spoken.flatMap((one) =>
    one.outcomes.flatMap((outcome) => {
      const what = objection(one, outcome)
      return what === undefined ? [] : [violation(invariant, one, outcome.at, what)]
    }),
  )
}

function violation(invariant: Invariant, { messageId, room }: Spoken, at: number, what: string): Violation {
  return { invariant, at, what: `${messageId} of the application ${what}`, about: [messageId, room] }
}
