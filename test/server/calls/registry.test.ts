// The server's calls as a pure machine: each scene is a table of what happens and of what comes out, in one line each.

import { describe, expect, it } from 'vitest'
import type { CallInput } from '../../../packages/server/src/calls/core/contract.ts'
import { createRegistry } from '../../../packages/server/src/calls/core/registry.ts'
import {
  announced,
  answer,
  at,
  gone,
  hangUp,
  line,
  list,
  OPTIONS,
  play,
  RINGS,
  reject,
  START,
  type Step,
  signal,
  start,
  step,
  TALKS,
  timer,
} from './story.ts'

describe('a call', () => {
  it('rings when it is in the log, and is told to all devices of both', () => {
    play(RINGS)
  })

  it('is answered by one device, and another hears that it came too late', () => {
    play([
      ...RINGS,
      step(
        answer(2, 'bob/phone'),
        'tell ann, bob: ann joined, bob joined',
        'reply 2: ann joined, bob joined',
      ),
      step(answer(3, 'bob/desk'), 'refuse 3: ANSWERED_ELSEWHERE'),
      // Asked again, after a lost reply: nothing changes.
      step(answer(4, 'bob/phone'), 'reply 4: ann joined, bob joined'),
    ])
  })

  it.each<[string, readonly Step[]]>([
    [
      'rejected, by whatever device',
      [
        ...RINGS,
        step(
          reject(2, 'bob/phone'),
          'tell ann, bob: ann left, bob rejected; rejected',
          'record call-one: ann left, bob rejected; rejected',
          'done 2',
        ),
        step(reject(3, 'bob'), 'done 3'),
      ],
    ],
    [
      'cancelled: who was called has missed it',
      [
        ...RINGS,
        step(
          hangUp(2, 'ann'),
          'tell ann, bob: ann left, bob missed; cancelled',
          'missed by bob',
          'record call-one: ann left, bob missed; cancelled',
          'done 2',
        ),
        step(hangUp(3, 'ann'), 'done 3'),
      ],
    ],
    [
      'missed, when it has rung long enough and not before',
      [
        ...RINGS,
        at(29_999, timer),
        at(
          30_000,
          timer,
          'missed by bob',
          'tell ann, bob: ann left, bob missed; missed',
          'record call-one: ann left, bob missed; missed',
        ),
        at(30_001, timer),
      ],
    ],
    [
      'ended by either who is in it',
      [
        ...TALKS,
        step(
          hangUp(3, 'bob'),
          'tell ann, bob: ann left, bob left; ended',
          'record call-one: ann left, bob left; ended',
          'done 3',
        ),
      ],
    ],
    [
      'cancelled before it is in the log: it rings nowhere',
      [
        step(start(1, 'ann'), 'announce call-one by ann'),
        step(hangUp(2, 'ann'), 'done 2'),
        step(
          announced(['bob']),
          'tell ann, bob: ann left, bob missed; cancelled',
          'missed by bob',
          'record call-one: ann left, bob missed; cancelled',
          'reply 1: ann left, bob missed; cancelled',
        ),
      ],
    ],
  ])('is %s', (_what, steps) => {
    expect(
      play([...steps, step(list(99, 'ann'), 'list 99: '), step(list(99, 'bob'), 'list 99: ')]).members(),
    ).toEqual([])
  })

  it('that is over is told to whom it concerned, and to nobody else, and forgotten in a minute', () => {
    const registry = play([
      ...TALKS,
      step(
        hangUp(3, 'bob'),
        'tell ann, bob: ann left, bob left; ended',
        'record call-one: ann left, bob left; ended',
        'done 3',
      ),
      step(answer(4, 'bob/phone'), 'reply 4: ann left, bob left; ended'),
      step(start(5, 'ann'), 'reply 5: ann left, bob left; ended'),
      step(answer(6, 'eve'), 'check 6: eve in ~ann~bob'),
      step({ type: 'checked', ask: 6, isMember: false }, 'refuse 6: CALL_NOT_FOUND'),
      at(59_999, timer),
      at(60_000, timer),
      step(answer(7, 'bob'), 'refuse 7: CALL_NOT_FOUND'),
    ])
    expect(registry.nextDeadline()).toBeUndefined()
  })

  it('that the log refuses never was', () => {
    play([
      step(start(1, 'ann'), 'announce call-one by ann'),
      step(start(2, 'ann')),
      step(
        { type: 'not_announced', callId: 'call-one', error: 'FORBIDDEN' },
        'fail 1: FORBIDDEN',
        'fail 2: FORBIDDEN',
      ),
      step(list(3, 'ann'), 'list 3: '),
      step(start(4, 'ann'), 'announce call-one by ann'),
    ])
  })

  it('asked for twice is one', () => {
    play([...RINGS, step(start(2, 'ann'), 'reply 2: ann joined, bob ringing')])
  })

  it('whose id is another’s is none', () => {
    play([...RINGS, step(start(2, 'eve', { room: '~ann~eve' }), 'refuse 2: CALL_NOT_FOUND')])
  })

  it('finds no place in a server that has too many', () => {
    play([...RINGS, step(start(2, 'cleo', { id: 'call-two', room: 'team' }), 'refuse 2: UNAVAILABLE')], {
      maxCalls: 1,
    })
  })
})

describe('who is in a call', () => {
  const TO_BOB = { id: 'call-two', room: '~bob~cleo' }

  it('is busy for another: it does not ring, and is told as missed', () => {
    play([
      ...TALKS,
      step(start(3, 'cleo', TO_BOB), 'announce call-two by cleo'),
      step(
        announced(['bob'], 'call-two'),
        'missed by bob',
        'tell cleo: cleo left, bob busy; busy',
        'record call-two: cleo left, bob busy; busy',
        'reply 3: cleo left, bob busy; busy',
      ),
    ])
  })

  it('starts no other', () => {
    play([...TALKS, step(start(3, 'bob', TO_BOB), 'refuse 3: IN_CALL')])
  })

  it('by answering one of two that ring is busy for the other', () => {
    play([
      ...RINGS,
      step(start(2, 'cleo', TO_BOB), 'announce call-two by cleo'),
      step(
        announced(['bob'], 'call-two'),
        'tell bob, cleo: cleo joined, bob ringing',
        'reply 2: cleo joined, bob ringing',
      ),
      step(list(3, 'bob'), 'list 3: ann joined, bob ringing | cleo joined, bob ringing'),
      step(
        answer(4, 'bob'),
        'tell ann, bob: ann joined, bob joined',
        'missed by bob',
        'tell bob, cleo: cleo left, bob busy; busy',
        'record call-two: cleo left, bob busy; busy',
        'reply 4: ann joined, bob joined',
      ),
    ])
  })

  it('may start one again when it is over, so often in a minute', () => {
    const again = (i: number): Step[] => [
      step(start(i, 'ann', { id: `call-no-${i}` }), `announce call-no-${i} by ann`),
      step(
        announced(['bob'], `call-no-${i}`),
        'tell ann, bob: ann joined, bob ringing',
        `reply ${i}: ann joined, bob ringing`,
      ),
      step(
        hangUp(i, 'ann', `call-no-${i}`),
        'tell ann, bob: ann left, bob missed; cancelled',
        'missed by bob',
        `record call-no-${i}: ann left, bob missed; cancelled`,
        `done ${i}`,
      ),
    ]
    play([
      ...[1, 2, 3, 4, 5].flatMap(again),
      step(start(6, 'ann', { id: 'call-no-6' }), 'refuse 6: RATE_LIMIT'),
      at(12_000, start(6, 'ann', { id: 'call-no-6' }), 'announce call-no-6 by ann'),
    ])
  })

  it('may ring for others at most so often at once: a ninth call finds them busy', () => {
    const registry = createRegistry(OPTIONS)
    const call = (i: number) => {
      registry.step(start(i, `user${i}`, { id: `call-no-${i}`, room: `room${i}` }), START)
      return registry.step(announced(['bob'], `call-no-${i}`), START).map(line)
    }
    for (let i = 1; i <= 8; i++) expect(call(i)[0]).toBe(`tell bob, user${i}: user${i} joined, bob ringing`)
    expect(call(9)).toContain('tell user9: user9 left, bob busy; busy')
  })
})

describe('two who call each other at once', () => {
  it('meet in one call', () => {
    play([
      step(start(1, 'ann'), 'announce call-one by ann'),
      step(start(2, 'bob', { id: 'call-two' })),
      step(
        announced(['bob']),
        'tell ann, bob: ann joined, bob ringing',
        'reply 1: ann joined, bob ringing',
        'tell ann, bob: ann joined, bob joined',
        'reply 2: ann joined, bob joined',
      ),
    ])
  })

  it('meet also when the one already rings at the other', () => {
    play([
      ...RINGS,
      step(
        start(2, 'bob', { id: 'call-two' }),
        'tell ann, bob: ann joined, bob joined',
        'reply 2: ann joined, bob joined',
      ),
    ])
  })
})

describe('signals', () => {
  it('go from device to device, and to nobody else', () => {
    play([
      ...TALKS,
      step(signal(3, 'ann', 'bob'), 'signal to bob-desk', 'done 3'),
      step(signal(4, 'bob', 'ann'), 'signal to ann-desk', 'done 4'),
      step(signal(5, 'bob/phone', 'ann'), 'refuse 5: CALL_NOT_FOUND'),
      step(signal(6, 'eve', 'ann'), 'refuse 6: CALL_NOT_FOUND'),
      step(signal(7, 'ann', 'bob/phone'), 'refuse 7: PEER_UNAVAILABLE'),
      step({ ...signal(7, 'bob', 'ann'), session: 'bob-phone' } as CallInput, 'refuse 7: CALL_ENDED'),
      step(gone('bob'), 'tell ann, bob: ann joined, bob joined (away)'),
      step(signal(8, 'ann', 'bob'), 'refuse 8: PEER_UNAVAILABLE'),
    ])
  })

  it('are not for whom it still rings, nor of them', () => {
    play([
      ...RINGS,
      step(signal(2, 'ann', 'bob'), 'refuse 2: PEER_UNAVAILABLE'),
      step(signal(3, 'bob', 'ann'), 'refuse 3: CALL_NOT_FOUND'),
    ])
  })
})

describe('pictures of a call', () => {
  it('have rising numbers, whatever the clock does', () => {
    const registry = createRegistry(OPTIONS)
    registry.step(start(1, 'ann'), START)
    const inputs: readonly (readonly [number, CallInput])[] = [
      [START, announced(['bob'])],
      [START - 5_000, answer(2, 'bob')],
      [START, gone('ann')],
    ]
    const told = inputs.flatMap(([time, input]) => registry.step(input, time))
    const revisions = told.flatMap((effect) => (effect.do === 'tell' ? [effect.call.revision] : []))
    expect(revisions).toEqual([START, START + 1, START + 2])
  })
})
