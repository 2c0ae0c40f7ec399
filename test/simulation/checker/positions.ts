// I13: read positions never go back, nor does how far a room was delivered: in the store, and in what a connection is told.

import type { History } from '../history.ts'
import type { Violation } from './violation.ts'

export function positionsRise({ decisions }: History): Violation[] {
  const violations: Violation[] = []
  const positions = new Map<string, number>()
  for (const { at, line, user, room, outcome, seq } of decisions) {
    if ((outcome !== 'read' && outcome !== 'delivered') || seq === undefined) continue
    const key = `${line} ${outcome} ${user} ${room}`
    const before = positions.get(key) ?? 0
    if (seq < before) {
      const what = `how far ${user} has ${outcome} ${room} went from ${before} to ${seq}`
      violations.push({ invariant: 'I13', at, what, about: [room, user] })
    }
    positions.set(key, Math.max(before, seq))
  }
  return violations
}
