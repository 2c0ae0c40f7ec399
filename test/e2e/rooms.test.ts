// Rooms from end to end: real clients over real sockets against the real server on SQLite. Nothing waits for time to
// pass: what must come is awaited, and that nothing came is looked at after a later answer on the same connection.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Client,
  type ClientEvents,
  createClient,
  type Message,
  type Readable,
  type Room,
  type Sent,
} from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { history } from '@tautline/client/history'
import { readMessages } from '@tautline/client/messages'
import { createServer, type Server, sqlite } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
let server: Server
let clients: Client[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-rooms-'))
  clients = []
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    limits: { messagesPerSecond: 100_000, messageBurst: 100_000 },
    logger: false,
  })
})

afterEach(async () => {
  for (const client of clients) await client.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function connect(userId: string): Promise<Client> {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  await client.connect()
  return client
}

/** The next event of this name. */
function next<E extends keyof ClientEvents>(client: Client, event: E): Promise<ClientEvents[E][0]> {
  return new Promise((resolve) => {
    client.once(event, (...args) => resolve(args[0]))
  })
}

/** Resolves once the snapshot is so. */
function until<T>(readable: Readable<T>, isSo: (snapshot: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = readable.subscribe(look)
    function look() {
      if (!isSo(readable.getSnapshot())) return
      stop()
      resolve()
    }
    look()
  })
}

/** The contents that the room has brought since, in order, and a wait for a certain one. */
function listen(room: Room) {
  const contents: string[] = []
  const waiting = new Map<string, () => void>()
  room.on('message', ({ content }: Message) => {
    contents.push(content)
    waiting.get(content)?.()
  })
  return {
    contents,
    heard: (content: string) =>
      new Promise<void>((resolve) => {
        if (contents.includes(content)) resolve()
        else waiting.set(content, resolve)
      }),
  }
}

/** What becomes of a message: `expect` wants a whole promise. */
async function settled(sent: Sent) {
  return sent
}

const FORBIDDEN = { name: 'TautlineError', code: 'FORBIDDEN' }

/** alice's private room `club`, with two messages, and bob in it as a member. */
async function club() {
  const [alice, bob] = [await connect('alice'), await connect('bob')]
  const room = await alice.rooms.create({ id: 'club', visibility: 'private', name: 'The club' })
  await room.send({ content: 'before' })
  const invited = next(bob, 'invited')
  await admin(room).invite('bob')
  await invited
  await bob.room('club').accept()
  return { alice, bob, room }
}

describe('a private room', () => {
  it('is not there for a stranger, on any path', async () => {
    const alice = await connect('alice')
    const eve = await connect('eve')
    const room = await alice.rooms.create({ id: 'club', visibility: 'private', name: 'The club' })
    await room.send({ content: 'secret' })
    for (const id of ['club', 'no-such-room']) {
      const strange = eve.room(id)
      await expect(strange.follow()).rejects.toMatchObject(FORBIDDEN)
      await expect(strange.accept()).rejects.toMatchObject(FORBIDDEN)
      await expect(history(strange)).rejects.toMatchObject(FORBIDDEN)
      await expect(readMessages(strange, { after: 0 }).next()).rejects.toMatchObject(FORBIDDEN)
      await expect(admin(strange).members()).rejects.toMatchObject(FORBIDDEN)
      await expect(strange.markRead(1)).rejects.toMatchObject(FORBIDDEN)
      await expect(admin(strange).invite('eve')).rejects.toMatchObject(FORBIDDEN)
      await expect(admin(strange).remove('alice')).rejects.toMatchObject(FORBIDDEN)
      await expect(settled(strange.send({ content: 'let me in' }))).rejects.toMatchObject(FORBIDDEN)
    }
    await expect(eve.room('club').join()).rejects.toMatchObject(FORBIDDEN)
    await expect(eve.rooms.create({ id: 'club', visibility: 'private' })).rejects.toMatchObject(FORBIDDEN)
    expect(await eve.rooms.list()).toEqual({ rooms: [], hasMore: false })
    expect(await eve.rooms.list({ which: 'public' })).toEqual({ rooms: [], hasMore: false })
    expect((await admin(room).members()).members.map(({ userId }) => userId)).toEqual(['alice'])
  })

  it('lets in who was invited, who reads from there on', async () => {
    const [alice, bob] = [await connect('alice'), await connect('bob')]
    const room = await alice.rooms.create({ id: 'club', visibility: 'private', name: 'The club' })
    await room.send({ content: 'before' })
    const invited = next(bob, 'invited')
    await admin(room).invite('bob')
    expect(await invited).toMatchObject({ room: 'club', role: 'member', by: 'alice' })
    const admitted = next(bob, 'admitted')
    const hall = bob.room('club')
    const { heard, contents } = listen(hall)
    await hall.accept()
    expect(await admitted).toMatchObject({ room: 'club', role: 'member', by: 'bob' })
    await room.send({ content: 'after' })
    await heard('after')
    expect(contents).toEqual(['after'])
    const { messages, hasOlder } = await history(hall)
    expect([messages.map(({ content }) => content), hasOlder]).toEqual([['after'], false])
    expect(await admin(hall).members({ limit: 1 })).toMatchObject({
      members: [{ userId: 'alice' }],
      hasMore: true,
    })
    expect(await admin(hall).members({ after: 'alice' })).toMatchObject({
      members: [{ userId: 'bob' }],
      hasMore: false,
    })
    expect((await admin(hall).members()).members.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'alice owner',
      'bob member',
    ])
    expect(await bob.rooms.list()).toEqual({
      rooms: [
        {
          room: 'club',
          visibility: 'private',
          name: 'The club',
          memberCount: 2,
          head: 5,
          rights: ['write'],
          role: 'member',
          read: 0,
          unread: 1,
          last: expect.objectContaining({ seq: 5, sender: 'alice', content: 'after' }),
        },
      ],
      hasMore: false,
    })
  })

  it('tells who was away of their invitation when they come back', async () => {
    const [alice, bob] = [await connect('alice'), await connect('bob')]
    const room = await alice.rooms.create({ id: 'club', visibility: 'private' })
    await bob.disconnect()
    const invited = next(bob, 'invited')
    await admin(room).invite('bob')
    await bob.connect()
    expect(await invited).toMatchObject({ room: 'club' })
    await bob.room('club').accept()
  })

  it('is closed to who was removed, in the midst of it, for good', async () => {
    const { alice, bob, room } = await club()
    const hall = bob.room('club')
    const { contents } = listen(hall)
    const left = new Promise((resolve) => {
      hall.once('left', resolve)
    })
    const removed = next(bob, 'removed')
    const sent = ['one', 'two'].map((content) => room.send({ content }))
    await Promise.all(sent)
    await admin(room).remove('bob')
    await room.send({ content: 'behind your back' })
    expect(await left).toBe('removed')
    expect(await removed).toMatchObject({ room: 'club', reason: 'removed', by: 'alice' })
    expect(await bob.rooms.list()).toEqual({ rooms: [], hasMore: false })
    await expect(history(hall)).rejects.toMatchObject(FORBIDDEN)
    await expect(settled(hall.send({ content: 'hello?' }))).rejects.toMatchObject(FORBIDDEN)
    await expect(hall.follow()).rejects.toMatchObject(FORBIDDEN)
    await expect(hall.accept()).rejects.toMatchObject(FORBIDDEN)
    expect(contents).toEqual(['one', 'two'])
    expect((await admin(alice.room('club')).members()).members.map(({ userId }) => userId)).toEqual(['alice'])

    // Who is let in again reads from there on, and nothing of the time between.
    await admin(room).invite('bob')
    await hall.accept()
    await room.send({ content: 'welcome back' })
    const { messages } = await history(hall)
    expect(messages.map(({ content }) => content)).toEqual(['welcome back'])
  })

  it('lets its members leave, and its moderators invite', async () => {
    const { bob, room } = await club()
    const carol = await connect('carol')
    await expect(admin(bob.room('club')).invite('carol')).rejects.toMatchObject(FORBIDDEN)
    await bob.room('club').leave()
    await admin(room).invite('bob', { role: 'moderator' })
    await bob.room('club').accept()
    await admin(bob.room('club')).invite('carol')
    await carol.room('club').accept()
    await expect(admin(carol.room('club')).remove('bob')).rejects.toMatchObject(FORBIDDEN)
    await admin(bob.room('club')).remove('carol')
    expect((await admin(room).members()).members.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'alice owner',
      'bob moderator',
    ])
  })
})

describe('a direct room', () => {
  it('is there for both at once, and works both ways', async () => {
    const [alice, bob] = [await connect('alice'), await connect('bob')]
    const hers = alice.directRoom('bob')
    expect(bob.directRoom('alice').id).toBe(hers.id)
    const admitted = next(bob, 'admitted')
    const sent = hers.send({ content: 'hello bob' })
    expect((await sent).seq).toBe(1)
    expect(await admitted).toMatchObject({ room: hers.id, by: 'alice' })

    const his = bob.directRoom('alice')
    const [toAlice, toBob] = [listen(hers), listen(his)]
    await Promise.all([hers.follow(), his.follow()])
    his.send({ content: 'hello alice' })
    hers.send({ content: 'how are you?' })
    await Promise.all([toAlice.heard('how are you?'), toAlice.heard('hello alice')])
    await Promise.all([toBob.heard('how are you?'), toBob.heard('hello alice')])
    expect(toBob.contents).toEqual(toAlice.contents)
    expect((await history(his)).messages.map(({ content }) => content)).toEqual([
      'hello bob',
      ...toBob.contents,
    ])
    expect((await admin(his).members()).members.map(({ userId }) => userId)).toEqual(['alice', 'bob'])
    expect((await bob.rooms.list()).rooms).toMatchObject([
      { room: hers.id, visibility: 'direct', memberCount: 2 },
    ])
  })

  it('can be followed before anything was said', async () => {
    const [alice, bob] = [await connect('alice'), await connect('bob')]
    const his = bob.directRoom('alice')
    const { contents, heard } = listen(his)
    await his.follow()
    expect(await history(his)).toMatchObject({ messages: [], hasOlder: false })
    expect((await bob.rooms.list()).rooms).toEqual([])
    alice.directRoom('bob').send({ content: 'there you are' })
    await heard('there you are')
    expect(contents).toEqual(['there you are'])
    expect(his.getSnapshot().unread).toBe(1)
  })

  it('is nobody else’s, and cannot be joined, left or opened', async () => {
    const [alice, bob, eve] = [await connect('alice'), await connect('bob'), await connect('eve')]
    const room = alice.directRoom('bob')
    await room.send({ content: 'between us' })
    const strange = eve.room(room.id)
    await expect(strange.follow()).rejects.toMatchObject(FORBIDDEN)
    await expect(strange.join()).rejects.toMatchObject(FORBIDDEN)
    await expect(history(strange)).rejects.toMatchObject(FORBIDDEN)
    await expect(settled(strange.send({ content: 'me too' }))).rejects.toMatchObject(FORBIDDEN)
    await expect(room.leave()).rejects.toMatchObject(FORBIDDEN)
    await expect(admin(room).invite('eve')).rejects.toMatchObject(FORBIDDEN)
    await expect(admin(bob.room(room.id)).remove('alice')).rejects.toMatchObject(FORBIDDEN)
    expect(() => alice.directRoom('alice')).toThrow('VALIDATION_ERROR')
    expect(() => alice.room('~bob~alice')).toThrow('VALIDATION_ERROR')
  })
})

describe('the own log of a user', () => {
  it('is read by that user alone, and written by nobody', async () => {
    const [alice, eve] = [await connect('alice'), await connect('eve')]
    await alice.rooms.create({ id: 'club', visibility: 'private' })
    await expect(eve.room('~alice').follow()).rejects.toMatchObject(FORBIDDEN)
    await expect(history(eve.room('~alice'))).rejects.toMatchObject(FORBIDDEN)
    for (const client of [alice, eve])
      await expect(settled(client.room('~alice').send({ content: 'you are invited' }))).rejects.toMatchObject(
        FORBIDDEN,
      )
  })
})

describe('unread messages', () => {
  it('are counted alike on two devices, whichever of them reads or speaks', async () => {
    const { alice, bob, room } = await club()
    const tablet = await connect('bob')
    const [onPhone, onTablet] = [bob.room('club'), tablet.room('club')]
    await onTablet.follow()
    const both = async (count: number) => {
      await until(onPhone, ({ unread }) => unread === count)
      await until(onTablet, ({ unread }) => unread === count)
      expect((await bob.rooms.list()).rooms).toMatchObject([{ room: 'club', unread: count }])
    }
    await both(0)
    const positions: number[] = []
    for (const content of ['one', 'two', 'three']) positions.push((await room.send({ content })).seq)
    await both(3)
    await onTablet.markRead(Number(positions[1]))
    await both(1)
    await room.send({ content: 'four' })
    await both(2)
    await onPhone.send({ content: 'I am here' })
    await both(0)
    await until(onTablet, ({ read }) => read.get('bob') === Number(positions[2]) + 2)
    await room.send({ content: 'five' })
    await both(1)
    expect((await alice.rooms.list()).rooms).toMatchObject([{ room: 'club', unread: 0 }])
  })

  it('are told to devices that do not follow the room', async () => {
    const { bob, room } = await club()
    const watch = await connect('bob')
    const { seq } = await room.send({ content: 'one' })
    const read = next(watch, 'unread')
    await bob.room('club').markRead(seq)
    expect(await read).toEqual({ room: 'club', read: seq, unread: 0 })
    const spoken = next(watch, 'unread')
    const own = await bob.room('club').send({ content: 'two' })
    expect(await spoken).toEqual({ room: 'club', read: own.seq, unread: 0 })
  })

  it('are known again after the connection was lost', async () => {
    const { bob, room } = await club()
    await room.send({ content: 'one' })
    await until(bob.room('club'), ({ unread }) => unread === 1)
    await bob.disconnect()
    for (const content of ['two', 'three']) await room.send({ content })
    await bob.connect()
    await until(bob.room('club'), ({ unread }) => unread === 3)
    expect((await bob.rooms.list()).rooms).toMatchObject([{ unread: 3 }])
  })
})

describe('the list of rooms', () => {
  it('says what was said last, as it stands, and how much is unread', async () => {
    const { alice, bob, room } = await club()
    const sent = room.send({ content: 'a first word' })
    await sent
    await alice.directRoom('bob').send({ kind: 'encrypted', content: 'c2VjcmV0', keyId: 'key-1' })
    const lists = async (client: Client) =>
      (await client.rooms.list()).rooms.map(({ room: id, unread, last }) => ({ id, unread, last }))
    const place = { sender: 'alice', timestamp: expect.any(Number), messageId: expect.any(String) }
    expect(await lists(bob)).toEqual([
      { id: 'club', unread: 1, last: { ...place, seq: 5, kind: 'text', content: 'a first word' } },
      { id: '~alice~bob', unread: 1, last: { ...place, seq: 1, kind: 'encrypted', content: '' } },
    ])
    await room.edit(sent, { content: 'a better word' })
    expect(await admin(bob.room('club')).info()).toMatchObject({
      last: { seq: 5, content: 'a better word', editedAt: expect.any(Number) },
    })
    await room.delete(sent)
    expect((await lists(bob))[0]?.last).toEqual({ ...place, seq: 5, kind: 'deleted', content: '' })
    const carol = await connect('carol')
    await alice.rooms.create({ id: 'open', visibility: 'public' })
    await alice.room('open').send({ content: 'for members' })
    const { rooms } = await carol.rooms.list({ which: 'public' })
    expect(rooms).toEqual([{ room: 'open', visibility: 'public', memberCount: 1, head: 2 }])
  })
})

describe('lists and history', () => {
  it('go through many rooms in pages', async () => {
    const alice = await connect('alice')
    const ids = Array.from({ length: 23 }, (_, i) => `room-${String(i).padStart(2, '0')}`)
    for (const id of ids) await alice.rooms.create({ id, visibility: 'public', topic: `All of ${id}` })
    const found: string[] = []
    for (let after: string | undefined; ; after = found.at(-1)) {
      const { rooms, hasMore } = await alice.rooms.list({ which: 'public', after, limit: 10 })
      found.push(...rooms.map(({ room }) => room))
      if (!hasMore) break
    }
    expect(found).toEqual(ids)
  })

  it('go back through 2,000 messages to the first', async () => {
    const alice = await connect('alice')
    const room = await alice.rooms.create({ id: 'archive', visibility: 'public' })
    const contents = Array.from({ length: 2_000 }, (_, i) => `message ${i}`)
    for (let i = 0; i < contents.length; i += 500) {
      const part = contents.slice(i, i + 500).map((content) => room.send({ content }))
      await Promise.all(part)
    }
    const reader = await connect('bob')
    await reader.room('archive').join()
    const pages: string[][] = []
    for (let before: number | undefined; ; ) {
      const { messages, hasOlder, oldestSeq } = await history(reader.room('archive'), { before, limit: 100 })
      pages.unshift(messages.map(({ content }) => content))
      if (!hasOlder) break
      before = oldestSeq
    }
    expect(pages.flat()).toEqual(contents)
    expect(pages.length).toBeGreaterThanOrEqual(21)

    const onwards: string[] = []
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await history(reader.room('archive'), { after, limit: 100 })
      onwards.push(...page.messages.map(({ content }) => content))
      after = page.hasNewer ? page.newestSeq : undefined
    }
    expect(onwards).toEqual(contents)
  })
})
