/**
 * Tickets: a page that cannot send a header with its WebSocket gets one for its token by `POST /ticket`, and gives it in
 * place of the token, once. A ticket is worth what its token is worth: same user, same end, same revocation. They live
 * in memory, few for each user, for some minutes; a server that restarts knows none of the last one's.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Code } from '@tautline/protocol/wire'
import type { Verifier } from './auth.ts'
import type { Verification } from './core/contract.ts'

export const DEFAULT_TICKET_LIFETIME_MS = 300_000

/** No JWT begins like this: theirs begin with a brace in base 64. */
const PREFIX = 'tautline-ticket.'
const MAX_TICKETS = 100_000
/** Of one user; the oldest goes where another is made. */
const MAX_TICKETS_PER_USER = 16
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,16384})$/i
const PREFLIGHT_SECONDS = 600

export interface TicketOptions {
  readonly verify: Verifier
  readonly lifetimeMs: number
  readonly isOriginAllowed: (origin: string) => boolean
  /** Counts the request. 0: it may be; else how many milliseconds whoever asks must wait. */
  readonly admit: (request: IncomingMessage) => number
  /** No ticket was given, and why. */
  readonly onRefused: (code: Code) => void
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface Tickets {
  /** Takes tickets and tokens; a ticket is used up by it, whatever becomes of the connection. */
  readonly verify: Verifier
  /** Answers `POST /ticket` (and the question of a browser whether it may ask). */
  handle(request: IncomingMessage, response: ServerResponse): void
}

type Accepted = Extract<Verification, { ok: true }>

interface Ticket {
  readonly verification: Accepted
  /** Monotonic milliseconds. */
  readonly deadline: number
}

export function createTickets({
  verify,
  lifetimeMs,
  isOriginAllowed,
  admit,
  onRefused,
  now,
}: TicketOptions): Tickets {
  /** In the order of their making, which is that of their deadlines. */
  const tickets = new Map<string, Ticket>()
  const byUser = new Map<string, Set<string>>()

  function take(id: string): Ticket | undefined {
    const ticket = tickets.get(id)
    if (!ticket) return undefined
    const { userId } = ticket.verification
    const own = byUser.get(userId)
    tickets.delete(id)
    own?.delete(id)
    if (own?.size === 0) byUser.delete(userId)
    return ticket
  }

  function dropExpired(): void {
    for (const [id, { deadline }] of tickets) {
      if (deadline > now()) return
      take(id)
    }
  }

  /** Undefined: there are too many. */
  function make(verification: Accepted): string | undefined {
    dropExpired()
    const { userId } = verification
    const own = byUser.get(userId) ?? new Set()
    const [oldest] = own
    if (oldest !== undefined && own.size >= MAX_TICKETS_PER_USER) take(oldest)
    if (tickets.size >= MAX_TICKETS) return undefined
    const id = PREFIX + randomBytes(32).toString('base64url')
    tickets.set(id, { verification, deadline: now() + lifetimeMs })
    byUser.set(userId, own.add(id))
    return id
  }

  async function exchange(request: IncomingMessage): Promise<Reply> {
    const waitMs = admit(request)
    if (waitMs > 0) return refusal(429, 'RATE_LIMIT', waitMs)
    const token = bearerOf(request)
    if (token === undefined) return refusal(401, 'NO_TOKEN')
    // Not for a ticket: else one could be kept alive for ever.
    if (token.startsWith(PREFIX)) return refusal(401, 'INVALID_TOKEN')
    const verification = await verify(token)
    if (!verification.ok) return refusal(verification.code === 'SERVER_ERROR' ? 503 : 401, verification.code)
    const ticket = make(verification)
    if (ticket === undefined) return refusal(503, 'TRY_AGAIN_LATER')
    return { status: 200, body: { ticket, expiresInMs: lifetimeMs } }
  }

  return {
    async verify(token) {
      if (!token.startsWith(PREFIX)) return verify(token)
      const ticket = take(token)
      if (ticket && ticket.deadline > now()) return ticket.verification
      return { ok: false, code: 'INVALID_TOKEN' }
    },

    handle(request, response) {
      const { origin } = request.headers
      response.setHeader('Cache-Control', 'no-store')
      response.setHeader('Vary', 'Origin')
      if (origin !== undefined && !isOriginAllowed(origin)) {
        reply(response, { status: 403, body: { error: 'this origin is not allowed' } })
        return
      }
      if (origin !== undefined) allow(response, origin)
      if (request.method === 'OPTIONS') response.writeHead(204, { 'Content-Length': 0 }).end()
      else if (request.method === 'POST') {
        exchange(request).then(
          (answer) => {
            if (answer.code !== undefined) onRefused(answer.code)
            reply(response, answer)
          },
          // The verifier told its error to the log.
          () => reply(response, refusal(503, 'SERVER_ERROR')),
        )
      } else {
        response.setHeader('Allow', 'POST, OPTIONS')
        reply(response, { status: 405, body: { error: 'ask with POST' } })
      }
    },
  }
}

export function isTicketRequest({ url = '' }: IncomingMessage): boolean {
  return url === '/ticket' || url.startsWith('/ticket?')
}

export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1]
}

interface Reply {
  readonly status: number
  readonly body: object
  readonly code?: Code
  readonly retryAfterMs?: number | undefined
}

function refusal(status: number, code: Code, retryAfterMs?: number): Reply {
  return { status, code, body: { error: code, retryAfterMs }, retryAfterMs }
}

function allow(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Allow-Methods', 'POST')
  response.setHeader('Access-Control-Allow-Headers', 'Authorization')
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After')
  response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS)
}

function reply(response: ServerResponse, { status, body, retryAfterMs }: Reply): void {
  const text = JSON.stringify(body)
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1_000))
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}
