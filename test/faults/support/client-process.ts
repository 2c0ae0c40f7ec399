/**
 * Real clients in a process of their own, which may be killed. Run with the options as JSON in its first argument; it
 * prints what it sees (see recorder.ts), one line of JSON each, and takes these words, one a line, on its standard input:
 *
 * - `load`: send so many messages a second, until
 * - `stop`: send no more, and say when everything has an outcome;
 * - `end`: say the last word in every room.
 *
 * It ends when its standard input does.
 */

import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Client, createClient, type Sent, TautlineError } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { file } from '@tautline/client/file'
import { createToken } from '@tautline/server'
import type { HistoryEvent } from '../history.ts'
import { createRecorder, endOf } from './recorder.ts'

/** What the process says beside its history. */
export type Note =
  /** Whether this client is connected and follows all its rooms. */
  | { readonly note: 'live'; readonly client: string; readonly isLive: boolean }
  /** The outbox has it; or it has it still, from a process before. */
  | { readonly note: 'queued' | 'restored'; readonly content: string }
  /** It offers load, or stopped doing so and has an outcome for everything. */
  | { readonly note: 'loading' | 'settled' }

export type Line = HistoryEvent | Note

export interface ClientSpec {
  readonly user: string
  /** A reader, so another one in each process. */
  readonly device: string
  /** Of the proxy. */
  readonly port: number
  readonly rooms: readonly string[]
  /** As events from now on (`first`: nothing was said before), or as the log from its beginning. */
  readonly reads: 'first events' | 'events' | 'log'
  /** The name of its outbox; without it, it only reads. */
  readonly outbox?: string | undefined
  /** Where the outbox is kept, so that it is the same one in the next process. Default: in memory. */
  readonly outboxFile?: string | undefined
}

export interface ClientProcessOptions {
  readonly secret: string
  readonly clients: readonly ClientSpec[]
  /** Of all clients together. */
  readonly messagesPerSecond: number
  /** A room of the first client, in which all its other clients are members, and this one again and again. */
  readonly closed?: { readonly room: string; readonly guest: Omit<ClientSpec, 'rooms' | 'reads'> } | undefined
}

interface Sender {
  readonly client: Client
  readonly device: string
  readonly outbox: string
  /** Where it is a member throughout: elsewhere it may be refused. */
  readonly rooms: readonly string[]
}

/** Beyond so many without an outcome the load waits: the links are slower than it. */
const MAX_PENDING = 5_000
/** How long the guest stays in the room and out of it. */
const STAY_MS = 700
/** What messages end with: nothing, two bytes a character, four, what JSON escapes, and length. */
const FILLERS = ['', ' é'.repeat(5), ' 😀'.repeat(9), ' "\\\n\u2028', ' word'.repeat(60)]

const recorder = createRecorder(tell, (content) => tell({ note: 'queued', content }))
const options = JSON.parse(process.argv[2] ?? '{}') as ClientProcessOptions
let pending = 0
let isLoading = false
/** Whether it shall say when everything has an outcome. */
let isStopping = false
let isSaying = false
const senders: Sender[] = []

/** At once, also where the one who reads is slow: then nothing else goes on here. */
function tell(line: Line): void {
  // To who reads line by line U+2028 ends one; JSON need not escape it.
  const bytes = Buffer.from(`${JSON.stringify(line).replaceAll('\u2028', '\\u2028')}\n`)
  for (let at = 0; at < bytes.length; ) at += write(bytes, at)
}

function write(bytes: Buffer, at: number): number {
  try {
    return writeSync(1, bytes, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    return 0
  }
}

function connect({ user, port, outboxFile }: Pick<ClientSpec, 'user' | 'port' | 'outboxFile'>): Client {
  return createClient({
    url: `ws://127.0.0.1:${port}/ws`,
    userId: user,
    getToken: () => createToken({ secret: options.secret, userId: user }),
    outbox: {
      maxRows: 20_000,
      maxBytes: 67_108_864,
      store: outboxFile === undefined ? undefined : file(outboxFile),
    },
    // Everything ten times as quick as in life, so that each kind of fault is found and got over many times.
    backoff: { minMs: 20, baseMs: 50, capMs: 300 },
    heartbeat: { watchdogMs: 2_500, probeTimeoutMs: 700 },
    ackTimeoutMs: 1_500,
    connectTimeoutMs: 1_500,
    authenticationTimeoutMs: 1_500,
    requestTimeoutMs: 120_000,
    suspendedAfterMs: 10_000,
    checkIntervalMs: 5_000,
  })
}

function say({ client, outbox, rooms }: Sender, room: string, content: string): Sent {
  isSaying = true
  const sent = recorder.send(client, { room, outbox, content, mayFail: !rooms.includes(room) })
  isSaying = false
  countUntilSettled(sent)
  return sent
}

function countUntilSettled(sent: Sent): void {
  pending++
  const settled = () => {
    pending--
    if (pending === 0 && isStopping) tell({ note: 'settled' })
  }
  sent.then(settled, settled)
}

/** Says something, and waits until the outbox has it: by then everything that it had kept is there again. */
async function greet(sender: Sender): Promise<void> {
  const sent = say(sender, sender.rooms[0]!, `${sender.outbox} ${sender.device} is here`)
  await new Promise<void>((resolve) => {
    const look = () => {
      if (sent.status !== 'saving') resolve()
    }
    sent.subscribe(look)
    look()
  })
}

/** What the outbox had kept appears in its room. */
function restore(client: Client, room: string): void {
  client.room(room).on('sending', (sent) => {
    if (isSaying) return
    tell({ note: 'restored', content: sent.content })
    recorder.watch(sent)
    countUntilSettled(sent)
  })
}

async function start(spec: ClientSpec): Promise<Client> {
  const client = connect(spec)
  client.on('storage', ({ status, detail }) => {
    if (status !== 'lost') return
    console.error(`the outbox is not kept in ${spec.outboxFile}: ${detail}`)
    process.exit(1)
  })
  const name = `${spec.user}/${spec.device}`
  const live = new Set<string>()
  const changed = (room: string, isLive: boolean) => {
    const wasLive = live.size === spec.rooms.length
    if (isLive) live.add(room)
    else live.delete(room)
    const isAllLive = live.size === spec.rooms.length
    if (isAllLive !== wasLive) tell({ note: 'live', client: name, isLive: isAllLive })
  }
  for (const room of spec.rooms) {
    if (spec.outboxFile !== undefined) restore(client, room)
    client.room(room).on('phase', (phase) => changed(room, phase === 'live'))
    if (spec.reads === 'first events')
      tell({ event: 'open', user: spec.user, device: spec.device, room, after: 0 })
    if (spec.reads !== 'log') recorder.recordEvents(client, room, () => spec.device)
  }
  await client.connect()
  const { closed } = options
  for (const room of spec.rooms) {
    if (room !== closed?.room) await client.room(room).join()
    else if (spec === options.clients[0]) await client.rooms.create({ id: room, visibility: 'private' })
    else await client.room(room).accept()
    if (room === closed?.room && spec === options.clients[0]) {
      recorder.recordMembers(client, room)
      for (const { user, rooms } of options.clients)
        if (user !== spec.user && rooms.includes(room)) await admin(client.room(room)).invite(user)
    }
    if (spec.reads === 'log') void recorder.recordLog(client, room, spec.device)
  }
  const { device, outbox, rooms } = spec
  if (outbox === undefined) return client
  const sender = { client, device, outbox, rooms }
  senders.push(sender)
  if (spec.outboxFile !== undefined) await greet(sender)
  return client
}

/** Lets the guest into the closed room and out of it, while there is load. */
async function receive(
  owner: Client,
  room: string,
  guest: Omit<ClientSpec, 'rooms' | 'reads'>,
): Promise<void> {
  const client = connect(guest)
  let stays = 0
  recorder.recordEvents(client, room, () => `${guest.device}#${stays}`)
  await client.connect()
  while (isLoading) {
    await insist(() => admin(owner.room(room)).invite(guest.user))
    stays++
    await insist(() => client.room(room).accept())
    for (let i = 0; i < 5 && isLoading; i++) {
      if (guest.outbox !== undefined)
        say(
          { client, device: guest.device, outbox: guest.outbox, rooms: [] },
          room,
          `${guest.outbox} ${stays}.${i}`,
        )
      await passing(STAY_MS / 5)
    }
    await insist(() => admin(owner.room(room)).remove(guest.user))
    await passing(STAY_MS)
  }
}

/** Asks until it is done: the server may be unable to decide for a while. */
async function insist(ask: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof TautlineError) || error.code !== 'UNAVAILABLE') throw error
      await passing(100)
    }
  }
}

function load(): void {
  isLoading = true
  tell({ note: 'loading' })
  const startedAt = performance.now()
  let count = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * options.messagesPerSecond
    for (; isLoading && count < due && pending < MAX_PENDING; count++) {
      const sender = senders[count % senders.length]!
      const turn = Math.floor(count / senders.length)
      // Half of all goes to one room: the fuller a lane, the more of it is on its way at a time.
      const room = sender.rooms[turn % 2 === 0 ? 0 : (turn >> 1) % sender.rooms.length]!
      say(sender, room, `${sender.outbox} ${sender.device} ${count}${FILLERS[turn % FILLERS.length]!}`)
    }
    if (!isLoading) clearInterval(timer)
  }, 10)
}

function passing(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

const clients: Client[] = []
for (const spec of options.clients) clients.push(await start(spec))
const [owner] = clients
const { closed } = options

createInterface({ input: process.stdin })
  .on('line', (word) => {
    if (word === 'load') {
      load()
      if (closed && owner)
        receive(owner, closed.room, closed.guest).catch((error: unknown) =>
          console.error(`the guest: ${String(error)}`),
        )
    }
    if (word === 'stop') {
      isLoading = false
      isStopping = true
      if (pending === 0) tell({ note: 'settled' })
    }
    const [last] = senders
    if (word === 'end' && last) {
      for (const room of last.rooms) say(last, room, endOf(room))
    }
  })
  .on('close', () => process.exit())
