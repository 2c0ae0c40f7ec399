import { createClient, webSocket } from '@tautline/client'
import { CODES, SUBPROTOCOL } from '@tautline/protocol'
import { WebSocket as MockSocket, Server } from 'mock-socket'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ScriptedServer } from '../support/scripted-server.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A socket that does nothing by itself. */
class StillSocket {
  static last: StillSocket
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly readyState = 0
  readonly closes: [code: number | undefined, reason: string | undefined][] = []
  readonly url: string
  readonly protocols: string[]

  constructor(url: string, protocols: string[]) {
    this.url = url
    this.protocols = protocols
    StillSocket.last = this
  }

  send(): void {}

  close(code?: number, reason?: string): void {
    this.closes.push([code, reason])
  }
}

function dialStill() {
  const heard: string[] = []
  const transport = webSocket(
    'ws://chat.test/ws',
    StillSocket,
  )({
    onOpen: () => heard.push('open'),
    onMessage: (data) => heard.push(`message ${String(data)}`),
    onClose: (code, reason) => heard.push(`close ${code} ${reason}`),
  })
  const socket = StillSocket.last
  const fire = (name: 'onopen' | 'onmessage' | 'onclose' | 'onerror', event: object = {}) =>
    socket[name]?.(event as never)
  return { heard, transport, socket, fire }
}

describe('a WebSocket as a transport', () => {
  it('offers the subprotocol', () => {
    const { socket } = dialStill()
    expect([socket.url, socket.protocols]).toEqual(['ws://chat.test/ws', [SUBPROTOCOL]])
  })

  it('tells what the socket tells', () => {
    const { heard, fire } = dialStill()
    fire('onopen')
    fire('onmessage', { data: 'hello' })
    fire('onerror')
    fire('onclose', { code: 1013, reason: 'TRY_AGAIN_LATER retry=7' })
    expect(heard).toEqual(['open', 'message hello', 'close 1013 TRY_AGAIN_LATER retry=7'])
  })

  it('is lost where the socket says nothing of why', () => {
    const { heard, fire } = dialStill()
    fire('onclose')
    expect(heard).toEqual(['close 1006 '])
  })

  it('closes once, however often it is told', () => {
    const { heard, fire, socket } = dialStill()
    const { onclose, onmessage } = socket
    fire('onclose', { code: 1000, reason: '' })
    onclose?.({ code: 4000, reason: 'again' } as never)
    expect(onmessage).not.toBeNull()
    expect([socket.onmessage, socket.onopen, socket.onclose]).toEqual([null, null, null])
    expect(heard).toEqual(['close 1000 '])
  })

  it('that gets no answer to its closing counts as closed after two seconds', () => {
    const { heard, transport } = dialStill()
    transport.close(1000, '')
    vi.advanceTimersByTime(1_999)
    expect(heard).toEqual([])
    vi.advanceTimersByTime(1)
    expect(heard).toEqual(['close 1006 '])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no timer where the answer comes', () => {
    const { transport, fire } = dialStill()
    transport.close(1000, '')
    transport.close(1000, '')
    fire('onclose', { code: 1000, reason: '' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(Object.values(CODES).flatMap(({ closeCode }) => (closeCode === null ? [] : [closeCode])))(
    'closes with a code that browsers let through, for %d',
    (code) => {
      const { transport, socket } = dialStill()
      transport.close(code, 'WHY')
      const sent = socket.closes[0]?.[0] ?? 0
      expect(sent === 1000 || (sent >= 3_000 && sent <= 4_999)).toBe(true)
      expect(socket.closes[0]?.[1]).toBe('WHY')
    },
  )
})

describe('a client over an injected WebSocket', () => {
  const URL = 'ws://chat.test/ws'

  function start() {
    const server = new ScriptedServer()
    const mock = new Server(URL, { selectProtocol: (protocols) => protocols[0] ?? '' })
    mock.on('connection', (socket) => {
      const peer = {
        send: (text: string) => socket.send(text),
        close: (code: number, reason: string) => socket.close({ code, reason, wasClean: true }),
      }
      const { receive, closed } = server.accept(peer)
      socket.on('message', (data) => receive(data as string))
      socket.on('close', closed)
    })
    const client = createClient({
      url: URL,
      userId: 'ada',
      getToken: () => 'token',
      WebSocket: MockSocket,
      lifecycle: () => () => {},
    })
    return { server, mock, client }
  }

  it('connects, sends, comes back after a loss, and closes', async () => {
    const { server, mock, client } = start()
    const connecting = client.connect()
    await vi.advanceTimersByTimeAsync(100)
    await connecting
    const room = client.room('den')
    room.follow().catch(() => {})
    const first = room.send({ content: 'one' })
    await vi.advanceTimersByTimeAsync(100)
    expect(await first).toMatchObject({ seq: 1 })

    server.drop(1012, 'RESTART')
    await vi.advanceTimersByTimeAsync(50)
    expect(client.getSnapshot()).toMatchObject({ status: 'waiting', reason: 'RESTART' })
    const second = room.send({ content: 'two' })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await second).toMatchObject({ seq: 2 })

    await client.close()
    await vi.advanceTimersByTimeAsync(100)
    expect(server.sessions.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    mock.stop()
  })

  it('waits for a server that is not there', async () => {
    const client = createClient({
      url: 'ws://nobody.test/ws',
      getToken: () => 'ada',
      WebSocket: MockSocket,
      lifecycle: () => () => {},
    })
    const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
    const statuses: string[] = []
    client.on('status', ({ status }) => statuses.push(status))
    client.connect().catch(() => {})
    await vi.advanceTimersByTimeAsync(20_000)
    expect(statuses.filter((status) => status === 'waiting').length).toBeGreaterThan(2)
    expect(statuses).not.toContain('stopped')
    await client.close()
    await vi.advanceTimersByTimeAsync(100)
    expect(vi.getTimerCount()).toBe(0)
    silence.mockRestore()
  })
})
