// The lanes of the outbox: when one is lost and begun anew, and when one is forgotten.

import { describe, expect, it } from 'vitest'
import { commandsOf, connectedWith, drive, ids, idsOf, SID } from '../support/drive.ts'

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
