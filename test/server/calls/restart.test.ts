// Calls whose devices, or whose server, were away: who is still in them, and what the log says.

import { describe, expect, it } from 'vitest'
import type { CallInput } from '../../../packages/server/src/calls/core/contract.ts'
import {
  announced,
  at,
  found,
  gone,
  hangUp,
  line,
  list,
  play,
  RINGS,
  resume,
  START,
  type Step,
  start,
  step,
  TALKS,
  timer,
} from './story.ts'

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

  it('lets in who resumes while the starter says the call once more: it does not find them busy', () => {
    play([
      step(resume(1, 'bob'), 'find 1: call-one at 7'),
      step(start(2, 'ann'), 'announce call-one by ann'),
      step(found(1)),
      step(
        announced(['bob']),
        'tell ann, bob: ann joined, bob ringing',
        'reply 2: ann joined, bob ringing',
        'tell ann, bob: ann joined, bob joined',
        'reply 1: ann joined, bob joined',
      ),
    ])
  })

  it('ends no call for one that cannot be restored', () => {
    const taken = start(1, 'eve', { room: 'den', to: [] })
    const eves = {
      type: 'announced',
      callId: 'call-one',
      seq: 9,
      startedAt: START + 500,
      to: ['mal'],
    } as const
    play([
      at(500, taken, 'announce call-one by eve'),
      step(eves, 'tell eve, mal: eve joined, mal ringing', 'reply 1: eve joined, mal ringing'),
      step(start(2, 'cleo', { id: 'call-two' }), 'announce call-two by cleo'),
      step(
        announced(['bob'], 'call-two'),
        'tell bob, cleo: cleo joined, bob ringing',
        'reply 2: cleo joined, bob ringing',
      ),
      // Another call is in the room by now.
      step(resume(3, 'bob'), 'find 3: call-one at 7'),
      step(found(3), 'refuse 3: CALL_ENDED'),
      step(list(4, 'eve'), 'list 4: eve joined, mal ringing'),
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

  it('gives the id of a call that is found back to it, where somebody took it for one in another room', () => {
    const taken = start(1, 'eve', { room: 'den', to: [] })
    const eves = {
      type: 'announced',
      callId: 'call-one',
      seq: 9,
      startedAt: START + 500,
      to: ['mal'],
    } as const
    play([
      at(500, taken, 'announce call-one by eve'),
      step(eves, 'tell eve, mal: eve joined, mal ringing', 'reply 1: eve joined, mal ringing'),
      step(resume(2, 'bob'), 'find 2: call-one at 7'),
      step(
        found(2),
        'tell eve, mal: eve left, mal missed; failed',
        'missed by mal',
        'record call-one: eve left, mal missed; failed',
        'tell bob: bob joined, restored',
        'reply 2: bob joined, restored',
      ),
    ])
    // Also before that one is in the log.
    play([
      at(500, taken, 'announce call-one by eve'),
      step(resume(2, 'bob'), 'find 2: call-one at 7'),
      step(
        found(2),
        'refuse 1: CALL_NOT_FOUND',
        'tell bob: bob joined, restored',
        'reply 2: bob joined, restored',
      ),
      step(eves),
    ])
  })

  it('leaves an id with the call that began first', () => {
    const earlier = {
      type: 'announced',
      callId: 'call-one',
      seq: 9,
      startedAt: START - 1,
      to: ['mal'],
    } as const
    play([
      step(start(1, 'eve', { room: 'den', to: [] }), 'announce call-one by eve'),
      step(earlier, 'tell eve, mal: eve joined, mal ringing', 'reply 1: eve joined, mal ringing'),
      step(resume(2, 'bob'), 'find 2: call-one at 7'),
      step(found(2), 'refuse 2: CALL_NOT_FOUND'),
    ])
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
