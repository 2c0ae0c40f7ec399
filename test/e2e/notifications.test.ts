// Notifications from end to end: real clients with several devices against the real server, joined in memory.

import type { Client, Readable } from '@tautline/client'
import { type Notification, type Notifications, notifications } from '@tautline/client/notifications'
import { directRoomId } from '@tautline/protocol'
import {
  createServer,
  memory,
  type PushNotification,
  type Server,
  type ServerOptions,
} from '@tautline/server'
import { afterEach, expect, it } from 'vitest'
import { localClients } from '../support/local-server.ts'

let closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function start(options: Partial<ServerOptions> = {}) {
  const server = await createServer({
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
    presenceGraceMs: 0,
    ...options,
  })
  const local = localClients(server)
  closing.push(async () => {
    await local.close()
    await server.close()
  })
  return { server, ...local }
}

/** Resolves when the snapshot is so. */
function until<T>(readable: Readable<T>, isSo: (snapshot: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const stop = readable.subscribe(look)
    function look() {
      const snapshot = readable.getSnapshot()
      if (!isSo(snapshot)) return
      stop()
      resolve(snapshot)
    }
    look()
  })
}

const loaded = (list: Notifications) => until(list, ({ isLoaded }) => isLoaded)

/** Each as its position, in brackets where it is read. */
const shown = (list: Notifications) =>
  list.getSnapshot().items.map(({ seq, isRead }) => (isRead ? `(${seq})` : String(seq)))

const tell = async (server: Server, count: number, userId = 'alice') => {
  for (let n = 1; n <= count; n++) await server.notify(userId, { title: `number ${n}` })
}

async function device(client: Client) {
  await client.connect()
  const list = notifications(client)
  await loaded(list)
  const events: Notification[] = []
  list.on('notification', (one) => events.push(one))
  return { client, list, events }
}

it('what names, answers or concerns the user is listed and counted, live and once', async () => {
  const { server, client } = await start()
  await server.rooms.create({ id: 'club', visibility: 'public', owner: 'bob' })
  await server.rooms.addMember('club', 'alice')
  const { list, events } = await device(client('alice'))
  expect(list.getSnapshot()).toMatchObject({ unread: 1, hasOlder: false, items: [{ type: 'admission' }] })
  const [first] = list.getSnapshot().items

  const bob = client('bob')
  await bob.connect()
  const sent = bob.room('club').send({ content: 'hello', mentions: ['alice', 'bob'] })
  await sent
  await server.rooms.setRole('club', 'alice', 'moderator')
  await server.notify('alice', { title: 'Dinner', room: 'club', alert: { priority: 'low', sound: 'gong' } })
  await until(list, ({ unread }) => unread === 4)
  expect(list.getSnapshot().items).toMatchObject([
    {
      seq: 4,
      type: 'notice',
      sender: 'system',
      room: 'club',
      alert: { priority: 'low', sound: 'gong' },
      payload: { title: 'Dinner' },
    },
    { seq: 3, type: 'appointment', sender: 'system', alert: { priority: 'normal' } },
    {
      seq: 2,
      type: 'mention',
      sender: 'bob',
      room: 'club',
      message: { sender: 'bob', messageId: sent.messageId },
      alert: { priority: 'high' },
      isRead: false,
    },
    { seq: 1 },
  ])
  expect(list.getSnapshot().items[3]).toBe(first)
  expect(events.map(({ seq }) => seq)).toEqual([2, 3, 4])
  // Who did it oneself is not told.
  const { list: his } = await device(client('bob'))
  expect(his.getSnapshot()).toMatchObject({ unread: 0, items: [] })
})

it('what one device reads or clears, the others hear', async () => {
  const { server, client } = await start()
  await tell(server, 4)
  const [one, two] = [await device(client('alice')), await device(client('alice'))]
  await one.list.read([1, 3, 99])
  expect(shown(one.list)).toEqual(['4', '(3)', '2', '(1)'])
  await until(two.list, ({ unread }) => unread === 2)
  expect(shown(two.list)).toEqual(shown(one.list))
  await two.list.clear([3, 4])
  await until(one.list, ({ items }) => items.length === 2)
  expect(one.list.getSnapshot().unread).toBe(1)
  // Again, and what is cleared: nothing comes back.
  await one.list.read([4])
  await one.list.clear([3])
  await one.list.readAll()
  expect(shown(one.list)).toEqual(['(2)', '(1)'])
  await until(two.list, ({ unread }) => unread === 0)
  await two.list.clearAll()
  await until(one.list, ({ items }) => items.length === 0)
  expect(await device(client('alice')).then(({ list }) => list.getSnapshot())).toEqual({
    items: [],
    unread: 0,
    hasOlder: false,
    isLoaded: true,
  })
})

it('what arrives while all is read or cleared stays', async () => {
  const { server, client, hold, release } = await start()
  await tell(server, 2)
  const { list } = await device(client('alice'))
  for (const [mark, before] of [
    ['readAll', ['3', '(2)', '(1)']],
    ['clearAll', ['4']],
  ] as const) {
    hold()
    // It is in the log, and not heard of yet.
    await server.notify('alice', { title: 'late' })
    const marked = list[mark]()
    release()
    await marked
    expect(shown(list)).toEqual(before)
    expect(list.getSnapshot().unread).toBe(1)
  }
})

it('a mention while one was away comes once, and what another device did meanwhile is seen', async () => {
  const { server, client } = await start()
  await tell(server, 3)
  const [one, two] = [await device(client('alice')), await device(client('alice'))]
  await one.client.disconnect()
  await tell(server, 1)
  await two.list.read([1])
  await two.list.clear([2])
  await one.client.connect()
  await until(one.list, ({ items }) => items.length === 3 && items[2]?.isRead === true)
  expect(shown(one.list)).toEqual(['4', '3', '(1)'])
  expect(one.list.getSnapshot().unread).toBe(2)
  expect(one.events.map(({ seq }) => seq)).toEqual([4])
  // A new load of the page knows the same, and tells of nothing that is old.
  const again = await device(client('alice'))
  expect(shown(again.list)).toEqual(shown(one.list))
  expect(again.events).toEqual([])
})

it('after too long a time away the list is loaded anew', async () => {
  const { server, client } = await start({ maxReplayEntries: 3 })
  await tell(server, 2)
  const one = await device(client('alice'))
  await one.client.disconnect()
  await tell(server, 150)
  let missed = 0
  one.client.on('missed', () => missed++)
  await one.client.connect()
  await until(one.list, ({ unread }) => unread === 152)
  expect(missed).toBe(1)
  expect(one.list.getSnapshot().hasOlder).toBe(true)
  while (one.list.getSnapshot().hasOlder) await one.list.loadOlder()
  expect(shown(one.list)).toEqual(Array.from({ length: 152 }, (_, i) => String(152 - i)))
  await tell(server, 1)
  await until(one.list, ({ unread }) => unread === 153)
  expect(one.events.at(-1)?.seq).toBe(153)
})

it('older ones come page by page, up to the first', async () => {
  const { server, client } = await start()
  await tell(server, 120)
  const { list } = await device(client('alice'))
  expect(list.getSnapshot()).toMatchObject({ unread: 120, hasOlder: true })
  expect(list.getSnapshot().items).toHaveLength(50)
  // Both wait for each other, and none is loaded twice.
  await Promise.all([list.loadOlder(), list.loadOlder()])
  expect(list.getSnapshot().hasOlder).toBe(false)
  expect(shown(list)).toEqual(Array.from({ length: 120 }, (_, i) => String(120 - i)))
  await list.loadOlder()
  await list.read(list.getSnapshot().items.map(({ seq }) => seq))
  expect(list.getSnapshot().unread).toBe(0)
})

it('of a room in which somebody wants to hear nothing, nothing that is said is told', async () => {
  const { server, client } = await start()
  await server.rooms.create({ id: 'club', visibility: 'public', owner: 'bob' })
  await server.rooms.addMember('club', 'alice')
  const [one, two] = [await device(client('alice')), await device(client('alice'))]
  await one.list.clearAll()
  const [settings, others] = [one.list.settings('club'), two.list.settings('club')]
  expect(one.list.settings('club')).toBe(settings)
  expect(settings.getSnapshot()).toEqual({ level: 'mentions', silencedUntil: undefined, isLoaded: false })
  const changes: string[] = []
  others.subscribe(() => changes.push(others.getSnapshot().level))
  await until(others, ({ isLoaded }) => isLoaded)

  await settings.set('none')
  await until(others, ({ level }) => level === 'none')
  const bob = client('bob')
  await bob.connect()
  await bob.room('club').send({ content: '1', mentions: ['alice'] })
  await settings.set('mentions')
  const before = Date.now()
  await settings.silence(60_000)
  expect(settings.getSnapshot().silencedUntil).toBeGreaterThanOrEqual(before + 60_000)
  await bob.room('club').send({ content: '2', mentions: ['alice'] })
  await settings.silence(0)
  await bob.room('club').send({ content: '3', mentions: ['alice'] })
  await until(one.list, ({ unread }) => unread === 1)
  expect(one.events).toMatchObject([{ type: 'mention', message: { seq: 5 } }])
  expect(changes).toEqual(['mentions', 'none', 'mentions', 'mentions', 'mentions'])
  // A new load of the page finds it, and who is no member sets nothing.
  await settings.set('all')
  const three = (await device(client('alice'))).list.settings('club')
  three.subscribe(() => {})
  await until(three, ({ level, isLoaded }) => isLoaded && level === 'all')
  const eve = await device(client('eve'))
  await expect(eve.list.settings('club').set('none')).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

it('who is away is told by a push, with what was said and how many are unread', async () => {
  const pushed: PushNotification[] = []
  let onPush = () => {}
  const { server, client } = await start({
    hooks: {
      onMessage: ({ content }) =>
        content.startsWith('!') ? { alert: { priority: 'high', sound: 'horn' } } : {},
      onNotification(notification) {
        pushed.push(notification)
        onPush()
      },
    },
  })
  const next = (count: number) =>
    new Promise<void>((resolve) => {
      onPush = () => pushed.length >= count && resolve()
      onPush()
    })
  await server.rooms.create({ id: 'club', visibility: 'public', owner: 'bob' })
  await server.rooms.addMember('club', 'alice')
  await server.rooms.addMember('club', 'carol')
  await next(2)
  pushed.length = 0

  // carol is there: she hears of it by her connection alone.
  const carol = await device(client('carol'))
  const { client: alice, list } = await device(client('alice'))
  await list.settings('club').set('all')
  await list.readAll()
  await alice.disconnect()
  const bob = client('bob')
  await bob.connect()
  const mention = bob.room('club').send({ content: '!fire', mentions: ['alice', 'carol'] })
  await mention
  await bob.room('club').send({ content: 'never mind' })
  await next(2)
  await until(carol.list, ({ unread }) => unread === 2)
  expect(pushed.sort((a, b) => a.timestamp - b.timestamp || (b.seq ?? 0) - (a.seq ?? 0))).toEqual([
    {
      userId: 'alice',
      type: 'mention',
      id: expect.stringMatching(/^[\w-]+$/),
      seq: 2,
      room: 'club',
      sender: 'bob',
      timestamp: expect.any(Number),
      alert: { priority: 'high', sound: 'horn', badge: 1 },
      payload: expect.objectContaining({ room: 'club', alert: { priority: 'high', sound: 'horn' } }),
      message: {
        seq: 4,
        sender: 'bob',
        messageId: mention.messageId,
        payload: { content: '!fire', mentions: ['alice', 'carol'] },
      },
    },
    {
      userId: 'alice',
      type: 'message',
      id: expect.stringMatching(/^[\w-]+$/),
      seq: undefined,
      room: 'club',
      sender: 'bob',
      timestamp: expect.any(Number),
      alert: { priority: 'normal', badge: 1 },
      payload: undefined,
      message: expect.objectContaining({ seq: 5, payload: { content: 'never mind' } }),
    },
  ])
})

it('a push about what was said in a room is for nobody who may not read it any more', async () => {
  const pushed: string[] = []
  const isKept = new Set<string>()
  let onPush = () => {}
  const { server, client } = await start({
    hooks: {
      authorize: ({ action, userId }) => action !== 'read' || !isKept.has(userId),
      onNotification({ userId, type }) {
        pushed.push(`${userId} ${type}`)
        onPush()
      },
    },
  })
  await server.rooms.create({ id: 'club', visibility: 'public', owner: 'bob' })
  await server.rooms.addMember('club', 'alice')
  isKept.add('alice')
  const bob = client('bob')
  await bob.connect()
  await bob.room('club').send({ content: 'fire', mentions: ['alice'] })
  await bob.room(directRoomId('alice', 'bob')).send({ content: 'never mind' })
  const told = new Promise<void>((resolve) => {
    onPush = () => void (pushed.includes('alice notice') && resolve())
  })
  await server.notify('alice', { title: 'something else' })
  await told
  expect(pushed.toSorted()).toEqual(['alice admission', 'alice notice'])
})

it('one object stands for a client until it is closed, and hears nothing afterwards', async () => {
  const { server, client } = await start()
  const { client: alice, list, events } = await device(client('alice'))
  expect(notifications(alice)).toBe(list)
  list.close()
  const other = notifications(alice)
  expect(other).not.toBe(list)
  await loaded(other)
  await tell(server, 1)
  await until(other, ({ unread }) => unread === 1)
  expect([list.getSnapshot().unread, events.length]).toEqual([0, 0])
})
