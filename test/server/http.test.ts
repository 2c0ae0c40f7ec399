import { existsSync, readFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { createServer, memory } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHttpServer, listen } from '../../packages/server/src/http.ts'
import { RawSocket, upgradeOf } from './malformed/raw-socket.ts'
import { connect, SECRET, startServer } from './wire.ts'

/** The event loop is measured by one, of the machinery below what JavaScript sees. */
function repeatingTimers(): number {
  const { libuv } = process.report.getReport() as {
    readonly libuv: readonly { readonly is_active: boolean; readonly repeat?: number }[]
  }
  return libuv.filter(({ is_active, repeat = 0 }) => is_active && repeat > 0).length
}

/** Connections that the system lets wait for a server, whatever it asks for; 0: unknown. */
function longestAcceptQueue(): number {
  const path = '/proc/sys/net/core/somaxconn'
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

describe('the HTTP server', () => {
  it('says how it is at /health', async () => {
    const server = await startServer()
    await (await connect(server).login('alice')).enter('general')
    const response = await fetch(`http://127.0.0.1:${server.port}/health`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      status: 'ok',
      connections: 1,
      sessions: 1,
      rooms: 1,
      queuedOps: 0,
      uptimeSeconds: expect.any(Number),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  it.skipIf(longestAcceptQueue() < 2_000)('has room for a herd that comes while it is busy', async () => {
    const { port = 0 } = await startServer({ upgrades: { perSecond: 10_000, burst: 10_000 } })
    // All in one turn: the server has accepted none of them yet when the last has dialled.
    const times = await Promise.all(
      Array.from({ length: 1_500 }, () => {
        const socket = dial(port, '127.0.0.1')
        onTestFinished(() => {
          socket.destroy()
        })
        return new Promise<number>((resolve, reject) => {
          socket.once('connect', () => resolve(performance.now())).once('error', reject)
        })
      }),
    )
    times.sort((a, b) => a - b)
    // Who is dropped dials again after a second, whatever the machine does meanwhile.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(700)
  })

  it('knows nothing else', async () => {
    const server = await startServer()
    for (const path of ['/', '/ws', '/healthy', '/health/x']) {
      expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status).toBe(404)
    }
    expect((await fetch(`http://127.0.0.1:${server.port}/health`, { method: 'POST' })).status).toBe(404)
  })

  it('hands other requests to the application', async () => {
    const server = await startServer({
      onRequest: (request, response) => response.end(`page ${request.url}`),
    })
    expect(await (await fetch(`http://127.0.0.1:${server.port}/index.html`)).text()).toBe('page /index.html')
    expect((await fetch(`http://127.0.0.1:${server.port}/health`)).headers.get('content-type')).toBe(
      'application/json',
    )
  })

  it('says what to do where its port is taken', async () => {
    const server = await startServer()
    const second = createServer({
      port: server.port,
      auth: { secret: SECRET },
      store: memory(),
      logger: false,
    })
    await expect(second).rejects.toThrow(
      `Port ${server.port} on 127.0.0.1 is taken: stop the program that listens there, or choose another port`,
    )
  })

  it('measures nothing any more where its port is taken', async () => {
    const { port } = await startServer()
    const before = repeatingTimers()
    const options = { port, auth: { secret: SECRET }, store: memory(), logger: false } as const
    await expect(createServer(options)).rejects.toThrow('is taken')
    expect(repeatingTimers()).toBe(before)
  })

  it('says what to do where the machine has no such address', async () => {
    const server = createServer({
      port: 0,
      host: '203.0.113.1',
      auth: { secret: SECRET },
      store: memory(),
      logger: false,
    })
    await expect(server).rejects.toThrow('This machine has no address 203.0.113.1')
  })

  it.each([
    ['that sends nothing', ''],
    ['that sends its head byte by byte', 'GET /health HTTP/1.1\r\nHost: x\r\n'],
    ['that sends half an upgrade', upgradeOf().slice(0, 80)],
  ])('ends a connection %s', async (_, head) => {
    const http = createHttpServer({
      health: () => ({}),
      onTicketRequest: () => {},
      onRequest: undefined,
      logger: SILENT,
      headersTimeoutMs: 50,
    })
    onTestFinished(() => void http.close())
    const { port } = await listen(http, 0, '127.0.0.1', SILENT)
    const socket = new RawSocket(port)
    for (const byte of head) socket.write(byte)
    expect(await socket.end).toBe('HTTP 408')
  })

  it('tells its address', async () => {
    const server = await startServer({ path: '/chat' })
    expect(server.url).toBe(`ws://127.0.0.1:${server.port}/chat`)
  })
})
