// I14: nobody sends in the name of another, and nothing before it is known who they are.

import type { History } from '../history.ts'
import { allSends } from './told.ts'
import type { Violation } from './violation.ts'

export function identity(history: History): Violation[] {
  const violations: Violation[] = []
  const senders = new Map<string, string>()
  for (const [session, sent] of allSends(history)) senders.set(sent.messageId, session.user)
  for (const { at, op, user, messageId, room } of history.decisions) {
    const sender = op === 'command' && messageId !== undefined ? senders.get(messageId) : undefined
    if (sender !== undefined && sender !== user)
      violations.push({
        invariant: 'I14',
        at,
        what: `${messageId} of ${sender} was sent as ${user}`,
        about: [room],
      })
  }
  for (const session of history.sessions) {
    for (const link of session.links) {
      for (const { at, message } of link.up) {
        if (at >= link.readyAt || message.type === 'authenticate') continue
        const what = `${session.id} said ${message.type} before it was known`
        violations.push({ invariant: 'I14', at, what, about: [session.id] })
      }
    }
  }
  return [...violations, ...revokedIsOut(history), ...leavesNothing(history)]
}

/** A token that was revoked ends the connections that came with it at once, and lets nobody in any more. */
function revokedIsOut({ revocations, admissions }: History): Violation[] {
  const violations: Violation[] = []
  const report = (at: number, tokenId: string, what: string) =>
    violations.push({
      invariant: 'I14',
      at,
      what: `${tokenId}, which was revoked, ${what}`,
      about: [tokenId],
    })
  for (const { at, life, tokenId, left } of revocations) {
    if (left > 0) report(at, tokenId, 'keeps a connection')
    for (const admission of admissions)
      if (admission.tokenId === tokenId && admission.life === life && admission.at > at)
        report(admission.at, tokenId, 'lets somebody in')
  }
  return violations
}

/** Who signs out and keeps nothing leaves nothing to whoever comes after. */
function leavesNothing({ emptied, sessions }: History): Violation[] {
  if (emptied.length === 0) return []
  const queuedAt = new Map(
    sessions.flatMap(({ sends }) => sends.map((sent) => [sent.messageId, sent.queuedAt])),
  )
  const violations: Violation[] = []
  for (const { outbox, from, at } of emptied)
    for (const session of sessions) {
      if (session.outbox !== outbox || session.startedAt <= at) continue
      for (const { messageId, room } of session.restored) {
        if ((queuedAt.get(messageId) ?? at) >= from) continue
        const what = `${session.id} found ${messageId}, which was to be gone with its user`
        violations.push({ invariant: 'I14', at: session.startedAt, what, about: [messageId, room] })
      }
    }
  return violations
}
