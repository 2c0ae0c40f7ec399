// Whose client it is: tokens, signing in and out, logout.

import { describe, expect, it } from 'vitest'
import { SERVER_TIME } from './support/drive.ts'
import { local } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

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
