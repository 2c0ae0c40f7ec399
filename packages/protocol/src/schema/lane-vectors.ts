/**
 * Test vectors of the lane: every kind of situation that a command can meet, and the decision. A server in another
 * language reads the file and holds its own decision to it.
 */
import { decide, type ExistingEntry, type LaneCommand, type LaneDecision } from '../lane.ts'

export interface LaneVector {
  /** What this case is about. */
  readonly name: string
  /** How many commands were decided in the lane: 0 for a new one. */
  readonly lastN: number
  /** The log entry that has the command's (sender, messageId), in whatever room; null: there is none. */
  readonly existing: ExistingEntry | null
  /** `refusal`: why the command could not be accepted; null: nothing speaks against it. */
  readonly command: Omit<LaneCommand, 'refusal'> & { readonly refusal: LaneCommand['refusal'] | null }
  readonly decision: LaneDecision
}

const room = 'general'
const digest = '1w2e3r4t5y'
const here: ExistingEntry = { room, seq: 7, timestamp: 1_784_000_000_000, digest }

const PLACES = [
  { is: 'the next place', lastN: 4, n: 5 },
  { is: 'the first place of a new lane', lastN: 0, n: 1 },
  { is: 'the last place that was decided', lastN: 4, n: 4 },
  { is: 'a place that was decided long ago', lastN: 4, n: 1 },
  { is: 'one place too far', lastN: 4, n: 6 },
  { is: 'the second place of a new lane', lastN: 0, n: 2 },
] as const

const EXISTING: readonly { readonly is: string; readonly existing: ExistingEntry | null }[] = [
  { is: 'an id that nobody used', existing: null },
  { is: 'an id that has its entry', existing: here },
  { is: 'an id that has an entry of another content', existing: { ...here, digest: '9o8i7u6y5t' } },
  { is: 'an id that has an entry in another room', existing: { ...here, room: 'harbour' } },
]

const COMMANDS = [
  { is: 'a valid command', skip: false, refusal: null },
  { is: 'a command of a stranger', skip: false, refusal: 'FORBIDDEN' },
  { is: 'a command of the wrong form', skip: false, refusal: 'VALIDATION_ERROR' },
  { is: 'a skip', skip: true, refusal: null },
] as const

export function laneVectors(): LaneVector[] {
  return PLACES.flatMap(({ is: place, lastN, n }) =>
    EXISTING.flatMap(({ is: id, existing }) =>
      COMMANDS.map(({ is, skip, refusal }): LaneVector => {
        const command = { room, n, digest, skip, refusal }
        const decision = decide(lastN, existing ?? undefined, { ...command, refusal: refusal ?? undefined })
        return { name: `${is}, ${place}, ${id}`, lastN, existing, command, decision }
      }),
    ),
  )
}
