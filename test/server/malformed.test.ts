// What nobody should send, sent to a real server: frames, upgrades and tokens, each a table in malformed/. It must answer
// as they say, answer the next client at once, tell nobody anything of another, and write down nothing of what was said.

import { createServer, handle, type Logger, memory, type Server } from '@tautline/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpuMs } from '../support/cpu-time.ts'
import { jobs } from '../support/jobs.ts'
import { BYTES, TEXTS } from './malformed/frames.ts'
import { frameOf, RawSocket, upgradeOf } from './malformed/raw-socket.ts'
import { DEMANDS, sign, TICKET_LIFETIME_MS, TOKENS, type Way } from './malformed/tokens.ts'
import { UPGRADES } from './malformed/upgrades.ts'
import { Peer, SECRET, sendMessage } from './wire.ts'

/** Of computing, by the server and its client; what works on and on at what it got takes longer than this. */
const AT_ONCE_MS = 3_000

const lines: string[] = []
const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
const logger: Logger = { debug: write, info: write, warn: write, error: write }
let server: Server
let cases = 0

beforeAll(async () => {
  server = await createServer({
    port: 0,
    auth: { secret: SECRET, ...DEMANDS, ticketLifetimeMs: TICKET_LIFETIME_MS },
    // Nothing is said that nobody asked for.
    heartbeat: { intervalMs: 3_600_000, timeoutMs: 7_200_000 },
    store: memory(),
    logger,
    extensions: [handle(jobs, { get_job: () => ({ title: 'Painter' }) })],
  })
})

afterAll(async () => {
  await server.close()
})

async function login(user: string, token?: string): Promise<Peer> {
  const peer = new Peer(server.url!)
  await peer.opened
  const payload = { ref: 1, sid: `lane-of-${user}`, token: token ?? (await sign({ sub: user })) }
  peer.say({ type: 'authenticate', payload })
  await peer.next('connected')
  return peer
}

/** Somebody new comes, speaks and is heard. */
async function serveNext(): Promise<void> {
  const startedAt = cpuMs()
  const user = `stranger-${++cases}`
  const peer = await (await login(user)).enter(`room-of-${user}`)
  peer.say(sendMessage(9, 1, ['hello'], { room: `room-of-${user}` }))
  await peer.next('ack')
  expect(cpuMs(startedAt)).toBeLessThan(AT_ONCE_MS)
  peer.socket.close()
}

/** What happens while somebody who has no part in it listens; afterwards the next client is served. */
async function besideOthers(act: () => Promise<void>): Promise<void> {
  const bystander = await (await login('bystander')).enter('general')
  await bystander.flush()
  const before = bystander.frames.length
  await act()
  await serveNext()
  expect(bystander.frames.slice(before)).toEqual([])
  await bystander.flush()
  bystander.socket.close()
}

it('is more than sixty cases, each with a name of its own', () => {
  const names = [...TEXTS, ...BYTES, ...UPGRADES, ...TOKENS].map(({ name }) => name)
  expect(TEXTS.length + BYTES.length).toBeGreaterThanOrEqual(60)
  expect(new Set(names).size).toBe(names.length)
})

describe('a malformed frame', () => {
  it.each(TEXTS)('$name: $expected', ({ text, expected }) =>
    besideOthers(async () => {
      // A user of its own, and so lanes.
      const peer = await login(`mallory-${cases}`)
      peer.text(text)
      if (/^\d/.test(expected)) {
        expect(await peer.closed).toBe(expected)
        return
      }
      expect((await peer.next('error')).payload.code).toBe(expected)
      await peer.flush()
      peer.socket.close()
    }),
  )

  it.each(BYTES)('$name: $expected', ({ bytes, expected }) =>
    besideOthers(async () => {
      const socket = new RawSocket(server.port!).write(upgradeOf())
      const payload = { ref: 1, sid: 'lane-of-mallory', token: await sign() }
      socket.write(frameOf(JSON.stringify({ type: 'authenticate', payload })))
      await socket.heard('"connected"')
      socket.write(bytes)
      expect(await socket.end).toBe(`101, then ${expected}`)
    }),
  )

  it.each(TEXTS)('$name, before the hello', async ({ text }) => {
    const peer = new Peer(server.url!)
    await peer.opened
    peer.text(text)
    expect(await peer.closed).toMatch(/^(4400 PARSE_ERROR|4002 (NO|INVALID)_TOKEN)$/)
  })
})

describe('a malformed upgrade', () => {
  it.each(UPGRADES)('$name: $expected', ({ bytes, expected }) =>
    besideOthers(async () => expect(await new RawSocket(server.port!).write(bytes).end).toBe(expected)),
  )

  it.each([
    ['nothing', ''],
    ['half of the head', upgradeOf().slice(0, 60)],
    ['half of a request line', 'GET /w'],
    ['bytes of no meaning', '\0\0\0'],
  ])('%s, and then the end', (_, text) =>
    besideOthers(async () => {
      const socket = new RawSocket(server.port!).write(text)
      socket.cut()
      await socket.end
    }),
  )
})

describe('a token', () => {
  it.each(TOKENS)('$way: $name: $expected', ({ way, token, expected }) =>
    besideOthers(async () => expect(await show(way, await token(server))).toBe(expected)),
  )
})

/** Shows the token, and says how it ends. */
async function show(way: Way, token: string): Promise<string> {
  if (way === 'ticket') {
    const headers: Record<string, string> = token === '' ? {} : { Authorization: token }
    const response = await fetch(`http://127.0.0.1:${server.port}/ticket`, { method: 'POST', headers })
    return `HTTP ${response.status} ${((await response.json()) as { error: string }).error}`
  }
  if (way === 'renewal') {
    const peer = await login('mallory')
    peer.text(JSON.stringify({ type: 'renew_token', payload: { ref: 2, token } }))
    return Promise.race([
      peer.closed,
      peer.next('error').then(
        ({ payload }) => payload.code,
        () => peer.closed,
      ),
    ])
  }
  const url = way === 'query' ? `${server.url}?token=${token}&ticket=${token}` : server.url!
  const peer = new Peer(url, way === 'header' ? { headers: { Authorization: token } } : {})
  await peer.opened
  const shown = way === 'hello' && token !== '' ? { token } : {}
  peer.text(JSON.stringify({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-mallory', ...shown } }))
  return peer.closed
}

describe('after all of them', () => {
  it('nothing is left behind but what those who were served have made', async () => {
    const last = await login('last')
    while (server.health().connections > 1) await last.flush()
    expect(server.health()).toMatchObject({ status: 'ok', connections: 1, sessions: 1, queuedOps: 0 })
  })

  it('no step has failed, and nothing that was said is in the log', () => {
    const log = lines.join('\n')
    expect(log).toContain('authenticated')
    expect(lines.filter((line) => /failed|SERVER_ERROR/.test(line))).toEqual([])
    for (const { text } of TEXTS) if (text.length > 6) expect(log).not.toContain(text.slice(0, 2_000))
    for (const word of ['drop_tables', 'eyJ', 'tautline-ticket', 'not-a-token', 'hello"', 'javascript'])
      expect(log).not.toContain(word)
  })
})
