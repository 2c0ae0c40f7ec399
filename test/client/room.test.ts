import { history } from '@tautline/client/history'
import { describe, expect, it } from 'vitest'
import { SERVER_TIME } from './support/drive.ts'
import { local, localInDen } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

describe('a room', () => {
  it('is joined, then followed', async () => {
    const { client, server } = local()
    await client.connect()
    const room = client.room('den')
    const phases: string[] = []
    room.on('phase', (phase) => phases.push(phase))
    await room.join()
    expect(room.getSnapshot().phase).toBe('live')
    expect(phases).toEqual(['syncing', 'live'])
    const order = server.received.map(({ type }) => type)
    expect(order.indexOf('join_room')).toBeLessThan(order.lastIndexOf('subscribe'))
  })

  it('that is refused says why', async () => {
    const { client, server } = local()
    await client.connect()
    server.intercept = (message, reply) => {
      if (message.type !== 'subscribe') return false
      const { ref } = message.payload
      reply({ type: 'error', payload: { ref, room: 'den', code: 'FORBIDDEN', message: 'no' } })
      return true
    }
    const room = client.room('den')
    await expect(room.follow()).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(room.getSnapshot()).toMatchObject({ phase: 'refused', error: { code: 'FORBIDDEN' } })
    server.intercept = () => false
    await room.follow()
    expect(room.getSnapshot()).toMatchObject({ phase: 'live', error: undefined })
  })

  it('tells a read position that came too often later, the newest alone', async () => {
    const { room, server, time } = await localInDen()
    for (const content of ['one', 'two', 'three']) server.say('den', content)
    await idle()
    const asked: number[] = []
    server.intercept = (message, reply) => {
      if (message.type !== 'mark_read') return false
      const { ref, seq } = message.payload
      asked.push(seq)
      if (asked.length > 2) return false
      reply({ type: 'error', payload: { ref, code: 'RATE_LIMIT', message: 'slowly', retryAfterMs: 3_000 } })
      return true
    }
    const [first, last] = [room.markRead(1), room.markRead(3)]
    await idle()
    expect(asked).toEqual([1, 3])
    await time.advance(2_999)
    expect(asked).toEqual([1, 3])
    await time.advance(1)
    expect(await first).toMatchObject({ seq: 3 })
    expect(await last).toMatchObject({ seq: 3 })
    expect(asked).toEqual([1, 3, 3, 3])
  })

  it('that is left is followed no more', async () => {
    const { room, server } = await localInDen()
    const left: string[] = []
    room.on('left', (reason) => left.push(reason))
    await room.leave()
    expect([room.getSnapshot().phase, left]).toEqual(['idle', ['left']])
    server.say('den', 'unheard')
    await idle()
    expect(room.getSnapshot().phase).toBe('idle')
  })

  it('ends the waiting to follow when it is unfollowed', async () => {
    const { client, server } = local()
    await client.connect()
    server.intercept = ({ type }) => type === 'subscribe'
    const room = client.room('den')
    const following = expect(room.follow()).rejects.toMatchObject({ code: 'DISCONNECTED' })
    room.unfollow()
    await following
  })

  it('tells of every entry, also of those that this version does not know', async () => {
    const { room, server } = await localInDen()
    const types: string[] = []
    const messages: number[] = []
    room.on('entry', ({ type }) => types.push(type))
    room.on('message', ({ seq }) => messages.push(seq))
    const entry = {
      type: 'weather_changed',
      seq: 1,
      sender: 'bob',
      messageId: 'weather-1',
      timestamp: SERVER_TIME,
      payload: {},
    }
    server.tell({ type: 'entries', payload: { room: 'den', entries: [entry], h: 'x' } })
    server.tell({
      type: 'entries',
      payload: {
        room: 'den',
        entries: [{ ...entry, type: 'new_message', seq: 2, payload: { content: 'hi' } }],
        h: 'y',
      },
    })
    await idle()
    expect(types).toEqual(['weather_changed', 'new_message'])
    expect(messages).toEqual([2])
  })

  it('knows who is there, who types and who has read how far', async () => {
    const { room, server } = await localInDen()
    const before = room.getSnapshot()
    let changes = 0
    const stop = room.subscribe(() => changes++)
    server.tell({
      type: 'room_presence',
      payload: { room: 'den', users: [{ userId: 'bob', status: 'away' }] },
    })
    server.tell({ type: 'typing_started', payload: { room: 'den', userId: 'bob' } })
    server.tell({ type: 'typing_started', payload: { room: 'den', userId: 'ada' } })
    server.tell({
      type: 'messages_read',
      payload: { room: 'den', userId: 'bob', seq: 3, timestamp: SERVER_TIME },
    })
    await idle()
    const { users, typing, read } = room.getSnapshot()
    expect([...users]).toEqual([['bob', { status: 'away', text: undefined }]])
    expect(typing).toEqual(['bob'])
    expect(read.get('bob')).toBe(3)
    expect(changes).toBeGreaterThanOrEqual(3)
    expect(before.users.size).toBe(0)
    // An older word about what was read is no news.
    const now = room.getSnapshot()
    server.tell({
      type: 'messages_read',
      payload: { room: 'den', userId: 'bob', seq: 2, timestamp: SERVER_TIME },
    })
    await idle()
    expect(room.getSnapshot()).toBe(now)
    stop()
  })

  it('keeps its snapshot while others are busy', async () => {
    const { client, room, server } = await localInDen()
    await client.room('hall').follow()
    const before = room.getSnapshot()
    server.say('hall', 'hello')
    server.tell({ type: 'typing_started', payload: { room: 'hall', userId: 'bob' } })
    await idle()
    expect(room.getSnapshot()).toBe(before)
  })

  it('that was followed before anybody asked for it is live at once: the user’s own log', async () => {
    const { client } = await localInDen()
    const own = client.room('~ada')
    await own.follow()
    expect(own.getSnapshot().phase).toBe('live')
  })

  it('may be followed from a listener', async () => {
    const { client, room, server } = await localInDen()
    let follows: Promise<void> | undefined
    room.on('message', () => {
      follows = client.room('hall').follow()
    })
    server.say('den', 'hello')
    await idle()
    await follows
    expect(client.room('hall').getSnapshot().phase).toBe('live')
  })

  it('is told its phase once, however often it is followed', async () => {
    const { room } = await localInDen()
    const phases: string[] = []
    room.on('phase', (phase) => phases.push(phase))
    await room.follow()
    expect(phases).toEqual([])
  })

  it('gives its history in pages', async () => {
    const { room, server } = await localInDen()
    for (let i = 1; i <= 5; i++) server.say('den', `${i}`)
    const newest = await history(room, { limit: 2 })
    expect(newest).toMatchObject({
      messages: [{ content: '4' }, { content: '5' }],
      hasOlder: true,
      hasNewer: false,
      oldestSeq: 4,
      newestSeq: 5,
    })
    const older = await history(room, { before: newest.oldestSeq, limit: 10 })
    expect(older.messages.map(({ content }) => content)).toEqual(['1', '2', '3'])
    expect(older.hasOlder).toBe(false)
  })

  it('types to others every three seconds at most', async () => {
    const { room, server, time } = await localInDen()
    for (let i = 0; i < 10; i++) {
      room.typing()
      await time.advance(1_000)
    }
    room.typing(false)
    await idle()
    expect(server.payloads('start_typing')).toHaveLength(4)
    expect(server.payloads('stop_typing')).toHaveLength(1)
  })
})
