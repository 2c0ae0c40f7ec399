/**
 * Messages of the application's own (see defineProtocol), at the client:
 *
 *     const app = extend(client, jobs)
 *     app.room('general').send('job_offer', { jobId, rate })
 *
 * An entry of its own, `@tautline/client/extension`. Durable ones go the way of every message: the outbox, the log of the
 * room, the entries that it tells. What arrives is checked by its schema; what that does not take is told as `unknown`,
 * and holds up nothing.
 */
import {
  checkPayload,
  definitionOf,
  type NameOf,
  type PayloadInput,
  type PayloadOutput,
  type Protocol,
  type ResponseOutput,
} from '@tautline/protocol/extension'
import { type Entry, type PayloadOf, TautlineError } from '@tautline/protocol/wire'
import type { Client } from './client.ts'
import { createEmitter, type Emitter } from './emitter.ts'
import type { Sent } from './sent.ts'
import { EXTENSION_CHECKS, HISTORY_CHECKS } from './subject-checks.ts'

export type { ApplicationError, Protocol } from '@tautline/protocol/extension'

/** A durable message, with its place in the room. */
export interface DurableEvent<P = unknown> {
  readonly payload: P
  readonly room: string
  readonly sender: string
  readonly messageId: string
  readonly seq: number
  /** Unix milliseconds, by the server's clock. */
  readonly timestamp: number
}

export interface SignalEvent<P = unknown> {
  readonly payload: P
  readonly room: string
  readonly sender: string
}

/** What the application's server says. `room`: the room to which it was told; absent: to this user, or this session. */
export interface ServerEvent<P = unknown> {
  readonly payload: P
  readonly room?: string | undefined
}

/** A durable message of before, of whatever type. */
export type PastMessage<P extends Protocol> = {
  readonly [N in NameOf<P, 'durable'>]: DurableEvent<PayloadOutput<P, N>> & { readonly type: N }
}[NameOf<P, 'durable'>]

export interface PastMessages<P extends Protocol> {
  /** In the order of the room. Those that do not satisfy their schema are left out. */
  readonly messages: readonly PastMessage<P>[]
  /** Where to go on: the `before` of the next call. Undefined: nothing was looked at. */
  readonly oldestSeq: number | undefined
  readonly hasOlder: boolean
}

/** What arrived and does not satisfy its schema: of a newer version of the application, say. */
export interface UnknownEvent {
  readonly type: string
  readonly payload: unknown
  readonly room?: string | undefined
  readonly sender?: string | undefined
  /** Of a durable message. */
  readonly seq?: number | undefined
}

/** What can be heard of one room. */
export type RoomExtensionEvents<P extends Protocol> = {
  readonly [N in NameOf<P, 'durable'>]: [event: DurableEvent<PayloadOutput<P, N>>]
} & {
  readonly [N in NameOf<P, 'signal'>]: [event: SignalEvent<PayloadOutput<P, N>>]
} & {
  readonly [N in NameOf<P, 'event'>]: [event: ServerEvent<PayloadOutput<P, N>>]
}

/** What can be heard wherever it was said; `unknown` of this protocol alone. */
export type ExtensionEvents<P extends Protocol> = {
  readonly [N in NameOf<P, 'event'>]: [event: ServerEvent<PayloadOutput<P, N>>]
} & { readonly unknown: [event: UnknownEvent] }

type Names<E> = keyof E & string
type Listener<E, N extends keyof E> = E[N] extends readonly [infer Event] ? (event: Event) => void : never

export interface Listeners<E> {
  /** Returns how to stop listening. */
  on<N extends Names<E>>(event: N, listener: Listener<E, N>): () => void
  once<N extends Names<E>>(event: N, listener: Listener<E, N>): () => void
  off<N extends Names<E>>(event: N, listener: Listener<E, N>): void
}

/** A room as the protocol speaks in it. It is told what is said while the client follows the room. */
export interface RoomExtension<P extends Protocol> extends Listeners<RoomExtensionEvents<P>> {
  /** At once, whether connected or not, as `room.send`. What the schema does not take fails with VALIDATION_ERROR. */
  send<N extends NameOf<P, 'durable'>>(type: N, payload: PayloadInput<P, N>): Sent
  /**
   * To the others who follow the room now. Resolves once the server has taken it. Rejects with DISCONNECTED where there is
   * no connection, or it was lost before the answer: a signal is never kept.
   */
  signal<N extends NameOf<P, 'signal'>>(type: N, payload: PayloadInput<P, N>): Promise<void>
  /**
   * Durable messages of this protocol from a page of the room's history: the newest page, or the one before a position.
   * It looks at so many entries (at most 100, by default 50), and gives those of them that are its own: perhaps none.
   */
  history(options?: {
    readonly before?: number | undefined
    readonly limit?: number | undefined
  }): Promise<PastMessages<P>>
}

export interface Extension<P extends Protocol> extends Listeners<ExtensionEvents<P>> {
  /** The same object for the same id. */
  room(id: string): RoomExtension<P>
  /**
   * Asks the application's server. Rejects with its error (`protocol.isError(error, 'JOB_NOT_FOUND')`), with UNKNOWN_TYPE
   * where it does not speak this protocol, else as the client's own requests do. It is asked again where the answer was
   * lost with the connection.
   */
  request<N extends NameOf<P, 'request'>>(type: N, payload: PayloadInput<P, N>): Promise<ResponseOutput<P, N>>
  /** Hears nothing any more. What was sent goes on. */
  close(): void
}

/** What is made, whatever the protocol: the types above say what may be given and heard. */
interface Speaker extends Pick<Emitter<AnyEvents>, 'on' | 'once' | 'off'> {
  room(id: string): RoomSpeaker
  request(type: string, payload: unknown): Promise<unknown>
  close(): void
}

interface RoomSpeaker extends Pick<Emitter<AnyEvents>, 'on' | 'once' | 'off'> {
  send(type: string, payload: object): Sent
  signal(type: string, payload: unknown): Promise<void>
  history(options?: { readonly before?: number; readonly limit?: number }): Promise<unknown>
}

type AnyEvents = Record<string, [event: unknown]>

interface Known {
  readonly protocol: Protocol
  readonly app: Speaker
}

const extensions = new WeakMap<Client, Map<string, Known>>()

/** The protocol as this client speaks it: the same object each time. Throws a TypeError where the client has another protocol of that name. */
export function extend<P extends Protocol>(client: Client, protocol: P): Extension<P> {
  const known = extensions.get(client) ?? new Map<string, Known>()
  extensions.set(client, known)
  const found = known.get(protocol.name)
  if (found && found.protocol !== protocol) throw new TypeError(`there is another protocol ${protocol.name}`)
  const app = found?.app ?? createExtension(client, protocol, () => known.delete(protocol.name))
  known.set(protocol.name, { protocol, app })
  return app as unknown as Extension<P>
}

function createExtension(client: Client, protocol: Protocol, forget: () => void): Speaker {
  const { port } = client
  const events = createEmitter<AnyEvents>()
  const rooms = new Map<string, { readonly room: RoomSpeaker; emit(type: string, event: unknown): void }>()
  port.learn(EXTENSION_CHECKS)
  const stops: (() => void)[] = [
    forget,
    port.onMessage((message) => {
      if (message.type === 'signal') hear(message.payload)
    }),
  ]

  /** What its schema makes of it; undefined: it is another protocol's, or of another version. */
  function known(type: string, said: unknown): Record<string, unknown> | undefined {
    const definition = definitionOf(protocol, type, 'durable')
    const checked = definition && checkPayload(definition.payload, said)
    return checked?.ok ? checked.payload : undefined
  }

  /** Says it to whoever listens, as its schema gives it. */
  function tell(
    kind: 'durable' | 'signal' | 'event',
    said: { readonly type: string; readonly payload: unknown; readonly room?: string | undefined },
    more: object,
  ): void {
    const { type, payload, room } = said
    const definition = definitionOf(protocol, type, kind)
    if (!definition) return
    const checked = checkPayload(definition.payload, payload)
    const event = { payload, room, ...more }
    if (!checked.ok) events.emit('unknown', { type, ...event })
    else {
      const told = { ...event, payload: checked.payload }
      if (room !== undefined) rooms.get(room)?.emit(type, told)
      if (kind === 'event') events.emit(type, told)
    }
  }

  function hear({ sender, ...said }: PayloadOf<'signal'>): void {
    tell(sender === undefined ? 'event' : 'signal', said, sender === undefined ? {} : { sender })
  }

  function sent(kind: 'signal' | 'request', type: string, payload: unknown): Record<string, unknown> {
    const definition = definitionOf(protocol, type, kind)
    if (!definition) throw new TypeError(`${protocol.name} has no ${kind} ${type}`)
    const checked = checkPayload(definition.payload, payload)
    if (checked.ok) return checked.payload
    throw new TautlineError(checked.code, checked.detail)
  }

  function createRoom(id: string) {
    const { on, once, off, emit } = createEmitter<AnyEvents>()
    stops.push(
      client
        .room(id)
        .on('entry', ({ type, payload, sender, messageId, seq, timestamp }: Entry) =>
          tell('durable', { type, payload, room: id }, { sender, messageId, seq, timestamp }),
        ),
    )
    const room: RoomSpeaker = {
      send(type, payload) {
        const definition = definitionOf(protocol, type, 'durable')
        if (!definition) throw new TypeError(`${protocol.name} has no durable message ${type}`)
        const checked = checkPayload(definition.payload, payload)
        return checked.ok ? port.send(id, type, checked.payload) : port.send(id, type, payload, checked)
      },
      async signal(type, payload) {
        const said = { room: id, type, payload: sent('signal', type, payload) }
        await port.request({ type: 'send_signal', payload: said }, 'done')
      },
      async history({ before, limit } = {}) {
        const asked = { room: id, before, limit }
        port.learn(HISTORY_CHECKS)
        const answer = await port.request({ type: 'get_history', payload: asked }, 'history')
        const page = answer as PayloadOf<'history'>
        const { entries, from: oldestSeq = entries[0]?.seq, hasOlder } = page
        const messages = entries.flatMap(({ type, payload: said, ...entry }) => {
          const payload = known(type, said)
          return payload ? [{ type, payload, room: id, ...entry }] : []
        })
        return { messages, oldestSeq, hasOlder }
      },
      on,
      once,
      off,
    }
    const made = { room, emit }
    rooms.set(id, made)
    return made
  }

  return {
    room: (id) => (rooms.get(id) ?? createRoom(id)).room,
    async request(type, payload) {
      const definition = definitionOf(protocol, type, 'request')
      const asked = { type, payload: sent('request', type, payload) }
      const said = await port.request({ type: 'send_request', payload: asked }, 'response')
      const answer = said as PayloadOf<'response'>
      const checked = definition && checkPayload(definition.response, answer.payload)
      if (checked?.ok) return checked.payload
      throw new TautlineError('VALIDATION_ERROR', 'the answer is not of its form')
    },
    on: events.on,
    once: events.once,
    off: events.off,
    close() {
      for (const stop of stops.splice(0)) stop()
    },
  }
}
