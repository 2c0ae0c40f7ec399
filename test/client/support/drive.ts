// Drives a core in virtual time: inputs go in one by one, effects come back, deadlines are met as a shell would meet
// them. What must hold after every single step is checked here, so that every test of the core checks it.

import {
  CLIENT_MESSAGES,
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeCommand,
  type Entry,
  type Limits,
  MAX_BATCH,
  type PayloadOf,
  type ServerMessage,
  type ServerMessageType,
} from '@tautline/protocol'
import { expect } from 'vitest'
import { DEFAULT_BACKOFF } from '../../../packages/client/src/core/backoff.ts'
import type { CoreOptions, Effect } from '../../../packages/client/src/core/context.ts'
import { createCore, type Input } from '../../../packages/client/src/core/core.ts'
import { DEFAULT_HEARTBEAT } from '../../../packages/client/src/core/heartbeat.ts'
import { DEFAULT_OUTBOX } from '../../../packages/client/src/core/outbox.ts'
import type { NewRow } from '../../../packages/client/src/core/outbox-row.ts'

export const SID = 'lane-of-this-tab'
export const EPOCH = 'epoch-1'
/** The server's clock when a test begins, in Unix milliseconds. */
export const SERVER_TIME = 1_784_000_000_000

export const CORE_OPTIONS = {
  userId: 'ada',
  sid: SID,
  limits: DEFAULT_LIMITS,
  backoff: DEFAULT_BACKOFF,
  heartbeat: DEFAULT_HEARTBEAT,
  outbox: DEFAULT_OUTBOX,
  connectTimeoutMs: 10_000,
  authenticationTimeoutMs: 10_000,
  ackTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  suspendedAfterMs: 120_000,
  checkIntervalMs: 60_000,
  keeper: undefined,
  followOwnLog: false,
  tellDeliveries: false,
}

export type EffectOf<T extends Effect['type']> = Extract<Effect, { readonly type: T }>
export interface Command {
  readonly type: string
  readonly messageId: string
  readonly payload?: unknown
}

export interface Commands {
  readonly ref: number
  readonly room: string
  readonly sid: string
  readonly n: number
  readonly commands: readonly Command[]
}

export function ofType<T extends Effect['type']>(effects: readonly Effect[], type: T): EffectOf<T>[] {
  return effects.filter((effect): effect is EffectOf<T> => effect.type === type)
}

/** Everything that these effects send, in order. */
export function messagesOf(effects: readonly Effect[]): ClientMessage[] {
  return ofType(effects, 'transmit').flatMap((effect) => [...effect.messages])
}

export function payloadsOf<T extends ClientMessage['type']>(
  effects: readonly Effect[],
  type: T,
): PayloadOf<T>[] {
  return messagesOf(effects).flatMap((message) =>
    message.type === type ? [message.payload as unknown as PayloadOf<T>] : [],
  )
}

export function commandsOf(effects: readonly Effect[]): Commands[] {
  return payloadsOf(effects, 'commands') as unknown as Commands[]
}

/** Ids of the commands that these effects send, `-id` for a skip. */
export function idsOf(effects: readonly Effect[]): string[] {
  const sent = commandsOf(effects).flatMap(({ commands }) => commands)
  return sent.map((command) => `${command.type === 'skip' ? '-' : ''}${command.messageId}`)
}

/** The outcomes in order, as `id acknowledged 7` or `id failed CODE`. */
export function outcomesOf(effects: readonly Effect[]): string[] {
  return ofType(effects, 'settled').map(({ messageId, outcome }) =>
    outcome.status === 'acknowledged'
      ? `${messageId} acknowledged ${outcome.seq}`
      : `${messageId} failed ${outcome.code}`,
  )
}

export function entriesOf(effects: readonly Effect[], room: string): number[] {
  return ofType(effects, 'entries').flatMap((effect) =>
    effect.room === room ? effect.entries.map(({ seq }) => seq) : [],
  )
}

/** An entry of the log, at this position. */
function entryAt(seq: number, sender = 'bob', messageId = `${sender}-entry-${seq}`): Entry {
  return {
    type: 'new_message',
    seq,
    sender,
    messageId,
    timestamp: SERVER_TIME + seq,
    payload: { content: `number ${seq}` },
  }
}

/** The positions `from` to `to`. */
export function run(from: number, to: number): Entry[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => entryAt(from + i))
}

export const hashAt = (seq: number): string => (seq === 0 ? '' : `h${seq}`)

export function rowOf(room: string, messageId: string, change: Partial<NewRow> = {}): NewRow {
  const payload = { content: `says ${messageId}` }
  return {
    room,
    type: 'send_message',
    payload,
    messageId,
    bytes: JSON.stringify(payload).length,
    createdAt: SERVER_TIME,
    ...change,
  }
}

/** `m-000001` …: ids that the protocol takes and that tests can count. */
export function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `m-${String(from + i).padStart(6, '0')}`)
}

export function drive(change: Partial<CoreOptions> = {}, seed = 20_260_714) {
  const core = createCore({ ...CORE_OPTIONS, ...change }, seed)
  let now = 1_000
  let link = 0
  /** Everything since the last `take()`. */
  let log: Effect[] = []
  /** Refs of the pings without an answer on this link. */
  let pings: number[] = []

  function step(input: Input): Effect[] {
    const effects = core.step(input, now)
    for (const effect of effects) check(effect)
    log.push(...effects)
    return effects
  }

  function check(effect: Effect): void {
    if (effect.type === 'get_token' || effect.type === 'dial') link = effect.link
    if (effect.type === 'dial') pings = []
    if (effect.type === 'transmit' || effect.type === 'hang_up') expect(effect.link).toBe(link)
    if (effect.type !== 'transmit') return
    for (const message of effect.messages) checkMessage(message)
  }

  /** What goes out is of the protocol. */
  function checkMessage(message: ClientMessage): void {
    if (message.type === 'ping') pings.push(message.payload.ref)
    const parsed = CLIENT_MESSAGES[message.type].safeParse(JSON.parse(JSON.stringify(message.payload)))
    expect(parsed.success, `${JSON.stringify(message)} is of the protocol`).toBe(true)
    if (message.type !== 'commands') return
    expect(message.payload.commands.length).toBeLessThanOrEqual(MAX_BATCH)
    for (const command of message.payload.commands) expect(decodeCommand(command).ok).toBe(true)
  }

  function answerPings(): void {
    for (const ref of pings.splice(0)) driver.hear('pong', { ref })
  }

  function tick(): Effect[] {
    const effects = step({ type: 'tick' })
    expect(core.nextDeadline(), 'the next deadline lies after the tick').toBeGreaterThan(now)
    return effects
  }

  const driver = {
    core,
    step,
    tick,
    now: () => now,
    link: () => link,
    /** All effects since the last time. */
    take(): Effect[] {
      const taken = log
      log = []
      return taken
    },
    /** Lets time pass, with a tick at each deadline. */
    advance(ms: number): Effect[] {
      const end = now + ms
      const effects: Effect[] = []
      for (let steps = 0; core.nextDeadline() <= end; steps++) {
        expect(steps, 'time does not stand still').toBeLessThan(10_000)
        now = Math.max(now, core.nextDeadline())
        effects.push(...tick())
      }
      now = end
      return effects
    },
    /** As `advance`, beside a server that answers every ping: the connection stays. */
    live(ms: number): Effect[] {
      const end = now + ms
      const effects: Effect[] = []
      answerPings()
      while (now < end) {
        effects.push(...driver.advance(Math.min(end, Math.max(core.nextDeadline(), now)) - now))
        answerPings()
      }
      return effects
    },
    /** As `live`, until commands are sent. */
    untilSent(): Effect[] {
      for (let steps = 0; steps < 1_000; steps++) {
        const wait = core.nextDeadline() - now
        expect(wait, 'something is awaited').toBeLessThan(Number.POSITIVE_INFINITY)
        const effects = driver.live(Math.max(wait, 0.001))
        if (commandsOf(effects).length > 0) return effects
      }
      throw new Error('nothing is sent')
    },
    /** Lets time pass without a tick: the process slept. */
    sleep(ms: number): void {
      now += ms
    },
    token: (token = 'token') => step({ type: 'token', link, token }),
    open: () => step({ type: 'opened', link }),
    receive: (...messages: ServerMessage[]) => step({ type: 'received', link, messages }),
    /** One message of the server. */
    hear<T extends ServerMessageType>(type: T, payload: PayloadOf<T>, timestamp?: number): Effect[] {
      const message = timestamp === undefined ? { type, payload } : { type, payload, timestamp }
      return step({ type: 'received', link, messages: [message as unknown as ServerMessage] })
    },
    /** The server says who we are. */
    accept(payload: Partial<PayloadOf<'connected'>> = {}, timestamp: number | null = SERVER_TIME): Effect[] {
      return driver.hear('connected', connectedPayload(payload), timestamp ?? undefined)
    },
    /** From idle to connected; returns what followed `connected`. */
    connect(limits: Partial<Limits> = {}): Effect[] {
      step({ type: 'connect' })
      return driver.signIn(limits)
    },
    /** From connecting to connected, with the first ping answered; returns what followed `connected`. */
    signIn(limits: Partial<Limits> = {}, serverTime: number = SERVER_TIME): Effect[] {
      driver.token()
      driver.open()
      const effects = driver.accept({ limits: { ...DEFAULT_LIMITS, ...limits } }, serverTime)
      answerPings()
      return effects
    },
    /** After a loss: waits for the next attempt and lets it succeed. */
    reconnect(limits: Partial<Limits> = {}, serverTime: number = SERVER_TIME): Effect[] {
      while (core.status() !== 'connecting') driver.advance(100)
      return driver.signIn(limits, serverTime)
    },
    lose: (closeCode = 1006, reason = '') => step({ type: 'lost', link, closeCode, reason }),
    /** Said, and the turn ended: what goes out goes out. */
    send(room: string, messageId: string, row: Partial<NewRow> = {}): Effect[] {
      return [...driver.say(room, messageId, row), ...driver.endTurn()]
    },
    endTurn: (): Effect[] => (core.nextDeadline() > now ? [] : tick()),
    /** Said, and the turn goes on. */
    say: (room: string, messageId: string, row: Partial<NewRow> = {}) =>
      step({ type: 'send', row: rowOf(room, messageId, row) }),
    ack: (ref: number, seq: number, count?: number) =>
      driver.hear('ack', { acks: [count === undefined ? { ref, seq } : { ref, seq, count }] }, SERVER_TIME),
    refuse: (ref: number, code: string, more: Partial<PayloadOf<'error'>> = {}) =>
      driver.hear('error', { ref, code, message: 'no', ...more }),
    /** Follows the room; the server's log ends at `head`. */
    follow(room: string, head = 0): Effect[] {
      const asked = payloadsOf(step({ type: 'follow', room }), 'subscribe')[0]
      return asked ? driver.page(asked.ref, room, head, head) : []
    },
    /** A page that holds the entries after `after`, up to `last`, of a log that ends at `head`. */
    page(
      ref: number,
      room: string,
      after: number,
      last: number,
      more: Partial<PayloadOf<'page'>> = {},
    ): Effect[] {
      return driver.hear('page', {
        ref,
        room,
        epoch: EPOCH,
        after: { seq: after, h: hashAt(after) },
        entries: run(after + 1, last),
        h: hashAt(last),
        head: last,
        live: true,
        oldest: 1,
        ...more,
      })
    },
    push: (room: string, from: number, to = from) =>
      driver.hear('entries', { room, entries: run(from, to), h: hashAt(to) }),
  }
  return driver
}

export function connectedPayload(change: Partial<PayloadOf<'connected'>> = {}): PayloadOf<'connected'> {
  return {
    ref: 1,
    connectionId: 'node-1',
    userId: 'ada',
    epoch: EPOCH,
    limits: DEFAULT_LIMITS,
    heartbeatIntervalMs: 25_000,
    ...change,
  }
}

/** Connected, with these messages of one room in the outbox before. */
export function connectedWith(room: string, messageIds: readonly string[]) {
  const client = drive()
  for (const id of messageIds) client.send(room, id)
  const effects = client.connect()
  client.take()
  return { client, effects }
}

/** How long until the next attempt, as it was told. */
export function retryMs(effects: readonly Effect[]): number {
  return (
    ofType(effects, 'status').findLast(({ retryInMs }) => retryInMs !== undefined)?.retryInMs ?? Number.NaN
  )
}
