import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, memory, type Store, type StoreFactory, sqlite } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, gate, Peer, SECRET, sendMessage, startServer, tokenOf } from './wire.ts'

function scratchFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-server-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'chat.db')
}

/** The store in memory with something changed. */
function storeWith(change: (store: Store) => Partial<Store>): StoreFactory {
  return {
    async open() {
      const store = await memory().open()
      return { ...store, ...change(store) }
    },
  }
}

describe('two users', () => {
  it('see each other come and type, and write to each other, in one order', async () => {
    const server = await startServer({ store: sqlite(scratchFile()) })
    const alice = await (await connect(server).login('alice')).enter('general')
    const bob = await (await connect(server).login('bob')).enter('general')
    expect((await alice.next('presence_changed')).payload).toMatchObject({
      users: [{ userId: 'bob', status: 'online' }],
    })
    bob.say({ type: 'start_typing', payload: { room: 'general' } })
    expect((await alice.next('typing_started')).payload).toEqual({ room: 'general', userId: 'bob' })
    alice.say(sendMessage(10, 1, ['a1', 'a2'], { sid: 'lane-alice' }))
    bob.say(sendMessage(10, 1, ['b1', 'b2'], { sid: 'lane-of-b' }))
    const [seenByAlice, seenByBob] = await Promise.all([alice.contents(4), bob.contents(4)])
    expect(seenByAlice).toEqual(seenByBob)
    expect(seenByAlice.filter((content) => String(content).startsWith('a'))).toEqual(['a1', 'a2'])
    expect(seenByAlice.filter((content) => String(content).startsWith('b'))).toEqual(['b1', 'b2'])
  })

  it('get what they missed, once, from their cursors', async () => {
    const server = await startServer()
    const alice = await (await connect(server).login('alice')).enter('general')
    const bob = await connect(server).login('bob')
    bob.say({ type: 'join_room', payload: { ref: 2, room: 'general' } })
    bob.say({ type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general', limit: 0 }] } })
    const { payload: page } = await bob.next('page')
    const cursor = { seq: page.head, h: page.h }
    bob.socket.terminate()
    await bob.closed
    alice.say(sendMessage(10, 1, ['1', '2', '3']))
    await alice.contents(3)
    const again = await connect(server).login('bob')
    again.say({
      type: 'subscribe',
      payload: { ref: 3, epoch: page.epoch, rooms: [{ room: 'general', after: cursor }] },
    })
    const { payload: missed } = await again.next('page')
    expect(missed).toMatchObject({ after: cursor, live: true })
    expect(missed.entries.map(({ payload }) => payload['content'])).toEqual(['1', '2', '3'])
  })

  it('find everything again after the server was closed and started on the same file', async () => {
    const file = scratchFile()
    const first = await createServer({
      port: 0,
      auth: { secret: SECRET },
      store: sqlite(file),
      logger: false,
    })
    const alice = await (await new Peer(first.url!).login('alice')).enter('general')
    alice.say(sendMessage(10, 1, ['before']))
    await alice.next('ack')
    await first.close()
    const second = await startServer({ store: sqlite(file) })
    const back = await connect(second).login('alice')
    back.say({ type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general' }] } })
    const { payload } = await back.next('page')
    expect(payload.entries.map((entry) => entry.payload['content'])).toEqual([undefined, 'before'])
  })
})

describe('group commit', () => {
  it('puts what several connections say in one turn into few commits, and acknowledges all of it', async () => {
    let commits = 0
    const server = await startServer({
      limits: { messagesPerSecond: 1_000_000, messageBurst: 1_000_000 },
      store: storeWith((store) => ({
        commit(ops, unixMs) {
          commits++
          return store.commit(ops, unixMs)
        },
      })),
    })
    const peers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => connect(server).login(`user-${i}`, `lane-number-${i}`)),
    )
    for (const peer of peers) await peer.enter('general')
    commits = 0
    const rounds = 20
    for (let round = 0; round < rounds; round++) {
      peers.forEach((peer, i) => {
        peer.say(sendMessage(100 + round, round + 1, [`${i}.${round}`], { sid: `lane-number-${i}` }))
      })
    }
    const logs = await Promise.all(peers.map((peer) => peer.contents(10 * rounds)))
    for (const log of logs) expect(log).toEqual(logs[0])
    expect(new Set(logs[0]).size).toBe(10 * rounds)
    for (let i = 0; i < 10; i++) {
      const own = logs[0]!.filter((content) => String(content).startsWith(`${i}.`))
      expect(own).toEqual(Array.from({ length: rounds }, (_, round) => `${i}.${round}`))
    }
    expect(commits).toBeLessThan((10 * rounds) / 2)
  })

  it('writes the acks and entries of a turn as one frame', async () => {
    const server = await startServer()
    const alice = await (await connect(server).login('alice')).enter('general')
    await alice.flush()
    const { length } = alice.frames
    alice.say(sendMessage(10, 1, ['1', '2', '3']))
    await alice.contents(3)
    expect(alice.frames.slice(length).map((text) => JSON.parse(text) as unknown)).toMatchObject([
      [{ type: 'ack', payload: { acks: [{ ref: 10, seq: 2, count: 3 }] } }, { type: 'entries' }],
    ])
  })

  it('never acknowledges what the store refused', async () => {
    let isBroken = false
    const server = await startServer({
      store: storeWith((store) => ({
        commit: (ops, unixMs) =>
          isBroken ? Promise.reject(new Error('the disk is full')) : store.commit(ops, unixMs),
      })),
    })
    const alice = await (await connect(server).login('alice')).enter('general')
    isBroken = true
    alice.say(sendMessage(10, 1, ['x']))
    expect((await alice.next('ack', 'error')).payload).toMatchObject({ ref: 10, code: 'UNAVAILABLE' })
    isBroken = false
    alice.say(sendMessage(11, 1, ['x']))
    expect(await alice.contents(1)).toEqual(['x'])
  })

  it('answers FETCH_ERROR where the store cannot read', async () => {
    const server = await startServer({
      store: storeWith(() => ({ readHistory: () => Promise.reject(new Error('no')) })),
    })
    const alice = await (await connect(server).login('alice')).enter('general')
    alice.say({ type: 'get_history', payload: { ref: 7, room: 'general' } })
    expect((await alice.next('error')).payload).toMatchObject({ ref: 7, code: 'FETCH_ERROR' })
  })
})

describe('a client that reads nothing for a while', () => {
  it('gets all of it afterwards, in order and without a hole, and holds up nobody', async () => {
    const server = await startServer({ limits: { messagesPerSecond: 1_000_000, messageBurst: 1_000_000 } })
    const alice = await (await connect(server).login('alice')).enter('general')
    const bob = await (await connect(server).login('bob')).enter('general')
    bob.socket.pause()
    // 15 MB: more than the buffers of the operating system take.
    const total = 3_000
    const text = 'x'.repeat(4_900)
    for (let n = 1; n <= total; n += 10) {
      alice.say(
        sendMessage(
          n,
          n,
          Array.from({ length: 10 }, (_, i) => `${n + i} ${text}`),
        ),
      )
      await alice.next('ack')
    }
    bob.socket.resume()
    const seqs: number[] = []
    while (seqs.length < total) {
      const { payload } = await bob.next('entries')
      for (const { seq } of payload.entries) seqs.push(seq)
    }
    expect(seqs).toEqual(Array.from({ length: total }, (_, i) => i + 3))
    // Catching up reads pages of the log, which hold more than the commits did.
    expect(bob.frames.length).toBeLessThan(alice.frames.length)
  })
})

describe('close', () => {
  it('tells the clients when to come back, and closes with RESTART', async () => {
    const server = await startServer()
    const alice = await connect(server).login('alice')
    const closing = server.close()
    expect(server.health().status).toBe('closing')
    expect((await alice.next('going_away')).payload.reconnectAfterMs).toBeGreaterThan(0)
    expect(await alice.closed).toMatch(/^1012 RESTART retry=\d+$/)
    await closing
    await expect(connect(server).opened).rejects.toThrow('ECONNREFUSED')
  })

  it('finishes and acknowledges what is being committed', async () => {
    const finish = gate()
    const begun = gate()
    let isSlow = false
    const server = await startServer({
      store: storeWith((store) => ({
        async commit(ops, unixMs) {
          if (isSlow) {
            begun.open()
            await finish.passed
          }
          return store.commit(ops, unixMs)
        },
      })),
    })
    const alice = await (await connect(server).login('alice')).enter('general')
    isSlow = true
    alice.say(sendMessage(10, 1, ['x']))
    await begun.passed
    const closing = server.close()
    await alice.next('going_away')
    finish.open()
    expect((await alice.next('ack', 'error')).type).toBe('ack')
    expect(await alice.closed).toMatch(/^1012/)
    await closing
  })

  it('does not wait for ever for a store that hangs', async () => {
    let isSlow = false
    const server = await startServer({
      drainTimeoutMs: 50,
      store: storeWith((store) => ({
        commit: (ops, unixMs) => (isSlow ? new Promise(() => {}) : store.commit(ops, unixMs)),
      })),
    })
    const alice = await (await connect(server).login('alice')).enter('general')
    isSlow = true
    alice.say(sendMessage(10, 1, ['x']))
    await alice.flush()
    await server.close()
    expect(await alice.closed).toBe('1012 RESTART retry=0')
  })

  it('may be called twice', async () => {
    const server = await startServer()
    expect(server.close()).toBe(server.close())
    await server.close()
  })

  it('lets the database go, so that another server may have it', async () => {
    const file = scratchFile()
    const options = { port: 0, auth: { secret: SECRET }, logger: false } as const
    const first = await createServer({ ...options, store: sqlite(file) })
    await expect(createServer({ ...options, store: sqlite(file) })).rejects.toThrow(file)
    await first.close()
    const second = await createServer({ ...options, store: sqlite(file) })
    await second.close()
    expect(existsSync(file)).toBe(true)
  })
})

describe('attach', () => {
  async function attached() {
    const http = createHttpServer((_, response) => response.end('the application'))
    http.listen(0, '127.0.0.1')
    await new Promise((resolve) => http.once('listening', resolve))
    onTestFinished(() => {
      http.closeAllConnections()
      http.close()
    })
    const { port } = http.address() as AddressInfo
    const server = await startServer({ port: undefined, path: '/chat' })
    server.attach(http)
    return { http, server, port }
  }

  it('serves the WebSockets of another HTTP server at the path, and leaves it its requests', async () => {
    const { server, port } = await attached()
    expect(server.port).toBeUndefined()
    expect(server.url).toBeUndefined()
    const alice = await new Peer(`ws://127.0.0.1:${port}/chat`).login('alice')
    await alice.enter('general')
    const response = await fetch(`http://127.0.0.1:${port}/health`)
    expect(await response.text()).toBe('the application')
  })

  it('leaves it the upgrades of other paths', async () => {
    const { http, port } = await attached()
    const other = gate<string>()
    http.on('upgrade', (request, socket) => {
      if (request.url === '/chat') return
      other.open(request.url ?? '')
      socket.destroy()
    })
    const peer = new Peer(`ws://127.0.0.1:${port}/other`)
    expect(await other.passed).toBe('/other')
    await peer.closed
  })

  it('takes no more of them after close, and lets the HTTP server live', async () => {
    const { server, port } = await attached()
    await server.close()
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })
})

describe('accept', () => {
  it('serves any socket with five functions', async () => {
    const server = await startServer({ port: undefined })
    const frames: string[] = []
    let told = () => {}
    const listener = server.accept(
      {
        send(text) {
          frames.push(text)
          told()
        },
        ping() {},
        close() {},
        terminate() {},
        bufferedBytes: () => 0,
      },
      await tokenOf('alice'),
    )
    const heard = new Promise<void>((resolve) => {
      told = resolve
    })
    listener.text('{"type":"authenticate","payload":{"ref":1,"sid":"lane-of-alice"}}')
    await heard
    expect(JSON.parse(frames[0]!)).toMatchObject({ type: 'connected', payload: { userId: 'alice' } })
    expect(server.health()).toMatchObject({ connections: 1, sessions: 1 })
    listener.closed()
    expect(server.health()).toMatchObject({ connections: 0, sessions: 0 })
  })

  it('ends a socket that comes after close', async () => {
    const server = await startServer({ port: undefined })
    await server.close()
    const codes: number[] = []
    server.accept({
      send() {},
      ping() {},
      close: (code) => codes.push(code),
      terminate() {},
      bufferedBytes: () => 0,
    })
    expect(codes).toEqual([1012])
  })

  it('ends a socket that throws, and nothing else', async () => {
    const server = await startServer()
    const alice = await connect(server).login('alice')
    const ended = gate()
    const listener = server.accept({
      send() {
        throw new Error('broken')
      },
      ping() {},
      close() {},
      terminate() {
        ended.open()
        listener.closed()
      },
      bufferedBytes: () => 0,
    })
    listener.text('{"type":"ping","payload":{"ref":1}}')
    await ended.passed
    await alice.flush()
  })

  it('catches a slow socket up from the store when it is drained', async () => {
    const server = await startServer({ limits: { messagesPerSecond: 1_000_000, messageBurst: 1_000_000 } })
    const alice = await (await connect(server).login('alice')).enter('general')
    let buffered = 0
    const frames: string[] = []
    let told = () => {}
    const listener = server.accept(
      {
        send(text) {
          frames.push(text)
          told()
        },
        ping() {},
        close: () => listener.closed(),
        terminate() {},
        bufferedBytes: () => buffered,
      },
      await tokenOf('bob'),
    )
    const until = async (word: string) => {
      while (!frames.some((text) => text.includes(word))) {
        await new Promise<void>((resolve) => {
          told = resolve
        })
      }
    }
    listener.text('{"type":"authenticate","payload":{"ref":1,"sid":"lane-of-bob"}}')
    await until('connected')
    listener.text('{"type":"join_room","payload":{"ref":2,"room":"general"}}')
    listener.text('{"type":"subscribe","payload":{"ref":3,"rooms":[{"room":"general"}]}}')
    await until('room_presence')
    buffered = 300_000
    alice.say(sendMessage(10, 1, ['0']))
    await until('"content":"0"')
    alice.say(sendMessage(11, 2, ['1', '2']))
    await alice.contents(3)
    expect(frames.join()).not.toContain('"content":"1"')
    buffered = 0
    listener.drained()
    await until('"content":"2"')
  })
})
