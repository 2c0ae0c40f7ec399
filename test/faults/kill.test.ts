/**
 * The promise on real processes: a server that is killed under load and started again, and two clients over real
 * sockets. Everything acknowledged is there, once, in one order, at both; everything sent ends acknowledged.
 */
import { type Client, createClient, type Message, type Sent } from '@tautline/client'
import { afterEach, describe, expect, it } from 'vitest'
import { createKillableServer } from './support/killable-server.ts'
import { createSlowLink } from './support/slow-link.ts'

const ROOM = 'general'
const KILLS = 3
/** Messages that each client sends, and how many of all must be acknowledged between two kills. */
const MESSAGES = 600
const ACKS_BETWEEN_KILLS = 200

/** What the server says is so long on its way: at a kill, acks of committed messages are lost. */
const LATENCY_MS = 15

const server = createKillableServer()
const link = await createSlowLink(LATENCY_MS)
const clients: Client[] = []

afterEach(async () => {
  for (const client of clients) await client.close()
  link.close()
  await server.dispose()
})

function connect(userId: string): Client {
  const client = createClient({
    url: `ws://127.0.0.1:${link.port}/ws`,
    userId,
    getToken: () => server.token(userId),
    backoff: { minMs: 10, baseMs: 50, capMs: 200 },
  })
  clients.push(client)
  return client
}

/** Counts, and lets somebody wait until it got there. */
function createCounter() {
  let count = 0
  const waiting: { readonly at: number; resolve(): void }[] = []
  return {
    count: () => count,
    add() {
      count++
      for (const one of waiting) if (count === one.at) one.resolve()
    },
    reaches: (at: number) =>
      new Promise<void>((resolve) => {
        if (count >= at) resolve()
        else waiting.push({ at, resolve })
      }),
  }
}

interface Witness {
  readonly received: Message[]
  readonly all: Promise<void>
}

function watch(client: Client, expected: number): Witness {
  const received: Message[] = []
  const counter = createCounter()
  client.room(ROOM).on('message', (message) => {
    received.push(message)
    counter.add()
  })
  return { received, all: counter.reaches(expected) }
}

/** As many as the outbox takes, and more whenever one is acknowledged: the load never pauses. */
function sendAll(client: Client, count: number, onAcknowledged: () => void): Sent[] {
  return Array.from({ length: count }, (_, i) => {
    const sent = client.room(ROOM).send({ content: `${client.userId} ${i}` })
    void sent.then(onAcknowledged)
    return sent
  })
}

describe('a server that is killed under load', () => {
  it('keeps every acknowledged message, once and in one order, at everybody', {
    timeout: 60_000,
  }, async () => {
    await server.start()
    link.aim(server.port())
    const alice = connect('alice')
    const bob = connect('bob')
    await Promise.all([alice.connect(), bob.connect()])
    await alice.room(ROOM).join()
    await bob.room(ROOM).join()
    const witnesses = [watch(alice, 2 * MESSAGES), watch(bob, 2 * MESSAGES)]

    const acks = createCounter()
    const sent = [alice, bob].flatMap((client) => sendAll(client, MESSAGES, acks.add))
    let unansweredAtKill = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      await acks.reaches(kill * ACKS_BETWEEN_KILLS)
      // An ack that is on its way and will be lost: its message is committed, and its sender cannot know.
      await link.carries('"type":"ack"')
      unansweredAtKill += sent.filter(({ status }) => status === 'sent').length
      await server.kill()
      await server.start()
    }
    const places = await Promise.all(sent)
    await Promise.all(witnesses.map(({ all }) => all))

    // The kills hit messages on their way: else this test would show nothing.
    expect(unansweredAtKill).toBeGreaterThan(0)
    const [byAlice, byBob] = witnesses.map(({ received }) => received)
    expect(byAlice).toEqual(byBob)
    expect(byAlice).toHaveLength(sent.length)
    const seqs = byAlice!.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i))
    const seqOf = new Map(byAlice!.map((message) => [message.messageId, message.seq]))
    expect(places.map(({ seq }) => seq)).toEqual(sent.map(({ messageId }) => seqOf.get(messageId)))
    for (const userId of ['alice', 'bob']) {
      const contents = byAlice!.filter(({ sender }) => sender === userId).map(({ content }) => content)
      expect(contents).toEqual(contents.map((_, i) => `${userId} ${i}`))
    }

    // What a newcomer reads from the log is what the two have seen.
    const carol = connect('carol')
    await carol.connect()
    await carol.room(ROOM).join()
    const log: Message[] = []
    for await (const message of carol.room(ROOM).messages({ after: 0 })) {
      log.push(message)
      if (log.length === sent.length) break
    }
    expect(log).toEqual(byAlice)
  })
})
