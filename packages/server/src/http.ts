/**
 * The HTTP side of a server that stands alone: it listens, answers /health and /ticket, and hands everything else to the
 * application, or says 404. Limits on headers and time are here; what comes over WebSockets is not.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from './log.ts'
import { isTicketRequest } from './tickets.ts'

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface HttpOptions {
  /** What GET /health says, as JSON. */
  readonly health: () => object
  /** Answers /ticket. */
  readonly onTicketRequest: RequestHandler
  readonly onRequest: RequestHandler | undefined
  readonly logger: Logger
  /** Time for the head of a request, and for a connection to begin one. Default 10,000 ms. */
  readonly headersTimeoutMs?: number | undefined
}

const MAX_HEADER_BYTES = 32_768
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_TIMEOUT_MS = 5_000
/** How late a timeout may be found: by itself Node looks every half minute. */
const MAX_CHECK_INTERVAL_MS = 1_000

/** What a connection is told whose bytes were no request. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

export function createHttpServer(options: HttpOptions): Server {
  const { health, onTicketRequest, onRequest, logger, headersTimeoutMs = HEADERS_TIMEOUT_MS } = options
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(headersTimeoutMs, MAX_CHECK_INTERVAL_MS),
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    (request, response) => {
      request.on('error', (error) => logger.debug({ error: error.message }, 'a request broke'))
      response.on('error', (error) => logger.debug({ error: error.message }, 'a response broke'))
      if (isHealth(request)) sendJson(response, 200, health())
      else if (isTicketRequest(request)) onTicketRequest(request, response)
      else if (onRequest) onRequest(request, response)
      else sendJson(response, 404, { error: 'not found' })
    },
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    logger.debug({ error: error.message }, 'a request was no HTTP')
    const status = STATUS_OF[error.code ?? ''] ?? 400
    socket.once('finish', () => socket.destroy())
    if (socket.writable)
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      )
    else socket.destroy()
  })
  return server
}

/**
 * Connections that may wait until they are accepted. Node's default of 511 is less than are let in at once: of a herd that
 * comes while the server is busy the rest would be dropped by the kernel, and try again a second later, and three. The
 * system has a bound of its own (`net.core.somaxconn`).
 */
const ACCEPT_QUEUE = 4_096

/** Resolves with the address that was given; rejects with a sentence that says what to do. */
export function listen(server: Server, port: number, host: string, logger: Logger): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) =>
      reject(new Error(sayWhy(error, port, host), { cause: error }))
    server.once('error', onError)
    server.listen(port, host, ACCEPT_QUEUE, () => {
      server.off('error', onError)
      server.on('error', (error) => logger.error({ error: error.message }, 'the HTTP server failed'))
      resolve(server.address() as AddressInfo)
    })
  })
}

function sayWhy(error: NodeJS.ErrnoException, port: number, host: string): string {
  const { code } = error
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken: stop the program that listens there, or choose another port (0 takes any that is free).`
  if (code === 'EACCES') return `Port ${port} may not be used by this user: choose one from 1024 up.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `This machine has no address ${host}: use 127.0.0.1 for this machine alone, or 0.0.0.0 for all that can reach it.`
  return `The server could not listen on ${host}, port ${port}: ${error.message}`
}

function isHealth({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && (url === '/health' || url.startsWith('/health?'))
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  })
  response.end(text)
}
