// What is unread in all rooms, on two devices of one user: real clients against the real server, joined in memory. The
// clocks of the devices stand still unless a test moves them: what is shown without that was told, or found at a connect.

import type { Client, Readable } from '@tautline/client'
import { type Unread, type UnreadSnapshot, unread } from '@tautline/client/unread'
import { createServer, memory, type ServerOptions } from '@tautline/server'
import { afterEach, describe, expect, it } from 'vitest'
import { createVirtualTime } from '../client/support/virtual-time.ts'
import { localClients } from '../support/local-server.ts'

let closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

const ROOMS = ['harbour', 'pier', 'quay']

/** Ada and Bob are in three rooms; of each of Ada's devices the harbour is followed, where nothing else is said. */
async function start(options: Partial<ServerOptions> = {}) {
  const server = await createServer({
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
    ...options,
  })
  const local = localClients(server)
  closing.push(async () => {
    await local.close()
    await server.close()
  })
  for (const id of ROOMS) {
    await server.rooms.create({ id, visibility: 'public', owner: 'bob' })
    await server.rooms.addMember(id, 'ada')
  }
  const bob = local.client('bob')
  await bob.connect()
  const say = async (room: string, ...contents: string[]) => {
    let seq = 0
    for (const content of contents) seq = (await bob.room(room).send({ content })).seq
    return seq
  }
  async function device(...followed: string[]) {
    const time = createVirtualTime()
    const client = local.client('ada', { scheduler: time.scheduler, lifecycle: () => () => {} })
    await client.connect()
    for (const id of followed) await client.room(id).follow()
    const all = unread(client)
    await until(all, ({ isLoaded }) => isLoaded)
    return { client, all, time }
  }
  return { ...local, server, bob, say, device }
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

const shown = (all: Unread) => Object.fromEntries(all.getSnapshot().rooms)
const sums = ({ total, rooms }: UnreadSnapshot) =>
  total === [...rooms.values()].reduce((sum, count) => sum + count, 0)

/** What each room says of itself, of those that are followed. */
const ownCount = (client: Client, room: string) => client.room(room).getSnapshot().unread

describe('what is unread in all rooms', () => {
  it('is the same on all devices, whichever of them reads, in rooms that are followed and that are not', async () => {
    const { say, device } = await start()
    await say('harbour', '1', '2')
    const inPier = await say('pier', '3')
    await say('quay', '4', '5', '6')
    const [one, two] = [await device('harbour'), await device('harbour')]
    for (const { all } of [one, two]) {
      expect(shown(all)).toEqual({ harbour: 2, pier: 1, quay: 3 })
      expect(all.getSnapshot()).toMatchObject({ total: 6, isLoaded: true })
    }
    // Live, in what both follow.
    const inHarbour = await say('harbour', '7')
    await Promise.all([one, two].map(({ all }) => until(all, ({ total }) => total === 7)))
    expect(ownCount(one.client, 'harbour')).toBe(3)

    await one.client.room('pier').markRead(inPier)
    await Promise.all([one, two].map(({ all }) => until(all, ({ rooms }) => !rooms.has('pier'))))
    await two.client.room('harbour').markRead(inHarbour)
    for (const { client, all } of [one, two]) {
      await until(all, ({ rooms }) => !rooms.has('harbour'))
      expect(shown(all)).toEqual({ quay: 3 })
      expect(ownCount(client, 'harbour')).toBe(0)
    }
    // Who speaks has read what stands before.
    await one.client.room('quay').send({ content: '8' })
    await Promise.all([one, two].map(({ all }) => until(all, ({ total }) => total === 0)))
  })

  it('is found anew about once a minute where a room is not followed', async () => {
    const { say, device } = await start()
    const { all, time } = await device('harbour')
    expect(shown(all)).toEqual({})
    await say('pier', '1', '2')
    await time.advance(50_000)
    expect(shown(all)).toEqual({})
    await time.advance(16_000)
    await until(all, ({ total }) => total === 2)
    expect(shown(all)).toEqual({ pier: 2 })
    // Or at once, where the application has a reason to ask.
    await say('quay', '3')
    all.refresh()
    await until(all, ({ total }) => total === 3)
  })

  it('is found after being away, with what another device has read meanwhile', async () => {
    const { say, device } = await start()
    await say('pier', '1', '2')
    await say('quay', '3')
    const [one, two] = [await device('harbour'), await device('harbour')]
    await one.client.disconnect()
    await two.client.room('pier').markRead(await say('pier', '4'))
    await say('quay', '5')
    const last = await say('harbour', '6')
    expect(shown(one.all)).toEqual({ pier: 2, quay: 1 })
    await one.client.connect()
    await until(one.all, ({ rooms }) => !rooms.has('pier') && rooms.get('quay') === 2 && rooms.has('harbour'))
    expect(shown(one.all)).toEqual({ harbour: 1, quay: 2 })
    expect(sums(one.all.getSnapshot())).toBe(true)
    await two.client.room('harbour').markRead(last)
    await until(one.all, ({ total }) => total === 2)
  })

  it('counts no room that is left, or from which one is put out', async () => {
    const { server, say, device } = await start()
    for (const room of ROOMS) await say(room, '1')
    const [one, two] = [await device('harbour'), await device()]
    await one.client.room('harbour').leave()
    await until(one.all, ({ rooms }) => !rooms.has('harbour'))
    await one.client.room('pier').leave()
    await until(one.all, ({ rooms }) => !rooms.has('pier'))
    await server.rooms.removeMember('quay', 'ada')
    await Promise.all([one, two].map(({ all }) => until(all, ({ rooms }) => !rooms.has('quay'))))
    expect(one.all.getSnapshot()).toMatchObject({ total: 0 })
    // What she left on another device is found with the next look.
    await two.time.advance(70_000)
    await until(two.all, ({ total }) => total === 0)
  })

  it('keeps the count of a room that is followed no longer, and counts on where it is followed again', async () => {
    const { say, device } = await start()
    const { client, all } = await device('harbour')
    await say('harbour', '1', '2')
    await until(all, ({ total }) => total === 2)
    client.room('harbour').unfollow()
    await say('harbour', '3')
    expect(shown(all)).toEqual({ harbour: 2 })
    await client.room('harbour').follow()
    await until(all, ({ total }) => total === 3)
    await client.room('harbour').markRead(await say('harbour', '4'))
    await until(all, ({ total }) => total === 0)
  })

  it('names no room that the application does not let one read', async () => {
    const { say, device } = await start({
      hooks: {
        authorize: ({ action, room, userId }) => !(action === 'read' && room === 'quay' && userId === 'ada'),
      },
    })
    for (const room of ROOMS) await say(room, '1')
    expect(shown((await device()).all)).toEqual({ harbour: 1, pier: 1 })
  })

  it('is one object for a client until it is closed, which then hears nothing any more', async () => {
    const { say, device } = await start()
    const { client, all, time } = await device('harbour')
    expect(unread(client)).toBe(all)
    const { rooms } = all.getSnapshot()
    await client.room('harbour').send({ content: 'own' })
    expect(all.getSnapshot().rooms).toBe(rooms)
    all.close()
    const other = unread(client)
    expect(other).not.toBe(all)
    await say('harbour', '1')
    await until(other, ({ total }) => total === 1)
    await time.advance(70_000)
    expect(all.getSnapshot().total).toBe(0)
  })
})
