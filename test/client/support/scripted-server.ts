// A server of a hundred lines, for the shell of the client: rooms in memory, no rights, no limits, and every answer can
// be withheld or replaced by the test.

import {
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeClientFrame,
  type Entry,
  type Limits,
  nextFingerprint,
  type PayloadOf,
  type ServerMessage,
} from '@tautline/protocol'
import { EPOCH, SERVER_TIME } from './drive.ts'

/** One connection, as the server sees it. */
export interface Peer {
  send(text: string): void
  close(code: number, reason: string): void
}

interface Session {
  readonly peer: Peer
  userId: string
  readonly rooms: Set<string>
}

type Reply = (...messages: ServerMessage[]) => void
type Handler = (message: ClientMessage, reply: Reply) => boolean
type Answers = {
  readonly [T in ClientMessage['type']]?: (session: Session, payload: PayloadOf<T>, reply: Reply) => void
}

export class ScriptedServer {
  readonly sessions = new Set<Session>()
  /** Everything that was received, in order. */
  readonly received: ClientMessage[] = []
  /** The texts of all frames. */
  readonly frames: string[] = []
  readonly logs = new Map<string, Entry[]>()
  /** The fingerprint after each entry of a log. */
  readonly #hashes = new WeakMap<Entry[], string[]>()
  limits: Limits = DEFAULT_LIMITS
  epoch = EPOCH
  tokenExpiresAt: number | undefined
  /** Returns true where it dealt with the message. */
  intercept: Handler = () => false
  /** While true, nothing is answered. */
  isSilent = false

  /** A new connection; returns what to call for each frame, and at its end. */
  accept(peer: Peer): { readonly receive: (text: string) => void; readonly closed: () => void } {
    const session: Session = { peer, userId: '', rooms: new Set() }
    this.sessions.add(session)
    return {
      receive: (text) => this.#receive(session, text),
      closed: () => this.sessions.delete(session),
    }
  }

  /** Ends every connection. */
  drop(code = 1006, reason = ''): void {
    for (const session of this.sessions) session.peer.close(code, reason)
    this.sessions.clear()
  }

  /** To everyone who is connected. */
  tell(...messages: ServerMessage[]): void {
    for (const session of this.sessions) this.#send(session, messages)
  }

  /** What somebody else says. */
  say(room: string, content: string, sender = 'bob'): Entry {
    const log = this.#log(room)
    const messageId = `${sender}-says-${String(log.length + 1).padStart(4, '0')}`
    return this.#append(room, { type: 'new_message', sender, messageId, payload: { content } })
  }

  /** Any entry of bob's, pushed to who follows. */
  push(room: string, type: string, payload: Record<string, unknown>): Entry {
    const messageId = `bob-does-${String(this.#log(room).length + 1).padStart(4, '0')}`
    return this.#append(room, { type, sender: 'bob', messageId, payload })
  }

  /** Of these types, in order. */
  payloads(type: ClientMessage['type']): Record<string, unknown>[] {
    return this.received
      .filter((message) => message.type === type)
      .map(({ payload }) => payload as unknown as Record<string, unknown>)
  }

  #log(room: string): Entry[] {
    const log = this.logs.get(room) ?? []
    this.logs.set(room, log)
    return log
  }

  #h(room: string, seq: number): string {
    const log = this.#log(room)
    const known = this.#hashes.get(log) ?? ['']
    this.#hashes.set(log, known)
    for (const { sender, messageId } of log.slice(known.length - 1)) {
      known.push(nextFingerprint(known.at(-1) ?? '', sender, messageId))
    }
    return known[seq] ?? ''
  }

  #append(room: string, entry: Pick<Entry, 'type' | 'sender' | 'messageId' | 'payload'>): Entry {
    const log = this.#log(room)
    const seq = log.length + 1
    const full: Entry = { ...entry, seq, timestamp: SERVER_TIME + seq }
    log.push(full)
    const payload = { room, entries: [full], h: this.#h(room, seq) }
    for (const session of this.sessions) {
      if (session.rooms.has(room)) this.#send(session, [{ type: 'entries', payload }])
    }
    return full
  }

  #send({ peer }: Session, messages: readonly ServerMessage[]): void {
    if (!this.isSilent && messages.length > 0)
      peer.send(JSON.stringify(messages.length === 1 ? messages[0] : messages))
  }

  #receive(session: Session, text: string): void {
    this.frames.push(text)
    for (const decoded of decodeClientFrame(text, { maxFrameBytes: this.limits.maxFrameBytes })) {
      if (!decoded.ok) throw new Error(`${decoded.code}: ${decoded.detail} in ${text.slice(0, 200)}`)
      this.received.push(decoded.message)
      const reply: Reply = (...messages) => this.#send(session, messages)
      if (!this.intercept(decoded.message, reply)) this.#answer(session, decoded.message, reply)
    }
  }

  #answer(session: Session, message: ClientMessage, reply: Reply): void {
    const answer = this.#answers[message.type] as
      | ((session: Session, payload: ClientMessage['payload'], reply: Reply) => void)
      | undefined
    answer?.(session, message.payload, reply)
  }

  readonly #answers: Answers = {
    authenticate: (session, { ref, token, userId }, reply) => {
      session.userId = userId ?? token ?? ''
      const payload = {
        ref,
        connectionId: 'node-1',
        userId: session.userId,
        epoch: this.epoch,
        limits: this.limits,
        heartbeatIntervalMs: 25_000,
        ...(this.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: this.tokenExpiresAt }),
      }
      reply({ type: 'connected', payload, timestamp: SERVER_TIME })
    },
    ping: (_, { ref }, reply) => reply({ type: 'pong', payload: { ref } }),
    subscribe: (session, { ref, rooms }, reply) => {
      for (const { room, after, limit = 100 } of rooms) {
        session.rooms.add(room)
        const begin = Math.max(0, this.#log(room).length - limit)
        reply(this.#page(ref, room, after?.seq ?? begin, true))
      }
    },
    unsubscribe: (session, payload, reply) => {
      for (const room of payload.rooms) session.rooms.delete(room)
      reply({ type: 'unsubscribed', payload })
    },
    get_page: (session, { ref, room, after }, reply) =>
      reply(this.#page(ref, room, after.seq, session.rooms.has(room))),
    get_history: (_, { ref, room, before = Infinity, limit = 50 }, reply) => {
      const older = this.#log(room).filter(({ seq }) => seq < before)
      const entries = older.slice(-limit)
      const at = this.#log(room).length
      const hasOlder = older.length > limit
      reply({ type: 'history', payload: { ref, room, entries, at, hasOlder, hasNewer: before <= at } })
    },
    check: (_, { ref }, reply) => reply({ type: 'checked', payload: { ref, rooms: [] } }),
    join_room: (_, { ref, room }, reply) =>
      reply({ type: 'room_joined', payload: { ref, room, role: 'member' } }),
    leave_room: (_, { ref, room }, reply) =>
      reply({ type: 'room_left', payload: { ref, room, reason: 'left' } }),
    list_members: ({ userId }, { ref, room }, reply) => {
      const member = { userId, role: 'member', status: 'online', joinedAt: SERVER_TIME } as const
      reply({ type: 'member_list', payload: { ref, room, members: [member], hasMore: false } })
    },
    mark_read: ({ userId }, { ref, room, seq }, reply) =>
      reply({ type: 'messages_read', payload: { ref, room, userId, seq, timestamp: SERVER_TIME } }),
    renew_token: (_, { ref }, reply) => reply({ type: 'token_renewed', payload: { ref } }),
    commands: (session, payload, reply) => this.#commit(session, payload, reply),
  }

  #commit(session: Session, { ref, room, commands }: PayloadOf<'commands'>, reply: Reply): void {
    for (const [i, command] of (
      commands as { type: string; messageId: string; payload: object }[]
    ).entries()) {
      const { type, messageId, payload } = command
      const known = this.#log(room).find((entry) => entry.messageId === messageId)
      if (type === 'skip' && !known) {
        reply({ type: 'error', payload: { ref: ref + i, code: 'SKIPPED', message: 'skipped' } })
        continue
      }
      const entry =
        known ??
        this.#append(room, {
          type: 'new_message',
          sender: session.userId,
          messageId,
          payload: { ...payload },
        })
      reply({
        type: 'ack',
        payload: { acks: [{ ref: ref + i, seq: entry.seq }] },
        timestamp: entry.timestamp,
      })
    }
  }

  #page(ref: number, room: string, after: number, live: boolean): ServerMessage {
    const log = this.#log(room)
    const entries = log.slice(after, after + 100)
    const payload = {
      ref,
      room,
      epoch: this.epoch,
      after: { seq: after, h: this.#h(room, after) },
      entries,
      h: this.#h(room, after + entries.length),
      head: log.length,
      live,
      oldest: 1,
    }
    return { type: 'page', payload }
  }
}
