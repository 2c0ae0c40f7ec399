import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { check, VERDICTS, type Verdict } from './checker.ts'
import type { HistoryEvent } from './history.ts'
import { cleanHistories, plants } from './support/generated-history.ts'

const alice = { user: 'alice', device: 'laptop', room: 'general' }
const bob = { user: 'bob', device: 'phone', room: 'general' }
type Reader = typeof alice

const invoke = (content: string, { outbox = 'a', room = 'general', mayFail = false } = {}): HistoryEvent => ({
  event: 'invoke',
  outbox,
  sender: 'alice',
  room,
  content,
  mayFail,
})
/** What may fail. */
const attempt = (content: string) => invoke(content, { mayFail: true })
const ok = (content: string, seq?: number): HistoryEvent => ({ event: 'ok', content, seq })
const fail = (content: string, code = 'FORBIDDEN'): HistoryEvent => ({ event: 'fail', content, code })
const unknown = (content: string): HistoryEvent => ({ event: 'unknown', content })
const open = (reader: Reader, after = 0): HistoryEvent => ({ event: 'open', ...reader, after })
const done = (reader: Reader): HistoryEvent => ({ event: 'done', ...reader })
const deliver = (reader: Reader, seq: number, content: string): HistoryEvent => ({
  event: 'deliver',
  ...reader,
  seq,
  sender: 'alice',
  messageId: `id of ${content}`,
  content,
})
const member = (user: string, from: number, to?: number): HistoryEvent[] => [
  { event: 'joined', room: 'general', user, seq: from },
  ...(to === undefined ? [] : [{ event: 'left', room: 'general', user, seq: to } as const]),
]
/** Everything that a reader got who read it all. */
const whole = (reader: Reader, ...contents: readonly string[]): HistoryEvent[] => [
  open(reader),
  ...contents.map((content, i) => deliver(reader, i + 1, content)),
  done(reader),
]

function verdicts(...history: HistoryEvent[]): Verdict[] {
  return check(history).violations.map(({ verdict }) => verdict)
}

const two = [invoke('1'), ok('1', 1), invoke('2'), ok('2', 2)]

describe('the checker finds', () => {
  const cases: readonly (readonly [Verdict, string, readonly HistoryEvent[], readonly Verdict[]])[] = [
    ['lost', 'an acknowledged message that nobody has', [...two, ...whole(bob, '1')], ['lost']],
    [
      'lost',
      'one that only those had who did not read to the end',
      [...two, ...whole(bob, '1'), deliver(alice, 1, '1'), deliver(alice, 2, '2')],
      ['skipped', 'lost'],
    ],
    ['lost', 'one that the outbox let go', [invoke('1'), ok('1'), ...whole(bob)], ['lost']],
    [
      'duplicate',
      'what one reader gets twice',
      [...two, ...whole(bob, '1', '2'), deliver(bob, 2, '2')],
      ['duplicate'],
    ],
    ['duplicate', 'what stands at two positions', [...two, ...whole(bob, '1', '2', '1')], ['duplicate']],
    [
      'divergent',
      'different messages at one position',
      [...two, ...whole(bob, '1', '2'), deliver(alice, 1, '2')],
      ['divergent', 'duplicate'],
    ],
    [
      'divergent',
      'the same words under another id',
      [...two, ...whole(bob, '1', '2'), { ...deliver(alice, 1, '1'), messageId: 'x' } as HistoryEvent],
      ['divergent'],
    ],
    [
      'divergent',
      'an acknowledgement of another position',
      [invoke('1'), ok('1', 7), ...whole(bob, '1')],
      ['divergent'],
    ],
    [
      'divergent',
      'a reader whose log became another one',
      [...two, ...whole(bob, '1', '2'), { event: 'reset', ...bob, reason: 'diverged' }],
      ['divergent'],
    ],
    [
      'skipped',
      'a hole',
      [...two, ...whole(bob, '1', '2'), open(alice), deliver(alice, 2, '2')],
      ['skipped'],
    ],
    [
      'skipped',
      'an end that came too early',
      [...two, ...whole(bob, '1', '2'), deliver(alice, 1, '1'), done(alice)],
      ['skipped'],
    ],
    [
      'reordered',
      'a later position before an earlier one',
      [...two, ...whole(bob, '1', '2'), open(alice), deliver(alice, 2, '2'), deliver(alice, 1, '1')],
      ['reordered'],
    ],
    [
      'reordered',
      'what lies before the beginning',
      [...two, ...whole(bob, '1', '2'), open(alice, 1), deliver(alice, 1, '1')],
      ['reordered'],
    ],
    [
      'failed_but_seen',
      'what failed and is there',
      [attempt('1'), fail('1'), ...whole(bob, '1')],
      ['failed_but_seen'],
    ],
    [
      'sender_order',
      'what overtook',
      [invoke('2'), ok('2', 2), invoke('1'), ok('1', 1), ...whole(bob, '1', '2')],
      ['sender_order'],
    ],
    [
      'unauthorized',
      'a reader who is no member any more',
      [
        ...two,
        ...whole(alice, '1', '2'),
        ...member('alice', 1),
        ...member('bob', 1, 1),
        deliver(bob, 2, '2'),
      ],
      ['unauthorized'],
    ],
    [
      'unauthorized',
      'a writer who is no member yet',
      [...two, ...whole(bob, '1', '2'), ...member('bob', 1), ...member('alice', 2)],
      ['unauthorized'],
    ],
    ['spurious', 'what failed for no reason', [invoke('1'), fail('1', 'VOID'), ...whole(bob)], ['spurious']],
    ['undecided', 'a message without an outcome', [invoke('1'), ...whole(bob)], ['undecided']],
    [
      'contradicted',
      'a change of mind',
      [attempt('1'), fail('1'), fail('1', 'EXPIRED'), ...whole(bob)],
      ['contradicted'],
    ],
    ['invented', 'what nobody said', whole(bob, 'boo'), ['invented']],
    [
      'invented',
      'what was said in another room',
      [invoke('1', { room: 'other' }), unknown('1'), ...whole(bob, '1')],
      ['invented'],
    ],
    ['unread', 'what nobody looked for', [invoke('1'), ok('1', 1), deliver(bob, 1, '1')], ['unread']],
  ]

  it.each(cases)('%s: %s', (verdict, _, history, expected) => {
    expect(verdicts(...history)).toEqual(expected)
    expect(expected).toContain(verdict)
  })

  it('says of which message, at which position and at whom', () => {
    const { violations } = check([...two, ...whole(bob, '1', '2'), open(alice), deliver(alice, 2, '2')])
    expect(violations).toEqual([
      {
        verdict: 'skipped',
        room: 'general',
        seq: 1,
        content: '1',
        readers: ['alice/laptop'],
        detail: 'others have it: bob/phone',
      },
    ])
  })

  it('counts what a gap excuses', () => {
    const gap: HistoryEvent = { event: 'gap', ...alice, from: 1, to: 1 }
    const judgement = check([...two, ...whole(bob, '1', '2'), open(alice), gap, deliver(alice, 2, '2')])
    expect(judgement).toMatchObject({ violations: [], excused: 1, counts: { gap: 1, deliver: 3 } })
  })

  it('refuses to judge what cannot have happened', () => {
    expect(() => check([ok('1', 1)])).toThrow('an outcome of what nobody sent: 1')
    expect(() => check([invoke('1'), invoke('1')])).toThrow('sent twice: 1')
  })
})

describe('the checker lets pass', () => {
  it.each<readonly [string, readonly HistoryEvent[]]>([
    ['what everybody has', [...two, ...whole(alice, '1', '2'), ...whole(bob, '1', '2')]],
    ['what was refused', [attempt('1'), fail('1'), ...whole(bob)]],
    ['an unknown that is there', [invoke('1'), unknown('1'), ...whole(bob, '1')]],
    ['an unknown that is not', [invoke('1'), unknown('1'), ...whole(bob)]],
    ['an outcome told again', [invoke('1'), ok('1'), ok('1', 1), ok('1', 1), ...whole(bob, '1')]],
    ['a reader that stopped', [...two, ...whole(bob, '1', '2'), open(alice), deliver(alice, 1, '1')]],
    [
      'a gap that was told',
      [
        ...two,
        ...whole(bob, '1', '2'),
        open(alice),
        { event: 'gap', ...alice, from: 1, to: 1 },
        deliver(alice, 2, '2'),
        done(alice),
      ],
    ],
    [
      'what a member may not see',
      [
        ...two,
        ...whole(alice, '1', '2'),
        ...member('alice', 1),
        ...member('bob', 1, 1),
        deliver(bob, 1, '1'),
        done(bob),
      ],
    ],
    [
      'two outboxes in any order',
      [invoke('2', { outbox: 'b' }), ok('2', 2), invoke('1'), ok('1', 1), ...whole(bob, '1', '2')],
    ],
  ])('%s', (_, history) => {
    expect(verdicts(...history)).toEqual([])
  })

  it('whatever a run without a fault may leave', () => {
    fc.assert(
      fc.property(cleanHistories, (history) => {
        expect(check(history).violations).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describe('in a clean history', () => {
  it.each(Object.keys(VERDICTS) as Verdict[])('one planted fault is always found: %s', (verdict) => {
    let planted = 0
    fc.assert(
      fc.property(cleanHistories, fc.nat(10_000), (history, pick) => {
        const faulty = plants[verdict](history, pick)
        if (!faulty) return
        planted++
        expect(verdicts(...faulty)).toContain(verdict)
      }),
      { numRuns: 200 },
    )
    expect(planted).toBeGreaterThan(50)
  })
})
