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
  return violations
}
