// The whole core under random inputs: of the application, of the host, of a server that may say anything that passes the
// door. What must hold is what no one of the parts can promise alone.

import { EXAMPLES } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../packages/client/src/core/context.ts'
import { createCore, type Input } from '../../../packages/client/src/core/core.ts'
import { createRandom } from '../../../packages/client/src/core/random.ts'
import { framesLike } from '../../support/mutate.ts'
import { wholeDoor } from '../../support/whole-door.ts'
import {
  CORE_OPTIONS,
  commandsOf,
  connectedPayload,
  drive,
  EPOCH,
  hashAt,
  ids,
  idsOf,
  messagesOf,
  ofType,
  outcomesOf,
  rowOf,
  run,
  SERVER_TIME,
} from '../support/drive.ts'
import { holds } from '../support/property.ts'

const ROOMS = ['den', 'general', '~ada~bob']

/** What may happen; a link of -1 is the present one, any other one of the past or the future. */
type Move =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'meet the deadline' }
  | { readonly do: 'sign in' }
  | { readonly do: 'step'; readonly input: Input }
  | { readonly do: 'send'; readonly room: string; readonly bytes: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'request'; readonly room: string }
  | { readonly do: 'hear'; readonly text: string; readonly ref: number }
  | { readonly do: 'accept'; readonly epoch: string; readonly userId: string }
  | {
      readonly do: 'answer'
      readonly how: 'ack' | 'error' | 'page'
      readonly which: number
      readonly code: string
    }
  | {
      readonly do: 'link'
      readonly type: 'token' | 'opened' | 'garbled' | 'lost'
      readonly closeCode: number
      readonly past: number
    }

const room = fc.constantFrom(...ROOMS)
const CODES = [
  'NORMAL',
  'GAP',
  'RATE_LIMIT',
  'INTERNAL_ERROR',
  'FORBIDDEN',
  'INVALID_MESSAGE',
  'VOID',
  'WHAT',
  'constructor',
]

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 60, 999, 5_000, 40_000, 1e7),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Move>({ do: 'meet the deadline' }) },
  { weight: 3, arbitrary: fc.constant<Move>({ do: 'sign in' }) },
  {
    weight: 4,
    arbitrary: fc
      .oneof(
        fc.record({ type: fc.constantFrom('connect' as const, 'disconnect' as const, 'tick' as const) }),
        fc.record({ type: fc.constantFrom('follow' as const, 'unfollow' as const), room }),
        fc.record({ type: fc.constant('typing' as const), room, active: fc.boolean() }),
        fc.record({
          type: fc.constant('lifecycle' as const),
          event: fc.constantFrom('wake' as const, 'online' as const, 'offline' as const),
        }),
      )
      .map((input): Move => ({ do: 'step', input })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      room,
      bytes: fc.constantFrom(20, 500, 60_000, 70_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('request' as const), room }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('hear' as const),
      text: framesLike(Object.values(EXAMPLES.server)),
      ref: fc.nat(40),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      epoch: fc.constantFrom(EPOCH, EPOCH, 'epoch-2'),
      userId: fc.constantFrom('ada', 'ada', 'ada', 'ada', 'ada', 'bob'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      how: fc.constantFrom('ack' as const, 'ack' as const, 'error' as const, 'page' as const),
      which: fc.nat(60),
      code: fc.constantFrom(...CODES),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('link' as const),
      type: fc.constantFrom(
        'token' as const,
        'token' as const,
        'opened' as const,
        'opened' as const,
        'garbled' as const,
        'lost' as const,
      ),
      closeCode: fc.constantFrom(1006, 1012, 1013, 4002, 4410, 9999),
      past: fc.constantFrom(0, 0, 0, 0, 1, -1),
    }),
  },
)

/** Plays the moves; throws where an invariant is broken. Returns how many messages had an outcome. */
function play(seed: number, moves: readonly Move[]): number {
  const core = createCore(CORE_OPTIONS, seed)
  let now = 1_000
  let link = 0
  let refs = 0
  let sends = 0
  const undecided = new Set<string>()
  const settled = new Set<string>()
  const open = new Set<number>()

  function step(input: Input): void {
    const effects = core.step(input, now)
    expect(Number.isNaN(core.nextDeadline())).toBe(false)
    if (input.type === 'tick') expect(core.nextDeadline()).toBeGreaterThan(now)
    for (const effect of effects) observe(effect)
    expect(core.queued().rows).toBe(undecided.size)
    if (undecided.size === 0) expect(core.queued().bytes).toBe(0)
  }

  function observe(effect: Effect): void {
    if (effect.type === 'get_token') link = effect.link
    if (effect.type === 'transmit') {
      expect(effect.link).toBe(link)
      expect(effect.messages.length).toBeGreaterThan(0)
      for (const { payload } of effect.messages)
        if ('ref' in payload)
          refs = Math.max(refs, payload.ref + ('commands' in payload ? payload.commands.length - 1 : 0))
    }
    if (effect.type === 'settled') {
      expect(settled.has(effect.messageId), `${effect.messageId} settles once`).toBe(false)
      expect(undecided.delete(effect.messageId), `${effect.messageId} was sent`).toBe(true)
      settled.add(effect.messageId)
    }
    if (effect.type === 'progress') expect(undecided.has(effect.messageId)).toBe(true)
    if (effect.type === 'reply') expect(open.delete(effect.id), 'a request is answered once').toBe(true)
  }

  function hear(value: unknown): void {
    const messages = wholeDoor(JSON.stringify(value))
    step(messages ? { type: 'received', link, messages: messages } : { type: 'garbled', link })
  }

  function answer({ how, which, code }: Extract<Move, { do: 'answer' }>): void {
    const ref = Math.max(1, refs - which)
    if (how === 'ack')
      hear({
        type: 'ack',
        payload: { acks: [{ ref, seq: which + 1, count: (which % 9) + 1 }] },
        timestamp: SERVER_TIME,
      })
    else if (how === 'error')
      hear({ type: 'error', payload: { ref, code, message: '', retryAfterMs: which * 10 } })
    else
      hear({
        type: 'page',
        payload: {
          ref,
          room: ROOMS[which % ROOMS.length],
          epoch: EPOCH,
          after: { seq: which, h: hashAt(which) },
          entries: run(which + 1, which + 3),
          h: hashAt(which + 3),
          head: which + 5,
          live: which % 5 > 0,
          oldest: 1,
        },
      })
  }

  function make(next: Move): void {
    switch (next.do) {
      case 'wait':
        now += next.ms
        return
      case 'meet the deadline':
        // Not into times where a millisecond is lost in the rounding.
        if (core.nextDeadline() < 1e12) now = Math.max(now, core.nextDeadline())
        return step({ type: 'tick' })
      case 'sign in':
        return CONNECT.forEach(make)
      case 'step':
        return step(next.input)
      case 'send': {
        const id = ids(++sends, sends)[0] as string
        undecided.add(id)
        return step({ type: 'send', row: rowOf(next.room, id, { bytes: next.bytes }) })
      }
      case 'cancel':
        return step({ type: 'cancel', messageId: ids(next.which, next.which)[0] as string })
      case 'request': {
        const id = open.size + 1_000 + sends++
        open.add(id)
        return step({ type: 'request', id, message: { type: 'list_members', payload: { room: next.room } } })
      }
      case 'hear': {
        // Half of the refs are of this connection.
        const text = next.text.replaceAll(/"ref":\d+/g, `"ref":${Math.max(0, refs - next.ref)}`)
        const messages = wholeDoor(text)
        return step(messages ? { type: 'received', link, messages } : { type: 'garbled', link })
      }
      case 'accept':
        return hear({
          type: 'connected',
          payload: connectedPayload({ epoch: next.epoch, userId: next.userId }),
          timestamp: SERVER_TIME + now,
        })
      case 'answer':
        return answer(next)
      case 'link': {
        const of = link + next.past
        if (next.type === 'token') return step({ type: 'token', link: of, token: 'token' })
        if (next.type === 'lost')
          return step({ type: 'lost', link: of, closeCode: next.closeCode, reason: '' })
        return step({ type: next.type, link: of })
      }
      default:
        return next satisfies never
    }
  }

  for (const next of moves) make(next)
  return settled.size
}

const CONNECT: readonly Move[] = [
  { do: 'step', input: { type: 'follow', room: 'den' } },
  { do: 'step', input: { type: 'connect' } },
  { do: 'link', type: 'token', closeCode: 0, past: 0 },
  { do: 'link', type: 'opened', closeCode: 0, past: 0 },
  { do: 'accept', epoch: EPOCH, userId: 'ada' },
]

describe('the core', () => {
  it('never throws, never stands still, and settles nothing twice, whatever happens in whatever order', () => {
    let outcomes = 0
    holds(
      fc.property(fc.nat(), fc.array(move, { maxLength: 150, size: 'max' }), (seed, moves) => {
        outcomes += play(seed, [...CONNECT, ...moves])
        return true
      }),
      500,
    )
    // The property is about something.
    expect(outcomes).toBeGreaterThan(500)
  })

  it('is the same for the same seed and inputs', () => {
    const once = () => {
      const client = drive()
      for (const id of ids(1, 20)) client.send('den', id)
      const effects = client.connect()
      client.refuse(commandsOf(effects)[0]?.ref ?? 0, 'UNAVAILABLE')
      client.live(20_000)
      client.lose()
      client.reconnect()
      return client.take()
    }
    expect(once()).toEqual(once())
  })

  it('does nothing at a tick that comes too early', () => {
    const client = drive()
    client.connect()
    client.follow('den', 3)
    client.send('den', 'm-000001')
    while (client.core.nextDeadline() - client.now() < 1_000) client.live(1_000)
    client.take()
    const deadline = client.core.nextDeadline()
    for (let i = 0; i < 5; i++) expect(client.tick()).toEqual([])
    expect(client.core.nextDeadline()).toBe(deadline)
  })

  it('says everything of one step in one transmission, at its end', () => {
    const client = drive()
    for (const id of ids(1, 3)) client.send(`room-${id}`, id)
    client.step({ type: 'follow', room: 'den' })
    const effects = client.connect()
    expect(ofType(effects, 'transmit')).toHaveLength(1)
    expect(effects.at(-1)?.type).toBe('transmit')
    expect(messagesOf(effects).length).toBeGreaterThan(3)
  })

  it('brings everything to rest within two minutes after the faults stop, each message once and in order', () => {
    for (let seed = 1; seed <= 15; seed++) {
      const client = drive({}, seed)
      const random = createRandom(seed)
      /** While there are faults, every second frame is lost, on the way there or back. */
      let hasFaults = true
      const isLost = (): boolean => hasFaults && random() < 0.5
      /** The lane's last place, and the log by message. */
      let lastN = 0
      const log: string[] = []
      const told: string[] = []
      const serve = (effects: readonly Effect[]): void => {
        told.push(...outcomesOf(effects))
        for (const { ref, n, commands } of commandsOf(effects)) {
          if (isLost()) continue
          for (const [i, { messageId }] of commands.entries()) serveCommand(ref + i, n + i, messageId)
        }
      }
      const serveCommand = (ref: number, n: number, messageId: string): void => {
        if (n > lastN + 1) {
          serve(client.refuse(ref, 'GAP'))
          return
        }
        if (n === lastN + 1) {
          lastN++
          log.push(messageId)
        }
        if (!isLost()) serve(client.ack(ref, log.indexOf(messageId) + 1))
      }
      for (const id of ids(1, 30)) client.send('den', id)
      client.take()
      serve(client.connect())
      for (let second = 0; second < 320; second++) {
        hasFaults = second < 200
        serve(client.live(1_000))
        if (client.core.status() === 'connecting') serve(client.signIn())
        if (client.core.status() === 'connected' && hasFaults && random() < 0.1) client.lose()
      }
      expect(log).toEqual(ids(1, 30))
      expect(told.toSorted()).toEqual(ids(1, 30).map((id, i) => `${id} acknowledged ${i + 1}`))
      expect(idsOf(client.live(100_000))).toEqual([])
    }
  })
})
