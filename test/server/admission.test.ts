import { createClient } from '@tautline/client'
import { createServer, type Logger, memory } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { connect, type Peer, SECRET, startServer, tokenOf } from './wire.ts'

const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } })

describe('a client that comes too fast', () => {
  it('is let in, closed with 1013 and a time, and nothing was asked of anybody', async () => {
    const verified: string[] = []
    const server = await startServer({
      auth: {
        verify: async (token) => {
          verified.push(token)
          return { userId: token }
        },
      },
      upgrades: { perSecondPerAddress: 1, burstPerAddress: 2 },
    })
    const peers: Peer[] = []
    for (let i = 0; i < 4; i++) {
      const peer = connect(server, { headers: { Authorization: 'Bearer alice' } })
      peers.push(peer)
      await peer.opened
    }
    const [, , third, fourth] = peers
    expect(await third?.closed).toMatch(/^1013 TRY_AGAIN_LATER retry=(1000|\d{1,3})$/)
    expect(await fourth?.closed).toMatch(/^1013 TRY_AGAIN_LATER retry=(2000|1\d{3})$/)
    expect(verified).toEqual([])
    expect(server.health().connections).toBe(2)
  })

  it('comes back by itself when its time has come', async () => {
    const server = await startServer({ upgrades: { perSecondPerAddress: 2, burstPerAddress: 1 } })
    const clients = ['alice', 'bob'].map((userId) =>
      createClient({ url: server.url, WebSocket, userId, getToken: () => tokenOf(userId) }),
    )
    for (const client of clients) onTestFinished(() => client.close())
    await Promise.all(clients.map((client) => client.connect()))
    expect(server.health().sessions).toBe(2)
  })

  it('gets 429 for its tickets, with a time', async () => {
    const server = await startServer({ upgrades: { perSecondPerAddress: 1, burstPerAddress: 1 } })
    const Authorization = `Bearer ${await tokenOf('alice')}`
    const ask = () =>
      fetch(`http://127.0.0.1:${server.port}/ticket`, { method: 'POST', headers: { Authorization } })
    expect((await ask()).status).toBe(200)
    const refused = await ask()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toEqual({ error: 'RATE_LIMIT', retryAfterMs: expect.any(Number) })
    // The upgrade takes of the same.
    const peer = connect(server)
    expect(await peer.closed).toMatch(/^1013 TRY_AGAIN_LATER retry=1\d\d\d$/)
  })
})

describe('the connections of one address', () => {
  it('are bound, behind a proxy those of each client', async () => {
    const server = await startServer({ maxConnectionsPerAddress: 1, trustProxy: 1 })
    const first = connect(server, from('198.51.100.7'))
    const other = connect(server, from('198.51.100.8'))
    await Promise.all([first.login('alice'), other.login('bob')])
    expect(await connect(server, from('10.9.9.9, 198.51.100.7')).closed).toMatch(
      /^4409 TOO_MANY_CONNECTIONS retry=/,
    )
    first.socket.close()
    await first.closed
    await connect(server, from('198.51.100.7')).login('alice')
  })

  it('are not bound for this machine where nothing was set', async () => {
    const server = await startServer()
    const peers = Array.from({ length: 120 }, () => connect(server))
    await Promise.all(peers.map((peer) => peer.opened))
    await Promise.all(peers.map((peer) => peer.flush()))
    expect(server.health().connections).toBe(120)
  })

  it('are those that the application names, where the sockets are its own', async () => {
    const server = await startServer({ port: undefined, maxConnectionsPerAddress: 1 })
    const closes: number[] = []
    const socket = {
      send() {},
      ping() {},
      close: (code: number) => void closes.push(code),
      terminate() {},
      bufferedBytes: () => 0,
    }
    server.accept(socket, undefined, '2001:db8::1')
    server.accept(socket, undefined, '2001:db8:0:1::1')
    server.accept(socket)
    expect(closes).toEqual([])
    server.accept(socket, undefined, '2001:db8::2')
    expect(closes).toEqual([4409])
  })
})

describe('the log', () => {
  it('tells of a herd in one line, and of a proxy that is not believed', async () => {
    const lines: [object, string][] = []
    const warn = (fields: object, message: string) => void lines.push([fields, message])
    const logger: Logger = { debug() {}, info() {}, warn, error: warn }
    const server = await createServer({
      port: 0,
      auth: { secret: SECRET },
      store: memory(),
      logger,
      maxConnections: 0,
    })
    onTestFinished(() => server.close())
    const peers = [1, 2, 3].map(() => connect(server, from('198.51.100.7')))
    await Promise.all(peers.map((peer) => peer.closed))
    expect(lines).toEqual([
      [{}, expect.stringContaining('trustProxy')],
      [{ connection: 1, code: 'TRY_AGAIN_LATER', refused: 1 }, 'connections are refused'],
    ])
  })
})
