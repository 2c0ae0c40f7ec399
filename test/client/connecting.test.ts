// How a client comes to its connection, loses it and gets it back.

import { createClient } from '@tautline/client'
import { describe, expect, it } from 'vitest'
import { SERVER_TIME } from './support/drive.ts'
import { local, localInDen, statusesOf, transportTo } from './support/local.ts'
import { ScriptedServer } from './support/scripted-server.ts'
import { createVirtualTime, idle } from './support/virtual-time.ts'

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
