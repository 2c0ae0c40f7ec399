// The outbox, driven through the whole core: what it sends when, and what becomes of every message.

import { CODES, type Code, DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_OUTBOX } from '../../../packages/client/src/core/outbox.ts'
import {
  commandsOf,
  drive,
  ids,
  idsOf,
  messagesOf,
  ofType,
  outcomesOf,
  SERVER_TIME,
  SID,
} from '../support/drive.ts'

const DAY_MS = 24 * 3_600_000

/** Connected, with these messages of one room in the outbox before. */
function connectedWith(room: string, messageIds: readonly string[]) {
  const client = drive()
  for (const id of messageIds) client.send(room, id)
  const effects = client.connect()
  client.take()
  return { client, effects }
}

describe('sending', () => {
  it('puts consecutive places of one lane into one frame', () => {
    const { effects } = connectedWith('den', ids(1, 3))
    expect(commandsOf(effects)).toEqual([
      {
        ref: expect.any(Number) as number,
        room: 'den',
        sid: SID,
        n: 1,
        commands: ids(1, 3).map((messageId) => ({
          type: 'send_message',
          messageId,
          payload: { content: `says ${messageId}` },
        })),
      },
    ])
  })

  it('keeps everything back until the server has said who we are', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.step({ type: 'connect' })
    client.token()
    client.open()
    expect(commandsOf(client.take())).toEqual([])
    client.accept()
    expect(idsOf(client.take())).toEqual(['m-000001'])
  })

  it('counts places by room, and goes on after the last', () => {
    const { client } = connectedWith('den', ids(1, 2))
    const effects = [...client.send('hall', 'm-000003'), ...client.send('den', 'm-000004')]
    expect(commandsOf(effects).map(({ room, n }) => [room, n])).toEqual([
      ['hall', 1],
      ['den', 3],
    ])
  })

  it('tells how each message gets on', () => {
    const { client, effects } = connectedWith('den', ['m-000001'])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(ofType(effects, 'progress')).toEqual([{ type: 'progress', messageId: 'm-000001', status: 'sent' }])
    expect(outcomesOf(client.ack(ref, 7))).toEqual(['m-000001 acknowledged 7'])
    expect(client.core.queued()).toEqual({ rows: 0, bytes: 0, pressure: 0 })
  })

  it('takes one acknowledgement for a run of commands', () => {
    const { client, effects } = connectedWith('den', ids(1, 4))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.ack(ref, 10, 3))).toEqual([
      'm-000001 acknowledged 10',
      'm-000002 acknowledged 11',
      'm-000003 acknowledged 12',
    ])
    expect(outcomesOf(client.ack(ref + 3, 20))).toEqual(['m-000004 acknowledged 20'])
  })

  it('gives an acknowledgement the time of the frame, or its own', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    const acks = [
      { ref, seq: 1 },
      { ref: ref + 1, seq: 2, timestamp: SERVER_TIME - 5 },
    ]
    const settled = ofType(client.hear('ack', { acks }, SERVER_TIME + 9), 'settled')
    expect(settled.map(({ outcome }) => outcome)).toEqual([
      { status: 'acknowledged', seq: 1, timestamp: SERVER_TIME + 9 },
      { status: 'acknowledged', seq: 2, timestamp: SERVER_TIME - 5 },
    ])
  })

  it('ignores acknowledgements of nobody, and second ones', () => {
    const { client, effects } = connectedWith('den', ['m-000001'])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(client.ack(ref + 100, 1)).toEqual([])
    client.ack(ref, 7)
    expect(outcomesOf(client.ack(ref, 8))).toEqual([])
  })
})

describe('one turn', () => {
  it('goes out in one frame, which is due at once and at the latest with the next input', () => {
    const client = drive()
    client.connect()
    client.take()
    for (const id of ids(1, 3)) client.say('den', id)
    expect(commandsOf(client.take())).toEqual([])
    expect(client.core.nextDeadline()).toBe(client.now())
    const [frame, ...more] = ofType(client.tick(), 'transmit')
    expect(more).toEqual([])
    expect(idsOf(frame ? [frame] : [])).toEqual(ids(1, 3))
    expect(client.tick()).toEqual([])

    for (const id of ids(4, 5)) client.say('den', id)
    const members = { type: 'list_members', payload: { room: 'den' } } as const
    const said = messagesOf(client.step({ type: 'request', id: 1, message: members }))
    // What was said before is before the server before, too.
    expect(said.map(({ type }) => type)).toEqual(['commands', 'list_members'])
  })

  it('that ends with the connection is said before it is left', () => {
    for (const type of ['disconnect', 'close', 'logout'] as const) {
      const client = drive()
      client.connect()
      client.take()
      for (const id of ids(1, 2)) client.say('den', id)
      const effects = client.step({ type })
      expect(idsOf(effects).slice(0, 2), type).toEqual(ids(1, 2))
      const order = effects.map((effect) => effect.type)
      if (type !== 'logout') expect(order.indexOf('hang_up')).toBeGreaterThan(order.indexOf('transmit'))
    }
  })
})

describe('windows', () => {
  it('has at most eight commands of a room in flight', () => {
    const { client, effects } = connectedWith('den', ids(1, 20))
    expect(idsOf(effects)).toEqual(ids(1, 8))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(idsOf(client.ack(ref, 1, 3))).toEqual(ids(9, 11))
    expect(idsOf(client.advance(9_000))).toEqual([])
  })

  it('has at most thirty-two on a connection', () => {
    const client = drive()
    for (let room = 0; room < 6; room++)
      for (const id of ids(room * 10 + 1, room * 10 + 8)) client.send(`room-${room}`, id)
    const frames = commandsOf(client.connect())
    expect(frames.map(({ commands }) => commands.length)).toEqual([8, 8, 8, 8])
    const later = commandsOf(client.ack(frames[0]?.ref ?? 0, 1, 5))
    expect(later.map(({ room, commands }) => [room, commands.length])).toEqual([['room-4', 5]])
  })

  it('has at most 256 KiB in flight, and what is larger than that alone', () => {
    const client = drive()
    const bytes = 60_000
    for (const id of ids(1, 8)) client.send('den', id, { bytes })
    const frames = commandsOf(client.connect())
    expect(frames.map(({ commands }) => commands.length)).toEqual([1, 1, 1, 1])
    expect(idsOf(client.ack(frames[0]?.ref ?? 0, 1))).toEqual(['m-000005'])

    const small = drive()
    for (const id of ids(1, 2)) small.send('den', id, { bytes })
    const first = commandsOf(small.connect({ windowBytes: 1_000 }))
    expect(first.map(({ commands }) => commands.length)).toEqual([1])
    expect(idsOf(small.ack(first[0]?.ref ?? 0, 1))).toEqual(['m-000002'])
  })

  it('takes the limits that the server tells', () => {
    const client = drive()
    for (const id of ids(1, 9)) client.send('den', id)
    for (const id of ids(11, 19)) client.send('hall', id)
    const effects = client.connect({ windowPerRoom: 2, windowPerConnection: 3 })
    expect(idsOf(effects)).toEqual(['m-000001', 'm-000002', 'm-000011'])
  })

  it('fills no frame beyond what the server takes', () => {
    const client = drive()
    for (const id of ids(1, 8)) client.send('den', id, { bytes: 3_000 })
    const frames = commandsOf(client.connect({ maxFrameBytes: 12_000 }))
    expect(frames.map(({ commands }) => commands.length)).toEqual([3, 3, 2])
  })
})

describe('pacing', () => {
  it('flushes five hundred messages below the rate of the server', () => {
    const client = drive({ outbox: DEFAULT_OUTBOX })
    for (const id of ids(1, 500)) client.send('den', id)
    let tokens = 40
    let filledAt = client.now()
    let seq = 0
    const begun = client.now()
    const receive = (effects: Parameters<typeof commandsOf>[0]): void => {
      for (const { ref, commands } of commandsOf(effects)) {
        tokens = Math.min(40, tokens + ((client.now() - filledAt) * 20) / 1_000) - commands.length
        filledAt = client.now()
        expect(tokens).toBeGreaterThanOrEqual(0)
        const first = seq + 1
        seq += commands.length
        receive(client.ack(ref, first, commands.length))
      }
    }
    receive(client.connect())
    while (seq < 500) receive(client.advance(20))
    const tookMs = client.now() - begun
    expect(tookMs).toBeGreaterThan(((500 - 40) / 20) * 1_000)
    expect(tookMs).toBeLessThan(((500 - 40) / 18.5) * 1_000)
  })

  it('earns nothing by a reconnect', () => {
    const client = drive()
    for (const id of ids(1, 40)) client.send(`room-${id}`, id)
    expect(idsOf(client.connect({ windowPerConnection: 100 }))).toHaveLength(40)
    client.lose()
    const effects = client.reconnect({ windowPerConnection: 100 })
    expect(idsOf(effects).length).toBeLessThan(30)
  })

  it('shares what the rate allows between the rooms', () => {
    const client = drive()
    for (let i = 1; i <= 60; i++) {
      client.send('den', `m-den-${i + 1_000}`)
      client.send('hall', `m-hall-${i + 1_000}`)
    }
    const sentTo = { den: 0, hall: 0 }
    const seqs = { den: 0, hall: 0 }
    const receive = (effects: Parameters<typeof commandsOf>[0]): void => {
      for (const { ref, room, commands } of commandsOf(effects)) {
        const of = room as 'den' | 'hall'
        sentTo[of] += commands.length
        const first = seqs[of] + 1
        seqs[of] += commands.length
        receive(client.ack(ref, first, commands.length))
      }
    }
    receive(client.connect({ messageBurst: 4, messagesPerSecond: 20 }))
    receive(client.advance(2_000))
    for (let i = 0; i < 100; i++) receive(client.advance(20))
    expect(sentTo.den + sentTo.hall).toBeGreaterThan(40)
    expect(Math.abs(sentTo.den - sentTo.hall)).toBeLessThanOrEqual(8)
  })
})

describe('a retryable refusal', () => {
  const RETRYABLE = (Object.keys(CODES) as Code[]).filter(
    (code) => CODES[code].retryable && CODES[code].closeCode === null && code !== 'GAP',
  )

  it.each(RETRYABLE)('%s goes back to the refused message and waits', (code) => {
    const { client, effects } = connectedWith('den', ids(1, 5))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    client.ack(ref, 1)
    const refused = client.refuse(ref + 1, code, { retryAfterMs: 3_000 })
    expect(ofType(refused, 'progress').map(({ messageId, status }) => `${messageId} ${status}`)).toEqual(
      ids(2, 5).map((id) => `${id} queued`),
    )
    expect(outcomesOf(refused)).toEqual([])
    expect(idsOf(client.advance(2_999))).toEqual([])
    const again = client.advance(601)
    expect(commandsOf(again).map(({ n, commands }) => [n, commands.length])).toEqual([[2, 4]])
  })

  it('makes the answers to what was sent behind it void', () => {
    const { client, effects } = connectedWith('den', ids(1, 3))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    client.refuse(ref, 'UNAVAILABLE')
    expect(client.refuse(ref + 1, 'GAP')).toEqual([])
    expect(outcomesOf(client.ack(ref + 2, 9))).toEqual([])
    expect(idsOf(client.advance(1_300))).toEqual(ids(1, 3))
  })

  it('waits at least as long as it says, doubles, and jitters by a fifth at most', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const client = drive({}, seed)
      client.send('den', 'm-000001')
      let ref = commandsOf(client.connect())[0]?.ref ?? 0
      const waits: number[] = []
      for (let i = 0; i < 8; i++) {
        client.refuse(ref, 'UNAVAILABLE', { retryAfterMs: 500 })
        const from = client.now()
        ref = commandsOf(client.untilSent())[0]?.ref ?? 0
        waits.push(client.now() - from)
      }
      const bases = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
      waits.forEach((wait, i) => {
        expect(wait).toBeGreaterThanOrEqual(bases[i] ?? 0)
        expect(wait).toBeLessThanOrEqual((bases[i] ?? 0) * 1.2 + 1)
      })
    }
  })

  it('may ask for more than the longest wait', () => {
    const { client, effects } = connectedWith('den', ['m-000001'])
    client.refuse(commandsOf(effects)[0]?.ref ?? 0, 'UNAVAILABLE', { retryAfterMs: 45_000 })
    expect(idsOf(client.live(44_999))).toEqual([])
  })

  it('starts from the shortest wait again after progress', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    let ref = commandsOf(effects)[0]?.ref ?? 0
    for (const waitMs of [1_200, 2_400, 4_800]) {
      client.refuse(ref, 'SEND_ERROR')
      ref = commandsOf(client.advance(waitMs))[0]?.ref ?? 0
    }
    client.ack(ref, 1)
    client.refuse(ref + 1, 'SEND_ERROR')
    expect(idsOf(client.advance(1_200))).toEqual(['m-000002'])
  })

  it('may not ask for more than a day', () => {
    const client = drive()
    client.send('den', 'm-000001')
    const ref = commandsOf(client.connect())[0]?.ref ?? 0
    client.refuse(ref, 'UNAVAILABLE', { retryAfterMs: Number.MAX_SAFE_INTEGER })
    client.sleep(1.2 * DAY_MS)
    expect(idsOf(client.tick())).toEqual(['m-000001'])
  })

  it('about the room leaves the other rooms alone', () => {
    const client = drive()
    for (const id of ids(1, 2)) client.send('den', id)
    const ref = commandsOf(client.connect())[0]?.ref ?? 0
    client.refuse(ref, 'INTERNAL_ERROR', { retryAfterMs: 5_000 })
    expect(idsOf(client.send('hall', 'm-000003'))).toEqual(['m-000003'])
  })

  it('about the user pauses every room, once for all that was in flight', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.send('hall', 'm-000002')
    const [den, hall] = commandsOf(client.connect())
    client.refuse(den?.ref ?? 0, 'RATE_LIMIT', { retryAfterMs: 1_000 })
    client.refuse(hall?.ref ?? 0, 'RATE_LIMIT', { retryAfterMs: 1_000 })
    expect(idsOf(client.send('attic', 'm-000003'))).toEqual([])
    expect(idsOf(client.advance(999))).toEqual([])
    // Not doubled: the two refusals are one event.
    expect(idsOf(client.advance(201)).toSorted()).toEqual(ids(1, 3))
  })

  it('holds no place in the window while it waits', () => {
    const client = drive()
    for (const id of ids(1, 4)) client.send('den', id)
    const ref = commandsOf(client.connect({ windowPerConnection: 4 }))[0]?.ref ?? 0
    client.refuse(ref, 'UNAVAILABLE', { retryAfterMs: 5_000 })
    const others = ids(5, 8).flatMap((id) => idsOf(client.send('hall', id)))
    expect(others).toEqual(ids(5, 8))
  })

  it('only ever lengthens the wait', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.send('hall', 'm-000002')
    const [den, hall] = commandsOf(client.connect())
    client.refuse(den?.ref ?? 0, 'RATE_LIMIT', { retryAfterMs: 9_000 })
    client.refuse(hall?.ref ?? 0, 'RATE_LIMIT', { retryAfterMs: 10 })
    expect(idsOf(client.advance(8_999))).toEqual([])
  })

  it('with a code that this version does not know is one to try again', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    for (const code of ['OUT_OF_CHEESE', 'constructor', '__proto__']) {
      expect(outcomesOf(client.refuse(ref, code as Code))).toEqual([])
    }
    expect(idsOf(client.advance(1_200))).toEqual(ids(1, 2))
  })
})

describe('GAP', () => {
  it('of a message that had predecessors when it was sent goes back after 50 ms, in the same lane', () => {
    const { client, effects } = connectedWith('den', ids(1, 3))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    client.ack(ref, 1)
    client.refuse(ref + 1, 'GAP')
    expect(idsOf(client.advance(49))).toEqual([])
    expect(commandsOf(client.advance(11))).toMatchObject([{ sid: SID, n: 2 }])
  })

  it('of one that became the oldest only later is not yet a lost lane', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    client.refuse(ref, 'FORBIDDEN')
    client.refuse(ref + 1, 'GAP')
    const again = commandsOf(client.advance(60))
    expect(again).toMatchObject([{ sid: SID, n: 2 }])
    // Now it was the oldest when it was sent.
    client.refuse(again[0]?.ref ?? 0, 'GAP')
    const third = commandsOf(client.advance(150))
    expect(third).toMatchObject([{ n: 1 }])
    expect(third[0]?.sid).not.toBe(SID)
  })

  it('of the oldest begins a new lane from place 1, in which later messages go on', () => {
    const client = drive()
    for (const id of ids(1, 10)) client.send('den', id)
    const first = commandsOf(client.connect())
    client.refuse(first[0]?.ref ?? 0, 'GAP')
    client.send('den', 'm-000011')
    const [lane] = commandsOf(client.advance(60))
    expect(lane?.sid).not.toBe(SID)
    expect(lane?.n).toBe(1)
    expect(lane?.commands.map(({ messageId }) => messageId)).toEqual(ids(1, 8))
    const [rest] = commandsOf(client.ack(lane?.ref ?? 0, 1, 8))
    expect(rest).toMatchObject({ sid: lane?.sid, n: 9 })
    expect(rest?.commands.map(({ messageId }) => messageId)).toEqual(ids(9, 11))
    const [later] = commandsOf(client.send('den', 'm-000012'))
    expect(later).toMatchObject({ sid: lane?.sid, n: 12 })
  })

  it('of one room leaves the lanes of the others', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.send('hall', 'm-000002')
    const [den, hall] = commandsOf(client.connect())
    client.refuse(den?.ref ?? 0, 'GAP')
    client.ack(hall?.ref ?? 0, 1)
    expect(commandsOf(client.send('hall', 'm-000003'))).toMatchObject([{ sid: SID, n: 2 }])
  })

  it('keeps the new lane over a reconnect', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.refuse(commandsOf(client.connect())[0]?.ref ?? 0, 'GAP')
    const [lane] = commandsOf(client.advance(60))
    client.lose()
    expect(commandsOf(client.reconnect())).toMatchObject([{ sid: lane?.sid, n: 1 }])
  })
})

describe('a final error', () => {
  const FINAL = (Object.keys(CODES) as Code[]).filter((code) => CODES[code].final)

  it.each(FINAL)('%s fails the one message, and the next ones go on', (code) => {
    const { client, effects } = connectedWith('den', ids(1, 9))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    const refused = client.refuse(ref, code)
    expect(outcomesOf(refused)).toEqual([`m-000001 failed ${code}`])
    expect(commandsOf(refused)).toMatchObject([{ n: 9 }])
    expect(outcomesOf(client.ack(ref + 1, 1, 7))).toHaveLength(7)
  })

  it('may concern the middle of what is in flight', () => {
    const { client, effects } = connectedWith('den', ids(1, 3))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref + 1, 'VALIDATION_ERROR'))).toEqual([
      'm-000002 failed VALIDATION_ERROR',
    ])
    expect(outcomesOf(client.ack(ref, 5))).toEqual(['m-000001 acknowledged 5'])
    expect(outcomesOf(client.ack(ref + 2, 6))).toEqual(['m-000003 acknowledged 6'])
  })
})

describe('a refusal of several', () => {
  it('for good fails each of them, and no other', () => {
    const { client, effects } = connectedWith('den', ids(1, 4))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref + 1, 'FORBIDDEN', { count: 2 }))).toEqual([
      'm-000002 failed FORBIDDEN',
      'm-000003 failed FORBIDDEN',
    ])
    expect(outcomesOf(client.ack(ref, 1))).toEqual(['m-000001 acknowledged 1'])
    expect(outcomesOf(client.ack(ref + 3, 2))).toEqual(['m-000004 acknowledged 2'])
  })

  it('for now is one event: the wait is not doubled for each, and all are sent again', () => {
    const { client, effects } = connectedWith('den', ids(1, 4))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    client.refuse(ref, 'UNAVAILABLE', { count: 4, retryAfterMs: 1_000 })
    expect(idsOf(client.live(999))).toEqual([])
    expect(idsOf(client.live(202))).toEqual(ids(1, 4))
  })

  it('that the server could not place gives up each of their places in turn', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    let refused = commandsOf(effects)
    const outcomes: string[] = []
    for (let i = 0; i < 10 && refused.length > 0; i++) {
      const [{ ref, commands } = { ref: 0, commands: [] }] = refused
      const answer = client.refuse(ref, 'INVALID_MESSAGE', { count: commands.length })
      outcomes.push(...outcomesOf(answer))
      refused = commandsOf(answer)
    }
    expect(outcomes).toEqual(['m-000001 failed INVALID_MESSAGE', 'm-000002 failed INVALID_MESSAGE'])
  })
})

describe('a code that this version does not know', () => {
  it('fails the message where it is said to be final, and is told in words', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    const told = client.refuse(ref, 'JOB_NOT_FOUND', { final: true, message: 'there is no job 7' })
    expect(ofType(told, 'settled').map(({ outcome }) => outcome)).toEqual([
      {
        status: 'failed',
        code: 'REJECTED',
        applicationCode: 'JOB_NOT_FOUND',
        detail: 'there is no job 7',
      },
    ])
    expect(outcomesOf(client.ack(ref + 1, 1))).toEqual(['m-000002 acknowledged 1'])
  })

  it('means what the table says where the table has it, whatever stands beside it', () => {
    const { client, effects } = connectedWith('den', ids(1, 1))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref, 'UNAVAILABLE', { final: true }))).toEqual([])
  })
})

describe('a message that the server cannot place', () => {
  it('gives its place up, and fails with the reason', () => {
    const { client, effects } = connectedWith('den', ids(1, 3))
    const ref = commandsOf(effects)[0]?.ref ?? 0
    const again = client.refuse(ref, 'INVALID_MESSAGE')
    expect(idsOf(again)).toEqual(['-m-000001', 'm-000002', 'm-000003'])
    const skip = commandsOf(again)[0]
    expect(skip).toMatchObject({ n: 1 })
    expect(outcomesOf(client.refuse(skip?.ref ?? 0, 'SKIPPED'))).toEqual(['m-000001 failed INVALID_MESSAGE'])
    expect(outcomesOf(client.ack((skip?.ref ?? 0) + 1, 1, 2))).toHaveLength(2)
  })

  it('fails where even its place cannot be given up, and the rest goes on in a new lane', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    const skip = commandsOf(client.refuse(commandsOf(effects)[0]?.ref ?? 0, 'INVALID_MESSAGE'))[0]
    const last = client.refuse(skip?.ref ?? 0, 'INVALID_MESSAGE')
    expect(outcomesOf(last)).toEqual(['m-000001 failed INVALID_MESSAGE'])
    const [lane] = commandsOf(last)
    expect(lane).toMatchObject({ n: 1, commands: [{ messageId: 'm-000002' }] })
    expect(lane?.sid).not.toBe(SID)
  })
})

describe('cancel', () => {
  it('before it was sent gives the place up once connected', () => {
    const client = drive()
    for (const id of ids(1, 2)) client.send('den', id)
    client.step({ type: 'cancel', messageId: 'm-000001' })
    expect(outcomesOf(client.take())).toEqual([])
    const effects = client.connect()
    expect(idsOf(effects)).toEqual(['-m-000001', 'm-000002'])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref, 'SKIPPED'))).toEqual(['m-000001 failed CANCELLED'])
  })

  it('while in flight lets the acknowledgement win', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    expect(client.step({ type: 'cancel', messageId: 'm-000001' })).toEqual([])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.ack(ref, 4))).toEqual(['m-000001 acknowledged 4'])
  })

  it('while in flight asks for the place back when it comes back', () => {
    const { client, effects } = connectedWith('den', ids(1, 2))
    client.step({ type: 'cancel', messageId: 'm-000001' })
    client.refuse(commandsOf(effects)[0]?.ref ?? 0, 'UNAVAILABLE')
    expect(idsOf(client.untilSent())).toEqual(['-m-000001', 'm-000002'])
  })

  it('while in flight keeps its place in the window', () => {
    const { windowPerRoom } = DEFAULT_LIMITS
    const { client, effects } = connectedWith('den', ids(1, windowPerRoom + 1))
    expect(idsOf(effects)).toHaveLength(windowPerRoom)
    expect(client.step({ type: 'cancel', messageId: 'm-000001' })).toEqual([])
    expect(idsOf(client.ack(commandsOf(effects)[0]?.ref ?? 0, 4))).toHaveLength(1)
  })

  it.each<Code>(['SKIPPED', 'VOID'])('is confirmed by %s', (code) => {
    const { client } = connectedWith('den', ['m-000001'])
    client.step({ type: 'cancel', messageId: 'm-000001' })
    client.lose()
    const [frame] = commandsOf(client.reconnect())
    expect(outcomesOf(client.refuse(frame?.ref ?? 0, code))).toEqual(['m-000001 failed CANCELLED'])
  })

  it('outlives the connection', () => {
    const { client } = connectedWith('den', ['m-000001'])
    client.step({ type: 'cancel', messageId: 'm-000001' })
    client.lose()
    expect(idsOf(client.reconnect())).toEqual(['-m-000001'])
  })

  it('of a message that is decided, or of none, does nothing', () => {
    const { client, effects } = connectedWith('den', ['m-000001'])
    client.ack(commandsOf(effects)[0]?.ref ?? 0, 1)
    expect(client.step({ type: 'cancel', messageId: 'm-000001' })).toEqual([])
    expect(client.step({ type: 'cancel', messageId: 'unknown' })).toEqual([])
  })

  it('twice is as once', () => {
    const { client } = connectedWith('den', ids(1, 2))
    client.step({ type: 'cancel', messageId: 'm-000001' })
    expect(client.step({ type: 'cancel', messageId: 'm-000001' })).toEqual([])
  })
})

describe('poison', () => {
  /** Refuses the oldest message so often, `everyMs` apart; returns what was sent at the end. */
  function refuseAgainAndAgain(code: Code, times: number, everyMs: number) {
    const { client, effects } = connectedWith('den', ids(1, 2))
    let frame = commandsOf(effects)[0]
    for (let i = 0; i < times; i++) {
      const refused = client.refuse(frame?.ref ?? 0, code, { retryAfterMs: everyMs })
      expect(outcomesOf(refused)).toEqual([])
      frame = commandsOf(client.untilSent())[0]
    }
    return { client, frame }
  }

  it('is a message on which the server failed five times over a minute: it is skipped', () => {
    const { client, frame } = refuseAgainAndAgain('INTERNAL_ERROR', 5, 16_000)
    expect(frame?.commands.map(({ type }) => type)).toEqual(['skip', 'send_message'])
    expect(outcomesOf(client.refuse(frame?.ref ?? 0, 'SKIPPED'))).toEqual(['m-000001 failed POISON'])
    expect(outcomesOf(client.ack((frame?.ref ?? 0) + 1, 1))).toEqual(['m-000002 acknowledged 1'])
  })

  it('is not one on which it failed four times', () => {
    const { frame } = refuseAgainAndAgain('INTERNAL_ERROR', 4, 30_000)
    expect(frame?.commands.map(({ type }) => type)).toEqual(['send_message', 'send_message'])
  })

  it('is not one on which it failed five times within a minute', () => {
    // 1 + 2 + 4 + 8 s and their jitter.
    const { frame } = refuseAgainAndAgain('INTERNAL_ERROR', 5, 1_000)
    expect(frame?.commands.map(({ type }) => type)).toEqual(['send_message', 'send_message'])
  })

  it.each<Code>(['UNAVAILABLE', 'RATE_LIMIT', 'SEND_ERROR'])('is never what %s speaks of', (code) => {
    const { frame } = refuseAgainAndAgain(code, 12, 30_000)
    expect(frame?.commands.map(({ type }) => type)).toEqual(['send_message', 'send_message'])
  })
})

describe('expiry', () => {
  it('skips what is older than seven days by the clock of the server, once connected', () => {
    const client = drive()
    client.connect()
    client.send('den', 'm-000001')
    client.lose()
    client.live(60_000)
    client.send('den', 'm-000002')
    expect(outcomesOf(client.take())).toEqual([])
    // The monotonic clock stood still while the device slept.
    const effects = client.reconnect({}, SERVER_TIME + 7 * DAY_MS + 1)
    expect(idsOf(effects)).toEqual(['-m-000001', 'm-000002'])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref, 'SKIPPED'))).toEqual(['m-000001 failed EXPIRED'])
    expect(outcomesOf(client.ack(ref + 1, 1))).toEqual(['m-000002 acknowledged 1'])
  })

  it('counts the wait for the first connection, not what the clock of the device says', () => {
    const client = drive()
    client.send('den', 'm-000001', { createdAt: SERVER_TIME })
    client.sleep(7 * DAY_MS)
    client.send('den', 'm-000002', { createdAt: SERVER_TIME - 30 * DAY_MS })
    client.sleep(1)
    expect(idsOf(client.connect())).toEqual(['-m-000001', 'm-000002'])
  })

  it('lets the acknowledgement of an earlier attempt win', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.connect()
    client.lose()
    const [frame] = commandsOf(client.reconnect({}, SERVER_TIME + 8 * DAY_MS))
    expect(frame?.commands).toEqual([{ type: 'skip', messageId: 'm-000001' }])
    expect(outcomesOf(client.ack(frame?.ref ?? 0, 3))).toEqual(['m-000001 acknowledged 3'])
  })

  it('needs the time of the server', () => {
    const client = drive()
    client.send('den', 'm-000001', { createdAt: 0 })
    client.step({ type: 'connect' })
    client.token()
    client.open()
    expect(idsOf(client.accept({}, null))).toEqual(['m-000001'])
  })

  it('does not strike what was said just now on a device whose clock is wrong', () => {
    const client = drive()
    client.connect()
    expect(idsOf(client.send('den', 'm-000001', { createdAt: SERVER_TIME - 30 * DAY_MS }))).toEqual([
      'm-000001',
    ])
  })
})

describe('bounds', () => {
  it('refuses the row beyond the thousandth at once, and takes one again when one is decided', () => {
    const client = drive()
    for (const id of ids(1, 1_000)) client.send('den', id)
    client.take()
    expect(outcomesOf(client.send('hall', 'm-001001'))).toEqual(['m-001001 failed OUTBOX_FULL'])
    const frame = commandsOf(client.connect())[0]
    client.ack(frame?.ref ?? 0, 1)
    expect(outcomesOf(client.send('hall', 'm-001002'))).toEqual([])
    expect(client.core.queued().rows).toBe(1_000)
  })

  it('refuses what does not fit into four mebibytes', () => {
    const client = drive()
    for (const id of ids(1, 69)) client.send('den', id, { bytes: 60_000 })
    expect(outcomesOf(client.send('den', 'm-000070', { bytes: 60_000 }))).toEqual([
      'm-000070 failed OUTBOX_FULL',
    ])
    expect(outcomesOf(client.send('den', 'm-000071', { bytes: 50_000 }))).toEqual([])
  })

  it('uses no place of the lane for what it refuses', () => {
    const client = drive({ outbox: { ...DEFAULT_OUTBOX, maxRows: 1 } })
    for (const id of ids(1, 2)) client.send('den', id)
    const frame = commandsOf(client.connect())[0]
    client.ack(frame?.ref ?? 0, 1)
    expect(commandsOf(client.send('den', 'm-000003'))).toMatchObject([{ n: 2 }])
  })

  it('refuses a message that is too long at once, by the limits in force', () => {
    const client = drive()
    const payload = { content: 'x'.repeat(5_001) }
    expect(outcomesOf(client.send('den', 'm-000001', { payload }))).toEqual([
      'm-000001 failed MESSAGE_TOO_LONG',
    ])
    expect(outcomesOf(client.send('den', 'm-000002', { bytes: 65_000 }))).toEqual([
      'm-000002 failed MESSAGE_TOO_LONG',
    ])
    client.connect({ maxMessageChars: 6_000 })
    expect(outcomesOf(client.send('den', 'm-000003', { payload }))).toEqual([])
  })

  it('gives up a queued message that is larger than any frame of the server that it meets', () => {
    const client = drive()
    client.send('den', 'm-000001', { bytes: 60_000 })
    client.send('den', 'm-000002')
    const effects = client.connect({ maxFrameBytes: 16_384 })
    expect(idsOf(effects)).toEqual(['-m-000001', 'm-000002'])
    const ref = commandsOf(effects)[0]?.ref ?? 0
    expect(outcomesOf(client.refuse(ref, 'SKIPPED'))).toEqual(['m-000001 failed MESSAGE_TOO_LONG'])
  })

  it.each([1_024, 4_096])(
    'sends an ordinary message to a server whose frames hold %d bytes',
    (maxFrameBytes) => {
      const client = drive()
      client.connect({ maxFrameBytes })
      expect(outcomesOf(client.send('den', 'm-000001'))).toEqual([])
      expect(commandsOf(client.take()).length).toBeGreaterThan(0)
    },
  )
})

describe('a lost connection', () => {
  it('forgets what was in flight and sends everything again in order, on the next one only', () => {
    const { client, effects } = connectedWith('den', ids(1, 10))
    const old = commandsOf(effects)[0]?.ref ?? 0
    client.ack(old, 1)
    const lost = client.lose()
    expect(ofType(lost, 'progress').map(({ messageId, status }) => `${messageId} ${status}`)).toEqual(
      ids(2, 9).map((id) => `${id} queued`),
    )
    client.take()
    while (client.core.status() !== 'connecting') client.advance(100)
    client.token()
    client.open()
    expect(commandsOf(client.take())).toEqual([])
    const [frame] = commandsOf(client.accept())
    expect(frame).toMatchObject({ sid: SID, n: 2 })
    expect(frame?.commands.map(({ messageId }) => messageId)).toEqual(ids(2, 9))
    // The refs are new: an answer to an old one, should it come, is nobody's.
    expect(frame?.ref).toBeGreaterThan(old + 8)
    expect(outcomesOf(client.ack(old + 1, 2))).toEqual([])
  })

  it('keeps the wait that the server asked for', () => {
    const { client, effects } = connectedWith('den', ['m-000001'])
    client.refuse(commandsOf(effects)[0]?.ref ?? 0, 'RATE_LIMIT', { retryAfterMs: 20_000 })
    client.lose()
    expect(idsOf(client.reconnect())).toEqual([])
    expect(idsOf(client.live(24_000))).toEqual(['m-000001'])
  })

  it('loses nothing while there is none for long', () => {
    const client = drive()
    for (const id of ids(1, 3)) client.send('den', id)
    client.connect()
    client.lose()
    for (let i = 0; i < 30; i++) {
      while (client.core.status() !== 'connecting') client.advance(1_000)
      client.token()
      client.lose()
    }
    expect(outcomesOf(client.take())).toEqual([])
    expect(idsOf(client.reconnect())).toEqual(ids(1, 3))
  })
})

describe('a logout that keeps nothing', () => {
  it('fails at once what was never sent, where nobody can be asked', () => {
    const client = drive()
    for (const id of ids(1, 2)) client.send('den', id)
    const effects = client.step({ type: 'logout' })
    expect(outcomesOf(effects)).toEqual(ids(1, 2).map((id) => `${id} failed CANCELLED`))
    expect(client.core.status()).toBe('closed')
    expect(client.core.queued()).toEqual({ rows: 0, bytes: 0, pressure: 0 })
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('makes no outcome up of what was sent and never answered', () => {
    const client = drive()
    client.connect()
    client.send('den', 'm-000001')
    client.lose()
    client.send('den', 'm-000002')
    expect(outcomesOf(client.step({ type: 'logout' }))).toEqual(['m-000002 failed CANCELLED'])
    expect(client.core.queued().rows).toBe(1)
  })

  it('asks the server about all of it while connected, and closes with the last answer', () => {
    const client = drive()
    client.connect()
    const [den] = commandsOf(client.send('den', 'm-000001'))
    const [hall] = commandsOf(client.send('hall', 'm-000002'))
    expect(idsOf(client.step({ type: 'logout' }))).toEqual([])
    expect(outcomesOf(client.ack(den?.ref ?? 0, 7))).toEqual(['m-000001 acknowledged 7'])
    client.refuse(hall?.ref ?? 0, 'UNAVAILABLE')
    const skips = client.untilSent()
    expect(idsOf(skips)).toEqual(['-m-000002'])
    expect(client.core.status()).toBe('connected')
    const last = client.refuse(commandsOf(skips)[0]?.ref ?? 0, 'SKIPPED')
    expect(outcomesOf(last)).toEqual(['m-000002 failed CANCELLED'])
    expect(client.core.status()).toBe('closed')
    expect(ofType(last, 'hang_up')).toHaveLength(1)
  })

  it('waits for five seconds at most, however often it is asked for, and takes nothing more', () => {
    const client = drive()
    client.connect()
    client.send('den', 'm-000001')
    client.step({ type: 'logout' })
    expect(outcomesOf(client.send('den', 'm-000002'))).toEqual(['m-000002 failed CLOSED'])
    client.live(4_900)
    client.step({ type: 'logout' })
    expect(client.core.status()).toBe('connected')
    expect(outcomesOf(client.live(100))).toEqual([])
    expect(client.core.status()).toBe('closed')
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('fails after five seconds what the rate held back all the time', () => {
    const client = drive()
    client.connect({ windowPerRoom: 1 })
    for (const id of ids(1, 2)) client.send('den', id)
    client.step({ type: 'logout' })
    expect(outcomesOf(client.live(5_000))).toEqual(['m-000002 failed CANCELLED'])
  })

  it('fails what only its giving up was sent of', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.step({ type: 'cancel', messageId: 'm-000001' })
    expect(idsOf(client.connect())).toEqual(['-m-000001'])
    client.step({ type: 'logout' })
    expect(outcomesOf(client.live(5_000))).toEqual(['m-000001 failed CANCELLED'])
  })

  it('is nothing to a client that is closed', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.step({ type: 'close' })
    expect(client.step({ type: 'logout' })).toEqual([])
    expect(client.core.queued().rows).toBe(1)
  })
})

describe('rooms that are done with', () => {
  it('are remembered up to a thousand: a lane that was forgotten is never begun again', () => {
    const client = drive()
    client.connect({ messagesPerSecond: 100_000, messageBurst: 100_000 })
    const say = (room: string, messageId: string) => {
      const [sent] = commandsOf(client.send(room, messageId))
      client.ack(sent?.ref ?? 0, 1)
      return sent
    }
    const rooms = Array.from({ length: 1_500 }, (_, i) => `room-${i}`)
    for (const [i, room] of rooms.entries()) expect(say(room, `message-${i}`)).toMatchObject({ n: 1 })
    // Said last, and again: this room is no older than the newest.
    expect(say('room-500', 'again-500')).toMatchObject({ sid: SID, n: 2 })
    const kept = rooms.slice(-400).map((room) => say(room, `again-${room}`))
    expect(kept.every((sent) => sent?.n === 2)).toBe(true)
    const again = rooms.slice(0, 500).map((room) => say(room, `anew-${room}`))
    expect(again.every((sent) => sent?.n === 1)).toBe(true)
    const sids = new Set(again.map((sent) => sent?.sid))
    expect(sids.size).toBe(500)
    expect(sids).not.toContain(SID)
    expect(say('room-500', 'thrice-500')).toMatchObject({ sid: SID, n: 3 })
  })
})
