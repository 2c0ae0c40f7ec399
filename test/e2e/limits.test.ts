// The limits of the server as a real client meets them, over real sockets: it does as it is told, and loses nothing.

import { createClient } from '@tautline/client'
import { history } from '@tautline/client/history'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, startServer } from '../server/wire.ts'

const anybody = { verify: (token: string) => ({ userId: token }) }

async function clientOf(url: string | undefined, userId: string) {
  const client = createClient({ url: String(url), userId, getToken: () => userId })
  onTestFinished(() => client.close())
  await client.connect()
  return client
}

describe('a client that sends more than it may of a kind', () => {
  it('waits as it is told, and all of it arrives, once and in order', async () => {
    const server = await startServer({ auth: anybody, usage: { sends: { count: 5, perMs: 250 } } })
    const alice = await clientOf(server.url, 'alice')
    const room = alice.room('general')
    await room.join()
    const contents = Array.from({ length: 20 }, (_, i) => `message ${i}`)
    const acknowledged = await Promise.all(contents.map((content) => room.send({ content })))
    const seqs = acknowledged.map(({ seq }) => seq)
    expect(seqs).toEqual(contents.map((_, i) => (seqs[0] ?? 0) + i))
    const { messages } = await history(room, { limit: 50 })
    expect(messages.map(({ content }) => content)).toEqual(contents)
  })

  it('opens its direct rooms as they are granted, and what it says in others is not held back for good', async () => {
    const server = await startServer({ auth: anybody, usage: { rooms: { count: 2, perMs: 200 } } })
    const alice = await clientOf(server.url, 'alice')
    const users = Array.from({ length: 6 }, (_, i) => `user-${i}`)
    const said = users.flatMap((user) =>
      ['one', 'two', 'three'].map((content) => alice.directRoom(user).send({ content })),
    )
    const again = users.map((user) => alice.directRoom(user).send({ content: 'four' }))
    const seqs = (await Promise.all([...said, ...again])).map(({ seq }) => seq)
    expect(seqs).toEqual([...users.flatMap(() => [1, 2, 3]), ...users.map(() => 4)])
    for (const user of users) {
      const { messages } = await history(alice.directRoom(user))
      expect(messages.map(({ content }) => content)).toEqual(['one', 'two', 'three', 'four'])
    }
  })

  it('is told so of a request, with the time after which it is granted', async () => {
    const server = await startServer({ auth: anybody, usage: { rooms: { count: 1, perMs: 60_000 } } })
    const alice = await clientOf(server.url, 'alice')
    await alice.rooms.create({ id: 'first', visibility: 'public' })
    await expect(alice.rooms.create({ id: 'second', visibility: 'public' })).rejects.toMatchObject({
      code: 'RATE_LIMIT',
      retryable: true,
      retryAfterMs: expect.closeTo(60_000, -4),
    })
    // The other kinds are as they were.
    await alice.room('first').send({ content: 'but this may be said' })
  })
})

describe('a client that only reads', () => {
  it('is not idle, while a connection that follows nothing is closed', async () => {
    const server = await startServer({ auth: anybody, idleTimeoutMs: 1_000 })
    const reader = await clientOf(server.url, 'alice')
    const losses: string[] = []
    reader.on('status', ({ status }) => losses.push(status))
    const unused = connect(server)
    await unused.opened
    unused.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-1', token: 'bob' } })
    await unused.next('connected')
    expect(await unused.closed).toBe('4411 IDLE')
    await reader.rooms.list()
    expect(losses).toEqual([])
  })
})
