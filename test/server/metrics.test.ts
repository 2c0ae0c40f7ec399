// What a server tells the application about itself: counts, one connection, one room.

import { memory } from '@tautline/server'
import { describe, expect, it } from 'vitest'
import { connect, sendMessage, startServer } from './wire.ts'

describe('the metrics', () => {
  it('count what was said, committed, acknowledged, refused and closed, and what it weighed', async () => {
    const server = await startServer()
    expect(server.getMetrics()).toMatchObject({ messages: 0, acks: 0, refusals: {}, closes: {}, framesIn: 0 })
    const alice = await (await connect(server).login('alice')).enter('general')
    const bob = await connect(server).login('bob')
    const message = sendMessage(10, 1, ['1', '2', 'ü'])
    alice.say(message)
    await alice.contents(3)
    alice.say(message) // a retry: acknowledged again, and no message more
    await alice.next('ack')
    bob.say({ type: 'get_history', payload: { ref: 5, room: 'general' } })
    await bob.next('error')
    const before = server.getMetrics()
    expect(before).toMatchObject({
      connections: 2,
      sessions: 2,
      rooms: 1,
      queuedOps: 0,
      messages: 3,
      commits: 3,
      commitsFailed: 0,
      acks: 6,
      refusals: { FORBIDDEN: 1 },
      closes: {},
      // alice: hello, join with subscribe, twice the message; bob: hello, history.
      framesIn: 6,
    })
    const sent = [...alice.frames, ...bob.frames]
    expect([before.framesOut, before.bytesOut]).toEqual([sent.length, Buffer.byteLength(sent.join(''))])
    expect(before.bytesIn).toBeGreaterThan(2 * Buffer.byteLength(JSON.stringify(message)))
    expect(before.uptimeSeconds).toBeGreaterThanOrEqual(0)
    const { mean, p99, max } = before.eventLoopDelayMs
    for (const delay of [mean, p99, max]) expect(delay).toBeGreaterThanOrEqual(0)
    server.disconnect('bob')
    await bob.closed
    expect(server.getMetrics()).toMatchObject({ connections: 1, sessions: 1, closes: { NORMAL: 1 } })
  })

  it('count the application’s own messages and refusals, and commits that failed', async () => {
    let isBroken = false
    const server = await startServer({
      store: {
        async open() {
          const store = await memory().open()
          const commit: typeof store.commit = (ops, unixMs) =>
            isBroken ? Promise.reject(new Error('no')) : store.commit(ops, unixMs)
          return { ...store, commit }
        },
      },
    })
    await server.rooms.create({ id: 'general', visibility: 'public' })
    await server.send({ room: 'general', content: 'hello' })
    isBroken = true
    await server.send({ room: 'general', content: 'hello' }).catch(() => {})
    expect(server.getMetrics()).toMatchObject({
      messages: 1,
      commits: 2,
      commitsFailed: 1,
      acks: 1,
      refusals: { UNAVAILABLE: 1 },
    })
  })
})

describe('the info of a connection', () => {
  it('says whose it is and what it follows, until it is gone', async () => {
    let id = ''
    const server = await startServer({ hooks: { onConnect: ({ connection }) => (id = connection) } })
    const startedAt = Date.now()
    const alice = await (await connect(server).login('alice')).enter('general')
    const info = server.getConnectionInfo(id)
    expect(info).toMatchObject({ id, userId: 'alice', rooms: ['general'], bufferedBytes: 0 })
    expect(info?.connectedAt).toBeGreaterThanOrEqual(startedAt)
    for (const other of ['', '1', `x${id}`, '0', 'x-0'])
      expect(server.getConnectionInfo(other)).toBeUndefined()
    server.disconnect('alice')
    await alice.closed
    expect(server.getConnectionInfo(id)).toBeUndefined()
  })
})

describe('the info of a room', () => {
  it('needs nobody’s rights', async () => {
    const server = await startServer()
    await server.rooms.create({ id: 'club', visibility: 'private', name: 'The club', owner: 'alice' })
    await (await connect(server).login('alice')).enter('club')
    expect(await server.getRoomInfo('club')).toEqual({
      room: 'club',
      visibility: 'private',
      name: 'The club',
      memberCount: 1,
      head: 1,
      followers: 1,
    })
    for (const none of ['no-such-room', '~alice', '~alice~bob', 'not a room'])
      expect(await server.getRoomInfo(none)).toBeUndefined()
    await server.send({ room: '~alice~bob', content: 'hello' })
    expect(await server.getRoomInfo('~alice~bob')).toMatchObject({
      visibility: 'direct',
      memberCount: 2,
      head: 1,
    })
  })
})
