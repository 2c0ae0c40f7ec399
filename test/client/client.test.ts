// The public API over a pair in memory and a scripted server, in virtual time.

import { createClient, TautlineError } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { readMessages } from '@tautline/client/messages'
import { timeline as openTimeline } from '@tautline/client/timeline'
import { DEFAULT_LIMITS, MAX_BATCH } from '@tautline/protocol'
import { describe, expect, it, vi } from 'vitest'
import { SERVER_TIME } from './support/drive.ts'
import { local, localInDen, statusesOf } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

/** Errors that were raised where no one is hurt, while this runs. */
async function uncaughtDuring(task: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const note = (error: unknown): void => void errors.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  try {
    await task()
    await idle()
  } finally {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
  return errors
}

describe('the client', () => {
  it('does what the README says', async () => {
    const { client, server } = local()
    const statuses = statusesOf(client)
    server.say('general', 'before')

    await client.connect()
    expect(client.status).toBe('connected')
    expect(statuses.map(({ status }) => status)).toEqual(['connecting', 'authenticating', 'connected'])

    const room = client.room('general')
    await room.join()
    const messages: unknown[] = []
    room.on('message', (m) => messages.push([m.room, m.seq, m.sender, m.content, m.timestamp]))

    const sent = room.send({ content: 'hello', metadata: { mood: 'good' } })
    expect(sent.status).toBe('queued')
    expect(await sent).toEqual({ seq: 2, timestamp: SERVER_TIME + 2 })
    expect(sent.status).toBe('acknowledged')
    expect(messages).toEqual([['general', 2, 'ada', 'hello', SERVER_TIME + 2]])

    const read: [number, string][] = []
    for await (const m of readMessages(room, { after: 0 })) {
      read.push([m.seq, m.content])
      if (read.length === 2) server.say('general', 'later')
      if (read.length === 3) break
    }
    expect(read).toEqual([
      [1, 'before'],
      [2, 'hello'],
      [3, 'later'],
    ])

    room.typing()
    expect(await room.markRead(3)).toMatchObject({ seq: 3 })
    expect(await admin(room).members()).toMatchObject({
      members: [{ userId: 'ada', role: 'member' }],
      hasMore: false,
    })
    expect(server.payloads('start_typing')).toEqual([{ room: 'general' }])

    const snapshot = client.getSnapshot()
    expect(snapshot).toMatchObject({ status: 'connected', userId: 'ada', queued: 0 })
    expect(client.getSnapshot()).toBe(snapshot)
    await client.close()
    expect(client.status).toBe('closed')
    expect(client.getSnapshot()).not.toBe(snapshot)
  })

  it('sends what was said offline when it is connected, in order', async () => {
    const { client, server } = local()
    const room = client.room('den')
    const sents = ['one', 'two', 'three'].map((content) => room.send({ content }))
    expect(sents.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued'])
    expect(client.getSnapshot().queued).toBe(3)
    await client.connect()
    expect((await Promise.all(sents)).map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(server.logs.get('den')?.map(({ payload }) => payload['content'])).toEqual(['one', 'two', 'three'])
    expect(client.getSnapshot().queued).toBe(0)
  })

  it('sends what is said in one turn in one frame, and in the order of what else is said', async () => {
    const { client, server } = local()
    server.limits = { ...DEFAULT_LIMITS, windowPerRoom: 200, windowPerConnection: 200, messageBurst: 200 }
    await client.connect()
    const room = client.room('den')
    await room.join()
    server.frames.length = 0
    const sents = Array.from({ length: 100 }, (_, i) => room.send({ content: `no. ${i}` }))
    expect(sents.every(({ status }) => status === 'queued')).toBe(true)
    expect(server.frames).toEqual([])
    await Promise.all(sents)
    expect(server.frames).toHaveLength(1)
    expect(server.payloads('commands')).toMatchObject([{ n: 1, commands: { length: 100 } }])

    server.received.length = 0
    void room.send({ content: 'bye' })
    await room.leave()
    expect(server.received.map(({ type }) => type)).toEqual(['commands', 'leave_room'])
  })

  it('gives the same room for the same id, and refuses what can be none', () => {
    const { client } = local()
    expect(client.room('den')).toBe(client.room('den'))
    for (const id of ['', ' ', 'a b', '~', '~bob~ada', 'x'.repeat(200)]) {
      expect(() => client.room(id)).toThrow(TautlineError)
    }
  })

  it('refuses options with which nothing could work', () => {
    const getToken = () => 'token'
    const code = (make: () => unknown): string | undefined => {
      try {
        make()
        return undefined
      } catch (error) {
        return (error as TautlineError).code
      }
    }
    vi.stubGlobal('WebSocket', undefined)
    expect(code(() => createClient({ getToken }))).toBe('VALIDATION_ERROR')
    expect(code(() => createClient({ getToken, url: 'ws://127.0.0.1:1' }))).toBe('VALIDATION_ERROR')
    vi.unstubAllGlobals()
    expect(code(() => createClient({ getToken, userId: 'no spaces', transport: () => ({}) as never }))).toBe(
      'VALIDATION_ERROR',
    )
  })
})

describe('a listener of the application that throws', () => {
  it('stops neither the others, nor the entries behind, nor the client', async () => {
    const errors = await uncaughtDuring(async () => {
      const { client, server, time, room } = await localInDen()
      const seen: number[] = []
      room.on('message', ({ seq }) => {
        if (seq === 1) throw new Error('listener')
      })
      room.on('message', ({ seq }) => seen.push(seq))
      const timeline = openTimeline(room)
      await idle()
      server.isSilent = true
      for (const text of ['one', 'two', 'three']) server.say('den', text)
      server.isSilent = false
      const entries = server.logs.get('den') ?? []
      server.tell({ type: 'entries', payload: { room: 'den', entries, h: '' } })
      await idle()
      expect(seen).toEqual([1, 2, 3])
      expect(timeline.getSnapshot().items.map(({ seq }) => seq)).toEqual([1, 2, 3])
      await time.advance(100_000)
      expect(client.status).toBe('connected')
    })
    expect(errors).toMatchObject([{ message: 'listener' }])
  })

  it.each(['status', 'snapshot', 'sent', 'sending', 'failed'])(
    'of %s leaves the timer armed and the caller in peace',
    async (what) => {
      const errors = await uncaughtDuring(async () => {
        const { client, server, time, room } = await localInDen()
        const fail = (): never => {
          throw new Error(what)
        }
        if (what === 'status') client.on('status', fail)
        if (what === 'snapshot') client.subscribe(fail)
        if (what === 'sending') room.on('sending', fail)
        if (what === 'failed') client.on('failed', fail)
        if (what === 'failed') room.send({ content: '' })
        const sent = room.send({ content: 'hello' })
        if (what === 'sent') sent.subscribe(fail)
        expect(await sent).toMatchObject({ seq: 1 })
        expect(client.outbox.list().filter(({ status }) => status !== 'failed')).toEqual([])
        server.drop()
        await idle()
        await time.advance(10_000)
        expect(client.status).toBe('connected')
        expect(time.timers()).toBe(1)
        await client.close()
      })
      expect(errors.length).toBeGreaterThan(0)
      for (const error of errors) expect(error).toMatchObject({ message: what })
    },
  )

  it('may itself act on the client: its turn comes after what is under way', async () => {
    const { client, room, server } = await localInDen()
    const order: string[] = []
    room.on('message', ({ content, sender }) => {
      order.push(`message ${content}`)
      if (sender === 'bob') order.push(`answer is ${room.send({ content: `re: ${content}` }).status}`)
    })
    room.on('read', () => order.push('read'))
    client.on('status', () => order.push('status'))
    const first = server.say('den', 'hello')
    await idle()
    expect(order).toEqual(['message hello', 'answer is saving', 'message re: hello'])
    expect(first.seq).toBe(1)
    order.length = 0
    room.once('message', () => void client.close())
    server.say('den', 'bye')
    await idle()
    expect(order).toContain('status')
    expect(client.status).toBe('closed')
  })
})

describe('frames', () => {
  it('hold no more messages than a batch may', async () => {
    const { client, server } = local()
    const connecting = client.connect()
    const room = client.room('den')
    const asked = Array.from({ length: MAX_BATCH + 50 }, () => admin(room).members())
    await connecting
    await Promise.all(asked)
    expect(server.payloads('list_members')).toHaveLength(MAX_BATCH + 50)
  })

  it('are as small as the server asks, from the first one on', async () => {
    const { client, server } = local()
    server.limits = { ...DEFAULT_LIMITS, maxFrameBytes: 16_384 }
    const rooms = Array.from({ length: 20 }, (_, i) => client.room(`room-${i}`))
    for (const room of rooms) room.follow().catch(() => {})
    const sents = rooms.map((room) => room.send({ content: 'x'.repeat(4_000) }))
    await client.connect()
    // The scripted server throws at a frame that is too large.
    await Promise.all(sents)
    expect(Math.max(...server.frames.map((text) => text.length))).toBeLessThanOrEqual(16_384)
  })

  it('that are not of the protocol end the connection', async () => {
    const { client, server } = await localInDen()
    for (const { peer } of server.sessions) peer.send('[')
    await idle()
    expect(client.getSnapshot()).toMatchObject({ status: 'waiting', reason: 'PARSE_ERROR' })
  })
})

describe('the snapshot', () => {
  it('is the same object until something changes, and tells when it does', async () => {
    const { client } = local()
    const before = client.getSnapshot()
    const seen: string[] = []
    const stop = client.subscribe(() => seen.push(client.getSnapshot().status))
    expect(client.getSnapshot()).toBe(before)
    await client.connect()
    expect(client.getSnapshot()).not.toBe(before)
    expect(before.status).toBe('idle')
    expect(new Set(seen)).toEqual(new Set(['connecting', 'authenticating', 'connected']))
    stop()
    const told = seen.length
    await client.close()
    expect(seen).toHaveLength(told)
  })

  it('tells who we are as soon as we are connected', async () => {
    const { client } = local({ userId: undefined, getToken: () => 'eve' })
    expect(client.userId).toBeUndefined()
    let known: string | undefined
    client.on('status', ({ status }) => {
      if (status === 'connected') known = client.userId
    })
    await client.connect()
    expect(known).toBe('eve')
  })
})

describe('close', () => {
  it('leaves no timer and no listener, and nothing is sent any more', async () => {
    let listening = 0
    const { client, server, time, room } = await localInDen({
      lifecycle: () => {
        listening++
        return () => {
          listening--
        }
      },
    })
    expect([listening, time.timers()]).toEqual([1, 1])
    const timeline = openTimeline(room)
    const asked = expect(admin(room).members()).rejects.toMatchObject({ code: 'CLOSED' })
    server.isSilent = true
    room.send({ content: 'too late' })
    await client.close()
    await asked
    await idle()
    expect([listening, time.timers()]).toEqual([0, 0])
    const frames = server.frames.length
    room.typing()
    room.send({ content: 'nobody hears' })
    room.unfollow()
    await expect(admin(room).members()).rejects.toMatchObject({ code: 'CLOSED' })
    await client.close()
    await client.disconnect()
    await time.advance(3_600_000)
    expect(server.frames).toHaveLength(frames)
    expect(time.timers()).toBe(0)
    timeline.close()
  })

  it('ends the waiting of those who follow or read', async () => {
    const { client, server, room } = await localInDen()
    server.intercept = ({ type }) => type === 'subscribe'
    const following = expect(client.room('hall').follow()).rejects.toBeInstanceOf(TautlineError)
    const reader = readMessages(room, { after: 0 })
    const next = reader.next()
    await idle()
    await client.close()
    await following
    expect(await next).toEqual({ done: true, value: undefined })
    await expect(client.room('attic').follow()).rejects.toBeInstanceOf(TautlineError)
  })

  it('may be called in the middle of everything', async () => {
    const { client, time } = local()
    client.on('status', ({ status }) => {
      if (status === 'authenticating') void client.close()
    })
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLOSED' })
    await idle()
    expect([client.status, time.timers()]).toEqual(['closed', 0])
  })
})
