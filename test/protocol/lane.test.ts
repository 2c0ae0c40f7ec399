import {
  type Code,
  decide,
  type ExistingEntry,
  type LaneCommand,
  type LaneDecision,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holds } from './property.ts'

// The whole decision, as a table. `place` is that of the command against a lane in which 4 were decided; `existing` is
// what the log already holds under the sender's message id; `*` stands for anything.
const PLACES = { decided: [1, 4], next: [5], beyond: [6, 9_007_199_254_740_991] } as const
const EXISTING = {
  none: undefined,
  same: { room: 'r', seq: 17, timestamp: 1_000, digest: 'd' },
  'other content': { room: 'r', seq: 17, timestamp: 1_000, digest: 'e' },
  'other room': { room: 's', seq: 17, timestamp: 1_000, digest: 'd' },
} as const satisfies Record<string, ExistingEntry | undefined>
const KINDS = { send: [undefined], refused: ['FORBIDDEN'], skip: [undefined, 'FORBIDDEN'] } as const

const ack = (advance: boolean): LaneDecision => ({
  decision: 'acknowledge',
  seq: 17,
  timestamp: 1_000,
  advance,
})
const fail = (code: Code, advance: boolean): LaneDecision => ({ decision: 'fail', code, advance })

type Pattern<K extends string> = K | '*' | readonly K[]
type Row = [
  place: Pattern<keyof typeof PLACES>,
  existing: Pattern<keyof typeof EXISTING>,
  kind: Pattern<keyof typeof KINDS>,
  decision: LaneDecision,
]
const TABLE: Row[] = [
  ['beyond', '*', '*', { decision: 'gap' }],
  ['decided', 'none', '*', fail('VOID', false)],
  ['decided', 'same', '*', ack(false)],
  // Only a sender that uses an id twice comes here. A server whose digests changed with its version must not.
  ['decided', 'other content', '*', ack(false)],
  ['decided', 'other room', '*', fail('VOID', false)],
  ['next', 'none', 'send', { decision: 'append' }],
  ['next', 'none', 'refused', fail('FORBIDDEN', true)],
  ['next', 'none', 'skip', fail('SKIPPED', true)],
  ['next', 'same', '*', ack(true)],
  ['next', 'other content', ['send', 'refused'], fail('ID_CONFLICT', true)],
  ['next', 'other content', 'skip', ack(true)],
  ['next', 'other room', '*', fail('ID_CONFLICT', true)],
]

const matches = <K extends string>(pattern: Pattern<K>, key: K) =>
  pattern === '*' || pattern === key || (Array.isArray(pattern) && pattern.includes(key))

const keys = <T extends object>(table: T) => Object.keys(table) as (keyof T)[]
const cases = keys(PLACES).flatMap((place) =>
  keys(EXISTING).flatMap((existing) => keys(KINDS).map((kind) => ({ place, existing, kind }))),
)

describe('decide', () => {
  it.each(cases)('place $place, in the log $existing, $kind', ({ place, existing, kind }) => {
    const rows = TABLE.filter(
      (row) => matches(row[0], place) && matches(row[1], existing) && matches(row[2], kind),
    )
    expect(rows).toHaveLength(1)
    for (const n of PLACES[place]) {
      for (const refusal of KINDS[kind]) {
        const command: LaneCommand = { room: 'r', n, digest: 'd', skip: kind === 'skip', refusal }
        expect(decide(4, EXISTING[existing], command)).toEqual(rows[0]![3])
      }
    }
  })

  it('begins a lane with n = 1', () => {
    const command: LaneCommand = { room: 'r', n: 1, digest: 'd', skip: false, refusal: undefined }
    expect(decide(0, undefined, command)).toEqual({ decision: 'append' })
    expect(decide(0, undefined, { ...command, n: 2 })).toEqual({ decision: 'gap' })
  })
})

// A server that does as `decide` says, and one sender. The network brings what was sent in any order, as often as it
// likes, or not at all; the sender may give a command up, and rights come and go.

interface Delivery {
  readonly room: 'r' | 's'
  readonly n: number
  readonly skip: boolean
  readonly refusal: Code | undefined
}

type Outcome = 'failed' | `acknowledged at ${number}`

class Server {
  readonly log = { r: [] as string[], s: [] as string[] }
  readonly #lastN = { r: 0, s: 0 }
  readonly #entries = new Map<string, ExistingEntry>()

  /** Undefined: not decided yet. */
  receive(command: LaneCommand & Delivery, messageId: string): Outcome | undefined {
    const { room, n, digest } = command
    const decision = decide(this.#lastN[room], this.#entries.get(messageId), command)
    if (decision.decision === 'gap') return undefined
    if (decision.decision === 'append' || decision.advance) this.#lastN[room] = n
    if (decision.decision === 'fail') return 'failed'
    if (decision.decision === 'acknowledge') return `acknowledged at ${decision.seq}`
    const seq = this.log[room].push(messageId)
    this.#entries.set(messageId, { room, seq, timestamp: 0, digest })
    return `acknowledged at ${seq}`
  }
}

const COUNT = 5
const delivery: fc.Arbitrary<Delivery> = fc.record({
  room: fc.constantFrom('r', 's'),
  n: fc.integer({ min: 1, max: COUNT }),
  skip: fc.boolean(),
  refusal: fc.constantFrom(undefined, undefined, 'FORBIDDEN'),
})

/** Delivers all, then each command once more in order, and hands back every outcome that each command was told. */
function run(deliveries: readonly Delivery[], idOf: (delivery: Delivery) => string) {
  const server = new Server()
  const told = new Map<string, Outcome[]>()
  const rest = (['r', 's'] as const).flatMap((room) =>
    Array.from({ length: COUNT }, (_, i): Delivery => ({ room, n: i + 1, skip: false, refusal: undefined })),
  )
  for (const each of [...deliveries, ...rest]) {
    const outcome = server.receive({ ...each, digest: `${each.room}${each.n}` }, idOf(each))
    const place = `${each.room}${each.n}`
    if (outcome !== undefined) told.set(place, [...(told.get(place) ?? []), outcome])
  }
  return { log: server.log, told }
}

describe('a sender whose commands are repeated, reordered, lost and given up', () => {
  it('is told one outcome of each, and always the same', () => {
    holds(
      fc.property(fc.array(delivery, { maxLength: 60 }), (deliveries) => {
        const { told } = run(deliveries, ({ room, n }) => `${room}${n}`)
        return told.size === 2 * COUNT && [...told.values()].every((outcomes) => new Set(outcomes).size === 1)
      }),
      1_000,
    )
  })

  it('finds in the log what was acknowledged, once, where it was said to be, in the order of sending', () => {
    holds(
      fc.property(fc.array(delivery, { maxLength: 60 }), (deliveries) => {
        const { log, told } = run(deliveries, ({ room, n }) => `${room}${n}`)
        const expected = (room: 'r' | 's') =>
          Array.from({ length: COUNT }, (_, i) => `${room}${i + 1}`)
            .filter((id) => told.get(id)?.[0] !== 'failed')
            .map((id) => ({ id, outcome: told.get(id)?.[0] }))
        const found = (room: 'r' | 's') =>
          log[room].map((id, i) => ({ id, outcome: `acknowledged at ${i + 1}` }))
        return (['r', 's'] as const).every(
          (room) => JSON.stringify(found(room)) === JSON.stringify(expected(room)),
        )
      }),
      1_000,
    )
  })

  it('is told one outcome of each even if it gives a command in another room the same id', () => {
    holds(
      fc.property(fc.array(delivery, { maxLength: 60 }), (deliveries) => {
        const { log, told } = run(deliveries, ({ n }) => `id${n}`)
        const isStable = [...told.values()].every((outcomes) => new Set(outcomes).size === 1)
        return isStable && new Set([...log.r, ...log.s]).size === log.r.length + log.s.length
      }),
      1_000,
    )
  })
})
