import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCode } from '@tautline/protocol'
import { type Logger, memory, type StoreFactory, sqlite } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeError, loggerOf } from '../../packages/server/src/log.ts'
import { connect, Peer, SECRET, sendMessage, startServer, tokenOf } from './wire.ts'

/** Whatever holds this was said by somebody. No id may be it. */
const SAID = 'the-words-of-alice'

type Line = { readonly [field: string]: unknown }

function createLog() {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, ...fields })
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { logger, lines }
}

/** Fails a commit or a row where the words ask for it, and every read of history. */
function failingStore(): StoreFactory {
  const factory = memory()
  return {
    async open(onRowError) {
      const store = await factory.open()
      const wordsOf = (ops: readonly object[]) => JSON.stringify(ops)
      return {
        ...store,
        async commit(ops, unixMs) {
          if (wordsOf(ops).includes(`${SAID} commit`)) throw new Error('the disk is full')
          if (!wordsOf(ops).includes(`${SAID} row`)) return store.commit(ops, unixMs)
          onRowError?.(new Error('the row is bad'))
          return { outcomes: ops.map(() => ({ outcome: 'failed', code: 'INTERNAL_ERROR' })), appended: [] }
        },
        readHistory: () => Promise.reject(new Error('the disk cannot be read')),
      }
    },
  }
}

describe('the log', () => {
  it('of an application that throws disturbs nothing', async () => {
    const said: string[] = []
    const broken = (_fields: object, message: string): never => {
      said.push(message)
      throw new Error('the log is broken')
    }
    const logger: Logger = { debug: broken, info: broken, warn: broken, error: broken }
    const server = await startServer({ logger, store: failingStore() })
    const alice = await (await connect(server).login('alice')).enter('general')
    alice.say(sendMessage(10, 1, [`${SAID} commit`]))
    expect((await alice.next('error')).payload.code).toBe('UNAVAILABLE')
    alice.say(sendMessage(20, 1, [`${SAID} row`]))
    expect((await alice.next('error')).payload.code).toBe('INTERNAL_ERROR')
    alice.say({ type: 'get_history', payload: { ref: 9, room: 'general' } })
    expect((await alice.next('error')).payload).toMatchObject({ ref: 9, code: 'FETCH_ERROR' })
    expect(said).not.toEqual([])
  })

  it('holds ids and codes, and neither what was said nor any token or ticket, whatever happens', async () => {
    const { logger, lines } = createLog()
    const server = await startServer({
      logger,
      store: failingStore(),
      auth: { secret: SECRET, allowQuery: true },
      limits: { messageBurst: 3, messagesPerSecond: 1 },
    })
    const secrets = [SAID]

    // Refused tokens and tickets, by each way that they can come.
    const good = await tokenOf('alice')
    const bad = `${good}x`
    secrets.push(good.slice(-30))
    const hello = { type: 'authenticate', payload: { ref: 1, sid: 'the-lane-9' } } as const
    const greet = async (peer: Peer, token?: string) => {
      await peer.opened
      peer.say(token === undefined ? hello : { ...hello, payload: { ...hello.payload, token } })
      return peer.closed
    }
    expect(await greet(connect(server, { headers: { Authorization: `Bearer ${bad}` } }))).toBe(
      '4002 INVALID_TOKEN',
    )
    expect(await greet(connect(server), bad)).toBe('4002 INVALID_TOKEN')
    expect(await greet(new Peer(`${server.url}?token=${bad}`))).toBe('4002 INVALID_TOKEN')
    expect(await greet(connect(server))).toBe('4002 NO_TOKEN')
    const ask = (token: string) =>
      fetch(`http://127.0.0.1:${server.port}/ticket`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
      })
    expect((await ask(bad)).status).toBe(401)
    const { ticket } = (await (await ask(good)).json()) as { ticket: string }
    secrets.push(ticket.slice(-20))
    const byTicket = new Peer(`${server.url}?ticket=${ticket}`)
    await byTicket.opened
    byTicket.say(hello)
    await byTicket.next('connected')
    expect(await greet(new Peer(`${server.url}?ticket=${ticket}`))).toBe('4002 INVALID_TOKEN')
    const foreign = connect(server, {
      headers: { Origin: 'https://evil.example', Authorization: `Bearer ${good}` },
    })
    await foreign.closed

    // What is said: taken, refused, failed by the store in its commit, in its row and in a read.
    const alice = await (await connect(server).login('alice')).enter('general')
    alice.say(sendMessage(10, 1, [SAID]))
    await alice.next('ack')
    alice.say(sendMessage(20, 2, [`${SAID} commit`]))
    expect((await alice.next('error')).payload.code).toBe('UNAVAILABLE')
    alice.say(sendMessage(30, 2, [`${SAID} row`]))
    expect((await alice.next('error')).payload.code).toBe('INTERNAL_ERROR')
    alice.say({ type: 'get_history', payload: { ref: 40, room: 'general' } })
    expect((await alice.next('error')).payload.code).toBe('FETCH_ERROR')
    await server.send({ room: 'general', content: SAID }).catch(() => {})

    // Too much of it, for too long.
    for (let i = 0; i < 400; i++) alice.say(sendMessage(100 + i, 3, [SAID]))
    expect(await alice.closed).toMatch(/^1008 ABUSE/)

    // Frames that are none.
    const frames = [
      `{"type":"${SAID}","payload":{"x":"${SAID}"}}`,
      `{"type":"join_room","payload":{"ref":5,"room":"${SAID} no room"}}`,
      `{"type":"commands","payload":{"ref":6,"room":"general","sid":"${SAID}","n":1,"commands":["${SAID}"]}}`,
      `{"${SAID}"`,
    ]
    const mallory = await connect(server).login('mallory')
    for (const frame of frames) mallory.text(frame)
    expect(await mallory.closed).toBe('4400 PARSE_ERROR')
    const binary = await connect(server).login('mallory')
    binary.socket.send(Buffer.from(SAID))
    expect(await binary.closed).toBe('1003 UNSUPPORTED_DATA')
    const big = await connect(server).login('mallory')
    big.text(SAID.repeat(10_000))
    expect(await big.closed).toMatch(/^1009/)
    await server.close()

    const log = lines.map((line) => JSON.stringify(line)).join('\n')
    for (const secret of secrets) expect(log).not.toContain(secret)
    // A new field is a decision: it is added here by whoever has seen that it holds no words of anybody.
    const fields = new Set(lines.flatMap((line) => Object.keys(line)))
    expect([...fields].toSorted()).toEqual(
      [
        'level',
        'message',
        'url',
        'epoch',
        'connection',
        'user',
        'code',
        'error',
        'stack',
        'ops',
        'of',
        'origin',
      ].toSorted(),
    )
    const codes = new Set(lines.flatMap(({ code }) => (code === undefined ? [] : [code])))
    expect([...codes].every(isCode)).toBe(true)
    expect(codes).toEqual(
      new Set(
        'NO_TOKEN INVALID_TOKEN ABUSE PARSE_ERROR UNSUPPORTED_DATA RESTART UNAVAILABLE INTERNAL_ERROR FETCH_ERROR'.split(
          ' ',
        ),
      ),
    )
    const ofConnections = lines.filter(({ message }) =>
      /authenticated|closed by|a read failed/.test(String(message)),
    )
    expect(ofConnections.length).toBeGreaterThan(10)
    expect(ofConnections.every(({ connection }) => Number.isInteger(connection))).toBe(true)
    expect(lines).toContainEqual(expect.objectContaining({ message: 'authenticated', user: 'alice' }))
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', error: 'the disk is full', ops: 1 }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', error: 'the row is bad' }))
  })

  it('says why SQLite could not write one row', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-log-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const { logger, lines } = createLog()
    const poison = `create trigger poison before insert on entries when new.message_id like 'poison%'
      begin select raise(abort, 'poisoned'); end`
    const store = sqlite(join(folder, 'chat.db'), { configure: (db) => db.exec(poison) })
    const server = await startServer({ logger, store })
    const alice = await (await connect(server).login('alice')).enter('general')
    alice.say(sendMessage(10, 1, [SAID], { sid: 'poison-lane' }))
    expect((await alice.next('error')).payload).toMatchObject({ ref: 10, code: 'INTERNAL_ERROR' })
    expect(lines).toContainEqual({
      level: 'error',
      message: 'the store could not write one row',
      code: 'INTERNAL_ERROR',
      error: 'poisoned',
      stack: expect.any(String),
    })
    expect(JSON.stringify(lines)).not.toContain(SAID)
  })

  it('says nothing of a thing that was thrown and is no error', () => {
    expect(describeError({ token: 'x' })).toEqual({ error: 'object' })
    expect(describeError('the token')).toEqual({ error: 'string' })
  })

  it('is silent where it was told to be', () => {
    const silent = loggerOf(false)
    silent.error({}, 'nobody hears this')
    expect(Object.keys(silent)).toEqual(['debug', 'info', 'warn', 'error'])
  })
})
