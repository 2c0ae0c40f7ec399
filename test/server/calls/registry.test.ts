// The server's calls as a pure machine: each scene is a table of what happens and of what comes out, in one line each.

import type { Call } from '@tautline/protocol/calls'
import { describe, expect, it } from 'vitest'
import type { CallEffect, CallInput } from '../../../packages/server/src/calls/core/contract.ts'
import { createRegistry, type RegistryOptions } from '../../../packages/server/src/calls/core/registry.ts'

const OPTIONS: RegistryOptions = {
  ringTimeoutMs: 30_000,
  reconnectTimeoutMs: 60_000,
  startsPerMinute: 5,
  maxCalls: 100,
}
const START = 1_700_000_000_000
const ROOM = '~ann~bob'

/** A user and a device of theirs: `ann`, or `bob/phone`. The peer of a device has the name of both. */
function sides(who: string) {
  const [user = '', device = 'desk'] = who.split('/')
  return { user, session: `${user}-${device}`, peerId: `peer-${user}-${device}` }
}

function start(
  ask: number,
  who: string,
  about: { id?: string; room?: string; to?: string[] } = {},
): CallInput {
  const { id = 'call-one', room = ROOM, to } = about
  return { type: 'start', ask, ...sides(who), callId: id, room, media: 'video', to }
}

function announced(to: string[], callId = 'call-one'): CallInput {
  return { type: 'announced', callId, seq: 7, startedAt: START, to }
}

function answer(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'answer', ask, ...sides(who), callId }
}

function reject(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'reject', ask, ...sides(who), callId }
}

function hangUp(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'end', ask, ...sides(who), callId }
}

function resume(ask: number, who: string, answeredAt?: number): CallInput {
  return { type: 'resume', ask, ...sides(who), callId: 'call-one', room: ROOM, seq: 7, answeredAt, others: 1 }
}

function found(ask: number, isThere = true): CallInput {
  const started = isThere ? ({ media: 'video', startedBy: 'ann', at: START } as const) : undefined
  return { type: 'found', ask, started }
}

function gone(who: string): CallInput {
  const { user, session } = sides(who)
  return { type: 'gone', user, session }
}

function list(ask: number, who: string): CallInput {
  return { type: 'list', ask, ...sides(who) }
}

function signal(ask: number, from: string, to: string): CallInput {
  const { user, session, peerId } = sides(from)
  const said = { n: 1, received: 0 }
  return {
    type: 'signal',
    ask,
    user,
    session,
    callId: 'call-one',
    from: peerId,
    to: sides(to).peerId,
    signal: said,
  }
}

const timer: CallInput = { type: 'timer' }

function words(call: Call): string {
  const each = call.participants.map(({ userId, state, isConnected }) =>
    isConnected === false ? `${userId} ${state} (away)` : `${userId} ${state}`,
  )
  return `${each.join(', ')}${call.isRestored ? ', restored' : ''}${call.ended ? `; ${call.ended.reason}` : ''}`
}

function line(effect: CallEffect): string {
  switch (effect.do) {
    case 'reply':
      return `reply ${effect.ask}: ${words(effect.call)}`
    case 'list':
      return `list ${effect.ask}: ${effect.calls.map(words).join(' | ')}`
    case 'done':
      return `done ${effect.ask}`
    case 'refuse':
      return `refuse ${effect.ask}: ${effect.code}`
    case 'fail':
      return `fail ${effect.ask}: ${String(effect.error)}`
    case 'announce':
      return `announce ${effect.callId} by ${effect.startedBy}`
    case 'check':
      return `check ${effect.ask}: ${effect.user} in ${effect.room}`
    case 'find':
      return `find ${effect.ask}: ${effect.callId} at ${effect.seq}`
    case 'tell':
      return `tell ${effect.users.toSorted().join(', ')}: ${words(effect.call)}`
    case 'signal':
      return `signal to ${effect.session}`
    case 'record':
      return `record ${effect.call.callId}: ${words(effect.call)}`
    case 'missed':
      return `missed by ${effect.user}`
    default:
      return effect satisfies never
  }
}

interface Step {
  /** Milliseconds since the beginning; undefined: at the same time as the step before. */
  readonly at?: number
  readonly input: CallInput
  readonly effects: readonly string[]
}

function step(input: CallInput, ...effects: string[]): Step {
  return { input, effects }
}

function at(ms: number, input: CallInput, ...effects: string[]): Step {
  return { at: ms, input, effects }
}

/** Plays the steps, each with exactly these effects. */
function play(steps: readonly Step[], options: Partial<RegistryOptions> = {}) {
  const registry = createRegistry({ ...OPTIONS, ...options })
  let now = START
  for (const { at: ms, input, effects } of steps) {
    if (ms !== undefined) now = START + ms
    expect(registry.step(input, now).map(line)).toEqual(effects)
  }
  return registry
}

/** Ann calls Bob, and it rings. */
const RINGS: readonly Step[] = [
  step(start(1, 'ann'), 'announce call-one by ann'),
  step(announced(['bob']), 'tell ann, bob: ann joined, bob ringing', 'reply 1: ann joined, bob ringing'),
]
const TALKS: readonly Step[] = [
  ...RINGS,
  step(answer(2, 'bob'), 'tell ann, bob: ann joined, bob joined', 'reply 2: ann joined, bob joined'),
]

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

describe('a device without a connection', () => {
  const AWAY: readonly Step[] = [
    ...TALKS,
    at(10_000, gone('bob'), 'tell ann, bob: ann joined, bob joined (away)'),
  ]

  it('stays in its call, and is in it when it comes back', () => {
    play([
      ...AWAY,
      at(69_999, timer),
      step(resume(3, 'bob'), 'tell ann, bob: ann joined, bob joined', 'reply 3: ann joined, bob joined'),
      at(200_000, timer),
    ])
  })

  it('that does not come back is lost, and the call with it', () => {
    play([
      ...AWAY,
      at(
        70_000,
        timer,
        'tell ann, bob: ann left, bob lost; failed',
        'record call-one: ann left, bob lost; failed',
      ),
    ])
  })

  it('ends the call also where nobody is there', () => {
    play([
      ...TALKS,
      at(10_000, gone('ann'), 'tell ann, bob: ann joined (away), bob joined'),
      at(11_000, gone('bob'), 'tell ann, bob: ann joined (away), bob joined (away)'),
      at(
        70_000,
        timer,
        'tell ann, bob: ann lost, bob left; failed',
        'record call-one: ann lost, bob left; failed',
      ),
    ])
  })

  it('that calls gives it up: who was called has missed it', () => {
    const steps = [
      ...RINGS,
      step(gone('ann'), 'tell ann, bob: ann joined (away), bob ringing'),
      at(
        5_000,
        timer,
        'tell ann, bob: ann lost, bob missed; failed',
        'missed by bob',
        'record call-one: ann lost, bob missed; failed',
      ),
    ]
    play(steps, { reconnectTimeoutMs: 5_000 })
  })

  it('that is not in the call does not count', () => {
    play([...TALKS, step(gone('bob/phone'))])
  })

  it('is in the call from a new session, and the end of the old one does not count any more', () => {
    const elsewhere: CallInput = { ...resume(3, 'bob'), type: 'resume', session: 'bob-new' } as CallInput
    play([
      ...TALKS,
      step(elsewhere, 'tell ann, bob: ann joined, bob joined', 'reply 3: ann joined, bob joined'),
      step(gone('bob')),
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

describe('a server that was started anew', () => {
  it('finds the call in the log, and its devices in it one after the other', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(found(1), 'tell bob: bob joined, restored', 'reply 1: bob joined, restored'),
      at(5_000, resume(2, 'ann'), 'check 2: ann in ~ann~bob'),
      step(
        { type: 'checked', ask: 2, isMember: true },
        'tell ann, bob: bob joined, ann joined',
        'reply 2: bob joined, ann joined',
      ),
      at(60_000, timer),
    ])
  })

  it('makes one call of two that are looked for at once', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(resume(2, 'ann'), 'find 2: call-one at 7'),
      step(found(1), 'tell bob: bob joined, restored', 'reply 1: bob joined, restored'),
      step(found(2), 'tell ann, bob: bob joined, ann joined', 'reply 2: bob joined, ann joined'),
    ])
  })

  it('waits for the other so long, and then the call is over', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(found(1), 'tell bob: bob joined, restored', 'reply 1: bob joined, restored'),
      at(59_999, timer),
      at(60_000, timer, 'tell bob: bob left; failed', 'record call-one: bob left; failed'),
    ])
  })

  it('goes on without who does not come back, where enough do', () => {
    const ofThree = (ask: number, who: string) => ({ ...resume(ask, who), others: 2 }) as CallInput
    play([
      step(ofThree(1, 'bob'), 'find 1: call-one at 7'),
      step(found(1), 'tell bob: bob joined, restored', 'reply 1: bob joined, restored'),
      step(ofThree(2, 'ann'), 'check 2: ann in ~ann~bob'),
      step(
        { type: 'checked', ask: 2, isMember: true },
        'tell ann, bob: bob joined, ann joined, restored',
        'reply 2: bob joined, ann joined, restored',
      ),
      at(60_000, timer, 'tell ann, bob: bob joined, ann joined'),
    ])
  })

  it('is over at once for who comes back when the other has hung up', () => {
    play([
      step(resume(1, 'ann'), 'find 1: call-one at 7'),
      step(found(1), 'tell ann: ann joined, restored', 'reply 1: ann joined, restored'),
      step(hangUp(2, 'ann'), 'tell ann: ann left, restored', 'done 2'),
      step(resume(3, 'bob'), 'check 3: bob in ~ann~bob'),
      step(
        { type: 'checked', ask: 3, isMember: true },
        'tell bob: ann left, bob left; ended',
        'record call-one: ann left, bob left; ended',
        'reply 3: ann left, bob left; ended',
      ),
    ])
  })

  it('takes the word of nobody for a call that the log does not have', () => {
    const registry = play([
      step(resume(1, 'eve'), 'find 1: call-one at 7'),
      step(found(1, false), 'refuse 1: CALL_NOT_FOUND'),
      step(resume(2, 'bob'), 'find 2: call-one at 7'),
      step({ type: 'unanswered', ask: 2, error: 'FETCH_ERROR' }, 'fail 2: FETCH_ERROR'),
    ])
    expect(registry.step(list(9, 'bob'), START).map(line)).toEqual(['list 9: '])
  })

  it('brings no call back where another is on in the room', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(start(2, 'ann', { id: 'call-two' }), 'announce call-two by ann'),
      step(found(1), 'refuse 1: CALL_ENDED'),
    ])
  })

  it('brings none back for who is in another, and the room stays free for a call', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(start(2, 'bob', { id: 'call-two', room: 'team' }), 'announce call-two by bob'),
      step(found(1), 'refuse 1: IN_CALL'),
      step(start(3, 'ann', { id: 'call-three' }), 'announce call-three by ann'),
    ])
  })

  it('brings none back beyond as many as there may be, nor more often than the user may start one', () => {
    const other = start(1, 'cleo', { id: 'call-two', room: 'team' })
    play(
      [
        step(other, 'announce call-two by cleo'),
        step(resume(2, 'bob'), 'find 2: call-one at 7'),
        step(found(2), 'refuse 2: UNAVAILABLE'),
      ],
      { maxCalls: 1 },
    )
    play(
      [
        step(start(1, 'bob', { id: 'call-two', room: 'team' }), 'announce call-two by bob'),
        step({ type: 'not_announced', callId: 'call-two', error: 'FORBIDDEN' }, 'fail 1: FORBIDDEN'),
        step(resume(2, 'bob'), 'find 2: call-one at 7'),
        step(found(2), 'refuse 2: RATE_LIMIT'),
      ],
      { startsPerMinute: 1 },
    )
  })

  it('counts from when it was answered, as far as that can be', () => {
    const registry = play([step(resume(1, 'bob', START - 1_000), 'find 1: call-one at 7')])
    const [, told] = registry.step(found(1), START + 1_000)
    expect(told).toMatchObject({ do: 'reply', call: { answeredAt: START, startedAt: START } })
  })

  it('does not bring back who hung up', () => {
    play([
      ...TALKS,
      step(
        hangUp(3, 'bob'),
        'tell ann, bob: ann left, bob left; ended',
        'record call-one: ann left, bob left; ended',
        'done 3',
      ),
      step(resume(4, 'bob'), 'reply 4: ann left, bob left; ended'),
    ])
  })
})

describe('a call of several', () => {
  const TEAM = { room: 'team' }
  const THREE: readonly Step[] = [
    step(start(1, 'ann', TEAM), 'announce call-one by ann'),
    step(
      announced(['bob', 'cleo']),
      'tell ann, bob, cleo: ann joined, bob ringing, cleo ringing',
      'reply 1: ann joined, bob ringing, cleo ringing',
    ),
    step(
      answer(2, 'bob'),
      'tell ann, bob, cleo: ann joined, bob joined, cleo ringing',
      'reply 2: ann joined, bob joined, cleo ringing',
    ),
  ]
  const ALL: readonly Step[] = [
    ...THREE,
    step(
      answer(3, 'cleo'),
      'tell ann, bob, cleo: ann joined, bob joined, cleo joined',
      'reply 3: ann joined, bob joined, cleo joined',
    ),
  ]

  it('goes on without who rejects it, and ends when one alone is left', () => {
    play([
      ...THREE,
      step(reject(3, 'cleo'), 'tell ann, bob, cleo: ann joined, bob joined, cleo rejected', 'done 3'),
      step(
        hangUp(4, 'ann'),
        'tell ann, bob: ann left, bob left, cleo rejected; ended',
        'record call-one: ann left, bob left, cleo rejected; ended',
        'done 4',
      ),
    ])
  })

  it('goes on without who started it', () => {
    play([...ALL, step(hangUp(4, 'ann'), 'tell ann, bob, cleo: ann left, bob joined, cleo joined', 'done 4')])
  })

  it('waits for whom it still rings, also when the others went', () => {
    play([
      ...THREE,
      step(hangUp(3, 'ann'), 'tell ann, bob, cleo: ann left, bob joined, cleo ringing', 'done 3'),
      step(
        answer(4, 'cleo'),
        'tell bob, cleo: ann left, bob joined, cleo joined',
        'reply 4: ann left, bob joined, cleo joined',
      ),
    ])
  })

  it('takes back who went, and another member of the room after a look', () => {
    play([
      ...ALL,
      step(hangUp(4, 'bob'), 'tell ann, bob, cleo: ann joined, bob left, cleo joined', 'done 4'),
      step(
        answer(5, 'bob/phone'),
        'tell ann, bob, cleo: ann joined, bob joined, cleo joined',
        'reply 5: ann joined, bob joined, cleo joined',
      ),
      step(start(6, 'dora', { ...TEAM, id: 'call-two' }), 'check 6: dora in team'),
      step(
        { type: 'checked', ask: 6, isMember: true },
        'tell ann, bob, cleo, dora: ann joined, bob joined, cleo joined, dora joined',
        'reply 6: ann joined, bob joined, cleo joined, dora joined',
      ),
      step(start(7, 'eve', { ...TEAM, id: 'call-three' }), 'check 7: eve in team'),
      step({ type: 'checked', ask: 7, isMember: false }, 'refuse 7: FORBIDDEN'),
    ])
  })

  it('is missed by who does not come, and goes on', () => {
    play([
      ...THREE,
      at(30_000, timer, 'missed by cleo', 'tell ann, bob, cleo: ann joined, bob joined, cleo missed'),
    ])
  })

  it('is full with eight, and takes another when one went', () => {
    const others = ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => `user-${letter}`)
    const registry = createRegistry(OPTIONS)
    registry.step(start(1, 'ann', TEAM), START)
    registry.step(announced(others), START)
    for (const [i, user] of others.entries()) registry.step(answer(10 + i, user), START)
    const comes = () => {
      registry.step(start(2, 'zoe', { ...TEAM, id: 'call-two' }), START)
      return registry.step({ type: 'checked', ask: 2, isMember: true }, START)
    }
    expect(comes().map(line)).toEqual(['refuse 2: CALL_FULL'])
    registry.step(hangUp(3, 'user-b'), START)
    const [told] = comes()
    expect(told && line(told)).toMatch(/^tell .*: ann joined, user-c joined, .* zoe joined$/)
  })

  it('is over for who is put out of the room', () => {
    const registry = play(ALL)
    expect(registry.members()).toEqual([{ room: 'team', users: ['ann', 'bob', 'cleo'] }])
    play([
      ...ALL,
      step(
        { type: 'removed', user: 'cleo', room: 'team' },
        'tell ann, bob, cleo: ann joined, bob joined, cleo left',
      ),
      step({ type: 'removed', user: 'cleo', room: 'team' }),
      step({ type: 'removed', user: 'ann', room: 'other' }),
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
