// Following rooms: what is applied, what is read from the log, and what becomes of a room that is refused or another.

import { DEFAULT_LIMITS, decodeClientFrame } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../packages/client/src/core/context.ts'
import { drive, EPOCH, entriesOf, messagesOf, ofType, payloadsOf } from '../support/drive.ts'
import { holds } from '../support/property.ts'
import { trace } from '../support/trace.ts'

/** Connected, and following `den`, whose log ends at `head`. */
function following(head = 0) {
  const client = drive()
  client.connect()
  client.follow('den', head)
  client.take()
  return client
}

/** What these effects ask for, pings aside. */
const asked = (effects: readonly Effect[]) => messagesOf(effects).filter(({ type }) => type !== 'ping')

const pageRef = (effects: readonly Effect[]): number => payloadsOf(effects, 'get_page')[0]?.ref ?? 0
const subscribeRef = (effects: readonly Effect[]): number => payloadsOf(effects, 'subscribe')[0]?.ref ?? 0

describe('a room that is followed', () => {
  it('begins at its head: what lies before is history', () => {
    const client = drive()
    client.connect()
    const effects = client.step({ type: 'follow', room: 'den' })
    const ref = subscribeRef(effects)
    expect(trace(effects)).toEqual([
      'room den syncing',
      `> subscribe {"ref":${ref},"epoch":"${EPOCH}","rooms":[{"room":"den","limit":0}]}`,
    ])
    expect(trace(client.page(ref, 'den', 41, 41))).toEqual(['room den live'])
    expect(trace(client.push('den', 42))).toEqual(['entries den 42'])
  })

  it('takes each entry once and in order', () => {
    const client = following(4)
    expect(trace(client.push('den', 5, 7))).toEqual(['entries den 5 6 7'])
    expect(trace(client.push('den', 5, 7))).toEqual([])
    expect(trace(client.push('den', 2))).toEqual([])
    expect(trace(client.push('den', 6, 9))).toEqual(['entries den 8 9'])
  })

  it('reads a hole from the log, one page at a time', () => {
    const client = following(4)
    const hole = client.push('den', 8)
    const ref = pageRef(hole)
    expect(trace(hole)).toEqual([
      `> get_page {"ref":${ref},"epoch":"${EPOCH}","room":"den","after":{"seq":4,"h":"h4"}}`,
    ])
    // Asked once, whatever else comes.
    expect(trace(client.push('den', 9, 11))).toEqual([])
    const page = client.page(ref, 'den', 4, 6, { head: 9 })
    expect(entriesOf(page, 'den')).toEqual([5, 6])
    expect(payloadsOf(page, 'get_page')).toMatchObject([{ after: { seq: 6, h: 'h6' } }])
    expect(trace(client.page(pageRef(page), 'den', 6, 11))).toEqual(['entries den 7 8 9 10 11'])
  })

  it('takes live entries while a page is on its way, and drops the overlap', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 7))
    expect(trace(client.push('den', 5, 6))).toEqual(['entries den 5 6'])
    expect(trace(client.page(ref, 'den', 4, 8))).toEqual(['entries den 7 8'])
    expect(trace(client.push('den', 9))).toEqual(['entries den 9'])
  })

  it('asks no more where a page brings nothing, for a moment', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 6))
    expect(asked(client.page(ref, 'den', 4, 4))).toEqual([])
    expect(asked(client.advance(99))).toEqual([])
    expect(payloadsOf(client.advance(1), 'get_page')).toHaveLength(1)
  })

  it('waits for nothing else while it reads: what was to be asked for later is being asked for', () => {
    const client = following(4)
    client.page(pageRef(client.push('den', 6)), 'den', 4, 4)
    expect(payloadsOf(client.push('den', 7), 'get_page')).toHaveLength(1)
    client.take()
    expect(asked(client.advance(1_000))).toEqual([])
  })

  it('asks ever more rarely for what was announced and never comes, until something comes', () => {
    const client = drive({ checkIntervalMs: Number.POSITIVE_INFINITY })
    client.connect()
    client.follow('den', 4)
    let effects = client.push('den', 6_000)
    const waits: number[] = []
    let last = client.now()
    while (waits.length < 13) {
      for (; pageRef(effects) === 0; effects = client.live(50))
        expect(client.now() - last).toBeLessThan(60_100)
      waits.push(client.now() - last)
      last = client.now()
      effects = client.page(pageRef(effects), 'den', 4, 4, { head: 6_000 })
    }
    expect(waits).toEqual([
      0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000,
    ])
    client.take()
    client.live(60_000)
    const ref = pageRef(client.take())
    client.push('den', 5)
    const page = client.page(ref, 'den', 5, 5, { head: 6_000 })
    expect(payloadsOf(page, 'get_page')).toEqual([])
    expect(payloadsOf(client.live(100), 'get_page')).toHaveLength(1)
  })

  it('ignores pages that it did not ask for', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 9))
    expect(trace(client.page(ref + 1, 'den', 4, 9))).toEqual([])
    expect(trace(client.page(ref - 1, 'den', 4, 9))).toEqual([])
    expect(trace(client.page(0, 'den', 4, 9))).toEqual([])
    expect(entriesOf(client.page(ref, 'den', 4, 9), 'den')).toEqual([5, 6, 7, 8, 9])
    // Answered once is answered.
    expect(trace(client.page(ref, 'den', 9, 12, { epoch: 'other' }))).toEqual([])
    expect(trace(client.page(0, 'den', 9, 12, { epoch: 'other' }))).toEqual([])
  })

  it('leaves pages to the requests that asked for them', () => {
    const client = following(4)
    const get = client.step({
      type: 'request',
      id: 7,
      message: { type: 'get_page', payload: { room: 'den', after: { seq: 0 } } },
    })
    expect(trace(client.page(pageRef(get), 'den', 0, 4))).toEqual(['reply 7 ok'])
    expect(entriesOf(client.take(), 'den')).toEqual([])
  })

  it('is told of positions that it will not get', () => {
    const client = following(4)
    client.lose()
    const ref = subscribeRef(client.reconnect())
    const gap = { from: 5, to: 1_900, reason: 'behind' } as const
    expect(trace(client.page(ref, 'den', 1_900, 2_000, { gap }))).toEqual([
      'gap den 5-1900 behind',
      `entries den ${Array.from({ length: 100 }, (_, i) => 1_901 + i).join(' ')}`,
      'room den live',
      'ready',
      expect.stringContaining('ping'),
    ])
    expect(trace(client.push('den', 2_001))).toEqual(['entries den 2001'])
  })

  it('is told of the gap also where the server gives no reason', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 9))
    expect(trace(client.page(ref, 'den', 7, 9))).toEqual(['gap den 5-7 behind', 'entries den 8 9'])
  })

  it('comes live again after a reconnect, from where it was', () => {
    const client = following(4)
    expect(trace(client.lose())[0]).toBe('room den syncing')
    const effects = client.reconnect()
    expect(payloadsOf(effects, 'subscribe')).toMatchObject([
      { epoch: EPOCH, rooms: [{ room: 'den', after: { seq: 4, h: 'h4' } }] },
    ])
    const page = client.page(subscribeRef(effects), 'den', 4, 6, { head: 8 })
    expect(trace(page).slice(0, 2)).toEqual(['entries den 5 6', 'room den live'])
    expect(payloadsOf(page, 'get_page')).toMatchObject([{ after: { seq: 6, h: 'h6' } }])
  })

  it('is live only when the server says so: else it is ready, and asks again after a moment', () => {
    const client = drive()
    client.step({ type: 'follow', room: 'den' })
    const ref = subscribeRef(client.connect())
    const page = client.page(ref, 'den', 4, 4, { live: false })
    expect(ofType(page, 'room')).toEqual([])
    expect(ofType(page, 'ready')).toHaveLength(1)
    expect(payloadsOf(client.live(1_999), 'subscribe')).toEqual([])
    const again = client.live(401)
    expect(trace(client.page(subscribeRef(again), 'den', 4, 5))).toEqual(['entries den 5', 'room den live'])
  })

  it('is asked for at once where the server turns out to push it no more', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 6))
    const page = client.page(ref, 'den', 4, 6, { live: false })
    expect(entriesOf(page, 'den')).toEqual([5, 6])
    expect(payloadsOf(page, 'subscribe')).toMatchObject([{ rooms: [{ room: 'den', after: { seq: 6 } }] }])
    expect(trace(client.page(subscribeRef(page), 'den', 6, 7))).toEqual(['entries den 7', 'room den live'])
  })

  it('may be followed twice, and before there is a connection', () => {
    const client = drive()
    expect(trace(client.step({ type: 'follow', room: 'den' }))).toEqual(['room den syncing'])
    // Who asks a second time may be somebody else, who has to be told.
    expect(trace(client.step({ type: 'follow', room: 'den' }))).toEqual(['room den syncing'])
    const effects = client.connect()
    expect(payloadsOf(effects, 'subscribe')).toHaveLength(1)
    expect(trace(client.step({ type: 'follow', room: 'den' }))).toEqual(['room den syncing'])
  })
})

describe('a room that is not followed any more', () => {
  it('is left alone: what still comes is nobody’s', () => {
    const client = following(4)
    const hole = client.push('den', 7)
    expect(messagesOf(client.step({ type: 'unfollow', room: 'den' })).map(({ type }) => type)).toEqual([
      'unsubscribe',
    ])
    expect(trace(client.page(pageRef(hole), 'den', 4, 7))).toEqual([])
    expect(trace(client.push('den', 8))).toEqual([])
    expect(trace(client.hear('typing_started', { room: 'den', userId: 'bob' }))).toEqual([])
    expect(
      trace(client.hear('presence_changed', { room: 'den', users: [{ userId: 'bob', status: 'online' }] })),
    ).toEqual([])
    expect(client.step({ type: 'unfollow', room: 'den' })).toEqual([])
    client.lose()
    expect(payloadsOf(client.reconnect(), 'subscribe')).toEqual([])
  })

  it('is begun anew when it is followed again', () => {
    const client = following(4)
    client.step({ type: 'unfollow', room: 'den' })
    const effects = client.step({ type: 'follow', room: 'den' })
    expect(payloadsOf(effects, 'subscribe')).toMatchObject([{ rooms: [{ room: 'den', limit: 0 }] }])
  })

  it('is one that was left', () => {
    const client = following(4)
    expect(trace(client.hear('room_left', { room: 'den', reason: 'removed' }))).toEqual([
      'room den idle',
      'left',
    ])
    expect(trace(client.push('den', 5))).toEqual([])
    client.lose()
    expect(payloadsOf(client.reconnect(), 'subscribe')).toEqual([])
  })
})

describe('a reset', () => {
  it('drops the cursor, tells the application, and begins anew', () => {
    const client = following(4)
    client.lose()
    const ref = subscribeRef(client.reconnect())
    const reset = client.hear('reset', { ref, room: 'den', epoch: EPOCH, reason: 'diverged' })
    expect(ofType(reset, 'reset')).toMatchObject([{ room: 'den', reason: 'diverged' }])
    expect(payloadsOf(reset, 'subscribe')).toMatchObject([{ rooms: [{ room: 'den', limit: 0 }] }])
    // A page that was asked before is of the other log.
    expect(trace(client.page(ref, 'den', 4, 9))).toEqual([])
    expect(ofType(client.page(subscribeRef(reset), 'den', 2, 2), 'room')).toMatchObject([{ phase: 'live' }])
    expect(entriesOf(client.push('den', 3), 'den')).toEqual([3])
  })

  it('forgets how far the old log went', () => {
    const client = following(4)
    const hole = client.push('den', 900)
    const reset = client.hear('reset', { ref: pageRef(hole), room: 'den', epoch: EPOCH, reason: 'ahead' })
    client.take()
    client.page(subscribeRef(reset), 'den', 2, 2)
    client.live(5_000)
    expect(payloadsOf(client.take(), 'get_page')).toEqual([])
  })

  it('that answers nothing that was asked is ignored', () => {
    const client = following(4)
    expect(trace(client.hear('reset', { ref: 999, room: 'den', epoch: EPOCH, reason: 'diverged' }))).toEqual(
      [],
    )
  })

  it('of the whole store is seen at connect: every cursor is void', () => {
    const client = following(4)
    client.follow('hall', 7)
    client.lose()
    while (client.core.status() !== 'connecting') client.advance(100)
    client.token()
    client.open()
    const effects = client.accept({ epoch: 'epoch-2' })
    expect(ofType(effects, 'reset')).toEqual([
      { type: 'reset', room: 'den', reason: 'epoch' },
      { type: 'reset', room: 'hall', reason: 'epoch' },
    ])
    expect(payloadsOf(effects, 'subscribe')).toMatchObject([
      {
        epoch: 'epoch-2',
        rooms: [
          { room: 'den', limit: 0 },
          { room: 'hall', limit: 0 },
        ],
      },
    ])
  })

  it.each(['page', 'reset'] as const)('of the whole store that a %s tells restarts every room', (type) => {
    const client = following(4)
    client.follow('hall', 7)
    const ref = pageRef(client.push('den', 9))
    const effects =
      type === 'page'
        ? client.page(ref, 'den', 4, 9, { epoch: 'epoch-2' })
        : client.hear('reset', { ref, room: 'den', epoch: 'epoch-2', reason: 'epoch' })
    expect(
      ofType(effects, 'reset')
        .map(({ room }) => room)
        .toSorted(),
    ).toEqual(['den', 'hall'])
    expect(entriesOf(effects, 'den')).toEqual([])
    const again = payloadsOf(effects, 'subscribe')
    expect(again.flatMap(({ rooms }) => rooms).toSorted((a, b) => (a.room < b.room ? -1 : 1))).toEqual([
      { room: 'den', limit: 0 },
      { room: 'hall', limit: 0 },
    ])
    for (const { ref: of, rooms } of again)
      for (const { room } of rooms) client.page(of, room, 1, 1, { epoch: 'epoch-2' })
    client.take()
    client.push('den', 2)
    client.push('hall', 2)
    const later = client.take()
    expect([entriesOf(later, 'den'), entriesOf(later, 'hall')]).toEqual([[2], [2]])
  })
})

describe('a refused subscription', () => {
  it('for good is told, and not tried again until it is followed anew', () => {
    const client = drive()
    client.connect()
    const ref = subscribeRef(client.step({ type: 'follow', room: 'den' }))
    expect(trace(client.refuse(ref, 'FORBIDDEN', { room: 'den' }))).toEqual(['room den refused FORBIDDEN'])
    expect(payloadsOf(client.live(300_000), 'subscribe')).toEqual([])
    client.lose()
    expect(payloadsOf(client.reconnect(), 'subscribe')).toEqual([])
    expect(payloadsOf(client.step({ type: 'follow', room: 'den' }), 'subscribe')).toHaveLength(1)
  })

  it('for now is tried again after a wait', () => {
    const client = drive()
    client.connect()
    const ref = subscribeRef(client.step({ type: 'follow', room: 'den' }))
    expect(trace(client.refuse(ref, 'UNAVAILABLE', { room: 'den' }))).toEqual([])
    expect(asked(client.live(1_999))).toEqual([])
    const again = payloadsOf(client.live(402), 'subscribe')
    expect(again).toHaveLength(1)
    client.refuse(again[0]?.ref ?? 0, 'UNAVAILABLE', { room: 'den', retryAfterMs: 9_000 })
    expect(payloadsOf(client.live(8_999), 'subscribe')).toEqual([])
    expect(payloadsOf(client.live(1_802), 'subscribe')).toHaveLength(1)
  })

  it('of a page only is tried again, and the room stays live', () => {
    const client = following(4)
    const ref = pageRef(client.push('den', 9))
    expect(trace(client.refuse(ref, 'FETCH_ERROR'))).toEqual([])
    expect(payloadsOf(client.live(2_400), 'get_page')).toHaveLength(1)
    expect(ofType(client.take(), 'room')).toEqual([])
  })

  it.each<[string, (client: ReturnType<typeof drive>, ref: number) => unknown]>([
    ['checked', (client, ref) => client.hear('checked', { ref, rooms: [] })],
    ['done', (client, ref) => client.hear('done', { ref })],
    ['room_joined', (client, ref) => client.hear('room_joined', { ref, room: 'den', role: 'member' })],
    ['pong', (client, ref) => client.hear('pong', { ref })],
    ['unsubscribed', (client, ref) => client.hear('unsubscribed', { ref, rooms: ['den'] })],
    ['token_renewed', (client, ref) => client.hear('token_renewed', { ref })],
    ['ack', (client, ref) => client.ack(ref, 1)],
  ])('is also an answer of another kind: %s', (_type, answer) => {
    const client = drive()
    client.connect()
    const ref = subscribeRef(client.step({ type: 'follow', room: 'den' }))
    answer(client, ref)
    const again = payloadsOf(client.live(2_400), 'subscribe')
    expect(again).toMatchObject([{ rooms: [{ room: 'den' }] }])
    expect(trace(client.page(again[0]?.ref ?? 0, 'den', 4, 4))).toEqual(['room den live'])
  })

  it('without a room concerns all that were asked for', () => {
    const client = drive()
    for (const room of ['den', 'hall']) client.step({ type: 'follow', room })
    const ref = subscribeRef(client.connect())
    expect(
      ofType(client.refuse(ref, 'INVALID_MESSAGE'), 'room').map(({ room, phase }) => [room, phase]),
    ).toEqual([
      ['den', 'refused'],
      ['hall', 'refused'],
    ])
  })

  it('of one room leaves the others awaited', () => {
    const client = drive()
    for (const room of ['den', 'hall']) client.step({ type: 'follow', room })
    const ref = subscribeRef(client.connect())
    client.refuse(ref, 'FORBIDDEN', { room: 'den' })
    expect(ofType(client.page(ref, 'hall', 3, 3), 'room')).toMatchObject([{ room: 'hall', phase: 'live' }])
  })

  it('with a code of a newer server is tried again', () => {
    const client = drive()
    client.connect()
    const ref = subscribeRef(client.step({ type: 'follow', room: 'den' }))
    client.refuse(ref, 'OUT_OF_CHEESE', { room: 'den' })
    expect(payloadsOf(client.live(2_401), 'subscribe')).toHaveLength(1)
  })
})

describe('checking', () => {
  it('compares the cursors every minute, give or take a fifth', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const client = drive({}, seed)
      client.connect()
      client.follow('den', 4)
      const moments: number[] = [client.now()]
      while (moments.length < 5) {
        const effects = client.live(100)
        for (const { ref, rooms } of payloadsOf(effects, 'check')) {
          expect(rooms).toEqual([{ room: 'den', after: { seq: 4, h: 'h4' } }])
          client.hear('checked', { ref, rooms: [] })
          moments.push(client.now())
        }
      }
      moments.slice(1).forEach((moment, i) => {
        const passed = moment - (moments[i] ?? 0)
        expect(passed).toBeGreaterThanOrEqual(47_900)
        expect(passed).toBeLessThanOrEqual(72_100)
      })
    }
  })

  it('subscribes again where the room is behind, diverged or not followed', () => {
    const client = following(4)
    const [check] = payloadsOf(client.step({ type: 'lifecycle', event: 'wake' }), 'check')
    const effects = client.hear('checked', { ref: check?.ref ?? 0, rooms: ['den', 'unknown'] })
    expect(payloadsOf(effects, 'subscribe')).toMatchObject([
      { rooms: [{ room: 'den', after: { seq: 4, h: 'h4' } }] },
    ])
    expect(entriesOf(client.page(subscribeRef(effects), 'den', 4, 6), 'den')).toEqual([5, 6])
  })

  it('asks nothing where nothing is followed', () => {
    const client = drive()
    client.connect()
    expect(payloadsOf(client.live(200_000), 'check')).toEqual([])
  })

  it('leaves rooms out that are being read', () => {
    const client = following(4)
    client.push('den', 9)
    expect(payloadsOf(client.step({ type: 'lifecycle', event: 'wake' }), 'check')).toEqual([])
  })
})

describe('many rooms', () => {
  const many = Array.from({ length: 450 }, (_, i) => `room-${String(i).padStart(4, '0')}`)

  it('are asked for two hundred at a time, in order', () => {
    const client = drive()
    for (const room of many) client.step({ type: 'follow', room })
    const frames = payloadsOf(client.connect(), 'subscribe')
    expect(frames.map(({ rooms }) => rooms.length)).toEqual([200, 200, 50])
    expect(frames.flatMap(({ rooms }) => rooms.map(({ room }) => room))).toEqual(many)
    expect(new Set(frames.map(({ ref }) => ref)).size).toBe(3)
    for (const { ref, rooms } of frames) for (const { room } of rooms) client.page(ref, room, 2, 2)
    expect(ofType(client.take(), 'ready')).toHaveLength(1)
    const checks = payloadsOf(client.step({ type: 'lifecycle', event: 'wake' }), 'check')
    expect(checks.map(({ rooms }) => rooms.length)).toEqual([200, 200, 50])
  })

  it.each([1_024, 8_192, 65_536])('with long names fit into frames of %d bytes', (maxFrameBytes) => {
    const client = drive()
    const long = many.slice(0, 300).map((room) => `${room}${'x'.repeat(100)}`)
    for (const room of long) client.step({ type: 'follow', room })
    const effects = client.connect({ maxFrameBytes })
    for (const message of messagesOf(effects)) {
      const [decoded] = decodeClientFrame(JSON.stringify(message), { maxFrameBytes })
      expect(decoded?.ok).toBe(true)
    }
    expect(payloadsOf(effects, 'subscribe').flatMap(({ rooms }) => rooms)).toHaveLength(300)
    expect(DEFAULT_LIMITS.maxFrameBytes).toBe(65_536)
  })
})

describe('the follower', () => {
  it('applies the log once and in order, whatever is lost, doubled or late', () => {
    const move = fc.oneof(
      { weight: 6, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 2, arbitrary: fc.constant('lose a push' as const) },
      { weight: 2, arbitrary: fc.record({ repeat: fc.integer({ min: 0, max: 10 }) }) },
      { weight: 4, arbitrary: fc.record({ answer: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.constant('reconnect' as const) },
      { weight: 1, arbitrary: fc.constant('time' as const) },
    )
    holds(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const client = drive()
        const applied: number[] = []
        let head = 0
        /** The last question about the room that is without an answer. */
        let question: { ref: number; after: number } | undefined
        const take = (effects: readonly Effect[]): void => {
          applied.push(...entriesOf(effects, 'den'))
          for (const { ref, rooms } of payloadsOf(effects, 'subscribe'))
            question = { ref, after: rooms[0]?.after?.seq ?? head }
          for (const { ref, after } of payloadsOf(effects, 'get_page')) question = { ref, after: after.seq }
        }
        const answer = (count: number): void => {
          if (!question) return
          const { ref, after } = question
          question = undefined
          take(client.page(ref, 'den', after, Math.min(head, after + count), { head }))
        }
        take(client.connect())
        take(client.step({ type: 'follow', room: 'den' }))
        answer(1)
        for (const input of moves) {
          if (input === 'lose a push') head++
          else if (input === 'reconnect') {
            question = undefined
            client.lose()
            take(client.reconnect())
          } else if (input === 'time') take(client.live(3_000))
          else if ('push' in input) {
            take(client.push('den', head + 1, head + input.push))
            head += input.push
          } else if ('repeat' in input) {
            if (head > 0) take(client.push('den', Math.max(1, head - input.repeat), head))
          } else answer(input.answer)
        }
        // In peace: everything is asked for in the end, if only by the check.
        for (let i = 0; i < 400 && applied.length < head; i++) {
          answer(100)
          for (const effects of [client.live(1_000)]) {
            take(effects)
            for (const { ref, rooms } of payloadsOf(effects, 'check')) {
              const behind = rooms.filter(({ after }) => after.seq < head).map(({ room }) => room)
              take(client.hear('checked', { ref, rooms: behind }))
            }
          }
        }
        return applied.length === head && applied.every((seq, i) => seq === i + 1)
      }),
      60,
    )
  })
})
