// The client over each WebSocket that it is said to run with, against a real server: it talks, is cut off, comes back, and
// leaves nothing behind. (mock-socket has no server of its own kind: test/client/transports/websocket.test.ts.)

import { createClient, type WebSocketConstructor } from '@tautline/client'
import { createServer, memory, type Server } from '@tautline/server'
import PartySocket from 'partysocket/ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket as Ws } from 'ws'

let server: Server
beforeAll(async () => {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
  })
})
afterAll(() => server.close())

/** It connects again by itself: once is enough here, for the client does that. */
class PartySocketOnce extends PartySocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { maxRetries: 0 })
  }
}

const sockets: [string, WebSocketConstructor][] = [
  ['the native WebSocket', WebSocket],
  ['ws', Ws],
  ['partysocket', PartySocketOnce],
]

describe.each(sockets)('over %s', (name, Socket) => {
  it('messages are acknowledged, also after the connection was lost, and nothing is left behind', async () => {
    const userId = `over-${name.replaceAll(' ', '-')}`
    const client = createClient({
      url: `ws://127.0.0.1:${server.port}/ws`,
      userId,
      getToken: () => userId,
      WebSocket: Socket,
      backoff: { minMs: 1, baseMs: 1, capMs: 10 },
    })
    await client.connect()
    const room = client.room(`room-of-${userId}`)
    await room.join()
    const { seq } = await room.send({ content: 'one' })
    const isBack = new Promise<void>((resolve) => {
      const stop = client.on('status', ({ status }) => {
        if (status !== 'connected') return
        stop()
        resolve()
      })
    })
    server.disconnect(userId)
    await isBack
    expect(await room.send({ content: 'two' })).toMatchObject({ seq: seq + 1 })
    expect(server.health().sessions).toBe(1)
    await client.close()
    while (server.health().sessions > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})
