// I1 and I10: what is acknowledged is there, and was before it was acknowledged.

import type { History } from '../history.ts'
import { keyOf, placesIn } from './logs.ts'
import { allTold } from './told.ts'
import { type Violation, violation } from './violation.ts'

/** Only a restored snapshot takes an entry back: then it is in an earlier line and not in the last. */
export function acknowledgedIsKept(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  for (const { session, sent, outcomes } of allTold(history)) {
    for (const { at, status, seq } of outcomes) {
      if (status !== 'acknowledged') continue
      const found = (places.get(keyOf(session.user, sent.messageId)) ?? []).some(
        (place) => place.room === sent.room && place.seq === seq,
      )
      if (!found)
        violations.push(
          violation('I1', at, `${sent.messageId} was acknowledged at ${seq} and is not there`, sent),
        )
    }
  }
  return violations
}

export function acknowledgedIsDurable(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  for (const { session, sent, outcomes } of allTold(history)) {
    for (const { at, status, seq } of outcomes) {
      if (status !== 'acknowledged') continue
      const first = Math.min(
        ...(places.get(keyOf(session.user, sent.messageId)) ?? []).map((place) => place.at),
      )
      if (first > at)
        violations.push(
          violation('I10', at, `${sent.messageId} was acknowledged at ${seq} before its commit`, sent),
        )
    }
  }
  return violations
}
