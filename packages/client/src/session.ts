/**
 * `@tautline/client/session`: one user's client, rooms and events behind one object, for those who want a single handle
 * (`useWebSocket` of the bindings). It may be opened, closed and opened again, as what shows it comes and goes; the client
 * behind it is made when it is first needed, and anew for another user. Whatever it does an application can do with
 * `createClient`.
 */
import { TautlineError } from '@tautline/protocol/wire'
import { type Client, type ClientEvents, createClient, type StatusChange } from './client.ts'
import { createEmitter } from './emitter.ts'
import type { MessageContent } from './message.ts'
import type { ClientOptions } from './options.ts'
import type { Room, RoomEvents, RoomSnapshot } from './room.ts'
import type { Sent } from './sent.ts'
import { createStore, type Readable } from './store.ts'

export interface SessionOptions extends Omit<ClientOptions, 'getToken' | 'userId'> {
  /** Or a function, called for each connection and before a token expires. Without one nothing is connected. */
  readonly token: string | ClientOptions['getToken'] | undefined
  /** Another one: another client, which has joined nothing yet. */
  readonly userId: string | undefined
  /** Whether it connects as soon as there is a token. Default true; else call `connect`. */
  readonly autoConnect?: boolean | undefined
  /** Signed in, now and after each lost connection. */
  readonly onConnect?: ((user: { readonly userId: string }) => void) | undefined
  /** Signed in no longer; not when it is closed. */
  readonly onDisconnect?: ((change: StatusChange) => void) | undefined
  /** What no call stands for: a token that cannot be had; and why it stopped, when trying again would not help. */
  readonly onError?: ((error: TautlineError) => void) | undefined
}

export interface SessionSnapshot {
  readonly isConnected: boolean
  /** Lost, or never had, and tried again. */
  readonly isReconnecting: boolean
  /** Why it stopped: undefined while it goes on. */
  readonly error: TautlineError | undefined
  /** What is behind it, for everything that is not here. Undefined before it is opened and on a server. */
  readonly client: Client | undefined
}

/** Of the rooms that were joined here: as the room tells it, and the room's id behind it. */
type EventsOfRooms = { [E in keyof RoomEvents]: [...event: RoomEvents[E], room: string] } & {
  /** Who is there, who types, what is unread or another field of its snapshot has changed. */
  room: [snapshot: RoomSnapshot, room: string]
}

export type SessionEvents = ClientEvents & EventsOfRooms

export interface Session extends Readable<SessionSnapshot> {
  /** Takes what the options say now; connects where they say so. Call it again whenever they changed. */
  open(): void
  /** Ends everything at the end of this turn, unless it is opened again by then. What was written stays queued in a durable outbox. */
  close(): void
  /** Resolves when signed in; rejects when trying again would not help. */
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Become a member of the room and follow it; resolves when it is live. Its events are heard from here on. */
  joinRoom(room: string): Promise<void>
  leaveRoom(room: string): Promise<void>
  /** At once, whether connected or not; a text, or all that a message can say. Throws CLOSED after `close`. */
  sendMessage(room: string, content: string | MessageContent): Sent
  /** Told to others at most every 3 s, and taken back after 6 s. */
  startTyping(room: string): void
  stopTyping(room: string): void
  /** Events of the client and of all rooms that were joined here. Returns how to stop. */
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): () => void
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): void
}

const CLOSED: SessionSnapshot = {
  isConnected: false,
  isReconnecting: false,
  error: undefined,
  client: undefined,
}

const ROOM_EVENTS: { readonly [E in keyof RoomEvents]: true } = {
  message: true,
  edited: true,
  deleted: true,
  reaction: true,
  entry: true,
  sending: true,
  gap: true,
  reset: true,
  phase: true,
  left: true,
  read: true,
  delivered: true,
}

/** `options` is asked each time anew: a changed token or callback is the one that counts. */
export function createSession(options: () => SessionOptions): Session {
  const store = createStore(CLOSED)
  const events = createEmitter<SessionEvents>()
  /** Passed on by name: that an event of this name has these values is what client and room say. */
  const emit = events.emit as (name: keyof SessionEvents, ...event: unknown[]) => void
  /** What is listened to. */
  const names = new Set<keyof SessionEvents>()
  /** How to stop hearing the client, and each room. */
  let stops: (() => void)[] = []
  const rooms = new Map<Room, (() => void)[]>()
  let state: 'new' | 'open' | 'closed' = 'new'
  /** Of whom and where the client is, and with which token it ended. */
  let made: Partial<SessionOptions> = {}
  let endedWith: SessionOptions['token']

  // ── The client ────────────────────────────────────────────────────────────────────────────────────────────────

  function client(): Client {
    if (state === 'closed') throw new TautlineError('CLOSED')
    const { userId, url } = options()
    const known = store.getSnapshot().client
    if (known && made.userId === userId && made.url === url) return known
    if (known) drop()
    made = { userId, url }
    const {
      token: _token,
      autoConnect: _autoConnect,
      onConnect: _onConnect,
      onDisconnect: _onDisconnect,
      onError: _onError,
      ...rest
    } = options()
    const created = createClient({ ...rest, getToken })
    stops = [
      created.on('status', onStatus),
      created.on('error', (error) => options().onError?.(error)),
      ...Array.from(names, (name) => hearClient(created, name)),
    ]
    store.update({ client: created })
    return created
  }

  const getToken: ClientOptions['getToken'] = (context) => {
    const { token = '' } = options()
    return typeof token === 'string' ? token : token(context)
  }

  function drop(): void {
    for (const stop of [...stops, ...Array.from(rooms.values()).flat()]) stop()
    stops = []
    rooms.clear()
    // Rejects never; what is left of it concerns nobody here.
    void store.getSnapshot().client?.close()
    store.update(CLOSED)
  }

  function onStatus(change: StatusChange): void {
    const { status, reason, detail } = change
    const { isConnected: wasConnected, isReconnecting: wasReconnecting } = store.getSnapshot()
    const isConnected = status === 'connected'
    const isTrying = status === 'connecting' || status === 'authenticating'
    const isReconnecting =
      status === 'waiting' || status === 'suspended' || (isTrying && (wasConnected || wasReconnecting))
    const error = status === 'stopped' ? new TautlineError(reason ?? 'DISCONNECTED', detail) : undefined
    store.update({ isConnected, isReconnecting, error })
    if (isConnected) options().onConnect?.({ userId: store.getSnapshot().client?.userId ?? '' })
    else if (wasConnected) options().onDisconnect?.(change)
    if (status === 'stopped' || status === 'closed') endedWith = options().token
    if (error) options().onError?.(error)
  }

  // ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────

  function hearClient(from: Client, name: keyof SessionEvents): () => void {
    return isOfClient(name) ? from.on(name, (...event) => emit(name, ...event)) : () => {}
  }

  function hearRoom(room: Room, name: keyof SessionEvents): () => void {
    if (name === 'room') return room.subscribe(() => emit('room', room.getSnapshot(), room.id))
    return isOfClient(name) ? () => {} : room.on(name, (...event) => emit(name, ...event, room.id))
  }

  function hear(name: keyof SessionEvents): void {
    if (names.has(name)) return
    names.add(name)
    const { client: known } = store.getSnapshot()
    if (known) stops.push(hearClient(known, name))
    for (const [room, heard] of rooms) heard.push(hearRoom(room, name))
  }

  const session: Session = {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,

    open() {
      state = 'open'
      const { token, autoConnect = true } = options()
      // Signed out, or closed by the application: the next token begins anew.
      if (store.getSnapshot().client?.status === 'closed' && token !== endedWith) drop()
      const { status } = client()
      const isDue = status === 'idle' || (status === 'stopped' && token !== endedWith)
      // Why it cannot be is told by the status.
      if (autoConnect && token !== undefined && isDue) session.connect().catch(() => {})
    },

    close() {
      if (state !== 'open') return
      state = 'new'
      queueMicrotask(() => {
        if (state !== 'new') return
        state = 'closed'
        drop()
      })
    },

    connect: async () => client().connect(),
    disconnect: async () => client().disconnect(),

    async joinRoom(id) {
      const room = client().room(id)
      if (!rooms.has(room))
        rooms.set(
          room,
          Array.from(names, (name) => hearRoom(room, name)),
        )
      await room.join()
    },

    async leaveRoom(id) {
      const room = client().room(id)
      await room.leave()
      for (const stop of rooms.get(room) ?? []) stop()
      rooms.delete(room)
    },

    sendMessage: (id, content) =>
      client()
        .room(id)
        .send(typeof content === 'string' ? { content } : content),
    startTyping: (id) => client().room(id).typing(),
    stopTyping: (id) => client().room(id).typing(false),

    on(event, listener) {
      hear(event)
      return events.on(event, listener)
    },
    off: events.off,
  }
  return session
}

function isOfClient(name: keyof SessionEvents): name is keyof ClientEvents {
  return name !== 'room' && !Object.hasOwn(ROOM_EVENTS, name)
}
