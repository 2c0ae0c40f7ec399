/**
 * A room as the application sees it: join, send, follow, read. Two things are kept apart: membership (`join`, `leave`:
 * durable, for every device of the user) and following (`subscribe`, `unsubscribe`: this client, this connection and
 * the next ones). Events begin where following begins; what lies before is history.
 */
import {
  type Entry,
  type EntryPayload,
  type PayloadOf,
  type ServerMessage,
  SYSTEM_USER_ID,
  TautlineError,
} from '@tautline/protocol/wire'
import type { Client } from './client.ts'
import type { Failure, Gap, RoomEffect, RoomPhase } from './core/context.ts'
import type { NewRow } from './core/outbox-row.ts'
import type { UserPresence } from './core/presence.ts'
import type { RequestMessage } from './core/requests.ts'
import { createEmitter } from './emitter.ts'
import {
  type Content,
  type Message,
  type MessageContent,
  type MessageName,
  messageOf,
  nameOf,
} from './message.ts'
import type { Sent } from './sent.ts'
import { createStore, type Readable } from './store.ts'
import { createUnreadCounter } from './unread.ts'

export interface RoomEvents {
  /** A new message, in the order of the room, each once; own ones too. */
  message: [message: Message]
  /** A message says something else from now on. */
  edited: [change: MessageEdited]
  /** What a message said is gone. */
  deleted: [change: MessageDeleted]
  reaction: [change: Reaction]
  /** Every entry of the log, messages included; of a type that this version may not know. */
  entry: [entry: Entry]
  /** A message of ours, or a change of one, was put into the outbox, or found there: said before this load, or in another tab. */
  sending: [sent: Sent]
  /** Positions that will not come as events, because the server has them no more or we were too far behind. */
  gap: [gap: Gap]
  /** The server's log is another one than we knew: drop what was shown of this room. */
  reset: [reason: 'epoch' | 'diverged' | 'ahead']
  phase: [phase: RoomPhase]
  /** We are a member no longer. */
  left: [reason: 'left' | 'removed' | 'banned' | 'deleted']
  /** Somebody has read up to a position. */
  read: [read: { readonly userId: string; readonly seq: number; readonly timestamp: number }]
  /** Somebody's devices have everything up to a position. Told in rooms of up to 100 members. */
  delivered: [delivered: { readonly userId: string; readonly seq: number; readonly timestamp: number }]
}

export interface RoomSnapshot {
  readonly phase: RoomPhase
  /** Why it was refused. */
  readonly error: TautlineError | undefined
  /** Who is there now and how they are, us included; in a room of more than 500 a part of them. */
  readonly users: ReadonlyMap<string, UserPresence>
  /** How many are there. */
  readonly userCount: number
  /** Who types, us not included. */
  readonly typing: readonly string[]
  /** How far each user has read, as far as it was told. Who says something has read what stands before. */
  readonly read: ReadonlyMap<string, number>
  /** How far the devices of each user have the room, as far as it was told; what is read was delivered. */
  readonly delivered: ReadonlyMap<string, number>
  /** Messages of others that none of our devices has read. Undefined until the room is live. */
  readonly unread: number | undefined
}

/** How far a user is: positions, 0 for nothing, and since when in Unix milliseconds. */
export interface Receipt {
  readonly delivered: number
  readonly deliveredAt: number | undefined
  readonly read: number
  readonly readAt: number | undefined
}

const NO_RECEIPT: Receipt = { delivered: 0, deliveredAt: undefined, read: 0, readAt: undefined }

/** What happened to a message: who did it and when, and at which position of the log. */
export interface MessageDeleted {
  readonly target: { readonly seq: number; readonly sender: string; readonly messageId: string }
  readonly by: string
  readonly seq: number
  readonly timestamp: number
}

export interface MessageEdited extends MessageDeleted {
  readonly content: string
  /** All that it says now. */
  readonly body: EntryPayload<'message_edited'>
}

export interface Reaction extends MessageDeleted {
  readonly emoji: string
  /** False: it was taken back. */
  readonly isAdded: boolean
  /** How many users react so now. */
  readonly count: number
}

export interface Room extends Readable<RoomSnapshot> {
  readonly id: string
  readonly client: Client
  /**
   * Become a member and follow. May be called before the client is connected; it stands through every loss of the
   * connection, and what is sent to the room meanwhile waits for it. Resolves when the room is live; rejects with
   * FORBIDDEN, or when the client is disconnected, stopped or closed by then.
   */
  join(): Promise<void>
  /** Be a member no longer. Rejects with FORBIDDEN in a direct room, which is there for good. */
  leave(): Promise<void>
  /**
   * Become a member by an invitation, and follow; resolves when the room is live. In a private room one reads from here
   * on. Rejects with FORBIDDEN where there is no invitation (any more).
   */
  accept(): Promise<void>
  /** Follow the room, now and on every later connection. Resolves when it is live. */
  follow(): Promise<void>
  unfollow(): void
  /**
   * Follow the room for as long as something reads it; returns how to end that. It is followed until the last such reader
   * has ended, or for as long as `follow` says.
   */
  hold(): () => void
  /** At once, whether connected or not. So are all changes of messages: they wait in the outbox, in order. */
  send(content: MessageContent): Sent
  /** Say something else instead, all of it. Only what is one's own: else it fails with FORBIDDEN. */
  edit(message: MessageName, content: Content): Sent
  /** Blank what the message said, for everybody and for good. One's own; owners and moderators: any. */
  delete(message: MessageName): Sent
  /** One emoji, or a short name (`:party_parrot:`) that the server knows: else VALIDATION_ERROR. Fails with MESSAGE_DELETED, or TOO_MANY_REACTIONS beyond 20 different ones. */
  react(message: MessageName, emoji: string): Sent
  unreact(message: MessageName, emoji: string): Sent
  /** Say here what was said in a room that we may read; the server copies it as it stands then. */
  forward(message: MessageName & { readonly room: string }): Sent
  /** We type. Told to others at most every 3 s; never queued. */
  typing(active?: boolean): void
  /**
   * Resolves with the read position now in force, which is never lower than one before. What comes too often is told later,
   * the newest position alone.
   */
  markRead(seq: number): Promise<{ readonly seq: number; readonly timestamp: number }>
  /**
   * How far each user is, as far as it was told: of all members in rooms of up to 100. The same map until something in it
   * changes; `subscribe` tells when.
   */
  receipts(): ReadonlyMap<string, Receipt>
  on<E extends keyof RoomEvents>(event: E, listener: (...args: RoomEvents[E]) => void): () => void
  once<E extends keyof RoomEvents>(event: E, listener: (...args: RoomEvents[E]) => void): () => void
  off<E extends keyof RoomEvents>(event: E, listener: (...args: RoomEvents[E]) => void): void
}

/** What a room needs of its client. */
export interface RoomPort {
  readonly client: Client
  readonly userId: () => string | undefined
  request(message: RequestMessage): Promise<unknown>
  send(room: string, type: NewRow['type'], payload: NewRow['payload']): Sent
  follow(room: string): void
  unfollow(room: string): void
  typing(room: string, active: boolean): void
  /** Calls back once after `ms`; returns how to prevent it. */
  after(ms: number, callback: () => void): () => void
}

type Position = Pick<PayloadOf<'messages_read'>, 'userId' | 'seq' | 'timestamp'>

/** The end that the client holds: what the core says about the room. */
export interface RoomControl {
  readonly room: Room
  take(effect: RoomEffect): void
  /** What the server says of the room beside its log. */
  hear(message: ServerMessage): void
  sending(sent: Sent): void
}

export function createRoom(id: string, port: RoomPort): RoomControl {
  const events = createEmitter<RoomEvents>()
  const store = createStore<RoomSnapshot>({
    phase: 'idle',
    error: undefined,
    users: new Map(),
    userCount: 0,
    typing: [],
    read: new Map(),
    delivered: new Map(),
    unread: undefined,
  })
  const unread = createUnreadCounter()
  let receipts: ReadonlyMap<string, Receipt> = new Map()
  /** By the application, which need not be told when a reader ends. */
  let isFollowed = false
  let readers = 0
  /** Positions that wait for their answer. */
  const reading: number[] = []

  /** Who says something has read what stands before. Receipts are of members: neither of the system nor of who has left. */
  function noteReaders(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { type, sender, seq, timestamp } = entry
      if (type === 'member_left') forgetReader((entry.payload as EntryPayload<'member_left'>).userId)
      if (type !== 'new_message') continue
      unread.heard(entry, sender === port.userId())
      if (sender === SYSTEM_USER_ID) continue
      receive(sender, 'delivered', seq, timestamp)
      receive(sender, 'read', seq, timestamp)
    }
    store.update({ unread: unread.count() })
  }

  function forgetReader(userId: string): void {
    const without = <T>(all: ReadonlyMap<string, T>) => {
      const left = new Map(all)
      return left.delete(userId) ? left : all
    }
    const { read, delivered } = store.getSnapshot()
    receipts = without(receipts)
    store.update({ read: without(read), delivered: without(delivered) })
  }

  /** Whether it is further than was known. */
  function receive(userId: string, what: 'read' | 'delivered', seq: number, timestamp: number): boolean {
    const before = receipts.get(userId) ?? NO_RECEIPT
    if (before[what] >= seq) return false
    receipts = new Map(receipts).set(userId, { ...before, [what]: seq, [`${what}At`]: timestamp })
    store.update({ [what]: new Map(store.getSnapshot()[what]).set(userId, seq) })
    return true
  }

  /** Follows the room for a reader, and gives it up with the last one, unless the application follows it too. */
  function hold(): () => void {
    readers++
    port.follow(id)
    return () => {
      if (--readers === 0 && !isFollowed) port.unfollow(id)
    }
  }

  /** Resolves when the room is live, rejects when it is refused or left. */
  function whenLive(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (phase: RoomPhase): boolean => {
        if (phase === 'live') resolve()
        else if (phase === 'syncing') return false
        else reject(store.getSnapshot().error ?? new TautlineError('DISCONNECTED', 'the room was left'))
        return true
      }
      if (settle(store.getSnapshot().phase)) return
      const stop = room.on('phase', (phase) => {
        if (settle(phase)) stop()
      })
    })
  }

  /** Its own fields alone: an item of a timeline is a content, too. */
  function saidBy(said: Content): NewRow['payload'] {
    const { content, metadata, mentions, ...more } = said as Content & Readonly<Record<string, unknown>>
    const { kind, file, location, keyId } = more
    return { kind, content, file, location, keyId, metadata, mentions }
  }

  function change(type: NewRow['type'], message: MessageName, more?: object): Sent {
    return port.send(id, type, { target: nameOf(message, port.userId()), ...more })
  }

  function tellChange({ type, seq, sender: by, timestamp, payload }: Entry): void {
    const { target } = payload as EntryPayload<'message_deleted'>
    if (!target) return
    const told = { target, by, seq, timestamp }
    if (type === 'message_deleted') events.emit('deleted', told)
    else if (type === 'message_edited') {
      const body = payload as EntryPayload<'message_edited'>
      events.emit('edited', { ...told, content: body.content, body })
    } else if (type === 'reaction_added' || type === 'reaction_removed') {
      const { emoji, count } = payload as EntryPayload<'reaction_added'>
      events.emit('reaction', { ...told, emoji, count, isAdded: type === 'reaction_added' })
    }
  }

  /** What is too much for now is asked again, for the newest position that somebody waits for. */
  async function readTo(seq: number, asked: number): Promise<PayloadOf<'messages_read'>> {
    reading.push(seq)
    try {
      const payload = await port.request({ type: 'mark_read', payload: { room: id, seq: asked } })
      return payload as PayloadOf<'messages_read'>
    } catch (error) {
      if (!(error instanceof TautlineError) || error.code !== 'RATE_LIMIT') throw error
      await new Promise<void>((resolve) => {
        port.after(error.retryAfterMs ?? 1_000, resolve)
      })
      return await readTo(seq, Math.max(...reading))
    } finally {
      reading.splice(reading.indexOf(seq), 1)
    }
  }

  const room: Room = {
    id,
    client: port.client,
    async join() {
      await port.request({ type: 'join_room', payload: { room: id } })
      await room.follow()
    },
    async leave() {
      await port.request({ type: 'leave_room', payload: { room: id } })
    },
    async accept() {
      await port.request({ type: 'accept_invitation', payload: { room: id } })
      await room.follow()
    },
    async follow() {
      isFollowed = true
      port.follow(id)
      // Asked for by a listener, it has its turn after what is under way.
      await Promise.resolve().then(whenLive)
    },
    unfollow() {
      isFollowed = false
      port.unfollow(id)
    },
    send: (content) => {
      const replyTo = content.replyTo && nameOf(content.replyTo, port.userId())
      return port.send(id, 'send_message', { ...saidBy(content), replyTo })
    },
    edit: (message, content) => change('edit_message', message, saidBy(content)),
    delete: (message) => change('delete_message', message),
    react: (message, emoji) => change('add_reaction', message, { emoji }),
    unreact: (message, emoji) => change('remove_reaction', message, { emoji }),
    forward: (message) =>
      port.send(id, 'forward_message', { from: { room: message.room, ...nameOf(message, port.userId()) } }),
    typing: (active = true) => port.typing(id, active),
    markRead: (seq) => readTo(seq, seq),
    receipts: () => receipts,
    hold,
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    on: events.on,
    once: events.once,
    off: events.off,
  }

  function onPhase({ phase, failure }: Extract<RoomEffect, { type: 'room' }>): void {
    if (phase === store.getSnapshot().phase) return
    if (phase === 'idle' || phase === 'refused') isFollowed = false
    store.update({ phase, error: failure && errorOf(failure) })
    events.emit('phase', phase)
  }

  function onEntries(entries: readonly Entry[]): void {
    noteReaders(entries)
    for (const entry of entries) {
      events.emit('entry', entry)
      const message = messageOf(id, entry)
      if (message) events.emit('message', message)
      else tellChange(entry)
    }
  }

  function onRead({ userId, seq, timestamp }: Position): void {
    // What is read was delivered.
    receive(userId, 'delivered', seq, timestamp)
    if (receive(userId, 'read', seq, timestamp)) events.emit('read', { userId, seq, timestamp })
  }

  function onDelivered({ userId, seq, timestamp }: Position): void {
    if (receive(userId, 'delivered', seq, timestamp)) events.emit('delivered', { userId, seq, timestamp })
  }

  return {
    room,
    take(effect) {
      switch (effect.type) {
        case 'room':
          return onPhase(effect)
        case 'entries':
          return onEntries(effect.entries)
        case 'gap':
          return events.emit('gap', effect.gap)
        case 'reset':
          unread.forget()
          receipts = new Map()
          store.update({ read: new Map(), delivered: new Map(), unread: undefined })
          return events.emit('reset', effect.reason)
        case 'left':
          unread.forget()
          store.update({ unread: undefined })
          return events.emit('left', effect.reason)
        case 'presence':
          return store.update({ users: effect.users, userCount: effect.count })
        case 'typing':
          return store.update({ typing: effect.users.filter((userId) => userId !== port.userId()) })
        default:
          return effect satisfies never
      }
    },
    hear({ type, payload }) {
      if (type === 'messages_read') onRead(payload)
      else if (type === 'messages_delivered') onDelivered(payload)
      else if (type === 'room_receipts') {
        for (const { userId, delivered, deliveredAt = 0, read, readAt = 0 } of payload.receipts) {
          onDelivered({ userId, seq: delivered, timestamp: deliveredAt })
          onRead({ userId, seq: read, timestamp: readAt })
        }
      } else if (type === 'unread_changed') {
        unread.told(payload)
        store.update({ unread: unread.count() })
      }
    },
    sending: (sent) => events.emit('sending', sent),
  }
}

export function errorOf({ code, detail, retryAfterMs, applicationCode }: Failure): TautlineError {
  return new TautlineError(code, detail, retryAfterMs, applicationCode)
}
