/**
 * What a subject beyond rooms and messages is built on: presence lists, notifications, calls, an application's own
 * messages. The core knows the log, not the subjects; each is an entry of its own that takes a client, and says and hears
 * what it needs through `client.port`.
 */
import type {
  ClientMessage,
  Entry,
  PayloadOf,
  ServerMessage,
  ServerMessageType,
} from '@tautline/protocol/wire'
import type { RoomEffect } from './core/context.ts'
import type { Fault } from './core/outbox-row.ts'
import type { RequestMessage } from './core/requests.ts'
import { createListeners, guarded } from './listeners.ts'
import type { Sent } from './sent.ts'
import type { Checks } from './shapes.ts'

/** `entries`: new ones; `room`: its phase; `reset`: another log from now on; `left`: no member any more. */
export type RoomChange = RoomEffect['type']

/** For the makers of subjects: `presence(client)`, `notifications(client)` … Each `on…` returns how to stop listening. */
export interface ClientPort {
  /**
   * Asks the server, now or on the next connection; resolves with the payload of the answer. Rejects as the client's own
   * requests do: TIMEOUT (default 10 s), DISCONNECTED, CLOSED, or what the server said (FORBIDDEN, RATE_LIMIT …).
   * `answer`: the type of message that answers it; any other is none, and rejects with UNAVAILABLE.
   */
  request(message: RequestMessage, answer?: ServerMessageType): Promise<unknown>
  /**
   * Lets messages of these types in, where they have this shape; else the frame is none of the protocol, and costs the
   * connection. What nobody has learned is left out at the door.
   */
  learn(checks: Checks): void
  /** Says it where we are connected; else returns false, and it is gone: never queued. */
  tell(message: ClientMessage): boolean
  /** How the user is, said with each hello from now on. */
  greet(presence: PayloadOf<'update_presence'>): void
  /**
   * A durable command, through the outbox: as `room.send`, with what a command of this type carries. `fault`: why it
   * cannot be one; it then fails at once.
   */
  send(room: string, type: string, payload: object, fault?: Fault): Sent
  /**
   * Whatever the server says that no part of the core acts on, in its order. Answers too (`payload.ref` is there): who
   * keeps a state applies them here, for the promise of a request resolves only after everything that came in the same frame.
   */
  onMessage(listener: (message: ServerMessage) => void): () => void
  /** Authenticated: at once where we are, and after each connect; false: not any more. */
  onReady(listener: (isReady: boolean) => void): () => void
  /** Entries of the user's own log from now on, each once and in order; `onGap` when some will not come. */
  onOwnEntries(listener: (entries: readonly Entry[]) => void, onGap: () => void): () => void
  /** Something happened in a room that is followed, and the room knows it: what it is called in the core. */
  onRoom(listener: (room: string, what: RoomChange) => void): () => void
  /** Calls back once after so many milliseconds; returns how to prevent it. */
  after(ms: number, callback: () => void): () => void
  /** Unix milliseconds, by this device's clock. */
  now(): number
  /** Who we are, once it is known. */
  userId(): string | undefined
}

/** What the client gives. */
export type PortParts = Omit<ClientPort, 'onMessage' | 'onReady' | 'onOwnEntries' | 'onRoom'>

/** The end that the client holds. */
export interface PortControl {
  readonly port: ClientPort
  message(message: ServerMessage): void
  ready(isReady: boolean): void
  ownEntries(entries: readonly Entry[]): void
  ownGap(): void
  room(effect: RoomEffect): void
}

export function createPort(parts: PortParts): PortControl {
  let isReady = false
  const messages = createListeners<[ServerMessage]>()
  const readies = createListeners<[boolean]>()
  const entries = createListeners<[readonly Entry[]]>()
  const gaps = createListeners<[]>()
  const rooms = createListeners<[string, RoomChange]>()
  return {
    port: {
      ...parts,
      onMessage: (listener) => messages.add(listener),
      onReady(listener) {
        const stop = readies.add(listener)
        if (isReady) guarded(() => listener(true))
        return stop
      },
      onRoom: (listener) => rooms.add(listener),
      onOwnEntries(listener, onGap) {
        const stops = [entries.add(listener), gaps.add(onGap)]
        return () => {
          for (const stop of stops) stop()
        }
      },
    },
    message: messages.tell,
    ready(next) {
      if (next === isReady) return
      isReady = next
      readies.tell(next)
    },
    ownEntries: entries.tell,
    ownGap: gaps.tell,
    room: ({ room, type }) => rooms.tell(room, type),
  }
}
