// I13: read positions never go back.

import type { History } from '../history.ts'
import type { Violation } from './violation.ts'

export function readPositionsRise({ decisions }: History): Violation[] {
  const violations: Violation[] = []
  const positions = new Map<string, number>()
  for (const { at, line, user, room, outcome, seq } of decisions) {
    if (outcome !== 'read' || seq === undefined) continue
    const key = `${line} ${user} ${room}`
    const before = positions.get(key) ?? 0
    if (seq < before) {
      const what = `the read position of ${user} in ${room} went from ${before} to ${seq}`
      violations.push({ invariant: 'I13', at, what, about: [room, user] })
    }
    positions.set(key, seq)
  }
  return violations
}
