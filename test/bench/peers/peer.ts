/**
 * What a peer brings to the benchmark: how its server is started (in the process of the server), and its dialect, how a
 * client speaks with it (in the process of the client). Neither knows what is measured.
 *
 * A dialect makes and reads frames as texts and does as little as it can: the load must cost less than the server.
 */
export interface ServeOptions {
  /** 0: any. */
  readonly port: number
  /** An empty folder, or one that the same peer left behind. */
  readonly folder: string
  /** Whether the token of a connection is checked; Tautline always checks it. */
  readonly checksTokens: boolean
  /** Whether connections come in as fast as they can; else as the server does by default. */
  readonly admitsAll: boolean
  /** Whether clients of Tautline are told of windows of 256 commands instead of the default. */
  readonly raisesWindow: boolean
}

export interface Serving {
  readonly port: number
  /** Stores so many messages in the room, without a connection. Only where the peer stores. */
  fill?(room: string, messages: number): Promise<void>
  close(): Promise<void>
}

/** Who a connection of the load is. */
export interface Identity {
  readonly user: string
  readonly token: string
}

/** What a text of the server held. */
export interface Heard {
  /** Sends that were acknowledged. */
  acks: number
  /** Messages of a room that were delivered. */
  deliveries: number
}

/** One connection, as its peer sees it. Texts that it gives are to be sent at once, one frame each. */
export interface Talk {
  /** What is said first; `heard` tells when it was answered. */
  hello(): readonly string[]
  /** Become a member of the rooms, and follow them where that is wanted. */
  enter(rooms: readonly string[], follow: boolean): readonly string[]
  /** Say `count` things in the room. */
  say(room: string, count: number): readonly string[]
  /** Counts what the text holds into `into`, and answers it where the protocol demands it. */
  hear(text: string, into: Heard): readonly string[]
  /** Whether everything that was asked by hello and enter was answered. */
  isSettled(): boolean
}

export interface Dialect {
  readonly path: string
  readonly subprotocol: string | undefined
  talk(identity: Identity): Talk
}

const MESSAGE_BYTES = 200

/** What is said: no quotes, no escapes, so that each peer's JSON holds exactly these bytes. */
export const CONTENT = `${'Realtime messaging that does not lose what people type. '.repeat(4).slice(0, MESSAGE_BYTES - 1)}.`

export const SECRET = 'a secret of the benchmark: thirty-two bytes at least'
