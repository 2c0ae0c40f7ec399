// Real sockets to a real server on a free port of this machine. A peer keeps what it is told in order; tests await what
// they expect and never sleep.

import { once } from 'node:events'
import { type ClientMessage, decodeServerFrame, encode, type ServerMessage } from '@tautline/protocol'
import { createServer, createToken, memory, type Server, type ServerOptions } from '@tautline/server'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

export const SECRET = 'a secret of the tests, 32 bytes or more'

export function tokenOf(userId: string, secret = SECRET): Promise<string> {
  return createToken({ secret, userId })
}

/** A server that is closed when the test is over. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await createServer({
    port: 0,
    auth: { secret: SECRET },
    store: memory(),
    logger: false,
    ...options,
  })
  onTestFinished(() => server.close())
  return server
}

/** Something to wait for, and the way to let it happen. */
export function gate<T = void>(): { readonly passed: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const passed = new Promise<T>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

export interface PeerOptions {
  readonly protocols?: string | string[]
  readonly headers?: Record<string, string>
}

export class Peer {
  readonly socket: WebSocket
  readonly opened: Promise<unknown>
  /** `code reason` of the close frame. */
  readonly closed: Promise<string>
  /** The frames as they came. */
  readonly frames: string[] = []
  #told: ServerMessage[] = []
  #waiting: (() => void) | undefined
  #isClosed = false

  constructor(url: string, options: PeerOptions = {}) {
    this.socket = new WebSocket(url, options.protocols ?? 'tautline.v1', { headers: options.headers ?? {} })
    this.opened = once(this.socket, 'open')
    this.opened.catch(() => {}) // who cares awaits it
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#isClosed = true
        this.#waiting?.()
        resolve(`${code} ${reason.toString()}`.trim())
      })
    })
    this.socket.on('error', () => {}) // it closes too
    this.socket.on('message', (data: Buffer) => {
      const text = data.toString()
      this.frames.push(text)
      for (const decoded of decodeServerFrame(text, { maxFrameBytes: 10_000_000 })) {
        if (!decoded.ok) throw new Error(`the server said ${decoded.code}: ${text.slice(0, 200)}`)
        this.#told.push(decoded.message)
      }
      this.#waiting?.()
    })
    onTestFinished(() => this.socket.terminate())
  }

  say(...messages: ClientMessage[]): void {
    this.socket.send(encode(messages.length === 1 ? messages[0]! : messages))
  }

  text(text: string): void {
    this.socket.send(text)
  }

  /** The next message of one of these types; those before it are dropped. */
  async next<K extends ServerMessage['type']>(...types: K[]): Promise<Extract<ServerMessage, { type: K }>> {
    for (;;) {
      for (let message = this.#told.shift(); message; message = this.#told.shift()) {
        if ((types as string[]).includes(message.type)) return message as Extract<ServerMessage, { type: K }>
      }
      if (this.#isClosed) throw new Error(`closed while waiting for ${types.join(', ')}`)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  async login(user: string, sid = `lane-of-${user}`): Promise<this> {
    await this.opened
    this.say({ type: 'authenticate', payload: { ref: 1, sid, token: await tokenOf(user) } })
    await this.next('connected')
    return this
  }

  async enter(room: string): Promise<this> {
    this.say(
      { type: 'join_room', payload: { ref: 2, room } },
      { type: 'subscribe', payload: { ref: 3, rooms: [{ room }] } },
    )
    await this.next('page')
    return this
  }

  /** The contents of the next `count` messages in the rooms that are followed. */
  async contents(count: number): Promise<unknown[]> {
    const contents: unknown[] = []
    while (contents.length < count) {
      const { payload } = await this.next('entries')
      for (const entry of payload.entries) {
        if (entry.type === 'new_message') contents.push(entry.payload['content'])
      }
    }
    return contents
  }

  /** Ping and pong: all that was said before has been heard. */
  async flush(): Promise<void> {
    this.say({ type: 'ping', payload: { ref: 999_999 } })
    await this.next('pong')
  }
}

export function connect(server: Server, options?: PeerOptions): Peer {
  if (server.url === undefined) throw new Error('this server does not listen')
  return new Peer(server.url, options)
}

export function sendMessage(
  ref: number,
  n: number,
  contents: readonly string[],
  lane: { readonly room?: string; readonly sid?: string } = {},
): ClientMessage {
  const { room = 'general', sid = 'the-lane-1' } = lane
  return {
    type: 'commands',
    payload: {
      ref,
      room,
      sid,
      n,
      commands: contents.map((content, i) => ({
        type: 'send_message',
        messageId: `${sid}-message-${n + i}`,
        payload: { content },
      })),
    },
  }
}
