import { describe, expect, it } from 'vitest'
import {
  CALL_STATUSES,
  type CallMove,
  type CallStatus,
  canCallMove,
  nextCallStatus,
} from '../../../../packages/client/src/calls/core/status.ts'

const MOVES: readonly CallMove[] = [
  'rings',
  'answer',
  'unanswered',
  'joined',
  'flows',
  'stalls',
  'alone',
  'end',
]

// '-': the move is illegal in this status.
const TABLE: readonly (readonly [CallStatus, ...(CallStatus | '-')[]])[] = [
  // status       rings      answer       unanswered joined        flows        stalls         alone      end
  ['starting', 'calling', '-', '-', 'connecting', '-', '-', '-', 'ended'],
  ['calling', '-', '-', '-', 'connecting', '-', '-', '-', 'ended'],
  ['ringing', '-', 'answering', '-', '-', '-', '-', '-', 'ended'],
  ['answering', '-', '-', 'ringing', 'connecting', '-', '-', 'calling', 'ended'],
  ['connecting', '-', '-', '-', '-', 'connected', '-', 'calling', 'ended'],
  ['connected', '-', '-', '-', '-', '-', 'interrupted', 'calling', 'ended'],
  ['interrupted', '-', '-', '-', '-', 'connected', '-', 'calling', 'ended'],
  ['ended', '-', '-', '-', '-', '-', '-', '-', '-'],
]

const CELLS = TABLE.flatMap(([status, ...row]) =>
  MOVES.map((move, i) => [status, move, row[i] ?? '-'] as const),
)

describe('the statuses of a call', () => {
  it('are all in the table of this test', () => {
    expect(TABLE.map(([status]) => status).toSorted()).toEqual(Object.keys(CALL_STATUSES).toSorted())
  })

  it.each(CELLS)('%s, %s: %s', (status, move, expected) => {
    expect(canCallMove(status, move)).toBe(expected !== '-')
    if (expected === '-') expect(() => nextCallStatus(status, move)).toThrow(`${move} in ${status}`)
    else expect(nextCallStatus(status, move)).toBe(expected)
  })
})
