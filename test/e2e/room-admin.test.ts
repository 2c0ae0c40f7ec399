// Owners, moderators and the end of rooms from end to end: real clients over real sockets against the real server.

import { type Client, createClient, type Room } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { createServer, memory, type Server } from '@tautline/server'
import { afterEach, beforeEach, expect, it } from 'vitest'

let server: Server
let clients: Client[]

beforeEach(async () => {
  clients = []
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
  })
})

afterEach(async () => {
  for (const client of clients) await client.close()
  await server.close()
})

async function connect(userId: string): Promise<Client> {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  await client.connect()
  return client
}

/** alice owns it, bob is a member, and both follow. */
async function club() {
  const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
  const own = await alice.rooms.create({ id: 'club', visibility: 'public', name: 'Club' })
  const his = bob.room('club')
  await his.join()
  return { alice, bob, own, his }
}

/** Resolves with the payload of the next entry of this type. */
const entry = (room: Room, type: string) =>
  new Promise<unknown>((resolve) => {
    const stop = room.on('entry', (one) => {
      if (one.type !== type) return
      stop()
      resolve(one.payload)
    })
  })

it('a room is changed by its owner, and everybody is told', async () => {
  const { own, his } = await club()
  const told = entry(his, 'room_updated')
  expect(await admin(own).update({ topic: 'Chess', name: '' })).toMatchObject({
    topic: 'Chess',
    role: 'owner',
  })
  expect(await told).toEqual({ topic: 'Chess', name: '' })
  const info = await admin(his).info()
  expect(info).toMatchObject({ topic: 'Chess', role: 'member', rights: ['write', 'invite'], memberCount: 2 })
  expect(info.name).toBeUndefined()
  await expect(admin(his).update({ topic: 'Go' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

it('a room that is deleted is gone for all, and what was queued for it fails', async () => {
  const { alice, bob, own, his } = await club()
  const left = new Promise((resolve) => his.once('left', resolve))
  const removed = new Promise((resolve) => bob.once('removed', resolve))
  await admin(own).destroy()
  expect(await left).toBe('deleted')
  expect(await removed).toMatchObject({ room: 'club', reason: 'deleted', by: 'alice' })
  await expect(his.send({ content: 'Anybody?' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  for (const client of [alice, bob]) {
    await expect(client.room('club').join()).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect((await client.rooms.list()).rooms).toEqual([])
  }
  await expect(bob.rooms.create({ id: 'club', visibility: 'public' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  })
})

it('a role is given and told; the room of an owner who leaves has an heir', async () => {
  const { bob, own, his } = await club()
  const appointed = new Promise((resolve) => bob.once('appointed', resolve))
  await admin(own).setRole('bob', 'moderator')
  expect(await appointed).toMatchObject({ room: 'club', role: 'moderator', by: 'alice' })
  expect((await admin(his).info()).rights).toContain('ban')
  const heir = entry(his, 'role_changed')
  await own.leave()
  expect(await heir).toEqual({ userId: 'bob', role: 'owner' })
})

it('a muted member is refused with a reason and sees until when', async () => {
  const { own, his } = await club()
  await admin(own).mute('bob', 60_000)
  await expect(his.send({ content: 'But …' })).rejects.toMatchObject({ code: 'MUTED' })
  expect((await admin(his).info()).mutedUntil).toBeGreaterThan(0)
  await admin(own).unmute('bob')
  expect((await admin(his).info()).mutedUntil).toBeUndefined()
  await his.send({ content: 'Thank you.' })
})

it('a banned member is out at once, and comes back when that is lifted', async () => {
  const { own, his } = await club()
  const left = new Promise((resolve) => his.once('left', resolve))
  await admin(own).ban('bob')
  expect(await left).toBe('banned')
  await expect(his.join()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(admin(own).invite('bob')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await admin(own).unban('bob')
  await his.join()
})

it('several rooms are joined at once, each with an answer of its own', async () => {
  const { alice, own } = await club()
  const closed = await alice.rooms.create({ id: 'closed', visibility: 'private' })
  const carol = await connect('carol')
  const joined = await carol.rooms.join(['club', 'closed', 'hall'])
  expect(joined.map(({ room, error }) => [room.id, error?.code])).toEqual([
    ['club', undefined],
    [closed.id, 'FORBIDDEN'],
    ['hall', undefined],
  ])
  expect(await admin(own).activeMembers()).toEqual({
    members: [
      { userId: 'alice', role: 'owner', status: 'online' },
      { userId: 'bob', role: 'member', status: 'online' },
      { userId: 'carol', role: 'member', status: 'online' },
    ],
    count: 3,
  })
})

it('the application may do all of it', async () => {
  const { his } = await club()
  await server.rooms.update('club', { topic: 'By the house' })
  expect(await admin(his).info()).toMatchObject({ topic: 'By the house' })
  await server.rooms.mute('club', 'bob', 60_000)
  await expect(his.send({ content: 'But …' })).rejects.toMatchObject({ code: 'MUTED' })
  await server.rooms.unmute('club', 'bob')
  await server.rooms.setRole('club', 'bob', 'owner')
  expect(await admin(his).info()).toMatchObject({ role: 'owner' })
  await server.rooms.ban('club', 'bob')
  await expect(his.join()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await server.rooms.unban('club', 'bob')
  await his.join()
  await server.rooms.delete('club')
  await expect(admin(his).info()).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

it('who says something sees on which devices it has arrived, without anybody doing anything for it', async () => {
  const { own } = await club()
  const delivered = new Promise((resolve) => own.once('delivered', resolve))
  const { seq } = await own.send({ content: 'Is it there?' })
  expect(await delivered).toMatchObject({ userId: 'bob', seq })
  expect(own.getSnapshot().delivered.get('bob')).toBe(seq)
})
