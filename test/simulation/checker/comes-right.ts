// I7 and I15: when nothing goes wrong any more, everything comes right.

import type { History, Session } from '../history.ts'
import { keyOf, knownSince, lastLine, placesIn } from './logs.ts'
import { allTold, stays } from './told.ts'
import { type Violation, violation } from './violation.ts'

export function comesRight(history: History, invariant: 'I7' | 'I15'): Violation[] {
  const violations = whatWasLeftBehind(history, invariant)
  const at = history.endedAt
  const { logs } = lastLine(history)
  for (const session of history.sessions.filter(stays)) {
    const report = (what: string, about: readonly string[]) =>
      violations.push({ invariant, at, what: `${session.id} ${what}`, about: [session.id, ...about] })
    if (session.status !== 'connected') report(`is ${session.status}`, [])
    for (const { messageId, outcomes, room } of [...session.sends, ...session.restored])
      if (outcomes.length === 0) report(`has no outcome for ${messageId}`, [messageId, room])
    if (session.queued > 0) report(`still has ${session.queued} rows in its outbox`, [])
    for (const [room, phase] of session.phases) {
      if (phase === 'syncing') report(`is still syncing ${room}`, [room])
      if (phase !== 'live') continue
      const head = logs.get(room)?.length ?? 0
      const seen = placeIn(session, room)
      if (seen !== undefined && seen !== head)
        report(`is at ${seen} of ${room}, whose head is ${head}`, [room])
      const liveSince = session.liveSince.get(room) ?? at
      if (seen === undefined && knownSince(history, room).some((since) => since > liveSince))
        report(`follows ${room} and heard nothing, whose head is ${head}`, [room])
    }
  }
  return violations
}

/** What was queued durably is decided, though who said it is gone: where somebody who shares the outbox is there. */
function whatWasLeftBehind(history: History, invariant: 'I7' | 'I15'): Violation[] {
  const violations: Violation[] = []
  const decided = new Set(placesIn(history).keys())
  for (const { session, sent, outcomes } of allTold(history))
    if (outcomes.length > 0) decided.add(keyOf(session.user, sent.messageId))
  for (const session of history.sessions) {
    const heirs = history.sessions.filter(
      (other) =>
        other.outbox === session.outbox && stays(other) && other.storageLostAt === Number.POSITIVE_INFINITY,
    )
    if (stays(session) || heirs.length === 0 || history.evicted.has(session.outbox)) continue
    for (const sent of session.sends) {
      if (sent.queuedAt >= session.storageLostAt || sent.queuedAt === Number.POSITIVE_INFINITY) continue
      if (decided.has(keyOf(session.user, sent.messageId))) continue
      const what = `${sent.messageId}, which ${session.id} had queued before it was gone, has no outcome`
      violations.push(violation(invariant, history.endedAt, what, sent))
    }
  }
  return violations
}

/** How far the session came in what it follows of the room now; undefined: it was told nothing yet. */
function placeIn({ streams }: Session, room: string): number | undefined {
  const stream = streams.find((one) => one.room === room && one.to === Number.POSITIVE_INFINITY)
  const last = stream?.events[stream.events.length - 1]
  if (last === undefined) return undefined
  return last.type === 'gap' ? last.to : last.entries[last.entries.length - 1]?.seq
}
