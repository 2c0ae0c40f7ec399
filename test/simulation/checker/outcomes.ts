// I6: an outcome is told once, and is true.

import type { Code } from '@tautline/protocol/wire'
import type { History, Outcome, Session } from '../history.ts'
import { endOf, keyOf, placesIn } from './logs.ts'
import { allTold } from './told.ts'
import { type Violation, violation } from './violation.ts'

/** That a message failed is in the store before it is told: whoever opens it later finds it so, with its reason. */
export function failuresAreKept(history: History): Violation[] {
  const violations: Violation[] = []
  const failed = new Map<string, { readonly at: number; readonly code: Code | undefined }>()
  const told = allTold(history)
  for (const { session, sent, outcomes } of told) {
    const [outcome] = outcomes
    const isKept = sent.queuedAt < session.storageLostAt && !history.evicted.has(session.outbox)
    if (outcome?.status !== 'failed' || !isKept || outcome.at >= session.storageLostAt) continue
    const known = failed.get(sent.messageId)
    if (!known || outcome.at < known.at) failed.set(sent.messageId, outcome)
  }
  for (const { session, sent, outcomes } of told) {
    const before = failed.get(sent.messageId)
    const [outcome] = outcomes
    if (!before || !outcome || session.startedAt <= before.at || outcome.code === before.code) continue
    const what = `${sent.messageId} had failed with ${before.code}, and ${session.id} was told ${outcome.code ?? outcome.status}`
    violations.push(violation('I6', outcome.at, what, sent))
  }
  return violations
}

/**
 * A session tells an outcome once, and all of them tell the same. What the store had forgotten when the outcome was told
 * does not count.
 */
export function outcomesAreStable(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  const first = new Map<string, Outcome['status']>()
  const wasSetBack = history.lines.length > 1
  for (const { session, sent, outcomes } of allTold(history)) {
    const { messageId } = sent
    if (outcomes.length > 1)
      violations.push(violation('I6', outcomes[1]!.at, `${messageId} has ${outcomes.length} outcomes`, sent))
    for (const { at, status, code } of outcomes) {
      const other = first.get(messageId) ?? status
      first.set(messageId, other)
      if (other !== status && !wasSetBack)
        violations.push(violation('I6', at, `${messageId} is ${other} to one and ${status} to another`, sent))
      if (status === 'acknowledged') continue
      const stands = (places.get(keyOf(session.user, messageId)) ?? []).some(
        (place) => endOf(history, place.line) > at && !isForgotten(history, session, at, place.at),
      )
      if (stands)
        violations.push(violation('I6', at, `${messageId} failed with ${code} and is in the log`, sent))
    }
  }
  return violations
}

/**
 * That it failed was written in a storage which a tab has lost, and in a store of the server that was set back since: who
 * had not heard of it sends it, to a server that never did.
 */
function isForgotten(
  { lines, sessions, evicted }: History,
  { outbox }: Session,
  failedAt: number,
  at: number,
): boolean {
  const wasSetBack = lines.some(({ from }) => from > failedAt && from <= at)
  const isLost =
    evicted.has(outbox) || sessions.some((one) => one.outbox === outbox && one.storageLostAt <= at)
  return wasSetBack && isLost
}
