import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createProxy, type TcpProxy } from './proxy.ts'

/** Collects what a socket gets. */
class End {
  readonly socket: Socket
  readonly chunks: string[] = []
  /** How it ended: `end` (FIN), an error's code, or nothing yet. */
  readonly ended: Promise<string>
  #tail = ''
  #waiting = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    this.ended = new Promise((resolve) => {
      socket.on('end', () => resolve('end'))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      socket.on('close', () => resolve('closed'))
    })
    socket.on('data', (chunk) => {
      const text = chunk.toString()
      this.chunks.push(text)
      this.#tail = (this.#tail + text).slice(-100)
      this.#waiting()
    })
  }

  get text(): string {
    return this.chunks.join('')
  }

  /** Resolves when what has come ends with this. */
  async until(text: string): Promise<void> {
    while (!this.#tail.endsWith(text)) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }
}

let server: Server
let proxy: TcpProxy

beforeEach(async () => {
  server = createServer({ noDelay: true, allowHalfOpen: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy = await createProxy()
  proxy.aim((server.address() as AddressInfo).port)
})
afterEach(() => {
  proxy.close()
  server.close()
})

async function pair(): Promise<{ readonly client: End; readonly peer: End }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = new End(connect({ port: proxy.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }))
  const [socket] = await accepted
  return { client, peer: new End(socket) }
}

/** Both directions work. */
async function greet({ client, peer }: Awaited<ReturnType<typeof pair>>, word: string): Promise<void> {
  client.socket.write(`ask ${word};`)
  await peer.until(`ask ${word};`)
  peer.socket.write(`answer ${word};`)
  await client.until(`answer ${word};`)
}

describe('the proxy', () => {
  it('passes on everything, and a FIN after it', async () => {
    const { client, peer } = await pair()
    const long = 'x'.repeat(1_000_000)
    peer.socket.end(`${long}.`)
    await client.until('.')
    expect(client.text).toBe(`${long}.`)
    expect(await client.ended).toBe('end')
    // The other direction is open still.
    client.socket.end('thanks')
    await peer.until('thanks')
    expect(await peer.ended).toBe('end')
    await expect.poll(() => proxy.connections()).toBe(0)
  })

  it('lets everything arrive later, in order', async () => {
    const { client, peer } = await pair()
    proxy.set('toClient', { latencyMs: 60 })
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    for (const word of ['1', '2']) {
      peer.socket.write(word)
      await proxy.carries(word)
    }
    vi.advanceTimersByTime(59)
    // The other direction is as fast as ever.
    client.socket.write('3')
    await peer.until('3')
    expect(client.text).toBe('')
    vi.advanceTimersByTime(1)
    await client.until('12')
  })

  it('reads slowly: the writer sees it in what it cannot get rid of', async () => {
    const { client, peer } = await pair()
    proxy.set('toClient', { bytesPerSecond: 100_000 })
    const started = performance.now()
    peer.socket.write(`${'x'.repeat(20_000)}.`)
    await client.until('.')
    expect(performance.now() - started).toBeGreaterThanOrEqual(150)
    proxy.set('toClient', { bytesPerSecond: 100 })
    // More than all buffers on the way hold.
    peer.socket.write('y'.repeat(16_000_000))
    await expect.poll(() => peer.socket.writableLength).toBeGreaterThan(1_000_000)
    proxy.heal()
    peer.socket.write('!')
    await client.until('!')
    expect(client.text).toHaveLength(16_020_002)
  })

  it('cuts what is said into pieces', async () => {
    const { client, peer } = await pair()
    proxy.set('both', { sliceBytes: 3 })
    await greet({ client, peer }, 'sliced')
    expect(client.text).toBe('answer sliced;')
    expect(peer.chunks.length).toBeGreaterThan(1)
    expect(Math.max(...client.chunks.map(({ length }) => length))).toBeLessThan(14)
  })

  it.each(['toServer', 'toClient'] as const)(
    'holds back what goes %s, until it does not',
    async (direction) => {
      const ends = await pair()
      const [from, to] = direction === 'toServer' ? [ends.client, ends.peer] : [ends.peer, ends.client]
      proxy.set(direction, { isStalled: true })
      from.socket.write('held;')
      // The other direction is free, and by the time it has answered the held one would long have come.
      to.socket.write('free;')
      await from.until('free;')
      to.socket.write('again;')
      await from.until('again;')
      expect(to.text).toBe('')
      proxy.heal()
      await to.until('held;')
      await greet(ends, 'healed')
    },
  )

  it('cuts off: both ends see the end, and what was under way is lost', async () => {
    const { client, peer } = await pair()
    proxy.set('toClient', { latencyMs: 50 })
    peer.socket.write('under way')
    await proxy.carries('under way')
    proxy.cut()
    expect(await Promise.all([client.ended, peer.ended])).toEqual(['end', 'end'])
    expect(client.text).toBe('')
    proxy.heal()
    await greet(await pair(), 'anew')
  })

  it('resets: both ends see ECONNRESET', async () => {
    const ends = await pair()
    await greet(ends, 'first')
    proxy.reset()
    expect(await Promise.all([ends.client.ended, ends.peer.ended])).toEqual(['ECONNRESET', 'ECONNRESET'])
  })

  it('passes a reset on, after what was said before', async () => {
    const ends = await pair()
    await greet(ends, 'first')
    proxy.set('toClient', { latencyMs: 30 })
    ends.peer.socket.write('last words')
    await proxy.carries('last words')
    ends.peer.socket.resetAndDestroy()
    expect(await ends.client.ended).toBe('ECONNRESET')
    expect(ends.client.text).toContain('last words')
    await expect.poll(() => proxy.connections()).toBe(0)
  })

  it.each(['client', 'server'] as const)(
    'lets the %s vanish, and the other end hears nothing',
    async (end) => {
      const ends = await pair()
      await greet(ends, 'first')
      const [gone, left] = end === 'client' ? [ends.client, ends.peer] : [ends.peer, ends.client]
      proxy.vanish(end)
      expect(await gone.ended).toBe('end')
      // Who is left may go on talking into nothing.
      await new Promise<void>((resolve) => left.socket.write('hello?', () => resolve()))
      await greet(await pair(), 'another')
      expect(await Promise.race([left.ended, Promise.resolve('nothing')])).toBe('nothing')
      expect(gone.text).not.toContain('hello?')
      left.socket.destroy()
      await expect.poll(() => proxy.connections()).toBe(1)
    },
  )

  it('ends a connection to a server that is not there, and finds it when it is', async () => {
    const aimed = (server.address() as AddressInfo).port
    proxy.aim(1)
    const client = new End(connect(proxy.port, '127.0.0.1'))
    expect(await client.ended).toBe('ECONNRESET')
    proxy.aim(aimed)
    await greet(await pair(), 'there')
  })

  it('says when the bytes of a client have been written to the server', async () => {
    const { client, peer } = await pair()
    const delivered = proxy.delivers()
    client.socket.write('command')
    await delivered
    await peer.until('command')
  })
})
