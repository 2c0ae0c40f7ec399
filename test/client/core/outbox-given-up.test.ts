// Messages that are not to be sent any more: cancelled, expired, or given up by a logout.

import { type Code, DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import {
  commandsOf,
  connectedWith,
  drive,
  ids,
  idsOf,
  ofType,
  outcomesOf,
  SERVER_TIME,
} from '../support/drive.ts'

const DAY_MS = 24 * 3_600_000

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
