/**
 * What the server asks of a socket, and the way out to one: the messages of a turn are collected and written as one
 * frame. Five functions are all that an adapter brings (websocket.ts is the one for `ws`); whoever makes it passes on
 * what the socket hears to the `SocketListener` that `server.accept` returns.
 */
import { CODES, type Code, MAX_BATCH } from '@tautline/protocol/wire'

export interface ServerSocket {
  /** Writes one text frame. */
  send(text: string): void
  /** A WebSocket ping, or nothing where there is no such thing. */
  ping(): void
  /** Starts the closing handshake, after what was sent. */
  close(code: number, reason: string): void
  /** Ends it at once. */
  terminate(): void
  /** Bytes that were given to `send` and are not on their way yet. */
  bufferedBytes(): number
}

/** What happened on the socket. Nothing may be told after `closed`. */
export interface SocketListener {
  text(text: string): void
  /** A binary frame, which the protocol does not know. */
  binary(): void
  /** The answer to `ping`. */
  pong(): void
  /** Some of what was buffered is on its way. May be left out where that is not known: then nothing is pushed faster. */
  drained(): void
  closed(): void
}

/** The WebSocket close code of a code that closes; 1011 for one that should not have. */
export function closeCodeOf(code: Code): number {
  return CODES[code].closeCode ?? 1011
}

/** Characters of one frame that holds several messages; a larger message goes alone. */
const MAX_FRAME_CHARS = 131_072

/** Several messages as one frame. What was put together last is kept: in a turn many sockets are told the same. */
class Lists {
  #texts: readonly string[] = []
  #list = '[]'

  of(texts: readonly string[]): string {
    const last = this.#texts
    if (texts.length === last.length && texts.every((text, i) => text === last[i])) return this.#list
    this.#texts = texts
    this.#list = `[${texts.join(',')}]`
    return this.#list
  }
}

const lists = new Lists()
const NOTHING: readonly string[] = []

/** The messages for one socket until the turn ends. */
export class Outgoing {
  readonly id: number
  readonly socket: ServerSocket
  /** Whether more bytes are buffered than the node wants to hear of only once. */
  isUnderPressure = false
  /** Whose it is, once that is known. */
  owner:
    | {
        readonly connection: string
        readonly userId: string
        readonly session: string
        readonly connectedAt: number
      }
    | undefined
  /** Why the server closed it, if it did. */
  closedWith: Code | undefined
  readonly address: string | undefined
  readonly #onWrite: (text: string) => void
  /** Of the first, and of those behind it: most turns have one. */
  #first: string | undefined
  #more: string[] | undefined

  /** `onWrite`: told of each frame. */
  constructor(
    id: number,
    socket: ServerSocket,
    address?: string,
    onWrite: (text: string) => void = () => {},
  ) {
    this.address = address
    this.#onWrite = onWrite
    this.id = id
    this.socket = socket
  }

  /** True for the first text of a turn. */
  add(text: string): boolean {
    if (this.#first === undefined) {
      this.#first = text
      return true
    }
    this.#more ??= []
    this.#more.push(text)
    return false
  }

  /** Writes what was collected: one frame, or a few where one would be too large. */
  flush(): void {
    const only = this.#first
    const more = this.#more ?? NOTHING
    if (only === undefined) return
    this.#first = this.#more = undefined
    if (more.length === 0) this.#send(only)
    else this.#sendAll([only, ...more])
  }

  #sendAll(texts: readonly string[]): void {
    let start = 0
    let chars = 0
    for (let i = 0; i < texts.length; i++) {
      const length = texts[i]?.length ?? 0
      if (i > start && (i - start >= MAX_BATCH || chars + length > MAX_FRAME_CHARS)) {
        this.#sendList(texts.slice(start, i))
        start = i
        chars = 0
      }
      chars += length
    }
    this.#sendList(start === 0 ? texts : texts.slice(start))
  }

  #sendList(texts: readonly string[]): void {
    const [only] = texts
    this.#send(texts.length === 1 && only !== undefined ? only : lists.of(texts))
  }

  #send(text: string): void {
    this.#onWrite(text)
    this.socket.send(text)
  }
}

/** What is done about what sockets hear: the same functions for all of them. */
export interface SocketEvents {
  text(outgoing: Outgoing, text: string): void
  binary(outgoing: Outgoing): void
  pong(outgoing: Outgoing): void
  drained(outgoing: Outgoing): void
  closed(outgoing: Outgoing): void
}

/** One of these for each socket, where five closures would be ten times its size. */
export class Listener implements SocketListener {
  readonly #events: SocketEvents
  readonly #outgoing: Outgoing

  constructor(events: SocketEvents, outgoing: Outgoing) {
    this.#events = events
    this.#outgoing = outgoing
  }

  text(text: string): void {
    this.#events.text(this.#outgoing, text)
  }

  binary(): void {
    this.#events.binary(this.#outgoing)
  }

  pong(): void {
    this.#events.pong(this.#outgoing)
  }

  drained(): void {
    this.#events.drained(this.#outgoing)
  }

  closed(): void {
    this.#events.closed(this.#outgoing)
  }
}

/** With functions that may be handed on without their object, for adapters that are not ours. */
export function detachable(listener: SocketListener): SocketListener {
  return {
    text: (text) => listener.text(text),
    binary: () => listener.binary(),
    pong: () => listener.pong(),
    drained: () => listener.drained(),
    closed: () => listener.closed(),
  }
}
