// What the outbox makes of each refusal: for now, for good, of several, of what cannot be placed, of what never will be.

import { CODES, type Code } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { commandsOf, connectedWith, drive, ids, idsOf, ofType, outcomesOf, SID } from '../support/drive.ts'

const DAY_MS = 24 * 3_600_000

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
