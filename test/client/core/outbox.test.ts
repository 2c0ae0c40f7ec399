// The outbox, driven through the whole core: what it sends, what becomes of it, and what a loss of the connection does.
// What else there is to it stands in the files outbox-*.test.ts.

import { describe, expect, it } from 'vitest'
import {
  commandsOf,
  connectedWith,
  drive,
  ids,
  idsOf,
  messagesOf,
  ofType,
  outcomesOf,
  SERVER_TIME,
  SID,
} from '../support/drive.ts'

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
