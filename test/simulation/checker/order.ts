// I2 and I3: a message has one effect, at one place of a dense order.

import type { History } from '../history.ts'
import { isSameEntry, keyOf, lastLine } from './logs.ts'
import type { Violation } from './violation.ts'

export function oneEffect({ lines }: History): Violation[] {
  const violations: Violation[] = []
  for (const { logs } of lines) {
    const seen = new Set<string>()
    for (const [room, log] of logs) {
      for (const { at, entry } of log) {
        const key = keyOf(entry.sender, entry.messageId)
        if (seen.has(key))
          violations.push({
            invariant: 'I2',
            at,
            what: `${key} is twice in the logs`,
            about: [room, entry.messageId],
          })
        seen.add(key)
      }
    }
  }
  return violations
}

export function oneOrder(history: History): Violation[] {
  const violations: Violation[] = []
  for (const { logs } of history.lines) {
    for (const [room, log] of logs) {
      log.forEach(({ at, entry }, i) => {
        if (entry.seq !== i + 1)
          violations.push({
            invariant: 'I3',
            at,
            what: `${room} has ${entry.seq} at place ${i + 1}`,
            about: [room],
          })
      })
    }
  }
  for (const [room, log] of lastLine(history).logs) {
    const stored = history.stored.get(room) ?? []
    const isSame = stored.length === log.length && log.every(({ entry }, i) => isSameEntry(entry, stored[i]))
    if (!isSame)
      violations.push({
        invariant: 'I3',
        at: history.endedAt,
        what: `the log of ${room} has changed`,
        about: [room],
      })
  }
  return violations
}
