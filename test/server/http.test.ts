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

const HERD = 1_500

/** Connections that Linux lets wait for a server, whatever it asks for; 0 on other systems, which tell nothing of it. */
function longestAcceptQueue(): number {
  const path = '/proc/sys/net/core/somaxconn'
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
}

/** Connections that wait for the server of this port now: of a socket that listens, Linux says it in place of its bytes. */
function acceptQueue(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, local, , state, queues = ''] = line.trim().split(/\s+/)
    if (local === address && state === '0A') return Number.parseInt(queues.split(':')[1] ?? '', 16)
  }
  throw new Error(`nobody listens on port ${port}`)
}

/** The whole process, its servers too. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
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

  it.runIf(longestAcceptQueue() >= HERD)('has room for a herd that comes while it is busy', async () => {
    const { port = 0 } = await startServer({ upgrades: { perSecond: 10_000, burst: 10_000 } })
    for (let i = 0; i < HERD; i++) {
      const socket = dial(port, '127.0.0.1')
      onTestFinished(() => {
        socket.destroy()
      })
    }
    await new Promise(process.nextTick)
    // They have dialled, and the server of this process accepts nobody while this looks on: all of them come to stand
    // there, or as many as there is room for.
    for (let looks = 0; acceptQueue(port) < HERD && looks < 300; looks++) standStill(20)
    expect(acceptQueue(port)).toBe(HERD)
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
