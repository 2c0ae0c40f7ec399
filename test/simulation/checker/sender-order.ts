// I5: the order of an outbox is the order of the room.

import type { History, Sent, Session } from '../history.ts'
import { allTold } from './told.ts'
import type { Violation } from './violation.ts'

export function senderOrder(history: History): Violation[] {
  const { lines, sessions } = history
  const violations: Violation[] = []
  const acknowledged = acknowledgedAt(history)
  for (const session of sessions) {
    const order = new Map(session.sends.map(({ messageId }, i) => [messageId, i]))
    if (order.size === 0) continue
    for (const { logs } of lines) {
      for (const [room, log] of logs) {
        let last = -1
        for (const { at, entry } of log) {
          const place = entry.sender === session.user ? order.get(entry.messageId) : undefined
          if (place === undefined || isBack(acknowledged, entry.messageId, at)) continue
          if (place < last) {
            const what = `${session.id} sent ${entry.messageId} before what stands before it in ${room}`
            violations.push({ invariant: 'I5', at, what, about: [room, entry.messageId, session.id] })
          }
          last = Math.max(last, place)
        }
      }
    }
  }
  return violations
}

/**
 * What a session sends comes after what was queued in the same outbox before that session began: it has read it. (What
 * tabs send at the same time has no order before the store gives it one.)
 */
export function outboxOrder(history: History): Violation[] {
  const { lines, sessions, evicted } = history
  const violations: Violation[] = []
  const acknowledged = acknowledgedAt(history)
  const shared = sessions.filter(
    ({ outbox, storageLostAt }) => !evicted.has(outbox) && storageLostAt === Number.POSITIVE_INFINITY,
  )
  const senders = new Map<string, { readonly session: Session; readonly sent: Sent }>()
  for (const session of shared)
    for (const sent of session.sends) senders.set(sent.messageId, { session, sent })
  for (const { logs } of lines) {
    for (const [room, log] of logs) {
      /** By outbox: when the latest session whose messages were seen began. */
      const latest = new Map<string, number>()
      for (const { at, entry } of log) {
        const { session, sent } = senders.get(entry.messageId) ?? {}
        if (!session || !sent || entry.sender !== session.user) continue
        if (isBack(acknowledged, entry.messageId, at)) continue
        const began = latest.get(session.outbox) ?? 0
        if (sent.queuedAt < began) {
          const what = `${entry.messageId} was queued before the session began that sent what stands before it in ${room}`
          violations.push({ invariant: 'I5', at, what, about: [room, entry.messageId, session.id] })
        }
        latest.set(session.outbox, Math.max(began, session.startedAt))
      }
    }
  }
  return violations
}

/**
 * What was acknowledged was let go of. Where a power cut brings it back into an outbox (that it was removed is written
 * without haste) after the server's store was set back, it is new to both, and comes when it comes.
 */
function isBack(acknowledged: ReadonlyMap<string, number>, messageId: string, at: number): boolean {
  return (acknowledged.get(messageId) ?? Number.POSITIVE_INFINITY) < at
}

function acknowledgedAt(history: History): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const { sent, outcomes } of allTold(history)) {
    for (const { at, status } of outcomes) {
      if (status === 'acknowledged' && at < (first.get(sent.messageId) ?? Number.POSITIVE_INFINITY))
        first.set(sent.messageId, at)
    }
  }
  return first
}
