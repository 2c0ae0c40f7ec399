// What the checker says of a run: which promise was broken, when, and by what.

import type { Sent } from '../history.ts'

export interface Violation {
  readonly invariant: Invariant
  readonly what: string
  readonly at: number
  /** What the trace should be shortened to. */
  readonly about: readonly string[]
}

export const INVARIANTS = {
  I1: 'no acknowledged message is lost',
  I2: 'a message has one effect',
  I3: 'a room has one dense order, which does not change',
  I4: 'every entry is applied once, in order, and a room is live only where the server pushes it',
  I5: 'what one outbox sends to a room appears in the order in which it was sent',
  I6: 'an outcome is told once, and is true',
  I7: 'when nothing goes wrong any more, everything comes right',
  I8: 'nothing fails without a reason',
  I9: 'who reads and writes may do so',
  I10: 'what is acknowledged is durable',
  I11: 'nothing is held for ever',
  I12: 'a history that was taken back is told before anything more is applied',
  I13: 'read positions never go back',
  I14: 'nobody sends in the name of another, and nothing before it is known who they are',
  I15: 'nothing depends on servers telling each other',
  I16: 'a client has one socket and one timer, and none after close()',
  I17: 'nobody tries again sooner or more often than they should',
  I18: 'what came of a message is what its log says, in the store and at everybody',
  I19: 'who belongs to a room, and as what, is what its log says, in the store and in what everybody is told',
  broken: 'nothing throws',
} as const

export type Invariant = keyof typeof INVARIANTS

export function violation(
  invariant: Invariant,
  at: number,
  what: string,
  { messageId, room }: Sent,
): Violation {
  return { invariant, at, what, about: [messageId, room] }
}
