// The public API over a pair in memory and a scripted server, in virtual time.

import { type Client, createClient, type StatusChange, TautlineError } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { readMessages } from '@tautline/client/messages'
import { timeline as openTimeline } from '@tautline/client/timeline'
import { DEFAULT_LIMITS, MAX_BATCH } from '@tautline/protocol'
import { describe, expect, it, vi } from 'vitest'
import { SERVER_TIME } from './support/drive.ts'
import { local, localInDen, transportTo } from './support/local.ts'
import { ScriptedServer } from './support/scripted-server.ts'
import { createVirtualTime, idle } from './support/virtual-time.ts'

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

const statusesOf = (client: Client): StatusChange[] => {
  const changes: StatusChange[] = []
  client.on('status', (change) => changes.push(change))
  return changes
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

describe('connect', () => {
  it('resolves at once where all is well, and for all who asked', async () => {
    const { client } = local()
    await Promise.all([client.connect(), client.connect()])
    await client.connect()
    expect(client.status).toBe('connected')
  })

  it('resolves when every followed room is live', async () => {
    const { client, server, time } = local()
    server.intercept = ({ type }) => type === 'subscribe'
    const room = client.room('den')
    void room.follow()
    let isConnected = false
    const connecting = client.connect().then(() => {
      isConnected = true
    })
    await idle()
    expect(client.status).toBe('connected')
    expect(isConnected).toBe(false)
    server.intercept = () => false
    server.drop()
    await time.advance(3_000)
    await connecting
    expect(room.getSnapshot().phase).toBe('live')
  })

  it('outlives losses: it is tried until it works', async () => {
    const server = new ScriptedServer()
    const time = createVirtualTime()
    let attempts = 0
    const client = createClient({
      getToken: () => 'ada',
      transport: (events) => {
        if (++attempts < 4) throw new Error('no network')
        return transportTo(server)(events)
      },
      lifecycle: () => () => {},
      scheduler: time.scheduler,
    })
    const problems: string[] = []
    client.on('error', ({ code }) => problems.push(code))
    const connecting = client.connect()
    await time.advance(60_000)
    await connecting
    expect(attempts).toBe(4)
    expect(problems).toEqual(['GOING_AWAY', 'GOING_AWAY', 'GOING_AWAY'])
    await client.close()
  })

  it('in a wait moves the next attempt, and the snapshot says so', async () => {
    const { client, server, time } = await localInDen()
    server.drop(1012, 'RESTART')
    await idle()
    expect(client.getSnapshot().retryAt).toBeGreaterThan(time.scheduler.unixTime() + 250)
    client.connect().catch(() => {})
    expect(client.getSnapshot()).toMatchObject({
      reason: 'RESTART',
      retryAt: time.scheduler.unixTime() + 250,
    })
    await client.close()
  })

  it('that answers every loss makes nobody spin', async () => {
    const server = new ScriptedServer()
    let attempts = 0
    const { client, time } = local({
      transport: (events) => {
        attempts++
        return transportTo(server)(events)
      },
    })
    server.intercept = () => {
      server.drop()
      return true
    }
    client.on('status', ({ status }) => {
      if (status === 'waiting') client.connect().catch(() => {})
    })
    client.connect().catch(() => {})
    await time.advance(10_000)
    expect(attempts).toBeGreaterThan(5)
    expect(attempts).toBeLessThanOrEqual(41)
    await client.close()
  })

  it('rejects when trying ends', async () => {
    const { client, server, time } = local()
    server.intercept = ({ type }) => {
      if (type === 'authenticate') server.drop(4002, 'INVALID_TOKEN')
      return type === 'authenticate'
    }
    const connecting = client.connect()
    const failed = expect(connecting).rejects.toMatchObject({ code: 'INVALID_TOKEN' })
    await time.advance(5_000)
    await failed
    expect(client.getSnapshot()).toMatchObject({ status: 'stopped', reason: 'INVALID_TOKEN' })
    expect(time.timers()).toBe(0)
  })

  it.each(['disconnect', 'close'] as const)('rejects by %s', async (end) => {
    const { client, server, time } = local()
    server.isSilent = true
    const failed = expect(client.connect()).rejects.toMatchObject({
      code: end === 'close' ? 'CLOSED' : 'DISCONNECTED',
    })
    await client[end]()
    await failed
    expect(time.timers()).toBe(0)
  })

  it('rejects after close', async () => {
    const { client } = local()
    await client.close()
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a token', () => {
  it.each([
    [
      'is thrown for',
      () => {
        throw new Error('signed out')
      },
      'signed out',
    ],
    ['is rejected', () => Promise.reject(new Error('signed out')), 'signed out'],
    ['is empty', () => '', 'getToken gave no token'],
    ['is none', () => undefined as unknown as string, 'getToken gave no token'],
  ])('that %s is a failed attempt, told as an error and why', async (_how, getToken, detail) => {
    const { client, time } = local({ getToken })
    const problems: string[] = []
    client.on('error', ({ code }) => problems.push(code))
    client.connect().catch(() => {})
    await idle()
    expect(client.getSnapshot()).toMatchObject({ status: 'waiting', reason: 'NO_TOKEN', detail })
    expect(problems).toEqual(['NO_TOKEN'])
    await time.advance(2_000)
    expect(problems.length).toBeGreaterThan(1)
    await client.close()
  })

  it('that is refused is asked for afresh', async () => {
    const asked: boolean[] = []
    const { client, server, time } = local({
      getToken: ({ refused }) => {
        asked.push(refused)
        return 'token'
      },
    })
    let isFirst = true
    server.intercept = ({ type }) => {
      if (type !== 'authenticate' || !isFirst) return false
      isFirst = false
      server.drop(4002, 'TOKEN_EXPIRED')
      return true
    }
    const connecting = client.connect()
    await time.advance(2_000)
    await connecting
    expect(asked).toEqual([false, true])
  })

  it('that expires is renewed on the open connection', async () => {
    let tokens = 0
    const { client, server, time } = local({ getToken: () => `token-${++tokens}` })
    server.tokenExpiresAt = SERVER_TIME + 60_000
    await client.connect()
    await time.advance(55_000)
    expect(server.payloads('renew_token')).toMatchObject([{ token: 'token-2' }])
    expect(server.payloads('authenticate')).toMatchObject([{ token: 'token-1' }])
  })
})

describe('signing in and out', () => {
  function watched(all: ReturnType<typeof local>) {
    const told: string[] = []
    all.client.on('login', ({ userId }) => told.push(`login ${userId}`))
    all.client.on('logout', ({ userId, reason }) => told.push(`logout ${userId} ${reason}`))
    return { ...all, told }
  }

  it('is told once, through every loss of the connection, until the client is closed', async () => {
    const { client, server, time, told } = watched(local())
    await client.connect()
    server.drop()
    await time.advance(3_000)
    await client.disconnect()
    await client.connect()
    expect(told).toEqual(['login ada'])
    await client.close()
    expect(told).toEqual(['login ada', 'logout ada CLOSED'])
  })

  it('ends with a token that is refused for good, and begins anew with the next one', async () => {
    const { client, server, time, told } = watched(local())
    await client.connect()
    server.intercept = ({ type }) => {
      if (type === 'authenticate') server.drop(4002, 'INVALID_TOKEN')
      return type === 'authenticate'
    }
    server.drop()
    await time.advance(10_000)
    expect(client.status).toBe('stopped')
    expect(told).toEqual(['login ada', 'logout ada INVALID_TOKEN'])
    server.intercept = () => false
    await client.connect()
    expect(told.at(-1)).toBe('login ada')
    await client.close()
  })

  it('does not end because another connection takes over, and is not told of who never signed in', async () => {
    const first = watched(local())
    await first.client.connect()
    first.server.drop(4410, 'REPLACED')
    await idle()
    expect([first.client.status, first.told]).toEqual(['stopped', ['login ada']])
    const second = watched(local())
    await second.client.close()
    expect(second.told).toEqual([])
  })
})

describe('logout', () => {
  function watched(all: ReturnType<typeof local>) {
    const told: string[] = []
    all.client.on('logout', ({ userId, reason }) => told.push(`${userId} ${reason}`))
    return { ...all, told }
  }

  it('closes the client and is told once, however often and beside what it is asked for', async () => {
    const { client, server, time, told } = watched(local())
    await client.connect()
    const sent = client.room('den').send({ content: 'kept nowhere' })
    server.isSilent = true
    await Promise.all([client.logout(), client.logout({ keepOutbox: false }), client.close()])
    await client.logout()
    expect(told).toEqual(['ada logout'])
    expect(client.status).toBe('closed')
    expect(sent.status).not.toBe('failed')
    expect(server.sessions.size).toBe(0)
    expect(time.timers()).toBe(0)
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(client.room('den').follow()).rejects.toMatchObject({ code: 'DISCONNECTED' })
  })

  it('is told where the client was never connected, and not where nobody is known', async () => {
    for (const [userId, expected] of [
      ['ada', ['ada logout']],
      [undefined, []],
    ] as const) {
      const { client, time, told } = watched(local({ userId }))
      await client.logout()
      expect(told).toEqual(expected)
      expect(time.timers()).toBe(0)
    }
  })

  it('is not told after the end of the session was', async () => {
    const { client, told } = watched(local())
    await client.connect()
    await client.close()
    await client.logout()
    expect(told).toEqual(['ada CLOSED'])
    await expect(watched(local({})).client.logout({ keepOutbox: false })).resolves.toBeUndefined()
  })

  it('in the middle of connecting ends the attempt', async () => {
    const { client, time, told } = watched(local())
    const connecting = client.connect()
    const leaving = client.logout({ keepOutbox: false })
    await expect(connecting).rejects.toMatchObject({ code: 'CLOSED' })
    await leaving
    expect(told).toEqual(['ada logout'])
    expect(time.timers()).toBe(0)
  })

  it('without keeping the outbox asks the server, for five seconds at most', async () => {
    const { client, server, time, told } = watched(local())
    await client.connect()
    const one = client.room('den').send({ content: 'one' })
    await idle()
    server.isSilent = true
    const two = client.room('den').send({ content: 'two' })
    await time.advance(100)
    const leaving = client.logout({ keepOutbox: false })
    const three = client.room('den').send({ content: 'three' })
    await time.advance(4_800)
    expect(told).toEqual([])
    await time.advance(300)
    await leaving
    expect(told).toEqual(['ada logout'])
    expect([one.status, two.status, three.error?.code]).toEqual(['acknowledged', 'queued', 'CLOSED'])
    expect(time.timers()).toBe(0)
  })

  it('without keeping the outbox may be hurried by close()', async () => {
    const { client, server, time, told } = watched(local())
    await client.connect()
    server.isSilent = true
    client.room('den').send({ content: 'one' })
    const leaving = client.logout({ keepOutbox: false })
    await client.close()
    await leaving
    expect(told).toEqual(['ada logout'])
    expect(time.timers()).toBe(0)
  })

  it('without keeping the outbox is refused where the client was closed before', async () => {
    const { client } = local()
    await client.close()
    await expect(client.logout({ keepOutbox: false })).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a lost connection', () => {
  it('is told, with why and until when, and made good', async () => {
    const { client, server, time, room } = await localInDen()
    const statuses = statusesOf(client)
    const messages: number[] = []
    room.on('message', ({ seq }) => messages.push(seq))
    server.say('den', 'one')
    server.drop(1012, 'RESTART')
    await idle()
    expect(statuses).toMatchObject([{ status: 'waiting', reason: 'RESTART' }])
    const { retryAt, reason } = client.getSnapshot()
    expect(reason).toBe('RESTART')
    expect(retryAt).toBeGreaterThan(SERVER_TIME)
    const sent = room.send({ content: 'meanwhile' })
    expect(sent.status).toBe('queued')
    server.say('den', 'two')
    await time.advance(3_000)
    expect((await sent).seq).toBe(3)
    expect(messages).toEqual([1, 2, 3])
    expect(client.getSnapshot().retryAt).toBeUndefined()
    expect(room.getSnapshot().phase).toBe('live')
  })

  it('whose answers were lost repeats nothing', async () => {
    const { server, time, room } = await localInDen()
    server.isSilent = true
    const sent = room.send({ content: 'once' })
    await idle()
    expect(sent.status).toBe('sent')
    server.isSilent = false
    server.drop()
    await time.advance(3_000)
    expect(await sent).toEqual({ seq: 1, timestamp: SERVER_TIME + 1 })
    expect(server.logs.get('den')).toHaveLength(1)
    expect(server.payloads('commands')).toHaveLength(2)
  })

  it('that nobody noticed is found by its silence', async () => {
    const { client, server, time } = await localInDen()
    server.isSilent = true
    await time.advance(120_000)
    server.isSilent = false
    expect(client.status).not.toBe('connected')
    await time.advance(60_000)
    expect(client.status).toBe('connected')
  })

  it('is suspected when the machine has slept', async () => {
    const { server, time } = await localInDen()
    const pings = () => server.payloads('ping').length
    const before = pings()
    time.jump(3_600_000)
    await time.advance(35_000)
    expect(pings()).toBeGreaterThan(before)
    expect(server.payloads('check').length).toBeGreaterThan(0)
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

describe('disconnect', () => {
  it('keeps what is queued for the next connection', async () => {
    const { client, server, time, room } = await localInDen()
    await client.disconnect()
    expect(client.status).toBe('idle')
    const sent = room.send({ content: 'later' })
    await time.advance(100_000)
    expect([sent.status, time.timers(), server.sessions.size]).toEqual(['queued', 0, 0])
    await client.connect()
    expect((await sent).seq).toBe(1)
  })
})
