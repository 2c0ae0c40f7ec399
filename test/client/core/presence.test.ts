import { describe, expect, it } from 'vitest'
import { drive, messagesOf, ofType } from '../support/drive.ts'

function inRoom() {
  const client = drive()
  client.connect()
  client.follow('den', 0)
  client.take()
  return client
}

const typingOf = (effects: Parameters<typeof ofType>[0]) =>
  ofType(effects, 'typing').map(({ users }) => users)
const usersOf = (effects: Parameters<typeof ofType>[0]) =>
  ofType(effects, 'presence').map(({ users }) =>
    Object.fromEntries(Array.from(users, ([userId, { status }]) => [userId, status])),
  )

describe('typing', () => {
  const type = (client: ReturnType<typeof drive>, active = true) =>
    messagesOf(client.step({ type: 'typing', room: 'den', active })).map((message) => message.type)

  it('is told at once, and then every three seconds at most', () => {
    const client = inRoom()
    expect(type(client)).toEqual(['start_typing'])
    expect(type(client)).toEqual([])
    client.advance(2_999)
    expect(type(client)).toEqual([])
    client.advance(1)
    expect(type(client)).toEqual(['start_typing'])
  })

  it('that stopped is told once', () => {
    const client = inRoom()
    expect(type(client, false)).toEqual([])
    type(client)
    expect(type(client, false)).toEqual(['stop_typing'])
    expect(type(client, false)).toEqual([])
  })

  it('is nothing without a connection, and is not told later', () => {
    const client = inRoom()
    client.lose()
    expect(type(client)).toEqual([])
    expect(messagesOf(client.reconnect()).map((message) => message.type)).not.toContain('start_typing')
    expect(type(client)).toEqual(['start_typing'])
  })

  it('may be told again at once on the next connection', () => {
    const client = inRoom()
    type(client)
    client.lose()
    client.reconnect()
    expect(type(client)).toEqual(['start_typing'])
  })

  it('of others is forgotten six seconds after the last word of it', () => {
    const client = inRoom()
    const start = (userId: string) => client.hear('typing_started', { room: 'den', userId })
    expect(typingOf(start('bob'))).toEqual([['bob']])
    client.advance(3_000)
    expect(typingOf(start('eve'))).toEqual([['bob', 'eve']])
    // Said again is no news, but it lasts longer.
    expect(typingOf(start('bob'))).toEqual([])
    expect(typingOf(client.advance(5_999))).toEqual([])
    expect(typingOf(client.advance(1)).at(-1)).toEqual([])
  })

  it('of others each has its own time', () => {
    const client = inRoom()
    client.hear('typing_started', { room: 'den', userId: 'bob' })
    client.advance(2_000)
    client.hear('typing_started', { room: 'den', userId: 'eve' })
    expect(typingOf(client.advance(4_000))).toEqual([['eve']])
    expect(typingOf(client.advance(2_000))).toEqual([[]])
  })

  it('of others ends with what they said, and when they leave', () => {
    const client = inRoom()
    const entry = (seq: number, what: string, payload: Record<string, unknown>) => ({
      type: what,
      seq,
      sender: 'bob',
      messageId: `message-${seq}`,
      timestamp: 1,
      payload,
    })
    for (const [seq, what, payload] of [
      [1, 'new_message', { content: 'Hi' }],
      [2, 'member_left', { userId: 'bob', reason: 'left' }],
    ] as const) {
      expect(typingOf(client.hear('typing_started', { room: 'den', userId: 'bob' }))).toEqual([['bob']])
      const entries = [entry(seq, what, payload)]
      expect(typingOf(client.hear('entries', { room: 'den', entries, h: `h${seq}` }))).toEqual([[]])
    }
  })

  it('of others ends by their word', () => {
    const client = inRoom()
    client.hear('typing_started', { room: 'den', userId: 'bob' })
    expect(typingOf(client.hear('typing_stopped', { room: 'den', userId: 'bob' }))).toEqual([[]])
    expect(typingOf(client.hear('typing_stopped', { room: 'den', userId: 'bob' }))).toEqual([])
    expect(typingOf(client.advance(10_000))).toEqual([])
  })
})

describe('presence', () => {
  it('is a list, then changes', () => {
    const client = inRoom()
    const change = (userId: string, status: 'online' | 'away' | 'offline') =>
      usersOf(client.hear('presence_changed', { room: 'den', users: [{ userId, status }] }))
    const users = [
      { userId: 'ada', status: 'online' as const },
      { userId: 'bob', status: 'away' as const },
    ]
    expect(usersOf(client.hear('room_presence', { room: 'den', users }))).toEqual([
      { ada: 'online', bob: 'away' },
    ])
    expect(change('bob', 'online')).toEqual([{ ada: 'online', bob: 'online' }])
    expect(change('eve', 'away')).toEqual([{ ada: 'online', bob: 'online', eve: 'away' }])
    expect(change('bob', 'offline')).toEqual([{ ada: 'online', eve: 'away' }])
  })

  it('is a new map each time: what was handed out does not change', () => {
    const client = inRoom()
    const users = [{ userId: 'ada', status: 'online' as const }]
    const [first] = ofType(client.hear('room_presence', { room: 'den', users }), 'presence')
    client.hear('presence_changed', { room: 'den', users: [{ userId: 'bob', status: 'online' }] })
    expect(first?.users.size).toBe(1)
  })

  it('and typing are unknown while the connection is gone, and told anew', () => {
    const client = inRoom()
    client.hear('room_presence', { room: 'den', users: [{ userId: 'bob', status: 'online' }] })
    client.hear('typing_started', { room: 'den', userId: 'bob' })
    const lost = client.lose()
    expect(typingOf(lost)).toEqual([[]])
    expect(usersOf(lost)).toEqual([{}])
    expect(client.core.nextDeadline()).toBeGreaterThan(client.now())
  })

  it('and typing of a room that is left are gone', () => {
    const client = inRoom()
    client.hear('room_presence', { room: 'den', users: [{ userId: 'bob', status: 'online' }] })
    client.hear('typing_started', { room: 'den', userId: 'bob' })
    const left = client.step({ type: 'unfollow', room: 'den' })
    expect(typingOf(left)).toEqual([[]])
    expect(usersOf(left)).toEqual([{}])
    expect(typingOf(client.advance(10_000))).toEqual([])
  })

  it('of rooms that are not followed is not kept', () => {
    const client = inRoom()
    for (let i = 0; i < 10; i++) {
      expect(
        client.hear('room_presence', { room: `r${i}`, users: [{ userId: 'bob', status: 'online' }] }),
      ).toEqual([])
      expect(client.hear('typing_started', { room: `r${i}`, userId: 'bob' })).toEqual([])
    }
  })
})
