// The application's hooks from end to end: real clients over real sockets against the real server on SQLite. Nothing
// waits for time to pass: hooks are held back and let go by the tests.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient, type Message, type Room, type Sent } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { history, versions } from '@tautline/client/history'
import { notifications } from '@tautline/client/notifications'
import { TautlineError } from '@tautline/protocol'
import {
  type ConnectionEvent,
  createServer,
  type Hooks,
  type Logger,
  type Server,
  type ServerOptions,
  type SubmittedMessage,
  sqlite,
} from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
let servers: Server[]
let clients: Client[]
/** What was logged as an error. */
let errors: object[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-hooks-'))
  servers = []
  clients = []
  errors = []
})

afterEach(async () => {
  for (const client of clients) await client.close()
  for (const server of servers) await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (fields, message) => void errors.push({ ...fields, message }),
}

async function start(hooks: Hooks, options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    limits: { messagesPerSecond: 100_000, messageBurst: 100_000 },
    logger,
    hooks,
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

function listen(room: Room) {
  const contents: string[] = []
  let wake = () => {}
  room.on('message', ({ content }: Message) => {
    contents.push(content)
    wake()
  })
  return {
    contents,
    async heard(content: string) {
      while (!contents.includes(content)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** What becomes of a message: its position or the code of its failure. */
async function outcomeOf(sent: Sent | Promise<unknown>): Promise<unknown> {
  try {
    const { seq } = (await sent) as { seq: number }
    return seq
  } catch (error) {
    return (error as TautlineError).code
  }
}

function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

describe('onMessage', () => {
  it('that refuses one of ten at once fails that one alone: the others arrive in order, once', async () => {
    const seen: string[] = []
    const server = await start({
      onMessage({ content }) {
        seen.push(content)
        if (content === '5') throw new TautlineError('VALIDATION_ERROR', 'no fives')
      },
    })
    const [alice, bob] = [await connect(server, 'alice'), await connect(server, 'bob')]
    const heard = listen(bob.room('general'))
    await alice.room('general').join()
    await bob.room('general').join()
    const ten = Array.from({ length: 10 }, (_, i) => String(i))
    const outcomes = await Promise.all(
      ten.map((content) => outcomeOf(alice.room('general').send({ content }))),
    )
    expect(outcomes).toEqual([3, 4, 5, 6, 7, 'VALIDATION_ERROR', 8, 9, 10, 11])
    expect(seen).toEqual(ten)
    await heard.heard('9')
    expect(heard.contents).toEqual(ten.filter((content) => content !== '5'))
    expect(errors).toEqual([])
  })

  it('tells in its own words why, as far as they go on the wire', async () => {
    const server = await start({
      onMessage({ content }) {
        throw new TautlineError(
          'FORBIDDEN',
          content === 'long' ? `\0${'\u{1F600}'.repeat(600)}` : 'no advertising here',
        )
      },
      authorize({ action }) {
        if (action === 'join') throw new TautlineError('FORBIDDEN', 'members of the club alone')
        return true
      },
    })
    const alice = await connect(server, 'alice')
    await expect(alice.room('club').join()).rejects.toMatchObject({ detail: 'members of the club alone' })
    await server.rooms.create({ id: 'general', visibility: 'public', owner: 'alice' })
    const said = ['buy', 'now', 'long'].map((content) => alice.room('general').send({ content }))
    await Promise.allSettled(said)
    expect(said.slice(0, 2).map(({ error }) => `${error?.code} ${error?.detail}`)).toEqual([
      'FORBIDDEN no advertising here',
      'FORBIDDEN no advertising here',
    ])
    const { detail = '' } = said[2]?.error ?? {}
    expect(detail.length).toBeGreaterThan(990)
    expect(detail.replaceAll('\u{1F600}', '').length).toBeLessThan(2)
  })

  it('that refuses for now makes the client wait and send again, in order, with all that followed', async () => {
    const seen: string[] = []
    const server = await start({
      onMessage({ content }) {
        seen.push(content)
        if (content === '2' && seen.filter((each) => each === '2').length === 1)
          throw new TautlineError('UNAVAILABLE', 'just a moment', 1)
      },
    })
    const alice = await connect(server, 'alice')
    const room = alice.room('general')
    await room.join()
    const sent = ['1', '2', '3'].map((content) => outcomeOf(room.send({ content })))
    expect(await Promise.all(sent)).toEqual([2, 3, 4])
    expect(seen).toEqual(['1', '2', '2', '3'])
  })

  it('may change what is said, and a client whose ack was lost is acknowledged after one call', async () => {
    const seen: SubmittedMessage[] = []
    const hook = gate()
    const called = gate()
    const server = await start({
      async onMessage(message) {
        seen.push(message)
        called.open()
        await hook.passed
        return { content: message.content.toUpperCase(), metadata: { checked: true } }
      },
    })
    const [alice, bob] = [await connect(server, 'alice'), await connect(server, 'bob')]
    const heard = listen(bob.room('general'))
    await alice.room('general').join()
    await bob.room('general').join()
    const outcome = outcomeOf(alice.room('general').send({ content: 'hello', metadata: { mood: 'good' } }))
    await called.passed
    // The connection goes while the hook runs: the ack has nowhere to go, and the client sends again.
    server.disconnect('alice')
    hook.open()
    expect(await outcome).toBe(3)
    await heard.heard('HELLO')
    expect(heard.contents).toEqual(['HELLO'])
    expect(seen).toMatchObject([
      { sender: 'alice', room: 'general', content: 'hello', metadata: { mood: 'good' } },
    ])
    const { messages } = await history(bob.room('general'))
    expect(messages.at(-1)).toMatchObject({ content: 'HELLO', metadata: { checked: true } })
  })

  it('is not called again for what was stored before the server ended', async () => {
    const seen: string[] = []
    const hooks: Hooks = {
      onMessage({ content }) {
        seen.push(content)
        return { content: `${content}!` }
      },
    }
    const first = await start(hooks)
    const message = { room: 'general', sender: 'alice', content: 'hello', messageId: 'the-message' }
    const alice = await connect(first, 'alice')
    await alice.room('general').join()
    await alice.room('general').send({ content: 'hello' })
    const stored = (await history(alice.room('general'))).messages.at(-1)
    await alice.close()
    await first.close()
    const second = await start(hooks)
    expect(seen).toEqual(['hello'])
    // The same row from the same sender: what a client with a kept outbox sends after the crash.
    const again = await second.send({ ...message, messageId: String(stored?.messageId) })
    expect(again.seq).toBe(2)
    expect(seen).toEqual(['hello'])
  })

  it('that is slow holds up neither other users nor other rooms', async () => {
    const slow = gate()
    const server = await start({ onMessage: ({ content }) => (content === 'slow' ? slow.passed : undefined) })
    const [alice, bob] = [await connect(server, 'alice'), await connect(server, 'bob')]
    for (const room of ['general', 'other']) {
      await alice.room(room).join()
      await bob.room(room).join()
    }
    const first = outcomeOf(alice.room('general').send({ content: 'slow' }))
    const next = outcomeOf(alice.room('general').send({ content: 'next' }))
    expect(await outcomeOf(alice.room('other').send({ content: 'quick' }))).toBe(3)
    expect(await outcomeOf(bob.room('general').send({ content: 'quick' }))).toBe(3)
    slow.open()
    expect(await Promise.all([first, next])).toEqual([4, 5])
  })

  it('cannot change the message by writing into what it was given', async () => {
    const server = await start({
      onMessage(message) {
        Object.assign(message, { content: 'changed' })
        Object.assign(message.metadata ?? {}, { mood: 'changed' })
      },
    })
    const alice = await connect(server, 'alice')
    await alice.room('general').join()
    await alice.room('general').send({ content: 'hello', metadata: { mood: 'good' } })
    const { messages } = await history(alice.room('general'))
    expect(messages.at(-1)).toMatchObject({ content: 'hello', metadata: { mood: 'good' } })
  })

  it('is not asked about what the application itself says', async () => {
    const seen: string[] = []
    const server = await start({
      onMessage: ({ content }) => void seen.push(content),
      authorize: () => false,
    })
    await server.rooms.create({ id: 'general', visibility: 'public', owner: 'alice' })
    await server.send({ room: 'general', sender: 'alice', content: 'hello' })
    expect(seen).toEqual([])
  })

  it('in the middle of a close is waited for, and what it let through is stored', async () => {
    const hook = gate()
    const called = gate()
    const server = await start({
      onMessage() {
        called.open()
        return hook.passed
      },
    })
    const alice = await connect(server, 'alice')
    await alice.room('general').join()
    const outcome = outcomeOf(alice.room('general').send({ content: 'just in time' }))
    await called.passed
    const closed = server.close()
    hook.open()
    expect(await outcome).toBe(2)
    await closed
  })
})

describe('authorize', () => {
  it('forbids what a member may do otherwise, on every path, as if there were no room', async () => {
    const forbidden = new Set<string>()
    const server = await start({ authorize: ({ action }) => !forbidden.has(action) })
    const [alice, bob] = [await connect(server, 'alice'), await connect(server, 'bob')]
    const room = await alice.rooms.create({ id: 'club', visibility: 'private' })
    await admin(room).invite('bob')
    const hello = room.send({ content: 'hello' })
    await hello
    for (const action of ['read', 'write', 'create', 'join', 'invite', 'remove']) forbidden.add(action)
    const theirs = bob.room('club')
    const refused = { name: 'TautlineError', code: 'FORBIDDEN' }
    await expect(theirs.accept()).rejects.toMatchObject(refused)
    await expect(history(room)).rejects.toMatchObject(refused)
    await expect(admin(room).members()).rejects.toMatchObject(refused)
    await expect(versions(room, hello)).rejects.toMatchObject(refused)
    await expect(admin(room).invite('carol')).rejects.toMatchObject(refused)
    await expect(admin(room).remove('bob')).rejects.toMatchObject(refused)
    await expect(alice.rooms.create({ id: 'other', visibility: 'private' })).rejects.toMatchObject(refused)
    await expect(alice.room('public').join()).rejects.toMatchObject(refused)
    expect(await outcomeOf(room.send({ content: 'x' }))).toBe('FORBIDDEN')
    forbidden.clear()
    await theirs.accept()
    expect(await outcomeOf(theirs.send({ content: 'there' }))).toBe(5)
    expect(errors).toEqual([])
  })

  it('keeps what was said last out of lists of rooms that one may not read', async () => {
    const isOpen = new Set(['open'])
    const server = await start({ authorize: ({ action, room }) => action !== 'read' || isOpen.has(room) })
    const alice = await connect(server, 'alice')
    for (const id of ['open', 'shut']) {
      isOpen.add(id)
      const room = await alice.rooms.create({ id, visibility: 'private' })
      await room.send({ content: `said in ${id}` })
    }
    isOpen.delete('shut')
    expect((await alice.rooms.list()).rooms.map(({ room, last }) => `${room}: ${last?.content}`)).toEqual([
      'open: said in open',
      'shut: undefined',
    ])
    expect((await admin(alice.room('shut')).info()).last).toBeUndefined()
  })

  it('that is slow about a room holds up nothing that it is not asked about', async () => {
    const asked = gate()
    const answer = gate()
    const server = await start({
      async authorize({ action }) {
        if (action !== 'read') return true
        asked.open()
        await answer.passed
        return true
      },
    })
    const alice = await connect(server, 'alice')
    const following = alice.room('slow').join()
    await asked.passed
    await server.notify('alice', { title: 'Hello' })
    await notifications(alice).loadOlder()
    expect(notifications(alice).getSnapshot().unread).toBe(1)
    answer.open()
    await following
  })

  it('never allows what the room does not, and is told who asks for what', async () => {
    const asked: unknown[] = []
    const server = await start({
      authorize(request) {
        asked.push(request)
        return true
      },
    })
    const [alice, eve] = [await connect(server, 'alice'), await connect(server, 'eve')]
    await alice.rooms.create({ id: 'club', visibility: 'private' })
    asked.length = 0
    for (const attempt of [
      eve.room('club').follow(),
      eve.room('club').accept(),
      admin(eve.room('club')).invite('eve'),
    ])
      await expect(attempt).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(asked).toContainEqual({ action: 'read', userId: 'eve', room: 'club' })
    expect(asked).toContainEqual({ action: 'join', userId: 'eve', room: 'club' })
    expect(asked).toContainEqual({ action: 'invite', userId: 'eve', room: 'club', target: 'eve' })
  })
})

describe('onConnect and onDisconnect', () => {
  it('tell of each connection once, with the id that the client knows, and why it was closed', async () => {
    const events: string[] = []
    const told = gate()
    const note = (what: string) => (event: ConnectionEvent & { code?: string | undefined }) => {
      events.push(`${what} ${event.connection} ${event.userId} ${event.code ?? ''}`.trim())
      if (what === 'gone' && events.length === 4) told.open()
    }
    const server = await start({ onConnect: note('here'), onDisconnect: note('gone') })
    const ids: string[] = []
    const alice = createClient({ url: String(server.url), userId: 'alice', getToken: () => 'alice' })
    clients.push(alice)
    await alice.connect()
    ids.push(events[0]?.split(' ')[1] ?? '')
    await alice.close()
    const bob = await connect(server, 'bob')
    ids.push(events.find((event) => event.includes('bob'))?.split(' ')[1] ?? '')
    await server.close()
    await bob.close()
    await told.passed
    expect(events.sort()).toEqual(
      [
        `here ${ids[0]} alice`,
        `gone ${ids[0]} alice`,
        `here ${ids[1]} bob`,
        `gone ${ids[1]} bob RESTART`,
      ].sort(),
    )
    expect(ids[0]).toMatch(/^[\w-]+-1$/)
  })

  it('that throw are logged, and do nothing else', async () => {
    const server = await start({
      onConnect: () => {
        throw new Error('no')
      },
      onDisconnect: async () => {
        throw new Error('no')
      },
    })
    const alice = await connect(server, 'alice')
    await alice.room('general').join()
    await alice.close()
    await server.close()
    expect(errors).toMatchObject([{ hook: 'onConnect' }, { hook: 'onDisconnect' }])
  })
})
