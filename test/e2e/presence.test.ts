// Presence and receipts from end to end: real clients over real sockets against the real server on SQLite. What must come
// is awaited; that nothing came is looked at after a later answer on the same connection.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient, type Readable } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import {
  type ActivityEvent,
  type PresenceOptions,
  presence,
  type WatchSnapshot,
} from '@tautline/client/presence'
import { createServer, type Hooks, type Server, sqlite, TautlineError } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
let server: Server
let clients: Client[]

async function start(hooks?: Hooks, presenceGraceMs = 100): Promise<void> {
  const store = sqlite(join(folder, 'chat.db'))
  const auth = { verify: (token: string) => ({ userId: token }) }
  server = await createServer({ port: 0, auth, store, presenceGraceMs, hooks, logger: false })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-presence-'))
  clients = []
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

/** A member of `general`, who follows it. */
async function enter(userId: string): Promise<Client> {
  const client = await connect(userId)
  await client.room('general').join()
  return client
}

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

const statusOf = (userId: string) => (snapshot: WatchSnapshot) => snapshot.users.get(userId)?.status

/** All statuses of the user that a watch has shown, one after the other. */
function statuses(watch: Readable<WatchSnapshot>, userId: string) {
  const shown: unknown[] = []
  watch.subscribe(() => {
    const status = statusOf(userId)(watch.getSnapshot())
    if (status !== shown.at(-1)) shown.push(status)
  })
  return shown
}

/** Everything that the server had said to the client by now is heard. */
const settled = (client: Client) => client.rooms.list()

describe('how a user is', () => {
  it('is seen by who watches them and by the room, two devices as one', async () => {
    await start()
    const [alice, phone, laptop] = [await enter('alice'), await enter('bob'), await enter('bob')]
    const watch = presence(alice).watch(['bob'])
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'online')
    presence(phone).set({ status: 'busy', text: 'On the pier' })
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'busy')
    expect(watch.getSnapshot().users.get('bob')).toEqual({ status: 'busy', text: 'On the pier' })
    const room = alice.room('general')
    await until(room, ({ users }) => users.get('bob')?.text === 'On the pier')
    expect(room.getSnapshot().users.get('bob')?.status).toBe('busy')
    expect(room.getSnapshot().userCount).toBe(2)
    // The laptop is online, and busy speaks for both; then the phone goes, and what it said with it.
    presence(laptop).set({ status: 'away' })
    await settled(alice)
    expect(statusOf('bob')(watch.getSnapshot())).toBe('busy')
    await phone.close()
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'away')
    await laptop.close()
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'offline')
    expect(watch.getSnapshot().users.get('bob')?.lastSeenAt).toBeGreaterThan(Date.now() - 60_000)
  })

  it('does not flicker where a device reloads, and is said again after a reconnect', async () => {
    await start(undefined, 5_000)
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    const watch = presence(alice).watch(['bob'])
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'online')
    const shown = statuses(watch, 'bob')
    presence(bob).set({ status: 'busy' })
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'busy')
    await bob.disconnect()
    await bob.connect()
    await bob.close()
    const reloaded = await enter('bob')
    presence(reloaded).set({ status: 'busy' })
    const room = alice.room('general')
    await reloaded.room('general').send({ content: 'here I am' })
    await until(room, ({ read }) => read.has('bob'))
    expect(shown).toEqual(['busy'])
  })

  it('is away while the page is hidden, and back when it is used', async () => {
    await start()
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    let page: (event: ActivityEvent) => void = () => {}
    const autoAway: PresenceOptions['autoAway'] = {
      hiddenMs: 0,
      activity(notice) {
        page = notice
        return () => {}
      },
    }
    const own = presence(bob, { autoAway })
    expect(presence(bob)).toBe(own)
    const watch = presence(alice).watch(['bob'])
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'online')
    page('hidden')
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'away')
    expect(own.getSnapshot().status).toBe('away')
    // Who comes back while the connection is lost says so with the next hello.
    await bob.disconnect()
    page('used')
    await bob.connect()
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'online')
    // What was chosen is not changed by it.
    own.set({ status: 'busy' })
    page('hidden')
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'busy')
    expect(own.getSnapshot().status).toBe('busy')
  })

  it('is nothing to a stranger, and nothing any more to who shares no room', async () => {
    await start()
    const [alice, bob, eve] = [await enter('alice'), await enter('bob'), await connect('eve')]
    const strange = presence(eve).watch(['alice', 'bob', 'nobody'])
    const watch = presence(alice).watch(['bob', 'eve'])
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'online')
    await admin(alice.room('general')).remove('bob')
    await until(watch, ({ users }) => users.size === 0)
    const shown = statuses(watch, 'bob')
    presence(bob).set({ status: 'busy' })
    await settled(bob)
    await bob.close()
    await settled(alice)
    await settled(eve)
    expect(shown).toEqual([])
    expect(strange.getSnapshot().users.size).toBe(0)
    // Who comes to share a room is seen at once.
    await eve.room('general').join()
    await until(strange, (snapshot) => statusOf('alice')(snapshot) === 'online')
    await until(watch, (snapshot) => statusOf('eve')(snapshot) === 'online')
  })

  it('is watched as often as somebody wants to, and no longer', async () => {
    await start()
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    const [one, other] = [presence(alice).watch(['bob']), presence(alice).watch(['bob', 'alice'])]
    await until(one, (snapshot) => statusOf('bob')(snapshot) === 'online')
    one.close()
    const before = one.getSnapshot()
    presence(bob).set({ status: 'busy' })
    await until(other, (snapshot) => statusOf('bob')(snapshot) === 'busy')
    expect(one.getSnapshot()).toBe(before)
    other.close()
    const again = presence(alice).watch(['bob'])
    await until(again, (snapshot) => statusOf('bob')(snapshot) === 'busy')
    await alice.disconnect()
    expect(again.getSnapshot().users.size).toBe(0)
    await alice.connect()
    await until(again, (snapshot) => statusOf('bob')(snapshot) === 'busy')
  })

  it('is remembered by the server: when somebody was last seen outlives it', async () => {
    await start()
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    expect(bob.userId).toBe('bob')
    await server.close()
    await start()
    clients = []
    const later = await connect('alice')
    await alice.close()
    const watch = presence(later).watch(['bob'])
    await until(watch, (snapshot) => statusOf('bob')(snapshot) === 'offline')
    expect(watch.getSnapshot().users.get('bob')?.lastSeenAt).toBeGreaterThan(Date.now() - 60_000)
    await bob.close()
  })

  it('is for the application to say, where it has a policy', async () => {
    const asked: unknown[] = []
    let isBroken = true
    await start({
      async maySee(request) {
        asked.push(request)
        if (isBroken) throw new TautlineError('UNAVAILABLE')
        return request.userId === 'eve'
      },
    })
    const [alice] = [await enter('alice'), await enter('bob'), await connect('eve')]
    const payload = { users: ['bob', 'eve'] }
    await expect(alice.port.request({ type: 'subscribe_presence', payload })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    isBroken = false
    const watch = presence(alice).watch(['bob', 'eve', 'alice'])
    await until(watch, (snapshot) => statusOf('eve')(snapshot) === 'online')
    expect([...watch.getSnapshot().users.keys()].sort()).toEqual(['alice', 'eve'])
    expect(asked).toContainEqual({ viewer: 'alice', userId: 'bob', sharesRoom: true })
    expect(asked).toContainEqual({ viewer: 'alice', userId: 'eve', sharesRoom: false })
  })
})

describe('receipts', () => {
  it('say how far each member is and since when, live, after a reconnect, and to who comes later', async () => {
    await start()
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    const room = alice.room('general')
    const { seq } = await room.send({ content: 'are you there?' })
    // Bob's device has it by itself.
    await until(room, () => room.receipts().get('bob')?.delivered === seq)
    const delivered = room.receipts().get('bob')
    expect(delivered).toEqual({ delivered: seq, deliveredAt: expect.any(Number), read: 0, readAt: undefined })
    const before = room.receipts()
    expect(room.receipts()).toBe(before)
    const { timestamp } = await bob.room('general').markRead(seq)
    await until(room, () => room.receipts().get('bob')?.read === seq)
    const all = { ...delivered, read: seq, readAt: timestamp }
    expect(room.receipts().get('bob')).toEqual(all)
    await alice.disconnect()
    await alice.connect()
    const later = await enter('carol')
    await until(later.room('general'), () => later.room('general').receipts().has('bob'))
    expect(later.room('general').receipts().get('bob')).toEqual(all)
    expect(room.receipts().get('alice')?.read).toBe(seq)
  })

  it('are of members alone: not of the system, nor of who has left, for who was there and for who comes later', async () => {
    await start()
    const [alice, bob] = [await enter('alice'), await enter('bob')]
    const room = alice.room('general')
    const { seq } = await server.send({ room: 'general', content: 'The lock closes at ten.' })
    await bob.room('general').markRead(seq)
    await until(room, () => room.receipts().get('bob')?.read === seq)
    await bob.room('general').send({ content: 'good night' })
    await bob.room('general').leave()
    await room.send({ content: 'good night' })
    const later = await enter('carol')
    await until(later.room('general'), () => later.room('general').receipts().has('alice'))
    await later.room('general').send({ content: 'good morning' })
    await until(room, ({ read }) => read.has('carol'))
    expect([...room.receipts().keys()].toSorted()).toEqual(['alice', 'carol'])
    expect([...room.getSnapshot().read.keys()].toSorted()).toEqual(['alice', 'carol'])
    expect([...room.getSnapshot().delivered.keys()].toSorted()).toEqual(['alice', 'carol'])
    expect([...later.room('general').receipts().keys()].toSorted()).toEqual(['alice', 'carol'])
  })
})
