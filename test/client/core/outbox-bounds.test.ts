// How much of the outbox is under way at once, how fast it goes out, and how much it takes.

import { describe, expect, it } from 'vitest'
import { DEFAULT_OUTBOX } from '../../../packages/client/src/core/outbox.ts'
import { commandsOf, connectedWith, drive, ids, idsOf, outcomesOf } from '../support/drive.ts'

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
