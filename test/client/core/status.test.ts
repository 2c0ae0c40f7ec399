import { describe, expect, it } from 'vitest'
import {
  canMove,
  type Move,
  nextStatus,
  STATUSES,
  type Status,
} from '../../../packages/client/src/core/status.ts'

const MOVES: readonly Move[] = [
  'connect',
  'opened',
  'accepted',
  'lost',
  'tired',
  'retry',
  'refused',
  'disconnect',
  'close',
]

// '-': the move is illegal in this status.
const TABLE: readonly (readonly [Status, ...(Status | '-')[]])[] = [
  // status            connect       opened            accepted     lost       tired        retry         refused    disconnect close
  ['idle', 'connecting', '-', '-', '-', '-', '-', '-', '-', 'closed'],
  ['connecting', '-', 'authenticating', '-', 'waiting', 'suspended', '-', 'stopped', 'idle', 'closed'],
  ['authenticating', '-', '-', 'connected', 'waiting', 'suspended', '-', 'stopped', 'idle', 'closed'],
  ['connected', '-', '-', '-', 'waiting', '-', '-', 'stopped', 'idle', 'closed'],
  ['waiting', '-', '-', '-', '-', 'suspended', 'connecting', '-', 'idle', 'closed'],
  ['suspended', '-', '-', '-', '-', '-', 'connecting', '-', 'idle', 'closed'],
  ['stopped', 'connecting', '-', '-', '-', '-', '-', '-', 'idle', 'closed'],
  ['closed', '-', '-', '-', '-', '-', '-', '-', '-', '-'],
]

const CELLS = TABLE.flatMap(([status, ...row]) =>
  MOVES.map((move, i) => [status, move, row[i] ?? '-'] as const),
)

describe('the statuses of the connection', () => {
  it('are all in the table of this test', () => {
    expect(TABLE.map(([status]) => status).toSorted()).toEqual(Object.keys(STATUSES).toSorted())
  })

  it.each(CELLS)('%s, %s: %s', (status, move, expected) => {
    expect(canMove(status, move)).toBe(expected !== '-')
    if (expected === '-') expect(() => nextStatus(status, move)).toThrow(`${move} in ${status}`)
    else expect(nextStatus(status, move)).toBe(expected)
  })

  it('lead to closed from everywhere, and from there nowhere', () => {
    for (const status of Object.keys(STATUSES) as Status[]) {
      expect(canMove(status, 'close')).toBe(status !== 'closed')
      expect(MOVES.some((move) => canMove(status, move))).toBe(status !== 'closed')
    }
  })
})
