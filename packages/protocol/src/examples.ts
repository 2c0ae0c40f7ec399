/**
 * One valid example of everything in the vocabulary: for the specification, for servers in other languages, for tests.
 * The type demands a row for each; a test validates them. Together they tell one story: Ada and Bob join the room
 * `general`, Ada says something and takes a second message back.
 */
import type {
  ClientMessage,
  ClientMessageType,
  CommandPayload,
  CommandType,
  EntryOf,
  EntryType,
  ServerMessage,
  ServerMessageType,
} from './vocabulary.ts'

export interface Examples {
  /** Envelopes, as a frame carries them. */
  readonly client: { readonly [K in ClientMessageType]: Extract<ClientMessage, { readonly type: K }> }
  readonly server: { readonly [K in ServerMessageType]: Extract<ServerMessage, { readonly type: K }> }
  /** Items of `commands`. */
  readonly commands: {
    readonly [K in CommandType]: {
      readonly type: K
      readonly messageId: string
      readonly payload: CommandPayload<K>
    }
  }
  /** Items of `entries`, `page` and `history`. */
  readonly entries: { readonly [K in EntryType]: EntryOf<K> }
}

const room = 'general'
const sid = 'k3J9x_Qp2Lw7Zt5B'
const epoch = '8fJ2mQzXw1'
const time = 1_784_000_000_000
const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'
const tokenExpiresAt = time + 3_600_000

/** The fingerprint after each of the three entries, and before the first. */
const h = ['', 'pnlth5k2e1', '11eu7o0znf2', 'vuw82imub1'] as const

const commands: Examples['commands'] = {
  send_message: {
    type: 'send_message',
    messageId: '0mrk3ko68V1StGXR8_Z5j',
    payload: { content: 'Has the shipment left yet?', metadata: { order: 1815 } },
  },
  skip: { type: 'skip', messageId: '0mrk3koy0hN4uEo9-QsFg', payload: {} },
}

const entries: Examples['entries'] = {
  member_joined: {
    type: 'member_joined',
    seq: 1,
    sender: 'ada',
    messageId: '0mrk3jdvkXq3vTz8LmR1a',
    timestamp: time,
    payload: { userId: 'ada', role: 'owner' },
  },
  new_message: {
    type: 'new_message',
    seq: 3,
    sender: 'ada',
    messageId: commands.send_message.messageId,
    timestamp: time + 60_000,
    payload: commands.send_message.payload,
  },
  member_left: {
    type: 'member_left',
    seq: 4,
    sender: 'ada',
    messageId: '0mrk3lcakT0yPd5_wVr2E',
    timestamp: time + 90_000,
    payload: { userId: 'bob', reason: 'removed' },
  },
}

const bobJoined: EntryOf<'member_joined'> = {
  type: 'member_joined',
  seq: 2,
  sender: 'bob',
  messageId: '0mrk3jhqgb7KpWn2_YcJd',
  timestamp: time + 5_000,
  payload: { userId: 'bob', role: 'member' },
}

const client: Examples['client'] = {
  authenticate: { type: 'authenticate', payload: { ref: 1, sid, token, userId: 'ada' } },
  renew_token: { type: 'renew_token', payload: { ref: 21, token } },
  ping: { type: 'ping', payload: { ref: 2 } },
  pong: { type: 'pong', payload: { ref: 1 } },
  commands: {
    type: 'commands',
    payload: { ref: 7, room, sid, n: 1, commands: [commands.send_message, commands.skip] },
  },
  join_room: { type: 'join_room', payload: { ref: 3, room } },
  leave_room: { type: 'leave_room', payload: { ref: 22, room } },
  list_members: { type: 'list_members', payload: { ref: 9, room } },
  subscribe: {
    type: 'subscribe',
    payload: { ref: 4, epoch, rooms: [{ room, after: { seq: 1, h: h[1] } }, { room: '~ada~bob' }] },
  },
  unsubscribe: { type: 'unsubscribe', payload: { ref: 20, rooms: [room] } },
  get_page: { type: 'get_page', payload: { ref: 10, epoch, room, after: { seq: 1, h: h[1] } } },
  get_history: { type: 'get_history', payload: { ref: 11, room, before: 4, limit: 50 } },
  check: { type: 'check', payload: { ref: 12, epoch, rooms: [{ room, after: { seq: 3, h: h[3] } }] } },
  mark_read: { type: 'mark_read', payload: { ref: 13, room, seq: 3 } },
  start_typing: { type: 'start_typing', payload: { room } },
  stop_typing: { type: 'stop_typing', payload: { room } },
}

const server: Examples['server'] = {
  connected: {
    type: 'connected',
    payload: {
      ref: 1,
      connectionId: 'node1-42',
      userId: 'ada',
      epoch,
      limits: {
        maxMessageChars: 5_000,
        maxFrameBytes: 65_536,
        windowPerRoom: 8,
        windowPerConnection: 32,
        windowBytes: 262_144,
        messagesPerSecond: 20,
        messageBurst: 40,
        maxSubscriptions: 1_000,
      },
      heartbeatIntervalMs: 25_000,
      tokenExpiresAt,
    },
    timestamp: time - 1_000,
  },
  token_renewed: { type: 'token_renewed', payload: { ref: 21, tokenExpiresAt: tokenExpiresAt + 3_600_000 } },
  ping: { type: 'ping', payload: { ref: 1 } },
  pong: { type: 'pong', payload: { ref: 2 } },
  ack: { type: 'ack', payload: { acks: [{ ref: 7, seq: 3 }] }, timestamp: time + 60_000 },
  error: {
    type: 'error',
    payload: {
      ref: 8,
      code: 'RATE_LIMIT',
      message: 'too many messages: wait for retryAfterMs',
      room,
      messageId: commands.skip.messageId,
      retryAfterMs: 750,
    },
  },
  going_away: { type: 'going_away', payload: { reconnectAfterMs: 4_200 } },
  entries: { type: 'entries', payload: { room, entries: [entries.new_message], h: h[3] } },
  page: {
    type: 'page',
    payload: {
      ref: 4,
      room,
      epoch,
      after: { seq: 1, h: h[1] },
      entries: [bobJoined, entries.new_message],
      h: h[3],
      head: 3,
      live: true,
      oldest: 1,
    },
  },
  reset: { type: 'reset', payload: { ref: 4, room, epoch, reason: 'diverged' } },
  checked: { type: 'checked', payload: { ref: 12, rooms: [room] } },
  history: {
    type: 'history',
    payload: { ref: 11, room, entries: [bobJoined, entries.new_message], at: 3, hasOlder: true },
  },
  unsubscribed: { type: 'unsubscribed', payload: { ref: 20, rooms: [room] } },
  room_joined: { type: 'room_joined', payload: { ref: 3, room, role: 'owner' } },
  room_left: { type: 'room_left', payload: { ref: 22, room, reason: 'left' } },
  member_list: {
    type: 'member_list',
    payload: {
      ref: 9,
      room,
      members: [
        { userId: 'ada', role: 'owner', status: 'online', joinedAt: time },
        { userId: 'bob', role: 'member', status: 'away', joinedAt: time + 5_000 },
      ],
    },
  },
  messages_read: {
    type: 'messages_read',
    payload: { room, userId: 'bob', seq: 3, timestamp: time + 65_000 },
  },
  typing_started: { type: 'typing_started', payload: { room, userId: 'bob' } },
  typing_stopped: { type: 'typing_stopped', payload: { room, userId: 'bob' } },
  room_presence: {
    type: 'room_presence',
    payload: {
      room,
      users: [
        { userId: 'ada', status: 'online' },
        { userId: 'bob', status: 'away' },
      ],
    },
  },
  presence_changed: {
    type: 'presence_changed',
    payload: { room, userId: 'bob', status: 'offline', lastSeenAt: time + 80_000 },
  },
}

export const EXAMPLES: Examples = { client, server, commands, entries }
