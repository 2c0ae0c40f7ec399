// What a device tells of how far it has a room: little, late, and again where nobody answered.

import { describe, expect, it } from 'vitest'
import { drive, payloadsOf } from '../support/drive.ts'

type Client = ReturnType<typeof drive>

/** Followed at the beginning of their logs. */
function inRooms(rooms: readonly string[] = ['general'], tellDeliveries = true): Client {
  const client = drive({ tellDeliveries })
  client.connect()
  for (const room of rooms) client.follow(room)
  return client
}

function hear(client: Client, seq: number, change: { room?: string; sender?: string; type?: string } = {}) {
  const { room = 'general', sender = 'bob', type = 'new_message' } = change
  const messageId = `message-${seq}`
  const entry = { type, seq, sender, messageId, timestamp: 1, payload: { content: 'said' } }
  client.hear('entries', { room, entries: [entry], h: `h${seq}` })
}

const told = (effects: Parameters<typeof payloadsOf>[0]) =>
  payloadsOf(effects, 'mark_delivered').map(({ room, seq }) => `${room} ${seq}`)

/** Lets time pass; the server answers what it is told. */
function answered(client: Client, ms: number): string[] {
  const effects = client.live(ms)
  for (const { ref, room, seq } of payloadsOf(effects, 'mark_delivered'))
    client.hear('messages_delivered', { ref, room, userId: 'ada', seq, timestamp: 1 })
  return told(effects)
}

describe('deliveries', () => {
  it('are told once a second, the newest alone', () => {
    const client = inRooms()
    hear(client, 1)
    hear(client, 2)
    client.advance(500)
    hear(client, 3)
    expect(answered(client, 499)).toEqual([])
    expect(answered(client, 1)).toEqual(['general 3'])
    hear(client, 4)
    expect(answered(client, 999)).toEqual([])
    expect(answered(client, 1)).toEqual(['general 4'])
  })

  it('are of what others said: neither of own messages, nor of other entries, nor of the own log', () => {
    const client = inRooms(['general', '~ada', '~ada~bob'])
    hear(client, 1, { sender: 'ada' })
    hear(client, 2, { type: 'member_joined' })
    hear(client, 1, { room: '~ada' })
    expect(answered(client, 5_000)).toEqual([])
    hear(client, 1, { room: '~ada~bob' })
    expect(answered(client, 1_000)).toEqual(['~ada~bob 1'])
  })

  it('are told again after a reconnect where no answer came, and not where one did', () => {
    const client = inRooms(['general', 'other'])
    hear(client, 1, { room: 'other' })
    expect(answered(client, 1_000)).toEqual(['other 1'])
    hear(client, 1)
    expect(told(client.live(1_000))).toEqual(['general 1'])
    client.lose()
    expect(told(client.reconnect())).toEqual([])
    expect(told(client.live(1_000))).toEqual(['general 1'])
  })

  it('wait as long as the server asks, and end where it keeps none', () => {
    const client = inRooms()
    const refuse = (code: string, retryAfterMs?: number) => {
      const [asked] = payloadsOf(client.take(), 'mark_delivered')
      client.refuse(asked?.ref ?? 0, code, { retryAfterMs })
    }
    hear(client, 1)
    client.live(1_000)
    refuse('RATE_LIMIT', 5_000)
    expect(told(client.live(4_999))).toEqual([])
    expect(told(client.live(1))).toEqual(['general 1'])
    refuse('FORBIDDEN')
    hear(client, 2)
    expect(told(client.live(5_000))).toEqual([])
    client.lose()
    client.reconnect()
    expect(told(client.live(5_000))).toEqual([])
  })

  it('are not told where they are switched off, or of a room that was left', () => {
    const client = inRooms()
    hear(client, 1)
    client.step({ type: 'unfollow', room: 'general' })
    expect(told(client.live(5_000))).toEqual([])
    const silent = inRooms(['general'], false)
    hear(silent, 1)
    expect(told(silent.live(5_000))).toEqual([])
  })

  it('wake a closed client no more', () => {
    const client = inRooms()
    hear(client, 1)
    client.step({ type: 'close' })
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })
})
