import type { CallSignal } from '@tautline/protocol/calls'
import { array, assert, constant, constantFrom, nat, oneof, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createSignalLane,
  type SignalContent,
  type SignalLane,
} from '../../../../packages/client/src/calls/core/signal-lane.ts'

function offer(name: string): SignalContent {
  return { description: { type: 'offer', sdp: name } }
}

function candidate(name: string): SignalContent {
  return { candidates: [{ candidate: name }] }
}

/** What a content says, in words. */
function wordsOf({ description, candidates }: SignalContent): string[] {
  return description ? [description.sdp] : (candidates ?? []).map((each) => each.candidate)
}

/** Sends until there is nothing more; `carry` is what becomes of a signal. */
function flush(lane: SignalLane, carry: (signal: CallSignal) => void): void {
  for (let signal = lane.next(); signal; signal = lane.next()) {
    carry(signal)
    lane.sent()
  }
}

describe('a lane of signals', () => {
  it('says one at a time, and candidates that wait together', () => {
    const lane = createSignalLane()
    lane.say(offer('o'))
    const first = lane.next()
    expect(first).toEqual({ n: 1, received: 0, description: { type: 'offer', sdp: 'o' } })
    lane.say(candidate('a'))
    lane.say(candidate('b'))
    expect(lane.next()).toBeUndefined()
    lane.sent()
    expect(lane.next()).toEqual({ n: 2, received: 0, candidates: [{ candidate: 'a' }, { candidate: 'b' }] })
    lane.say(candidate('c'))
    lane.say(offer('p'))
    lane.say(candidate('d'))
    lane.sent()
    const said: string[][] = []
    flush(lane, (signal) => said.push(wordsOf(signal)))
    expect(said).toEqual([['c'], ['p'], ['d']])
  })

  it('says again what did not arrive, from there on and in order, when both can be reached', () => {
    const [lane, other] = [createSignalLane(), createSignalLane()]
    for (const name of ['a', 'b', 'c']) lane.say(offer(name))
    const heard: string[] = []
    const hear = (signal: CallSignal) => heard.push(...wordsOf(other.take(signal) ?? {}))
    const first = lane.next()
    if (first) hear(first)
    lane.sent()
    lane.next()
    lane.failed()
    expect(lane.next()).toBeUndefined()
    other.again()
    flush(other, (signal) => lane.take(signal))
    flush(lane, hear)
    expect(heard).toEqual(['a', 'b', 'c'])
  })

  it('asks for what is missing, once', () => {
    const lane = createSignalLane()
    expect(lane.take({ n: 3, received: 0, candidates: [] })).toBeUndefined()
    expect(lane.take({ n: 4, received: 0, candidates: [] })).toBeUndefined()
    const said: CallSignal[] = []
    flush(lane, (signal) => said.push(signal))
    expect(said).toEqual([{ n: 0, received: 0 }])
  })

  it('takes nothing twice', () => {
    const lane = createSignalLane()
    const signal = { n: 1, received: 0, description: { type: 'offer' as const, sdp: 'o' } }
    expect(lane.take(signal)).toBeDefined()
    expect(lane.take(signal)).toBeUndefined()
  })

  it('tells when it has become too long', () => {
    const lane = createSignalLane()
    for (let i = 0; i < 256; i++) expect(lane.say(offer(`${i}`))).toBe(true)
    expect(lane.say(offer('one more'))).toBe(false)
  })

  it('brings everything once and in order, whatever is lost on the way and refused', () => {
    const what = array(
      oneof(
        record({ do: constant('say' as const), side: nat(1) }),
        record({
          do: constant('send' as const),
          side: nat(1),
          fate: constantFrom('arrives', 'lost', 'refused'),
        }),
        record({ do: constant('again' as const), side: nat(1) }),
      ),
      { maxLength: 80 },
    )
    assert(
      property(what, (steps) => {
        const lanes = [createSignalLane(), createSignalLane()] as const
        const said: [string[], string[]] = [[], []]
        const heard: [string[], string[]] = [[], []]
        const send = (side: 0 | 1, fate: string) => {
          const signal = lanes[side].next()
          if (!signal) return false
          if (fate === 'refused') lanes[side].failed()
          else lanes[side].sent()
          const content = fate === 'arrives' ? lanes[side === 0 ? 1 : 0].take(signal) : undefined
          if (content) heard[side].push(...wordsOf(content))
          return true
        }
        for (const step of steps) {
          const side = step.side === 0 ? 0 : 1
          if (step.do === 'again') lanes[side].again()
          else if (step.do === 'send') send(side, step.fate)
          else {
            const name = `${said[side].length}`
            said[side].push(name)
            lanes[side].say(said[side].length % 3 === 0 ? offer(name) : candidate(name))
          }
        }
        // Both can be reached again, and nothing is lost any more.
        for (const lane of lanes) lane.again()
        let rounds = 0
        while ([send(0, 'arrives'), send(1, 'arrives')].includes(true)) expect(++rounds).toBeLessThan(500)
        expect(heard).toEqual(said)
      }),
    )
  })
})
