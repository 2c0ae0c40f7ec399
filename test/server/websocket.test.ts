import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Server } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, Peer, startServer, tokenOf } from './wire.ts'

/** The HTTP status with which an upgrade is refused, or 101. */
async function upgradeStatus(server: Server, path: string, headers: Record<string, string> = {}) {
  const upgrade = request({
    host: '127.0.0.1',
    port: server.port,
    path,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'tautline.v1',
      ...headers,
    },
  })
  upgrade.end()
  return new Promise<number | undefined>((resolve, reject) => {
    upgrade.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode)
    })
    upgrade.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    upgrade.on('error', reject)
  })
}

describe('the subprotocol', () => {
  it('is chosen', async () => {
    const server = await startServer()
    const peer = connect(server, { protocols: ['other', 'tautline.v1'] })
    await peer.opened
    expect(peer.socket.protocol).toBe('tautline.v1')
  })

  it('of another version is refused with a code, not with silence', async () => {
    const server = await startServer()
    // A client hangs up on an answer that chose none of its own, and then sees no code.
    expect(await connect(server, { protocols: ['tautline.v9', 'other'] }).closed).toBe(
      '4406 UNSUPPORTED_VERSION',
    )
    expect(await connect(server, { protocols: [] }).closed).toBe('4406 UNSUPPORTED_VERSION')
    expect(server.health().connections).toBe(0)
  })
})

describe('the token', () => {
  it('travels in the first frame', async () => {
    const server = await startServer()
    await connect(server).login('alice')
  })

  it('travels in the Authorization header', async () => {
    const server = await startServer()
    const peer = connect(server, { headers: { Authorization: `Bearer ${await tokenOf('alice')}` } })
    await peer.opened
    peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice' } })
    expect((await peer.next('connected')).payload.userId).toBe('alice')
  })

  it('does not travel in the URL', async () => {
    const server = await startServer()
    const peer = new Peer(`${server.url}?token=${await tokenOf('alice')}`)
    await peer.opened
    peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice' } })
    expect(await peer.closed).toBe('4002 NO_TOKEN')
  })

  it('that is not valid closes with INVALID_TOKEN', async () => {
    const server = await startServer()
    const peer = connect(server)
    await peer.opened
    peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice', token: 'nonsense' } })
    expect(await peer.closed).toBe('4002 INVALID_TOKEN')
  })

  it('that does not come in time closes with HELLO_TIMEOUT', async () => {
    const server = await startServer({ helloTimeoutMs: 30 })
    expect(await connect(server).closed).toBe('4408 HELLO_TIMEOUT')
  })

  it('is verified by the application where it wants to', async () => {
    const server = await startServer({
      auth: {
        verify: async (token) => {
          if (token === 'broken') throw new Error('the directory does not answer')
          return { userId: token }
        },
      },
    })
    const hello = async (token: string) => {
      const peer = connect(server)
      await peer.opened
      peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-1', token } })
      return peer
    }
    expect((await (await hello('alice')).next('connected')).payload).toMatchObject({ userId: 'alice' })
    expect(await (await hello('not a user id')).closed).toBe('4002 INVALID_TOKEN')
    expect(await (await hello('broken')).closed).toBe('1011 SERVER_ERROR')
  })
})

describe('an origin', () => {
  it.each([
    ['http://localhost:5173', 101],
    ['http://127.0.0.1:8080', 101],
    ['http://[::1]', 101],
    ['https://localhost', 101],
    ['https://evil.example', 403],
    ['http://localhost.evil.example', 403],
    ['http://127.0.0.1.evil.example', 403],
    ['null', 403],
    ['', 403],
    ['http://localhost:5173/path', 403],
  ])('%s is answered with %i by a server of this machine alone', async (origin, status) => {
    const server = await startServer()
    expect(await upgradeStatus(server, '/ws', { Origin: origin })).toBe(status)
  })

  it.each([
    ['https://chat.example', 101],
    ['https://chat.example:8443', 403],
    ['http://chat.example', 403],
    ['https://CHAT.example', 403],
    ['http://localhost:5173', 403],
  ])('%s is answered with %i where https://chat.example is allowed', async (origin, status) => {
    const server = await startServer({ origins: ['https://chat.example'] })
    expect(await upgradeStatus(server, '/ws', { Origin: origin })).toBe(status)
  })

  it('is none where the request does not come from a page', async () => {
    const server = await startServer({ origins: [] })
    expect(await upgradeStatus(server, '/ws')).toBe(101)
  })
})

describe('the path', () => {
  it('is the only one, whatever its query', async () => {
    const server = await startServer({ path: '/chat' })
    expect(await upgradeStatus(server, '/chat?x=1')).toBe(101)
    expect(await upgradeStatus(server, '/ws')).toBe(404)
    expect(await upgradeStatus(server, '/chat/more')).toBe(404)
  })
})

describe('a frame', () => {
  it('that is binary closes with 1003', async () => {
    const server = await startServer()
    const peer = await connect(server).login('alice')
    peer.socket.send(Buffer.from('{"type":"ping","payload":{"ref":1}}'))
    expect(await peer.closed).toBe('1003 UNSUPPORTED_DATA')
  })

  it('that is larger than allowed closes with 1009', async () => {
    const server = await startServer({ limits: { maxFrameBytes: 2_048 } })
    const peer = await connect(server).login('alice')
    peer.text('x'.repeat(2_049))
    expect(await peer.closed).toMatch(/^1009/)
  })

  it('in more than 16 fragments closes with 1008', async () => {
    const server = await startServer()
    const peer = await connect(server).login('alice')
    for (let i = 0; i < 17; i++) peer.socket.send('x', { fin: false })
    expect(await peer.closed).toMatch(/^1008/)
  })
})

describe('a connection', () => {
  it('is pinged, and given up when it answers nothing', async () => {
    const server = await startServer({ heartbeat: { intervalMs: 20, timeoutMs: 200 } })
    const peer = await connect(server).login('alice')
    // It reads no more, so it hears no ping.
    peer.socket.pause()
    expect(server.health().sessions).toBe(1)
    while (server.health().sessions > 0) await new Promise((resolve) => setImmediate(resolve))
    peer.socket.resume()
    expect(await peer.closed).toBe('4411 IDLE')
  })

  it('stays while only its WebSocket answers', async () => {
    // Wide enough that a busy machine does not look like a dead peer.
    const server = await startServer({ heartbeat: { intervalMs: 50, timeoutMs: 1_000 } })
    const peer = await connect(server).login('alice')
    const startedAt = performance.now()
    while (performance.now() - startedAt < 1_500) await peer.next('ping')
    await peer.flush()
  })

  it('beyond the limit is told to come again, before authentication', async () => {
    const server = await startServer({ maxConnections: 1 })
    await connect(server).login('alice')
    expect(await connect(server).closed).toMatch(/^1013 TRY_AGAIN_LATER retry=\d+$/)
  })

  it('of the same lane id is replaced', async () => {
    const server = await startServer()
    const first = await connect(server).login('alice')
    await connect(server).login('alice')
    expect(await first.closed).toBe('4410 REPLACED')
  })

  it('that is cut in the middle of its upgrade harms nobody', async () => {
    const server = await startServer()
    for (const text of ['GET /ws HTTP/1.1\r\nHost: x\r\nUpgr', 'no HTTP at all\r\n\r\n', '\0\0\0']) {
      const tcp = connectTcp(server.port!, '127.0.0.1')
      onTestFinished(() => void tcp.destroy())
      tcp.on('error', () => {})
      await once(tcp, 'connect')
      tcp.write(text)
      tcp.resetAndDestroy()
      await once(tcp, 'close')
    }
    await connect(server).login('alice')
  })
})

describe('the request of an upgrade', () => {
  it('is not kept, with all its headers, as long as the connection', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const server = await startServer()
    const http = createHttpServer()
    const requests: WeakRef<IncomingMessage>[] = []
    http.on('upgrade', (upgrade) => requests.push(new WeakRef(upgrade)))
    server.attach(http)
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void http.close())
    const { port } = http.address() as AddressInfo
    const peer = new Peer(`ws://127.0.0.1:${port}/ws`)
    await peer.login('alice')
    await expect
      .poll(() => {
        collectGarbage()
        return requests.map((one) => one.deref())
      })
      .toEqual([undefined])
  })
})
