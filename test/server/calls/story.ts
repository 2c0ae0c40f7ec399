// Stories of calls: inputs at their times, each with the lines of what comes of it. What is shared by the tests of the registry.

import type { Call } from '@tautline/protocol/calls'
import { expect } from 'vitest'
import type { CallEffect, CallInput } from '../../../packages/server/src/calls/core/contract.ts'
import { createRegistry, type RegistryOptions } from '../../../packages/server/src/calls/core/registry.ts'

export const OPTIONS: RegistryOptions = {
  ringTimeoutMs: 30_000,
  reconnectTimeoutMs: 60_000,
  startsPerMinute: 5,
  maxCalls: 100,
}
export const START = 1_700_000_000_000
const ROOM = '~ann~bob'

/** A user and a device of theirs: `ann`, or `bob/phone`. The peer of a device has the name of both. */
function sides(who: string) {
  const [user = '', device = 'desk'] = who.split('/')
  return { user, session: `${user}-${device}`, peerId: `peer-${user}-${device}` }
}

export function start(
  ask: number,
  who: string,
  about: { id?: string; room?: string; to?: string[] } = {},
): CallInput {
  const { id = 'call-one', room = ROOM, to } = about
  return { type: 'start', ask, ...sides(who), callId: id, room, media: 'video', to }
}

export function announced(to: string[], callId = 'call-one'): CallInput {
  return { type: 'announced', callId, seq: 7, startedAt: START, to }
}

export function answer(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'answer', ask, ...sides(who), callId }
}

export function reject(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'reject', ask, ...sides(who), callId }
}

export function hangUp(ask: number, who: string, callId = 'call-one'): CallInput {
  return { type: 'end', ask, ...sides(who), callId }
}

export function resume(ask: number, who: string, answeredAt?: number): CallInput {
  return { type: 'resume', ask, ...sides(who), callId: 'call-one', room: ROOM, seq: 7, answeredAt, others: 1 }
}

export function found(ask: number, isThere = true): CallInput {
  const started = isThere ? ({ media: 'video', startedBy: 'ann', at: START } as const) : undefined
  return { type: 'found', ask, started }
}

export function gone(who: string): CallInput {
  const { user, session } = sides(who)
  return { type: 'gone', user, session }
}

export function list(ask: number, who: string): CallInput {
  return { type: 'list', ask, ...sides(who) }
}

export function signal(ask: number, from: string, to: string): CallInput {
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

export const timer: CallInput = { type: 'timer' }

function words(call: Call): string {
  const each = call.participants.map(({ userId, state, isConnected }) =>
    isConnected === false ? `${userId} ${state} (away)` : `${userId} ${state}`,
  )
  return `${each.join(', ')}${call.isRestored ? ', restored' : ''}${call.ended ? `; ${call.ended.reason}` : ''}`
}

export function line(effect: CallEffect): string {
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

export interface Step {
  /** Milliseconds since the beginning; undefined: at the same time as the step before. */
  readonly at?: number
  readonly input: CallInput
  readonly effects: readonly string[]
}

export function step(input: CallInput, ...effects: string[]): Step {
  return { input, effects }
}

export function at(ms: number, input: CallInput, ...effects: string[]): Step {
  return { at: ms, input, effects }
}

/** Plays the steps, each with exactly these effects. */
export function play(steps: readonly Step[], options: Partial<RegistryOptions> = {}) {
  const registry = createRegistry({ ...OPTIONS, ...options })
  let now = START
  for (const { at: ms, input, effects } of steps) {
    if (ms !== undefined) now = START + ms
    expect(registry.step(input, now).map(line)).toEqual(effects)
  }
  return registry
}

/** Ann calls Bob, and it rings. */
export const RINGS: readonly Step[] = [
  step(start(1, 'ann'), 'announce call-one by ann'),
  step(announced(['bob']), 'tell ann, bob: ann joined, bob ringing', 'reply 1: ann joined, bob ringing'),
]
export const TALKS: readonly Step[] = [
  ...RINGS,
  step(answer(2, 'bob'), 'tell ann, bob: ann joined, bob joined', 'reply 2: ann joined, bob joined'),
]
