// I11 and I16: what servers and clients hold has a bound.

import type { History } from '../history.ts'
import type { Violation } from './violation.ts'

export function bounded(history: History): Violation[] {
  return history.nodes.flatMap(({ connections, open, queuedOps }, i) => {
    const violations: Violation[] = []
    const report = (what: string) =>
      violations.push({ invariant: 'I11', at: history.endedAt, what: `node ${i + 1} ${what}`, about: [] })
    if (connections > open) report(`knows ${connections} connections, and ${open} are open`)
    if (queuedOps > 0) report(`holds ${queuedOps} operations back`)
    return violations
  })
}

export function oneSocketOneTimer({ sessions }: History): Violation[] {
  const violations: Violation[] = []
  for (const session of sessions) {
    const report = (what: string) =>
      violations.push({
        invariant: 'I16',
        at: session.endedAt,
        what: `${session.id} had ${what}`,
        about: [session.id],
      })
    if (session.mostSockets > 1) report(`${session.mostSockets} sockets at once`)
    if (session.mostTimers > 1) report(`${session.mostTimers} timers at once`)
    if (session.leftAfterClose > 0) report('a socket or a timer after close()')
  }
  return violations
}
