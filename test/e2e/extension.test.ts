// Messages of an application's own from end to end: real clients over real sockets against the real server. Nothing
// waits for time to pass; what must not arrive is asked for after something that was said later has.

import { type Client, createClient, type Sent } from '@tautline/client'
import { extend } from '@tautline/client/extension'
import { timeline } from '@tautline/client/timeline'
import type { TautlineError } from '@tautline/protocol'
import { defineProtocol } from '@tautline/protocol/extension'
import {
  createServer,
  type ExtensionOptions,
  type Handlers,
  handle,
  type Logger,
  memory,
  type Server,
  type ServerOptions,
  type SessionEvent,
} from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jobs } from '../support/jobs.ts'

type Jobs = typeof jobs

let servers: Server[]
let clients: Client[]
/** What was logged as an error. */
let errors: object[]

beforeEach(() => {
  servers = []
  clients = []
  errors = []
})

afterEach(async () => {
  for (const client of clients) await client.close()
  for (const server of servers) await server.close()
})

const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (fields, message) => void errors.push({ ...fields, message }),
}

async function start(
  handlers: Partial<Handlers<Jobs>> = {},
  more: Partial<ServerOptions> & ExtensionOptions<Jobs> = {},
): Promise<Server> {
  const { onSession, ...options } = more
  const all = { get_job: () => ({ title: 'Painter' }), ...handlers } as Handlers<Jobs>
  const server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger,
    extensions: [handle(jobs, all, { onSession })],
    ...options,
  })
  servers.push(server)
  return server
}

async function connect(server: Server, userId: string): Promise<Client> {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  await client.connect()
  return client
}

async function member(server: Server, userId: string, room = 'general') {
  const client = await connect(server, userId)
  await client.room(room).join()
  const app = extend(client, jobs)
  return { client, app, room: app.room(room) }
}

/** What comes in, in order; `heard` resolves once there are so many. */
function tape<T>() {
  const items: T[] = []
  let wake = () => {}
  return {
    items,
    add(item: T) {
      items.push(item)
      wake()
    },
    async heard(count: number): Promise<T[]> {
      while (items.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return items
    },
  }
}

/** What becomes of it: its position, or the error's code and the application's own. */
async function outcomeOf(sent: Sent | Promise<unknown>): Promise<unknown> {
  try {
    const done = (await sent) as { seq: number } | undefined
    return done && 'seq' in done ? done.seq : done
  } catch (error) {
    const { code, applicationCode } = error as TautlineError
    return applicationCode === undefined ? code : `${code}: ${applicationCode}`
  }
}

const offer = { jobId: 'j17', rate: 30 }

describe('a durable message of the application’s own', () => {
  it('reaches every member once, with its place, and those who come back later', async () => {
    const server = await start()
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const heard = tape<unknown>()
    bob.room.on('job_offer', heard.add)
    const sent = ada.room.send('job_offer', offer)
    const { seq, timestamp } = await sent
    const { messageId } = sent
    const event = { payload: offer, room: 'general', sender: 'ada', messageId, seq, timestamp }
    expect(await heard.heard(1)).toEqual([event])
    await bob.client.disconnect()
    await ada.room.send('job_offer', { jobId: 'j18', rate: 31 })
    await bob.client.connect()
    expect((await heard.heard(2))[1]).toMatchObject({ payload: { jobId: 'j18' }, seq: seq + 1 })
  })

  it('that was said offline is sent on the next connection, in order, and arrives once', async () => {
    const server = await start()
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const heard = tape<{ readonly payload: typeof offer }>()
    bob.room.on('job_offer', heard.add)
    await ada.client.disconnect()
    const sents = [1, 2, 3].map((rate) => ada.room.send('job_offer', { jobId: 'j', rate }))
    expect(sents.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued'])
    await ada.client.connect()
    await Promise.all(sents)
    await bob.room.send('job_offer', { jobId: 'last', rate: 0 })
    expect((await heard.heard(4)).map(({ payload }) => payload.rate)).toEqual([1, 2, 3, 0])
  })

  it('is refused with an error of the application’s own, which its sender can tell, and holds up nothing', async () => {
    const server = await start({
      job_offer({ payload }) {
        if (payload.jobId === 'none') throw jobs.error('JOB_NOT_FOUND', 'It was closed yesterday.')
      },
    })
    const ada = await member(server, 'ada')
    const failed = ada.room.send('job_offer', { jobId: 'none', rate: 1 })
    const next = ada.room.send('job_offer', offer)
    await expect(failed).rejects.toThrow('JOB_NOT_FOUND: It was closed yesterday.')
    const { error } = failed
    expect(jobs.isError(error, 'JOB_NOT_FOUND')).toBe(true)
    expect(jobs.isError(error, 'JOB_BUSY')).toBe(false)
    expect(error).toMatchObject({ code: 'REJECTED', retryable: false })
    expect(await outcomeOf(next)).toBe(2)
    expect(errors).toEqual([])
  })

  it('that may succeed later is sent again by itself', async () => {
    let calls = 0
    const server = await start({
      job_offer() {
        if (calls++ === 0) throw jobs.error('JOB_BUSY', undefined, 10)
      },
    })
    const ada = await member(server, 'ada')
    expect(await outcomeOf(ada.room.send('job_offer', offer))).toBe(2)
    expect(calls).toBe(2)
  })

  it('can be changed before it is stored, within its schema', async () => {
    const server = await start({
      job_offer: ({ payload }) =>
        payload.rate > 0 ? { ...payload, rate: payload.rate * 2 } : { jobId: 'x'.repeat(101), rate: 0 },
    })
    const ada = await member(server, 'ada')
    const heard = tape<{ readonly payload: typeof offer }>()
    ada.room.on('job_offer', heard.add)
    await ada.room.send('job_offer', offer)
    expect((await heard.heard(1))[0]?.payload).toEqual({ jobId: 'j17', rate: 60 })
    const sent = ada.room.send('job_offer', { jobId: 'j18', rate: 0 })
    while (errors.length === 0) await new Promise(setImmediate)
    expect(sent.status).not.toBe('failed')
    expect(errors[0]).toMatchObject({ error: expect.stringContaining('gave what its schema does not take') })
  })

  it('of the wrong form fails alone: at its sender, and at the server where no client checked it', async () => {
    const server = await start()
    const ada = await member(server, 'ada')
    const wrong = { jobId: 'j17', rate: 'much' } as unknown as typeof offer
    const failed = ada.room.send('job_offer', wrong)
    expect(await outcomeOf(failed)).toBe('VALIDATION_ERROR')
    expect(failed.error?.detail).toBe('the field rate is missing or not of its form')
    const raw = ada.client.port.send('general', 'job_offer', wrong)
    const next = ada.room.send('job_offer', offer)
    expect([await outcomeOf(raw), await outcomeOf(next)]).toEqual(['VALIDATION_ERROR', 2])
    expect(raw.error?.detail).toBe('the field rate is missing or not of its form')
  })

  it('of before is found in the history of the room, among all else', async () => {
    const server = await start()
    const ada = await member(server, 'ada')
    for (const rate of [1, 2, 3]) {
      await ada.room.send('job_offer', { jobId: 'j', rate })
      await ada.client.room('general').send({ content: 'said between' })
    }
    const bob = await member(server, 'bob')
    const newest = await bob.room.history({ limit: 4 })
    expect(newest).toMatchObject({ hasOlder: true, oldestSeq: 5 })
    expect(newest.messages).toEqual([
      expect.objectContaining({ type: 'job_offer', payload: { jobId: 'j', rate: 3 }, seq: 6, sender: 'ada' }),
    ])
    const older = await bob.room.history({ before: newest.oldestSeq })
    expect(older.messages.map(({ payload, seq }) => [payload.rate, seq])).toEqual([
      [1, 2],
      [2, 4],
    ])
    await expect(extend(bob.client, jobs).room('secret').history()).rejects.toThrow('FORBIDDEN')
  })

  it('that its handler does not answer in time waits, and is shown to it again', async () => {
    let calls = 0
    const server = await start(
      { job_offer: () => (calls++ === 0 ? new Promise<never>(() => {}) : undefined) },
      { hookTimeoutMs: 10 },
    )
    const ada = await member(server, 'ada')
    expect(await outcomeOf(ada.room.send('job_offer', offer))).toBe(2)
    expect(calls).toBe(2)
    expect(errors).toMatchObject([{ message: 'a hook gave no answer in time' }])
  })

  it('is no message: neither unread nor in a timeline', async () => {
    const server = await start()
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const heard = tape<unknown>()
    bob.room.on('job_offer', heard.add)
    const shown = timeline(ada.client.room('general'))
    await ada.room.send('job_offer', offer)
    await heard.heard(1)
    expect(bob.client.room('general').getSnapshot().unread).toBe(0)
    expect(shown.getSnapshot().items).toEqual([])
    shown.close()
  })

  it('is said by the server as the system or a user, by whom no handler is asked', async () => {
    const seen: unknown[] = []
    const server = await start({ job_offer: ({ payload }) => void seen.push(payload) })
    const ada = await member(server, 'ada')
    const heard = tape<{ readonly sender: string }>()
    ada.room.on('job_offer', heard.add)
    const app = server.extension(jobs)
    await app.send('general', 'job_offer', offer)
    await app.send('general', 'job_offer', offer, { as: 'ada' })
    expect((await heard.heard(2)).map(({ sender }) => sender)).toEqual(['system', 'ada'])
    expect(seen).toEqual([])
    await expect(app.send('general', 'job_offer', offer, { as: 'bob' })).rejects.toThrow('FORBIDDEN')
    await expect(app.send('general', 'job_offer', { jobId: 'j', rate: 0.5 })).rejects.toThrow('rate')
  })

  it('fails with UNKNOWN_TYPE where the server does not speak it, and holds up nothing', async () => {
    const server = await start({}, { extensions: [] })
    const ada = await member(server, 'ada')
    const sents = [ada.room.send('job_offer', offer), ada.client.room('general').send({ content: 'hello' })]
    expect(await Promise.all(sents.map(outcomeOf))).toEqual(['UNKNOWN_TYPE', 2])
    expect(await outcomeOf(ada.app.request('get_job', { jobId: 'j' }))).toBe('UNKNOWN_TYPE')
    expect(await outcomeOf(ada.room.signal('job_viewed', { jobId: 'j' }))).toBe('UNKNOWN_TYPE')
  })
})

describe('a signal', () => {
  it('is told to the others who follow the room, in order, and is kept nowhere', async () => {
    const server = await start()
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const heard = tape<unknown>()
    const own = tape<unknown>()
    bob.room.on('job_viewed', heard.add)
    ada.room.on('job_viewed', own.add)
    await Promise.all(['1', '2', '3'].map((jobId) => ada.room.signal('job_viewed', { jobId })))
    expect(await heard.heard(3)).toEqual(
      ['1', '2', '3'].map((jobId) => ({ payload: { jobId }, room: 'general', sender: 'ada' })),
    )
    expect(own.items).toEqual([])
    expect(await server.getRoomInfo('general')).toMatchObject({ head: 2 })
  })

  it('reaches nobody who may not read the room, and is taken from nobody who may not write in it', async () => {
    const server = await start()
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const eve = await connect(server, 'eve')
    const spying = extend(eve, jobs)
    const heard = tape<unknown>()
    spying.room('general').on('job_viewed', heard.add)
    spying.on('job_closed', heard.add)
    await expect(eve.room('secret').follow()).rejects.toThrow('FORBIDDEN')
    expect(await outcomeOf(spying.room('general').signal('job_viewed', { jobId: 'j' }))).toBe('FORBIDDEN')
    await ada.room.signal('job_viewed', { jobId: 'j' })
    server.extension(jobs).tell({ userId: 'eve' }, 'job_closed', { jobId: 'end' })
    expect(await heard.heard(1)).toMatchObject([{ payload: { jobId: 'end' } }])

    const put = tape<unknown>()
    bob.room.on('job_viewed', put.add)
    bob.app.on('job_closed', put.add)
    await server.rooms.removeMember('general', 'bob')
    await ada.room.signal('job_viewed', { jobId: 'after' })
    server.extension(jobs).tell({ room: 'general' }, 'job_closed', { jobId: 'after' })
    server.extension(jobs).tell({ userId: 'bob' }, 'job_closed', { jobId: 'end' })
    expect(await put.heard(1)).toMatchObject([{ payload: { jobId: 'end' } }])
    expect(await outcomeOf(bob.room.signal('job_viewed', { jobId: 'j' }))).toBe('FORBIDDEN')
  })

  it('of a muted member is refused, as is one that authorize forbids', async () => {
    const server = await start(
      {},
      { hooks: { authorize: ({ action, userId }) => action !== 'write' || userId !== 'bob' } },
    )
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    await server.rooms.mute('general', 'ada', 60_000)
    expect(await outcomeOf(ada.room.signal('job_viewed', { jobId: 'j' }))).toBe('MUTED')
    expect(await outcomeOf(bob.room.signal('job_viewed', { jobId: 'j' }))).toBe('FORBIDDEN')
  })

  it('can be refused, changed or kept back by its handler', async () => {
    const server = await start({
      job_viewed({ payload: { jobId }, userId }, app) {
        if (jobId === 'none') throw jobs.error('JOB_NOT_FOUND')
        if (jobId === 'busy') throw jobs.error('JOB_BUSY', undefined, 1_234)
        if (jobId === 'other') return { jobId: `${userId} saw it` }
        if (jobId !== 'mine') return undefined
        app.tell({ userId: 'bob' }, 'job_closed', { jobId: 'kept back' })
        return false
      },
    })
    const [ada, bob] = [await member(server, 'ada'), await member(server, 'bob')]
    const heard = tape<unknown>()
    bob.room.on('job_viewed', ({ payload }) => heard.add(payload.jobId))
    bob.app.on('job_closed', ({ payload }) => heard.add(payload.jobId))
    const view = (jobId: string) => ada.room.signal('job_viewed', { jobId })
    expect(await outcomeOf(view('none'))).toBe('REJECTED: JOB_NOT_FOUND')
    await expect(view('busy')).rejects.toMatchObject({
      applicationCode: 'JOB_BUSY',
      retryAfterMs: 1_234,
      retryable: true,
    })
    for (const jobId of ['as it is', 'other', 'mine']) await view(jobId)
    expect(await heard.heard(3)).toEqual(['as it is', 'ada saw it', 'kept back'])
  })

  it('is refused at once where there is no connection', async () => {
    const server = await start()
    const ada = await member(server, 'ada')
    await ada.client.disconnect()
    expect(await outcomeOf(ada.room.signal('job_viewed', { jobId: 'j' }))).toBe('DISCONNECTED')
  })
})

describe('a request', () => {
  it('is answered by its handler, or with its error', async () => {
    const server = await start({
      get_job({ payload: { jobId }, userId }) {
        if (jobId === 'none') throw jobs.error('JOB_NOT_FOUND')
        if (jobId === 'broken') throw new Error('a secret')
        return { title: `Painter for ${userId}` }
      },
    })
    const { app } = await member(server, 'ada')
    expect(await app.request('get_job', { jobId: 'j' })).toEqual({ title: 'Painter for ada' })
    const failed = await app.request('get_job', { jobId: 'none' }).catch((error: unknown) => error)
    expect(jobs.isError(failed, 'JOB_NOT_FOUND')).toBe(true)
    expect(failed).toMatchObject({ detail: 'There is no such job.' })
    expect(await outcomeOf(app.request('get_job', { jobId: 'broken' }))).toBe('UNAVAILABLE')
    expect(errors).toMatchObject([{ type: 'get_job', error: 'a secret' }])
    const wrong = { jobId: 1 } as unknown as { jobId: string }
    expect(await outcomeOf(app.request('get_job', wrong))).toBe('VALIDATION_ERROR')
  })

  it('that nobody answers fails in time, and its answer counts for nothing', async () => {
    let answer: (job: { title: string }) => void = () => {}
    const server = await start(
      { get_job: () => new Promise<{ title: string }>((resolve) => (answer = resolve)) },
      { hookTimeoutMs: 10 },
    )
    const { app } = await member(server, 'ada')
    expect(await outcomeOf(app.request('get_job', { jobId: 'j' }))).toBe('UNAVAILABLE')
    answer({ title: 'late' })
    expect(errors).toMatchObject([{ message: 'a handler gave no answer in time' }])
  })
})

describe('an event', () => {
  it('is told to a room, a user, or one session, and says whether anybody was there', async () => {
    const sessions: Record<string, string> = {}
    const server = await start({
      get_job({ payload: { jobId }, session }) {
        sessions[jobId] = session
        return { title: '' }
      },
    })
    const [one, two] = [await member(server, 'ada'), await member(server, 'ada', 'den')]
    const heard = { one: tape<unknown>(), two: tape<unknown>() }
    one.app.on('job_closed', heard.one.add)
    two.app.on('job_closed', heard.two.add)
    await one.app.request('get_job', { jobId: 'one' })
    await two.app.request('get_job', { jobId: 'two' })
    const app = server.extension(jobs)
    const tell = (to: Parameters<typeof app.tell>[0], jobId: string) => app.tell(to, 'job_closed', { jobId })
    expect(tell({ session: String(sessions['one']) }, 'session')).toBe(true)
    expect(tell({ room: 'den' }, 'room')).toBe(true)
    expect(tell({ userId: 'ada' }, 'user')).toBe(true)
    expect(await heard.one.heard(2)).toEqual([
      { payload: { jobId: 'session' } },
      { payload: { jobId: 'user' } },
    ])
    expect(await heard.two.heard(2)).toEqual([
      { payload: { jobId: 'room' }, room: 'den' },
      { payload: { jobId: 'user' } },
    ])
    expect(tell({ session: 'ada/nobody' }, '')).toBe(false)
    expect(tell({ userId: 'bob' }, '')).toBe(false)
    expect(tell({ room: 'nowhere' }, '')).toBe(false)
  })
})

describe('a session', () => {
  it('outlives its connections, and the application learns when they come and go', async () => {
    const told = tape<SessionEvent>()
    const asked: string[] = []
    const server = await start(
      {
        get_job({ session }) {
          asked.push(session)
          return { title: '' }
        },
      },
      { onSession: told.add },
    )
    const ada = await member(server, 'ada')
    await ada.app.request('get_job', { jobId: 'j' })
    server.disconnect('ada')
    await told.heard(3)
    await ada.app.request('get_job', { jobId: 'j' })
    expect(told.items.map(({ isConnected, userId }) => [isConnected, userId])).toEqual([
      [true, 'ada'],
      [false, 'ada'],
      [true, 'ada'],
    ])
    expect(new Set([...asked, ...told.items.map(({ session }) => session)]).size).toBe(1)
    expect(asked[0]).toMatch(/^ada\//)
  })

  it('is told of to each extension, also behind one that throws', async () => {
    const told = tape<boolean>()
    const protocols = ['one', 'two'].map((name) => defineProtocol({ name, messages: {} }))
    const server = await createServer({
      port: 0,
      auth: { verify: (token) => ({ userId: token }) },
      store: memory(),
      logger,
      extensions: protocols.map((protocol) =>
        handle(
          protocol,
          {},
          {
            onSession({ isConnected }) {
              if (protocol.name === 'one') throw new Error('on purpose')
              told.add(isConnected)
            },
          },
        ),
      ),
    })
    servers.push(server)
    await connect(server, 'ada')
    expect(await told.heard(1)).toEqual([true])
  })

  it('can be told something as soon as it is there, on each connection', async () => {
    const server = await start(
      {},
      {
        onSession({ session, isConnected }, app) {
          if (isConnected) app.tell({ session }, 'job_closed', { jobId: 'welcome' })
        },
      },
    )
    const client = createClient({ url: String(server.url), userId: 'ada', getToken: () => 'ada' })
    clients.push(client)
    const heard = tape<string>()
    extend(client, jobs).on('job_closed', ({ payload }) => heard.add(payload.jobId))
    await client.connect()
    await heard.heard(1)
    await client.disconnect()
    await client.connect()
    expect(await heard.heard(2)).toEqual(['welcome', 'welcome'])
  })
})

describe('what arrives and is not of its form', () => {
  it('is told as unknown, and what comes after it arrives', async () => {
    const strict = defineProtocol({
      name: 'jobs',
      messages: {
        job_offer: { kind: 'durable', payload: z.object({ jobId: z.string(), rate: z.int().min(10) }) },
        job_closed: { kind: 'event', payload: z.object({ jobId: z.string().min(2) }) },
      },
    })
    const server = await start()
    const ada = await connect(server, 'ada')
    await ada.room('general').join()
    const app = extend(ada, strict)
    const heard = tape<unknown>()
    app.on('unknown', ({ type, seq }) => heard.add([type, seq]))
    app.on('job_closed', ({ payload }) => heard.add(payload.jobId))
    app.room('general').on('job_offer', ({ payload, seq }) => heard.add([payload.rate, seq]))
    const speaker = server.extension(jobs)
    for (const rate of [5, 15]) await speaker.send('general', 'job_offer', { jobId: 'j', rate })
    for (const jobId of ['j', 'jj']) speaker.tell({ userId: 'ada' }, 'job_closed', { jobId })
    expect(await heard.heard(4)).toEqual([['job_offer', 2], [15, 3], ['job_closed', undefined], 'jj'])
  })
})
