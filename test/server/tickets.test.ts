import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createToken, type Logger, type Server } from '@tautline/server'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createVerifier } from '../../packages/server/src/auth.ts'
import { createTickets } from '../../packages/server/src/tickets.ts'
import { connect, gate, Peer, SECRET, startServer, tokenOf } from './wire.ts'

function ask(server: Server, headers: Record<string, string>, method = 'POST') {
  return fetch(`http://127.0.0.1:${server.port}/ticket`, { method, headers })
}

async function ticketOf(server: Server, token: string): Promise<string> {
  const response = await ask(server, { Authorization: `Bearer ${token}` })
  expect(response.status).toBe(200)
  return ((await response.json()) as { ticket: string }).ticket
}

async function hello(peer: Peer, token?: string): Promise<Peer> {
  await peer.opened
  const payload = { ref: 1, sid: 'the-lane-1' }
  peer.say({ type: 'authenticate', payload: token === undefined ? payload : { ...payload, token } })
  return peer
}

describe('a ticket', () => {
  it('stands for the token that it was made for, once', async () => {
    const server = await startServer()
    const ticket = await ticketOf(server, await tokenOf('alice'))
    const peer = await hello(connect(server), ticket)
    const { payload } = await peer.next('connected')
    expect(payload).toMatchObject({ userId: 'alice', tokenExpiresAt: expect.any(Number) })
    expect(await (await hello(connect(server), ticket)).closed).toBe('4002 INVALID_TOKEN')
    await peer.flush()
  })

  it('is used up by one of two that come at once', async () => {
    const server = await startServer()
    const ticket = await ticketOf(server, await tokenOf('alice'))
    const peers = [connect(server), connect(server)]
    await Promise.all(peers.map((peer) => peer.opened))
    await Promise.all(peers.map((peer) => hello(peer, ticket)))
    const fates = await Promise.all(
      peers.map((peer) =>
        Promise.race([
          peer.closed,
          peer.next('connected').then(
            () => 'connected',
            () => peer.closed,
          ),
        ]),
      ),
    )
    expect(fates.toSorted()).toEqual(['4002 INVALID_TOKEN', 'connected'])
  })

  it('is not made without a token, nor for one that is not valid, nor for another ticket', async () => {
    const server = await startServer()
    const ticket = await ticketOf(server, await tokenOf('alice'))
    const refusals: [Record<string, string>, string][] = [
      [{}, 'NO_TOKEN'],
      [{ Authorization: 'Basic YTpi' }, 'NO_TOKEN'],
      [{ Authorization: 'Bearer nonsense' }, 'INVALID_TOKEN'],
      [{ Authorization: `Bearer ${ticket}` }, 'INVALID_TOKEN'],
    ]
    for (const [headers, error] of refusals) {
      const response = await ask(server, headers)
      expect([response.status, await response.json()]).toEqual([401, { error }])
    }
    expect((await ask(server, {}, 'GET')).status).toBe(405)
  })

  it('can be asked for by pages of allowed origins alone', async () => {
    const server = await startServer({ origins: ['https://chat.example'] })
    const headers = { Authorization: `Bearer ${await tokenOf('alice')}` }
    const allowed = await ask(server, { ...headers, Origin: 'https://chat.example' })
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://chat.example',
    ])
    const preflight = await ask(server, { Origin: 'https://chat.example' }, 'OPTIONS')
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization',
    ])
    const other = await ask(server, { ...headers, Origin: 'https://evil.example' })
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })

  it('serves another HTTP server too', async () => {
    const server = await startServer({ port: undefined })
    const http = createHttpServer((request, response) => server.handleTicket(request, response))
    onTestFinished(() => void http.close())
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const { port } = http.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/ticket`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await tokenOf('alice')}` },
    })
    expect(response.status).toBe(200)
  })

  it('is worth nothing when its time is over, and is forgotten; a user has sixteen at most', async () => {
    let now = 0
    const tickets = createTickets({
      verify: async (token) => ({ ok: true, userId: token, expiresAt: undefined }),
      lifetimeMs: 1_000,
      isOriginAllowed: () => true,
      admit: () => 0,
      onRefused: () => {},
      now: () => now,
    })
    const http = createHttpServer((request, response) => tickets.handle(request, response))
    onTestFinished(() => void http.close())
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const { port } = http.address() as AddressInfo
    const make = async (user: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/ticket`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${user}` },
      })
      const made = (await response.json()) as { ticket: string; expiresInMs: number }
      expect(made.expiresInMs).toBe(1_000)
      return made.ticket
    }
    const ofAlice: string[] = []
    for (let i = 0; i < 17; i++) ofAlice.push(await make('alice'))
    const ofBob = await make('bob')
    expect(await tickets.verify(ofAlice[0]!)).toEqual({ ok: false, code: 'INVALID_TOKEN' })
    expect(await tickets.verify(ofAlice[1]!)).toMatchObject({ ok: true, userId: 'alice' })
    now = 999
    expect(await tickets.verify(ofAlice[2]!)).toMatchObject({ ok: true })
    now = 1_000
    expect(await tickets.verify(ofAlice[3]!)).toEqual({ ok: false, code: 'INVALID_TOKEN' })
    expect(await tickets.verify(ofBob)).toEqual({ ok: false, code: 'INVALID_TOKEN' })
  })
})

describe('the query of the URL', () => {
  it('holds a ticket or a token where that is switched on', async () => {
    const server = await startServer({ auth: { secret: SECRET, allowQuery: true } })
    const token = await tokenOf('alice')
    for (const query of [`ticket=${await ticketOf(server, token)}`, `token=${token}`]) {
      const peer = await hello(new Peer(`${server.url}?${query}`))
      expect((await peer.next('connected')).payload.userId).toBe('alice')
    }
  })

  it('is not read where it is not', async () => {
    const server = await startServer()
    const ticket = await ticketOf(server, await tokenOf('alice'))
    expect(await (await hello(new Peer(`${server.url}?ticket=${ticket}`))).closed).toBe('4002 NO_TOKEN')
  })
})

describe('the end of a token', () => {
  it('ends its connection, unless another was brought', async () => {
    const server = await startServer({
      auth: {
        verify: (token) => ({
          userId: 'alice',
          expiresAt: Date.now() + (token === 'short' ? 60 : 60_000),
        }),
      },
    })
    const renewed = await hello(connect(server), 'short')
    await renewed.next('connected')
    renewed.say({ type: 'renew_token', payload: { ref: 2, token: 'long' } })
    await renewed.next('token_renewed')
    const peer = connect(server)
    await peer.opened
    peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-2', token: 'short' } })
    expect(await peer.closed).toBe('4002 TOKEN_EXPIRED')
    await renewed.flush()
  })

  it('comes at once when it is revoked, for the connections of that token and its tickets alone', async () => {
    const server = await startServer()
    const stolen = await createToken({ secret: SECRET, userId: 'alice', tokenId: 'token-1' })
    const kept = await createToken({ secret: SECRET, userId: 'alice', tokenId: 'token-2' })
    const ticket = await ticketOf(server, stolen)
    const thief = await hello(connect(server), stolen)
    await thief.next('connected')
    const alice = connect(server)
    await alice.opened
    alice.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-2', token: kept } })
    await alice.next('connected')
    server.revoke('token-1')
    expect(server.health().sessions).toBe(1)
    expect(await thief.closed).toBe('4002 INVALID_TOKEN')
    expect(await (await hello(connect(server), stolen)).closed).toBe('4002 INVALID_TOKEN')
    expect(await (await hello(connect(server), ticket)).closed).toBe('4002 INVALID_TOKEN')
    await alice.flush()
  })

  it('comes even while the token is being verified', async () => {
    const asked = gate()
    const answer = gate()
    const server = await startServer({
      auth: {
        async verify() {
          asked.open()
          await answer.passed
          return { userId: 'alice', tokenId: 'token-1' }
        },
      },
    })
    const peer = await hello(connect(server), 'x')
    await asked.passed
    server.revoke('token-1')
    answer.open()
    expect(await peer.closed).toBe('4002 INVALID_TOKEN')
  })
})

describe('a set of public keys', () => {
  async function issuer(alg = 'RS256') {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    const jwks: JSONWebKeySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg }] }
    const sign = (header: { alg: string; kid?: string } = { alg, kid: 'key-1' }) =>
      new SignJWT({ sub: 'alice' })
        .setProtectedHeader(header)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey)
    return { jwks, sign }
  }

  async function verify(auth: Parameters<typeof createVerifier>[0], token: string) {
    const verification = await createVerifier(auth, () => {})(token)
    return verification.ok ? verification.userId : verification.code
  }

  it('is given as JSON, and may stand beside a secret', async () => {
    const { jwks, sign } = await issuer()
    for (const given of [jwks, JSON.stringify(jwks)]) {
      const server = await startServer({ auth: { jwks: given, secret: SECRET } })
      await (await hello(connect(server), await sign())).next('connected')
      await (await hello(connect(server), await tokenOf('bob'))).next('connected')
    }
    expect(await verify({ jwks }, await tokenOf('bob'))).toBe('INVALID_TOKEN')
    expect(await verify({ secret: SECRET }, await sign())).toBe('INVALID_TOKEN')
  })

  it('is trusted for the algorithms that were pinned, and never as a secret', async () => {
    const { jwks, sign } = await issuer('ES256')
    expect(await verify({ jwks }, await sign())).toBe('INVALID_TOKEN')
    expect(await verify({ jwks, jwksAlgorithms: ['ES256'] }, await sign())).toBe('alice')
    const forged = new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(JSON.stringify(jwks.keys[0])))
    expect(await verify({ jwks, jwksAlgorithms: ['ES256'] }, await forged)).toBe('INVALID_TOKEN')
    const other = await issuer('ES256')
    expect(await verify({ jwks, jwksAlgorithms: ['ES256'] }, await other.sign())).toBe('INVALID_TOKEN')
  })

  it('is fetched; where it cannot be, nothing is decided', async () => {
    const { jwks, sign } = await issuer()
    let status = 500
    const http = createHttpServer((_request, response) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(jwks))
    })
    onTestFinished(() => void http.close())
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const auth = { jwks: `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys` }
    expect(await verify(auth, await sign())).toBe('SERVER_ERROR')
    status = 200
    expect(await verify(auth, await sign())).toBe('alice')
    expect(await verify(auth, await sign({ alg: 'RS256', kid: 'key-2' }))).toBe('INVALID_TOKEN')
  })
})

it('is in no log line, whatever way a token takes, nor is the query', async () => {
  const lines: string[] = []
  const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
  const logger: Logger = { debug: write, info: write, warn: write, error: write }
  const secrets: string[] = []
  const server = await startServer({
    logger,
    auth: {
      allowQuery: true,
      verify(token) {
        if (token.includes('broken')) throw new Error(`the directory knows no ${token}`)
        return { userId: token.slice(0, 5) }
      },
    },
  })
  for (const token of ['alice-token-1', 'broken-token-2', '!!!!!-token-3']) {
    secrets.push(token)
    await (await hello(connect(server), token)).next('connected').catch(() => {})
    const inHeader = connect(server, { headers: { Authorization: `Bearer ${token}` } })
    await (await hello(inHeader)).next('connected').catch(() => {})
    await (await hello(new Peer(`${server.url}?token=${token}&x=the-query`)))
      .next('connected')
      .catch(() => {})
    const response = await ask(server, { Authorization: `Bearer ${token}` })
    const { ticket } = (await response.json()) as { ticket?: string }
    if (ticket === undefined) continue
    secrets.push(ticket)
    await (await hello(new Peer(`${server.url}?ticket=${ticket}`))).next('connected')
    await (await hello(new Peer(`${server.url}?ticket=${ticket}`))).closed
  }
  await new Peer(`${server.url}x?token=the-query`).closed
  await new Peer(`${server.url}?token=the-query`, { headers: { Origin: 'https://evil.example' } }).closed
  await fetch(`http://127.0.0.1:${server.port}/nowhere?token=the-query`)
  await server.close()
  const log = lines.join('\n')
  expect(log).toContain('authenticated')
  expect(log).toContain('the directory knows no [the token]')
  for (const secret of [...secrets, 'the-query']) expect(log).not.toContain(secret)
})
