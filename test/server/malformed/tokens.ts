// Tokens that nobody should show, each with the way it takes and how that ends. The server of these demands an issuer, an
// audience and a type, and has no query token switched on.

import { createHmac, randomBytes } from 'node:crypto'
import type { Server } from '@tautline/server'
import { SignJWT } from 'jose'
import { SECRET } from '../wire.ts'

/**
 * Where the token is shown: in the first frame; as the whole Authorization header of the upgrade; as a query of the URL;
 * as the header of a request for a ticket; or to an open connection, in place of one that was good.
 */
export type Way = 'hello' | 'header' | 'query' | 'ticket' | 'renewal'

export interface TokenCase {
  readonly name: string
  readonly way: Way
  readonly token: (server: Server) => string | Promise<string>
  readonly expected: string
}

/** What the server demands beside a signature. */
export const DEMANDS = { issuer: 'the issuer', audience: 'the chat', tokenType: 'at+jwt' } as const

const KEY = new TextEncoder().encode(SECRET)
const seconds = () => Math.floor(Date.now() / 1_000)
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = { alg: 'HS256', typ: DEMANDS.tokenType }

const claims = (change: Record<string, unknown> = {}) => ({
  sub: 'mallory',
  iat: seconds(),
  exp: seconds() + 60,
  iss: DEMANDS.issuer,
  aud: DEMANDS.audience,
  // No two tokens are alike, so that none is in a log by chance.
  jti: randomBytes(9).toString('base64url'),
  ...change,
})

export function sign(change: Record<string, unknown> = {}, header: object = {}, key = KEY): Promise<string> {
  return new SignJWT(claims(change)).setProtectedHeader({ ...HEADER, ...header }).sign(key)
}

/** Signed, whatever the header says. */
function forge(header: object, change?: Record<string, unknown>): string {
  const unsigned = `${base64(header)}.${base64(claims(change))}`
  return `${unsigned}.${createHmac('sha256', KEY).update(unsigned).digest('base64url')}`
}

async function ticketOf(server: Server): Promise<string> {
  const headers = { Authorization: `Bearer ${await sign()}` }
  const response = await fetch(`http://127.0.0.1:${server.port}/ticket`, { method: 'POST', headers })
  return ((await response.json()) as { ticket: string }).ticket
}

/** A good one, changed in one place. */
async function bent(change: (parts: readonly string[]) => readonly string[]): Promise<string> {
  return change((await sign()).split('.')).join('.')
}

const INVALID = '4002 INVALID_TOKEN'
const NONE = '4002 NO_TOKEN'
const REFUSED = 'HTTP 401 INVALID_TOKEN'

const row = (name: string, token: TokenCase['token'], expected = INVALID, way: Way = 'hello'): TokenCase => ({
  name,
  token,
  expected,
  way,
})

export const TOKENS: readonly TokenCase[] = [
  // No JWT.
  row('no token', () => '', NONE),
  row('nonsense', () => 'not-a-token-at-all'),
  row('blanks', () => '   '),
  row('dots', () => '..'),
  row('four parts', () => 'YQ.YQ.YQ.YQ'),
  row('an object', () => '{"sub":"mallory"}'),
  row('other alphabets', () => 'жетон.жетон.жетон'),
  row('16,384 characters', () => `${'eyJh'.repeat(4_095)}.a.b`),
  row('16,385 characters', () => 'x'.repeat(16_385), NONE),
  // Signatures.
  row('the algorithm none', () => `${base64({ ...HEADER, alg: 'none' })}.${base64(claims())}.`),
  row('the algorithm None, signed', () => forge({ ...HEADER, alg: 'None' })),
  row('no algorithm', () => forge({ typ: DEMANDS.tokenType })),
  row('an algorithm that is not the pinned one', () =>
    sign({}, { alg: 'HS512' }, new Uint8Array(64).fill(7)),
  ),
  row('an algorithm of key pairs', () => forge({ ...HEADER, alg: 'RS256' })),
  row('a key that it brings along', () =>
    forge({ ...HEADER, alg: 'RS256', jwk: { kty: 'oct', k: base64(SECRET) } }),
  ),
  row('a header that must be understood', () => forge({ ...HEADER, crit: ['exp2'], exp2: 1 })),
  row('another secret', () =>
    sign({}, {}, new TextEncoder().encode('another secret of the tests, 32 bytes')),
  ),
  row('another signature', () => bent(([head = '', body = '']) => [head, body, base64('x'.repeat(29))])),
  row('no signature', () => bent(([head = '', body = '']) => [head, body, ''])),
  row('another user under a good signature', () =>
    bent(([head = '', , signature = '']) => [head, base64(claims({ sub: 'bystander' })), signature]),
  ),
  // Claims.
  row(
    'one that has run out',
    () => sign({ iat: seconds() - 100, exp: seconds() - 40 }),
    '4002 TOKEN_EXPIRED',
  ),
  row('one that is not valid yet', () => sign({ nbf: seconds() + 600 })),
  row('one from the future', () => sign({ iat: seconds() + 600, exp: seconds() + 700 })),
  row('one that lives too long', () => sign({ exp: seconds() + 3_700 })),
  row('one that lives for ever', () => sign({ exp: Number.MAX_SAFE_INTEGER })),
  row('no end', () => sign({ exp: undefined })),
  row('no beginning', () => sign({ iat: undefined })),
  row('an end that is a text', () => sign({ exp: '9999999999' })),
  row('a beginning that is a text', () => sign({ iat: 'now' })),
  row('no user', () => sign({ sub: undefined })),
  row('nobody', () => sign({ sub: '' })),
  row('a user that is a number', () => sign({ sub: 7 })),
  row('a user that is a list', () => sign({ sub: ['mallory'] })),
  row('a user with a blank', () => sign({ sub: 'mal lory' })),
  row('a user with a line break', () => sign({ sub: 'mallory\n' })),
  row('a user that is a log', () => sign({ sub: '~mallory' })),
  row('a user of 129 characters', () => sign({ sub: 'm'.repeat(129) })),
  row('another issuer', () => sign({ iss: 'somebody' })),
  row('no issuer', () => sign({ iss: undefined })),
  row('another audience', () => sign({ aud: 'the shop' })),
  row('no audience', () => sign({ aud: undefined })),
  row('another type', () => sign({}, { typ: 'JWT' })),
  row('no type', () => forge({ alg: 'HS256' })),
  // Ways.
  row('no token in the header', () => 'Bearer', NONE, 'header'),
  row('a token in the header of another scheme', async () => `Basic ${await sign()}`, NONE, 'header'),
  row('two tokens in the header', async () => `Bearer ${await sign()} ${await sign()}`, NONE, 'header'),
  row('nonsense in the header', () => 'Bearer not-a-token-at-all', INVALID, 'header'),
  row('16,385 characters in the header', () => `Bearer ${'x'.repeat(16_385)}`, NONE, 'header'),
  row('a good one in the query, which is not switched on', () => sign(), NONE, 'query'),
  row('a good ticket in the query, which is not switched on', ticketOf, NONE, 'query'),
  row('no token for a ticket', () => '', 'HTTP 401 NO_TOKEN', 'ticket'),
  row('nonsense for a ticket', () => 'Bearer not-a-token-at-all', REFUSED, 'ticket'),
  row('a ticket for a ticket', async (server) => `Bearer ${await ticketOf(server)}`, REFUSED, 'ticket'),
  row(
    'one that has run out for a ticket',
    async () => `Bearer ${await sign({ iat: seconds() - 100, exp: seconds() - 40 })}`,
    'HTTP 401 TOKEN_EXPIRED',
    'ticket',
  ),
  row('nonsense as a renewal', () => 'not-a-token-at-all', INVALID, 'renewal'),
  row('another user as a renewal', () => sign({ sub: 'bystander' }), '4403 IDENTITY_MISMATCH', 'renewal'),
  row(
    'one that has run out as a renewal',
    () => sign({ iat: seconds() - 100, exp: seconds() - 40 }),
    '4002 TOKEN_EXPIRED',
    'renewal',
  ),
  row('no renewal at all', () => '', 'INVALID_MESSAGE', 'renewal'),
  // Tickets, and tokens that were taken back.
  row('a ticket that there is not', () => `tautline-ticket.${randomBytes(32).toString('base64url')}`),
  row('no ticket after its name', () => 'tautline-ticket.'),
  row('a ticket with more behind it', async (server) => `${await ticketOf(server)}x`),
  row('a ticket that was used', async (server) => {
    const ticket = await ticketOf(server)
    await use(server, ticket)
    return ticket
  }),
  row('a ticket that has run out', async (server) => {
    const madeAt = performance.now()
    const ticket = await ticketOf(server)
    while (performance.now() - madeAt <= TICKET_LIFETIME_MS + 1) await ticketOf(server)
    return ticket
  }),
  row('a token that was revoked', (server) => {
    server.revoke('taken-back')
    return sign({ jti: 'taken-back' })
  }),
  row('a ticket of a token that was revoked since', async (server) => {
    const token = await sign({ jti: 'taken-back-later' })
    const headers = { Authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${server.port}/ticket`, { method: 'POST', headers })
    server.revoke('taken-back-later')
    return ((await response.json()) as { ticket: string }).ticket
  }),
]

export const TICKET_LIFETIME_MS = 1_000

/** Shows the ticket once, and waits until that is over. */
async function use(server: Server, ticket: string): Promise<void> {
  const socket = new WebSocket(server.url ?? '', 'tautline.v1')
  await new Promise((resolve) => {
    socket.onclose = resolve
    socket.onmessage = () => socket.close()
    socket.onopen = () =>
      socket.send(
        JSON.stringify({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-use', token: ticket } }),
      )
  })
}
