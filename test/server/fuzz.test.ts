// Messages that are nearly right, by the thousand and the same in every run: to a node on the bench, and to a real server.
// None of them makes a step fail or a server close with a fault of its own, and none is heard by anybody else.

import { EXAMPLES } from '@tautline/protocol'
import { createServer, handle, type Logger, memory, type Server } from '@tautline/server'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ownMessagesOf } from '../../packages/server/src/extensions.ts'
import { jobs } from '../support/jobs.ts'
import { framesLike, textsLike } from '../support/mutate.ts'
import { createBench } from './core/bench.ts'
import { Peer, SECRET, tokenOf } from './wire.ts'

const RUN = { seed: 20_260_714 }
const BYSTANDER = 1
const MALLORY = 2

/** Everything that a client may say, each command by itself among them. */
const messages: object[] = [
  ...Object.values(EXAMPLES.client),
  // The cursors of the examples are those of another store.
  { type: 'subscribe', payload: { ref: 4, rooms: [{ room: 'general' }] } },
  { type: 'get_page', payload: { ref: 10, room: 'general', after: { seq: 0 } } },
  ...Object.values(EXAMPLES.commands).map((command) => ({
    ...EXAMPLES.client.commands,
    payload: { ...EXAMPLES.client.commands.payload, commands: [command] },
  })),
]
const offer = { type: 'job_offer', messageId: 'message-1', payload: { jobId: 'j', rate: 1 } }
messages.push({
  type: 'commands',
  payload: { ref: 5, room: 'general', sid: 'the-lane-1', n: 1, commands: [offer] },
})
const texts = fc.oneof(framesLike(messages), textsLike(messages))

it('the node answers what is nearly right to who said it, and to nobody else', {
  timeout: 60_000,
}, async () => {
  const words = new Map<string, number>()
  const closes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 10, maxLength: 10 }), async (frames) => {
      // The bench refuses what is no message of the protocol, and a step that throws fails the run.
      const bench = await createBench({
        own: ownMessagesOf([handle(jobs, { get_job: () => ({ title: '' }) })]),
      })
      await bench.login(BYSTANDER, 'bystander')
      await bench.enter(BYSTANDER, 'room-of-the-bystander')
      let mallory = MALLORY
      await bench.login(mallory, 'mallory')
      for (const text of frames) {
        bench.step({ type: 'received', connection: mallory, text })
        await bench.settle()
        for (const message of bench.heard(mallory)) {
          const word = message.type === 'error' ? message.payload.code : message.type
          words.set(word, (words.get(word) ?? 0) + 1)
        }
        const close = bench.closes.get(mallory)
        if (close === undefined) continue
        closes.add(close)
        await bench.login(++mallory, 'mallory')
      }
      expect(bench.heard(BYSTANDER)).toEqual([])
    }),
    { ...RUN, numRuns: 1_000 },
  )
  expect([...closes].sort()).toEqual(['IDENTITY_MISMATCH', 'PARSE_ERROR'])
  for (const word of ['SERVER_ERROR', 'INTERNAL_ERROR', 'SEND_ERROR', 'FETCH_ERROR'])
    expect(words.get(word)).toBeUndefined()
  // The property is about something: much is refused, in several ways, and much gets through.
  for (const word of [
    'INVALID_MESSAGE',
    'UNKNOWN_TYPE',
    'FORBIDDEN',
    'VALIDATION_ERROR',
    'room_joined',
    'page',
  ])
    expect(words.get(word) ?? 0, word).toBeGreaterThan(0)
})

const lines: string[] = []
const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
const logger: Logger = { debug: write, info: write, warn: write, error: write }
let server: Server

beforeAll(async () => {
  server = await createServer({
    port: 0,
    auth: { secret: SECRET },
    heartbeat: { intervalMs: 3_600_000, timeoutMs: 7_200_000 },
    store: memory(),
    logger,
    extensions: [handle(jobs, { job_viewed: () => {}, job_offer: () => {}, get_job: () => ({ title: '' }) })],
  })
})

afterAll(async () => {
  await server.close()
})

it('a server stays up under it, and nobody else hears of it', { timeout: 60_000 }, async () => {
  const bystander = await (await new Peer(server.url!).login('bystander')).enter('room-of-the-bystander')
  await bystander.flush()
  const before = bystander.frames.length
  const token = await tokenOf('mallory')
  const closes: string[] = []
  let peer: Peer | undefined
  for (const text of fc.sample(texts, { ...RUN, numRuns: 1_500 })) {
    if (!peer || peer.socket.readyState !== peer.socket.OPEN) {
      peer = new Peer(server.url!)
      void peer.closed.then((reason) => closes.push(reason))
      await peer.opened
      peer.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-mallory', token } })
      await peer.next('connected')
    }
    peer.text(text)
    peer.say({ type: 'ping', payload: { ref: 999_999 } })
    await Promise.race([peer.closed, peer.next('pong').catch(() => {})])
  }
  expect(closes.length).toBeGreaterThan(50)
  expect(
    closes.filter((reason) => !/^(4400 PARSE_ERROR|4002 INVALID_TOKEN|4403 IDENTITY_MISMATCH)$/.test(reason)),
  ).toEqual([])
  expect(bystander.frames.slice(before)).toEqual([])
  await bystander.flush()
  expect(lines.filter((line) => /failed|SERVER_ERROR/.test(line))).toEqual([])
})
