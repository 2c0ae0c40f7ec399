/** Bare `ws`: JSON in, a JSON ack out, rooms as sets of sockets, nothing stored. What every other figure is a ratio to. */
import { jwtVerify } from 'jose'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { SECRET, type ServeOptions, type Serving } from './peer.ts'

type Ask = { readonly id: number; readonly enter: readonly string[]; readonly token?: string } | Said
interface Said {
  readonly id: number
  readonly room: string
  readonly text: string
}

export async function serve({ port, checksTokens }: ServeOptions): Promise<Serving> {
  const rooms = new Map<string, Set<WebSocket>>()
  const key = new TextEncoder().encode(SECRET)
  const server = new WebSocketServer({
    port,
    host: '127.0.0.1',
    perMessageDeflate: false,
    maxPayload: 65_536,
  })

  function follow(socket: WebSocket, names: readonly string[]): void {
    for (const name of names) rooms.set(name, (rooms.get(name) ?? new Set()).add(socket))
    socket.on('close', () => {
      for (const name of names) rooms.get(name)?.delete(socket)
    })
  }

  function fanOut({ room, text }: Said): void {
    const followers = rooms.get(room)
    if (!followers || followers.size === 0) return
    const frame = JSON.stringify({ room, text })
    for (const follower of followers) follower.send(frame)
  }

  async function enter(socket: WebSocket, id: number, names: readonly string[], token?: string) {
    if (checksTokens) await jwtVerify(token ?? '', key, { algorithms: ['HS256'] })
    follow(socket, names)
    socket.send(JSON.stringify({ ok: id }))
  }

  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate())
    socket.on('message', (data) => {
      const ask = JSON.parse(textOf(data)) as Ask
      if ('enter' in ask) {
        enter(socket, ask.id, ask.enter, ask.token).catch(() => socket.close(4002))
        return
      }
      socket.send(JSON.stringify({ ack: ask.id }))
      fanOut(ask)
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : ''
}
