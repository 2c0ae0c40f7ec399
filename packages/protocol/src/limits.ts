/**
 * Every number that both ends must agree on, or that binds the client, written once with its unit in the name.
 * What an operator may change is told to the client in `connected.limits`; the rest is part of the protocol.
 */

/** The WebSocket subprotocol. A peer that does not offer it is refused with UNSUPPORTED_VERSION. */
export const SUBPROTOCOL = 'tautline.v1'

/** Limits an operator may change; the client is told those in force. These are the defaults. */
export const DEFAULT_LIMITS = {
  /** UTF-16 units in the content of one message. */
  maxMessageChars: 5_000,
  /** Bytes of one frame from a client (at most MAX_FRAME_BYTES). */
  maxFrameBytes: 65_536,
  /** Undecided commands that a client may have in flight in one room. */
  windowPerRoom: 8,
  /** … and on one connection, over all rooms. */
  windowPerConnection: 32,
  /** … and their bytes. */
  windowBytes: 262_144,
  /** Token bucket of a user's durable commands: refill and size. */
  messagesPerSecond: 20,
  messageBurst: 40,
  /** Rooms that one connection may follow. */
  maxSubscriptions: 1_000,
} as const

export type Limits = { readonly [K in keyof typeof DEFAULT_LIMITS]: number }

/** The largest frame that any server may be set to take, in bytes. */
export const MAX_FRAME_BYTES = 1_048_576
/** How deep a frame may nest; checked before any schema sees it. */
export const MAX_DEPTH = 16
/** Envelopes in one frame (a batch), and commands in one `commands` frame. */
export const MAX_BATCH = 256
/** Rooms named by one `subscribe`, `unsubscribe` or `check`. */
export const MAX_ROOMS_PER_FRAME = 200
/** Users named by one `subscribe_presence`, and mentioned by one message. */
export const MAX_USERS_PER_FRAME = 200
export const MAX_MENTIONS = 50
/** Different emojis on one message (Discord has as many); one more is refused. */
export const MAX_EMOJIS_PER_MESSAGE = 20
/** Users that one list of who is there names; beside it stands how many there are. */
export const MAX_PRESENT_USERS = 500
/** Users of whom one connection may be told beside its rooms. */
export const MAX_WATCHED_USERS = 1_000
/** Members of the largest room in which others are told how far one has read. */
export const MAX_RECEIPT_MEMBERS = 100
/** Entries of one `entries`, and commands that one commit acknowledges. */
export const MAX_RUN_ENTRIES = 1_024
/** The application's own data on a message and on a room, in bytes of JSON: written anew, 1e20 is longer than it was. */
export const MAX_METADATA_BYTES = 16_384
export const MAX_ROOM_METADATA_BYTES = 4_096
/** Of the newest message of a room in a list, so many UTF-16 units of what it says, cut between characters. */
export const MAX_PREVIEW_CHARS = 140
/** What a message of the application's own holds, the same; it fits into a frame of the default size. */
export const MAX_PAYLOAD_BYTES = 49_152
/** How deep that may nest: below the envelope, its payload, the list, the entry and its payload. */
export const MAX_PAYLOAD_DEPTH = MAX_DEPTH - 5
/** Members of one `member_list`. */
export const MAX_PAGE_MEMBERS = 100
/** Rooms at which one `list_unread` looks, and those that its answer names: they fit into a page. */
export const MAX_UNREAD_LOOKS = 1_000
export const MAX_UNREAD_ROOMS = 300
/** Users of one `get_users`. */
export const MAX_DESCRIBED_USERS = 100
/** Entries of one page, and the bytes beyond which a page ends (it holds at least one entry). */
export const MAX_PAGE_ENTRIES = 100
export const MAX_PAGE_BYTES = 65_536
/** Beyond so many entries behind, a subscription jumps to the newest page and tells the gap. */
export const MAX_REPLAY_ENTRIES = 1_000

/** The newest entries of a user's own log that are kept, at least. */
export const MAX_OWN_LOG_ENTRIES = 1_000
/** Who can be in one call, ringing or joined: each sends its media to each. */
export const MAX_CALL_USERS = 8
/** Candidates of one signal of a call. */
export const MAX_CALL_CANDIDATES = 64
/** Calls that concern one user at a time: the one that they are in, and those that ring for them. */
export const MAX_CALLS_OF_USER = 8

/** The longest time that a field may name: thirty days. */
export const MAX_DURATION_MS = 2_592_000_000
/** What a server may ask a client to wait (`retryAfterMs`, `reconnectAfterMs`, `retry=`): more is taken for a day. */
export const MAX_WAIT_MS = 86_400_000

/** A lane that nobody used for so long may be forgotten. Every outbox must give a message up sooner than that. */
export const LANE_RETENTION_MS = 30 * 86_400_000

/** The server's heartbeat, and the silence after which it gives a connection up. */
export const HEARTBEAT_INTERVAL_MS = 25_000
export const HEARTBEAT_TIMEOUT_MS = 60_000
/** Time for the first frame, `authenticate`. */
export const HELLO_TIMEOUT_MS = 5_000
/** Typing is told at most so often, and forgotten after so long without a word. */
export const TYPING_INTERVAL_MS = 3_000
export const TYPING_TIMEOUT_MS = 6_000
/** A user whose last connection went stays `online` for so long, so that a reload does not flicker. */
export const PRESENCE_GRACE_MS = 15_000
