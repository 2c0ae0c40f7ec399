/**
 * The adapter for `ws`: upgrades HTTP requests of one path, and joins each WebSocket to the server. Origin and
 * subprotocol are looked at here; who somebody is comes later, in the first frame. An origin that is not allowed is
 * refused before the upgrade; an unknown subprotocol is accepted and closed with a code, which a browser can read.
 */
import { type Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { encodeCloseReason, SUBPROTOCOL } from '@tautline/protocol/wire'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Logger } from './log.ts'
import { closeCodeOf, type ServerSocket, type SocketListener } from './socket.ts'
import { TextFrames } from './text-frame.ts'
import { bearerOf } from './tickets.ts'

export interface UpgradeOptions {
  readonly path: string
  readonly maxFrameBytes: number
  readonly isOriginAllowed: (origin: string) => boolean
  readonly logger: Logger
  /** Whether a token may come in the URL. */
  readonly allowQuery: boolean
  /** What counts as the address of a request. */
  readonly addressOf: (request: IncomingMessage) => string | undefined
  readonly accept: (
    socket: ServerSocket,
    token: string | undefined,
    address: string | undefined,
  ) => SocketListener
}

export interface Upgrader {
  /** Takes the upgrade requests of this HTTP server. `isOurs`: nobody else takes those of other paths. */
  listenTo(server: HttpServer, isOurs: boolean): void
  /** Takes no more of them. */
  close(): void
}

/** Options of ws 8.23 that its types do not know yet. */
const NEWER_OPTIONS = {
  /** Milliseconds for the other end to answer a close frame. */
  closeTimeout: 5_000,
  /** A message may come in so many fragments: those without end cost memory. */
  maxFragments: 16,
}

export function createUpgrader(options: UpgradeOptions): Upgrader {
  const { path, maxFrameBytes, isOriginAllowed, logger, allowQuery, addressOf, accept } = options
  const frames = new TextFrames()
  const servers = new Map<HttpServer, (request: IncomingMessage, socket: Duplex, head: Buffer) => void>()
  const ws = new WebSocketServer({
    ...NEWER_OPTIONS,
    WebSocket: JoinedWebSocket,
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    // Of strange ones the first: a browser reads no close code of a connection on which nothing was chosen.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : ([...offered][0] ?? false)),
  })

  // A listener made within `upgrade` would keep its request, with all headers, as long as the socket.
  const onBrokenUpgrade = (error: Error) =>
    logger.debug({ error: error.message }, 'a socket broke during its upgrade')
  const onBroken = (error: Error) => logger.debug({ error: error.message }, 'a socket broke')

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, isOurs: boolean): void {
    socket.on('error', onBrokenUpgrade)
    if (pathOf(request) !== path) {
      if (isOurs) refuseUpgrade(socket, 404, `WebSockets are served at ${path}`)
      return
    }
    const { origin } = request.headers
    if (origin !== undefined && !isOriginAllowed(origin)) {
      logger.warn({ origin: origin.slice(0, 200) }, 'an origin that is not allowed was refused')
      refuseUpgrade(socket, 403, 'This origin is not allowed')
      return
    }
    // Demanded by RFC 6455, and by nobody below us.
    if (request.httpVersion !== '1.1' || request.headers.host === undefined) {
      refuseUpgrade(socket, 400, 'A WebSocket needs HTTP/1.1 and a host')
      return
    }
    ws.handleUpgrade(request, socket, head, (webSocket) => join(webSocket, socket, request))
  }

  function tokenOf(request: IncomingMessage): string | undefined {
    return bearerOf(request) ?? (allowQuery ? queryTokenOf(request) : undefined)
  }

  function join(webSocket: JoinedWebSocket, socket: Duplex, request: IncomingMessage): void {
    // From here on `ws` listens itself.
    socket.off('error', onBrokenUpgrade)
    webSocket.on('error', onBroken)
    if (webSocket.protocol !== SUBPROTOCOL) {
      webSocket.close(closeCodeOf('UNSUPPORTED_VERSION'), encodeCloseReason('UNSUPPORTED_VERSION'))
      return
    }
    const adapter = new Adapter(webSocket, socket, frames)
    const listener = accept(adapter, tokenOf(request), addressOf(request))
    adapter.listener = listener
    webSocket.listener = listener
    webSocket.on('message', onMessage)
    webSocket.on('pong', onPong)
    webSocket.on('close', onClose)
  }

  return {
    listenTo(server, isOurs) {
      const listener = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        upgrade(request, socket, head, isOurs)
      server.on('upgrade', listener)
      servers.set(server, listener)
    },
    close() {
      for (const [server, listener] of servers) server.off('upgrade', listener)
      servers.clear()
      ws.close()
    },
  }
}

/** A WebSocket that knows whom to tell, so that one function listens to all of them. */
class JoinedWebSocket extends WebSocket {
  listener: SocketListener | undefined
}

function listenerOf(webSocket: WebSocket): SocketListener | undefined {
  return webSocket instanceof JoinedWebSocket ? webSocket.listener : undefined
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  if (isBinary) listenerOf(this)?.binary()
  else listenerOf(this)?.text(textOf(data))
}

function onPong(this: WebSocket): void {
  listenerOf(this)?.pong()
}

function onClose(this: WebSocket): void {
  listenerOf(this)?.closed()
}

/** With so little in the buffer of a socket nobody waits to hear that it was written; far below what congestion is. */
const QUIET_BYTES = 32_768

/**
 * Texts go to the socket below the WebSocket, each as one write of one buffer: `ws` would encode a text anew for each
 * connection, and hand it over in two pieces. Without compression it keeps nothing back itself, so the order holds.
 */
class Adapter implements ServerSocket {
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #frames: TextFrames
  listener: SocketListener | undefined

  constructor(webSocket: WebSocket, socket: Duplex, frames: TextFrames) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#frames = frames
  }

  send(text: string): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return
    const frame = this.#frames.of(text)
    const socket = this.#socket
    // A callback costs a turn of the queue, for each write.
    if (socket.writableLength + frame.length <= QUIET_BYTES) socket.write(frame)
    else socket.write(frame, () => this.listener?.drained())
  }

  ping(): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.ping()
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }
}

/** Text frames come as one buffer: `binaryType` is that of the default. */
function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8')
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** Of the ticket and the token the ticket, since it was asked for just now. */
function queryTokenOf({ url = '/' }: IncomingMessage): string | undefined {
  const start = url.indexOf('?')
  if (start < 0) return undefined
  const query = new URLSearchParams(url.slice(start + 1))
  return query.get('ticket') ?? query.get('token') ?? undefined
}

function refuseUpgrade(socket: Duplex, status: number, sentence: string): void {
  const body = `${sentence}.\n`
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
