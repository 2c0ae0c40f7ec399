// What subjects are built on, driven by one that is written here: a board of how users are, as an application might make it.

import type { Client, Entry } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { history } from '@tautline/client/history'
import type { ServerMessage } from '@tautline/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LocalServer, startLocalServer } from '../support/local-server.ts'
import { local } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

/** Follows users, keeps how they are, and asks anew after each connect. */
function board({ port }: Client, users: string[]) {
  const states = new Map<string, string>()
  const failures: unknown[] = []
  port.learn({
    user_presence: ({ users: list }) =>
      Array.isArray(list) && list.every((user) => typeof Object(user).userId === 'string'),
  })
  const stops = [
    port.onReady((isReady) => {
      states.clear()
      if (!isReady) return
      port
        .request({ type: 'subscribe_presence', payload: { users } })
        .catch((error: unknown) => failures.push(error))
    }),
    port.onMessage((message) => {
      if (message.type !== 'user_presence') return
      for (const { userId, status } of message.payload.users) states.set(userId, status)
    }),
  ]
  const close = () => {
    for (const stop of stops) stop()
  }
  return { states, failures, close }
}

describe('a subject on the port of a client', () => {
  const bobIs = (status: 'online' | 'offline', ref?: number): ServerMessage => ({
    type: 'user_presence',
    payload: { ref, users: [{ userId: 'bob', status }] },
  })

  function withBoard() {
    const all = local()
    all.server.intercept = (message, reply) => {
      if (message.type !== 'subscribe_presence') return false
      reply(bobIs('online', message.payload.ref))
      return true
    }
    return { ...all, subject: board(all.client, ['bob']) }
  }

  it('asks when the client is ready, also after each reconnect, and hears what is said', async () => {
    const { client, server, time, subject } = withBoard()
    await client.connect()
    await idle()
    expect(server.payloads('subscribe_presence')).toMatchObject([{ users: ['bob'] }])
    expect(subject.states.get('bob')).toBe('online')
    server.tell(bobIs('offline'))
    await idle()
    expect(subject.states.get('bob')).toBe('offline')

    server.drop()
    await idle()
    expect(subject.states.size).toBe(0)
    await time.advance(5_000)
    expect(server.payloads('subscribe_presence')).toHaveLength(2)
    expect(subject.states.get('bob')).toBe('online')

    subject.close()
    server.tell(bobIs('offline'))
    server.drop()
    await time.advance(5_000)
    expect(subject.states.get('bob')).toBe('online')
    expect(server.payloads('subscribe_presence')).toHaveLength(2)
  })

  it('hears an answer at its place, before what was said after it', async () => {
    const { client, server, subject } = withBoard()
    server.intercept = (message, reply) => {
      if (message.type !== 'subscribe_presence') return false
      reply(bobIs('online', message.payload.ref), bobIs('offline'))
      return true
    }
    await client.connect()
    await idle()
    expect(subject.states.get('bob')).toBe('offline')
  })

  it('is told at once that the client is ready where it is made later', async () => {
    const { client, server } = withBoard()
    await client.connect()
    board(client, ['carol'])
    await idle()
    expect(server.payloads('subscribe_presence').map(({ users }) => users)).toEqual([['bob'], ['carol']])
  })

  it('is refused with what the server says, and fails with TIMEOUT where it says nothing', async () => {
    const { client, server, time, subject } = withBoard()
    server.intercept = (message, reply) => {
      if (message.type !== 'subscribe_presence') return false
      const { ref } = message.payload
      if (server.payloads('subscribe_presence').length === 1)
        reply({ type: 'error', payload: { ref, code: 'FORBIDDEN', message: 'no' } })
      return true
    }
    await client.connect()
    await idle()
    expect(subject.failures).toMatchObject([{ code: 'FORBIDDEN' }])
    const asked = client.port.request({ type: 'subscribe_presence', payload: { users: ['bob'] } })
    const failed = expect(asked).rejects.toMatchObject({ code: 'TIMEOUT' })
    await time.advance(10_000)
    await failed
  })

  it('is not answered by what answers a request of the core', async () => {
    const { client, server } = withBoard()
    await client.connect()
    server.intercept = (message, reply) => {
      if (message.type !== 'list_members') return false
      reply({ type: 'done', payload: { ref: message.payload.ref } })
      return true
    }
    await expect(admin(client.room('den')).members()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('loses the connection over what is not of the shape of its type, and nothing worse', async () => {
    const { client, server, subject, time } = withBoard()
    await client.connect()
    await idle()
    for (const users of [[{ userId: 1, status: 'online' }], 'bob', [null]]) {
      server.tell({ type: 'user_presence', payload: { users } } as never)
      await idle()
      expect(client.getSnapshot()).toMatchObject({ status: 'waiting', reason: 'PARSE_ERROR' })
      expect(subject.states.size).toBe(0)
      await time.advance(60_000)
      expect(client.status).toBe('connected')
    }
  })

  it('hears nothing of what it has not learned to check', async () => {
    const { client, server } = local()
    const heard: string[] = []
    client.port.onMessage(({ type }) => heard.push(type))
    await client.connect()
    server.tell(bobIs('online'))
    await idle()
    expect(heard).toEqual([])
    client.port.learn({ user_presence: () => true })
    server.tell(bobIs('online'))
    await idle()
    expect(heard).toEqual(['user_presence'])
  })

  it('says what is said once only while connected', async () => {
    const { client, server } = local()
    const hello = { type: 'update_presence', payload: { status: 'away' } } as const
    expect(client.port.tell(hello)).toBe(false)
    await client.connect()
    expect(client.port.tell(hello)).toBe(true)
    await client.disconnect()
    expect(client.port.tell(hello)).toBe(false)
    await client.connect()
    expect(server.payloads('update_presence')).toEqual([{ status: 'away' }])
  })

  it('keeps time by the clock of the client', async () => {
    const { client, time } = local()
    const { port } = client
    const begin = port.now()
    const rings: number[] = []
    port.after(1_000, () => rings.push(port.now() - begin))
    port.after(500, () => rings.push(-1))()
    await time.advance(2_000)
    expect(rings).toEqual([1_000])
  })

  it('does not stop others by throwing', async () => {
    const { client, server, subject } = withBoard()
    const errors: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => errors.push(error))
    client.port.onReady(() => {
      throw new Error('mine')
    })
    await client.connect()
    server.tell(bobIs('offline'))
    await idle()
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
    expect(errors).toMatchObject([{ message: 'mine' }])
    expect(subject.states.get('bob')).toBe('offline')
  })
})

describe('a subject on the port, before the real server', () => {
  let server: LocalServer
  beforeEach(async () => {
    server = await startLocalServer()
  })
  afterEach(() => server.close())

  it('asks and sends as the client itself does', async () => {
    const ada = server.client('ada')
    await ada.connect()
    await ada.rooms.create({ id: 'den', visibility: 'public' })
    expect(ada.port.userId()).toBe('ada')
    expect(await ada.port.request({ type: 'get_room', payload: { room: 'den' } })).toMatchObject({
      room: 'den',
      role: 'owner',
    })
    await expect(
      ada.port.request({ type: 'get_room', payload: { room: 'elsewhere' } }),
    ).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    const sent = ada.port.send('den', 'send_message', { content: 'hello' })
    expect(ada.outbox.list()).toContain(sent)
    const { seq } = await sent
    expect(seq).toBe((await history(ada.room('den'))).messages.at(-1)?.seq)
    expect(() => ada.port.send('no room', 'send_message', { content: 'x' })).toThrow('not the id of a room')
    await expect(ada.port.send('den', 'add_reaction', { emoji: '👍' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    })
  })

  it('hears the entries of the user’s own log, in order', async () => {
    const [ada, bob] = [server.client('ada'), server.client('bob')]
    await Promise.all([ada.connect(), bob.connect()])
    const heard: Entry[] = []
    const stop = bob.port.onOwnEntries(
      (entries) => heard.push(...entries),
      () => {},
    )
    const room = await ada.rooms.create({ id: 'den', visibility: 'private' })
    await admin(room).invite('bob')
    await bob.room('den').accept()
    await room.send({ content: 'hi @bob', mentions: ['bob'] })
    await expect.poll(() => heard.map(({ type }) => type)).toEqual(['invitation', 'admission', 'mention'])
    expect(heard.map(({ seq }) => seq)).toEqual([1, 2, 3])
    stop()
    await room.send({ content: 'again @bob', mentions: ['bob'] })
    await admin(bob.room('den')).info()
    expect(heard).toHaveLength(3)
  })
})
