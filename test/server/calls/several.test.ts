// Calls of more than two.

import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../../packages/server/src/calls/core/registry.ts'
import {
  announced,
  answer,
  at,
  hangUp,
  line,
  OPTIONS,
  play,
  reject,
  START,
  type Step,
  start,
  step,
  timer,
} from './story.ts'

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
