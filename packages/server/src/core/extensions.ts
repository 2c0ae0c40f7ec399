/**
 * What an application says beside the vocabulary and keeps in no log: signals of a user to a room, requests, and its own
 * words to a room, a user or one session. Durable messages of its own are commands (commands.ts) like all others.
 *
 * What a client says is checked by the application's schema here; whether it may be, and what is answered, is a question
 * that leaves as an effect (`ask`) and has a deadline. A signal asks the store first whether its user may write in the
 * room now, so that rights, bans and mutes hold for it as for a message. Signals of one connection to one room are
 * decided one after the other, so that they arrive in order; nobody else waits for them.
 */
import { type Code, makeMessageId, type PayloadOf } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { broadcast, type Context, RETRY_AFTER_MS, refusalOf, refuse, send, unixMs } from './context.ts'
import type { Asked, Recipient, Verdict } from './contract.ts'
import { randomText } from './random.ts'
import { isOpen, type Rooms } from './rooms.ts'
import type { Scheduled } from './schedule.ts'
import { type Sessions, sessionOf } from './session.ts'
import type { CommandOp } from './store.ts'

/** What the application's schemas say. Called in the core: pure, and never throws. */
export interface OwnMessages {
  /** Whether the application is asked about any durable message of its own. */
  readonly hasHandlers: boolean
  /** … about those of this type. */
  isHandled(type: string): boolean
  /** Undefined: there is no message of this type and kind. */
  check(kind: 'durable' | 'signal' | 'request', type: string, payload: unknown): CheckedPayload | undefined
}

export type CheckedPayload =
  | { readonly ok: true; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: Code; readonly detail: string }

export const NO_MESSAGES: OwnMessages = {
  hasHandlers: false,
  isHandled: () => false,
  check: () => undefined,
}

/** Questions of one connection that may be open or waiting; beyond them the answer is RATE_LIMIT. */
const MAX_ASKS = 256
const BUSY_RETRY_MS = 1_000

/** Something that was asked, and when it must be answered. */
export interface Ask extends Scheduled {
  readonly kind: 'ask'
  readonly id: number
  readonly connection: Connection
  readonly ref: number
  readonly asked: Asked
}

export interface Extensions {
  signal(connection: Connection, said: PayloadOf<'send_signal'>): void
  request(connection: Connection, asked: PayloadOf<'send_request'>): void
  answered(id: number, verdict: Verdict): void
  expire(ask: Ask): void
  /** The application says something itself. */
  tell(to: Recipient, type: string, payload: Record<string, unknown>): void
  isThere(to: Recipient): boolean
  forget(connection: Connection): void
  isIdle(): boolean
}

export function createExtensions(context: Context, rooms: Rooms, sessions: Sessions): Extensions {
  const { own, hookTimeoutMs } = context.options
  const open = new Map<number, Ask>()
  /** Signals that wait for the one before them, by connection and room. */
  const chains = new Map<string, Ask[]>()
  /** Open and waiting, by connection. */
  const counts = new Map<Connection, number>()
  let lastId = 0

  function add(ask: Ask): void {
    const { connection, ref } = ask
    const count = counts.get(connection) ?? 0
    if (count >= MAX_ASKS) {
      refuse(context, connection, ref, 'RATE_LIMIT', { retryAfterMs: BUSY_RETRY_MS })
      return
    }
    counts.set(connection, count + 1)
    const key = chainKey(ask)
    const chain = key && chains.get(key)
    if (chain) {
      chain.push(ask)
      return
    }
    if (key) chains.set(key, [])
    start(ask)
  }

  function start(ask: Ask): void {
    open.set(ask.id, ask)
    context.schedule.set(ask, context.now + hookTimeoutMs)
    context.effects.push({ do: 'ask', ask: ask.id, asked: ask.asked })
  }

  function finish(ask: Ask): void {
    const { connection } = ask
    open.delete(ask.id)
    context.schedule.remove(ask)
    const count = (counts.get(connection) ?? 1) - 1
    if (count > 0) counts.set(connection, count)
    else counts.delete(connection)
    const key = chainKey(ask)
    if (key === undefined) return
    const next = chains.get(key)?.shift()
    if (next) start(next)
    else chains.delete(key)
  }

  function settle(ask: Ask, verdict: Verdict): void {
    const { connection, ref, asked } = ask
    finish(ask)
    if (connection.phase === 'closed') return
    const room = asked.kind === 'signal' ? asked.probe.room : undefined
    if (!verdict.ok) {
      const { code } = verdict
      refuse(context, connection, ref, code, {
        room,
        ...refusalOf({ retryAfterMs: RETRY_AFTER_MS[code], ...verdict }),
      })
    } else if (asked.kind === 'request') {
      const payload = { ...verdict.payload }
      send(context, connection, { type: 'response', payload: { ref, payload } })
    } else {
      relay(connection, asked, verdict.payload)
      send(context, connection, { type: 'done', payload: { ref } })
    }
  }

  /** To all who follow the room, but for the connection that said it. Undefined: the application told whom it wanted. */
  function relay(
    connection: Connection,
    { type, probe: { room, user: sender } }: Extract<Asked, { kind: 'signal' }>,
    payload: Readonly<Record<string, unknown>> | undefined,
  ): void {
    if (payload) tellRoom({ type, payload: { ...payload }, room, sender }, connection)
  }

  function tellRoom(signal: PayloadOf<'signal'>, except: Connection | undefined): void {
    const recipients: number[] = []
    for (const subscription of rooms.get(signal.room ?? '')?.followers ?? []) {
      const { connection } = subscription
      if (connection === except || !isOpen(subscription)) continue
      if (connection.bufferedBytes <= context.options.relievedBytes) recipients.push(connection.id)
    }
    broadcast(context, recipients, { type: 'signal', payload: signal })
  }

  /** What the schema makes of it; undefined: it was refused. */
  function checked(
    connection: Connection,
    kind: 'signal' | 'request',
    { ref, type, payload }: PayloadOf<'send_request'>,
  ): Readonly<Record<string, unknown>> | undefined {
    const result = own.check(kind, type, payload)
    if (!result) refuse(context, connection, ref, 'UNKNOWN_TYPE')
    else if (result.ok) return result.payload
    else refuse(context, connection, ref, result.code, { message: result.detail })
    return undefined
  }

  function put(connection: Connection, ref: number, asked: Asked): void {
    const id = ++lastId
    add({ kind: 'ask', id, connection, ref, asked, dueAt: Number.POSITIVE_INFINITY, place: -1 })
  }

  function connectionsOf(to: Exclude<Recipient, { readonly room: string }>): readonly Connection[] {
    return [...('session' in to ? sessions.ofSession(to.session) : sessions.ofUser(to.userId))]
  }

  return {
    signal(connection, said) {
      const payload = checked(connection, 'signal', said)
      if (!payload) return
      const { ref, room, type } = said
      const now = unixMs(context)
      const id = makeMessageId(now, randomText(context.random, 12))
      const probe: CommandOp = {
        op: 'command',
        user: connection.userId,
        room,
        // A lane and an id that nobody has: it would be new.
        sid: id,
        n: 1,
        messageId: id,
        digest: '',
        noticeId: id,
        entry: { type, payload },
        refusal: undefined,
      }
      put(connection, ref, {
        kind: 'signal',
        session: sessionOf(connection),
        type,
        payload,
        probe,
        unixMs: now,
      })
    },

    request(connection, asked) {
      const payload = checked(connection, 'request', asked)
      if (!payload) return
      const { ref, type } = asked
      const session = sessionOf(connection)
      put(connection, ref, { kind: 'request', session, userId: connection.userId, type, payload })
    },

    answered(id, verdict) {
      const ask = open.get(id)
      // Else it came too late.
      if (ask) settle(ask, verdict)
    },

    expire(ask) {
      context.effects.push({ do: 'ask_expired', ask: ask.id })
      settle(ask, { ok: false, code: 'UNAVAILABLE' })
    },

    tell(to, type, payload) {
      if ('room' in to) {
        tellRoom({ type, payload, room: to.room }, undefined)
        return
      }
      const recipients: number[] = []
      for (const { id, bufferedBytes } of connectionsOf(to))
        if (bufferedBytes <= context.options.congestedBytes) recipients.push(id)
      broadcast(context, recipients, { type: 'signal', payload: { type, payload } })
    },

    isThere(to) {
      if ('room' in to) return (rooms.get(to.room)?.followers.size ?? 0) > 0
      return connectionsOf(to).length > 0
    },

    forget(connection) {
      if (!counts.delete(connection)) return
      for (const key of chains.keys()) if (key.startsWith(`${connection.id}\n`)) chains.delete(key)
      for (const ask of open.values()) if (ask.connection === connection) finish(ask)
    },

    isIdle: () => open.size === 0,
  }
}

/** Undefined: it waits for nothing. */
function chainKey({ connection, asked }: Ask): string | undefined {
  return asked.kind === 'signal' ? `${connection.id}\n${asked.probe.room}` : undefined
}
