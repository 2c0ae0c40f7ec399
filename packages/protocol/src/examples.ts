/**
 * One valid example of everything in the vocabulary: for the specification, for servers in other languages, for tests.
 * The type demands a row for each; a test validates them. Together they tell one story: Ada and Bob join the room
 * `general`, Ada says something and takes a second message back; Bob reacts, she corrects herself, they call each other.
 */
import { rightsOf } from './rights.ts'
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

/** Ada's message, as commands name it, and as entries do. */
const target = { sender: 'ada', messageId: '0mrk3ko68V1StGXR8_Z5j' }
const place = { seq: 3, ...target }
const privateRoom = 'team:harbour'
const direct = '~ada~bob'
const callId = '0mrk3mvcwHg4Ls0_nT8yQ'
const file = {
  url: 'https://files.example.org/8c1f/manifest.png',
  name: 'manifest.png',
  mediaType: 'image/png',
  bytes: 48_213,
  width: 1_280,
  height: 720,
}

const commands: Examples['commands'] = {
  send_message: {
    type: 'send_message',
    messageId: target.messageId,
    payload: { content: 'Has the shipment left yet?', metadata: { order: 1815 } },
  },
  edit_message: {
    type: 'edit_message',
    messageId: '0mrk3ldk4c2FqYv7_Xu0B',
    payload: { target, kind: 'image', content: 'Has this shipment left yet?', file, mentions: ['bob'] },
  },
  delete_message: { type: 'delete_message', messageId: '0mrk3lgo0e9ZbTk4_Wm1R', payload: { target } },
  forward_message: {
    type: 'forward_message',
    messageId: '0mrk3lrc8f5DsPj1_Ka6N',
    payload: { from: { room, ...target } },
  },
  add_reaction: {
    type: 'add_reaction',
    messageId: '0mrk3l0ukd8HwCx3_Vo7E',
    payload: { target, emoji: '👍🏽' },
  },
  remove_reaction: {
    type: 'remove_reaction',
    messageId: '0mrk3l3y8g6MtRz5_Lb2U',
    payload: { target, emoji: '👍🏽' },
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
  reaction_added: {
    type: 'reaction_added',
    seq: 5,
    sender: 'bob',
    messageId: commands.add_reaction.messageId,
    timestamp: time + 95_000,
    payload: { target: place, emoji: '👍🏽', count: 1 },
  },
  reaction_removed: {
    type: 'reaction_removed',
    seq: 6,
    sender: 'bob',
    messageId: commands.remove_reaction.messageId,
    timestamp: time + 97_000,
    payload: { target: place, emoji: '👍🏽', count: 0 },
  },
  message_edited: {
    type: 'message_edited',
    seq: 7,
    sender: 'ada',
    messageId: commands.edit_message.messageId,
    timestamp: time + 100_000,
    payload: { ...commands.edit_message.payload, target: place },
  },
  message_deleted: {
    type: 'message_deleted',
    seq: 8,
    sender: 'ada',
    messageId: commands.delete_message.messageId,
    timestamp: time + 110_000,
    payload: { target: place },
  },
  room_created: {
    type: 'room_created',
    seq: 1,
    sender: 'ada',
    messageId: '0mrk3k0a0j3GvNc8_Sf4D',
    timestamp: time + 40_000,
    payload: { visibility: 'private', name: 'Harbour', topic: 'What arrives, what leaves' },
  },
  room_updated: {
    type: 'room_updated',
    seq: 3,
    sender: 'ada',
    messageId: '0mrk3k7zcq1BxKd6_Rg9H',
    timestamp: time + 44_000,
    payload: { topic: 'What leaves' },
  },
  room_deleted: {
    type: 'room_deleted',
    seq: 12,
    sender: 'ada',
    messageId: '0mrk3o4n1aQxVr3_Tz5EwJ',
    timestamp: time + 190_000,
    payload: {},
  },
  role_changed: {
    type: 'role_changed',
    seq: 6,
    sender: 'ada',
    messageId: '0mrk3nq0kbHsUy7_Bf2KgM',
    timestamp: time + 180_000,
    payload: { userId: 'bob', role: 'moderator' },
  },
  member_muted: {
    type: 'member_muted',
    seq: 7,
    sender: 'bob',
    messageId: '0mrk3nvtscJtXz9_Dh4LnP',
    timestamp: time + 182_000,
    payload: { userId: 'cy', until: time + 782_000 },
  },
  member_unmuted: {
    type: 'member_unmuted',
    seq: 8,
    sender: 'bob',
    messageId: '0mrk3nzndlKuWa1_Ei6MoQ',
    timestamp: time + 184_000,
    payload: { userId: 'cy' },
  },
  member_unbanned: {
    type: 'member_unbanned',
    seq: 10,
    sender: 'ada',
    messageId: '0mrk3o2gymLvYb3_Fj8NpR',
    timestamp: time + 187_000,
    payload: { userId: 'cy' },
  },
  member_invited: {
    type: 'member_invited',
    seq: 4,
    sender: 'ada',
    messageId: '0mrk3ka8wm7JyLe0_Qh5T',
    timestamp: time + 46_000,
    payload: { userId: 'bob', role: 'member' },
  },

  mention: {
    type: 'mention',
    seq: 11,
    sender: 'ada',
    messageId: '0mrk3ldk4n4AzMf2_Pi8W',
    timestamp: time + 100_000,
    payload: { room, message: place, alert: { priority: 'high', sound: 'bell', badge: 2 } },
  },
  reply: {
    type: 'reply',
    seq: 12,
    sender: 'bob',
    messageId: '0mrk3lno4p8CuOg7_Nj3X',
    timestamp: time + 115_000,
    payload: { room, message: { seq: 9, sender: 'bob', messageId: '0mrk3lno4r0EqQh9_Mk6Y' } },
  },
  invitation: {
    type: 'invitation',
    seq: 8,
    sender: 'ada',
    messageId: '0mrk3ka8ws2FrSi1_Ll4Z',
    timestamp: time + 46_000,
    payload: { room: privateRoom, role: 'member' },
  },
  admission: {
    type: 'admission',
    seq: 9,
    sender: 'bob',
    messageId: '0mrk3ki80t5HtUj3_Jm7A',
    timestamp: time + 55_000,
    payload: { room: privateRoom, role: 'member' },
  },
  removal: {
    type: 'removal',
    seq: 10,
    sender: 'ada',
    messageId: '0mrk3lcakv7KvWk5_In0C',
    timestamp: time + 90_000,
    payload: { room, reason: 'removed' },
  },
  appointment: {
    type: 'appointment',
    seq: 14,
    sender: 'ada',
    messageId: '0mrk3nq0ldMwZc5_Gk0OqS',
    timestamp: time + 180_000,
    payload: { room: privateRoom, role: 'moderator' },
  },
  missed_call: {
    type: 'missed_call',
    seq: 13,
    sender: 'ada',
    messageId: '0mrk3nifkw9MxYl7_Go2G',
    timestamp: time + 175_000,
    payload: { room: direct, callId, media: 'audio', startedAt: time + 145_000 },
  },
  notice: {
    type: 'notice',
    seq: 15,
    sender: 'system',
    messageId: '0mrk3o5ntwRkYb2_Ho1StU',
    timestamp: time + 200_000,
    payload: { title: 'Your order is on its way', body: 'It arrives on Thursday.' },
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
  list_members: { type: 'list_members', payload: { ref: 9, room, limit: 100 } },
  subscribe: {
    type: 'subscribe',
    payload: { ref: 4, epoch, rooms: [{ room, after: { seq: 1, h: h[1] } }, { room: direct }] },
  },
  unsubscribe: { type: 'unsubscribe', payload: { ref: 20, rooms: [room] } },
  get_page: { type: 'get_page', payload: { ref: 10, epoch, room, after: { seq: 1, h: h[1] } } },
  get_history: { type: 'get_history', payload: { ref: 11, room, before: 4, limit: 50 } },
  check: { type: 'check', payload: { ref: 12, epoch, rooms: [{ room, after: { seq: 3, h: h[3] } }] } },
  mark_read: { type: 'mark_read', payload: { ref: 13, room, seq: 3 } },
  start_typing: { type: 'start_typing', payload: { room } },
  stop_typing: { type: 'stop_typing', payload: { room } },

  get_thread: { type: 'get_thread', payload: { ref: 23, room, target, limit: 20 } },
  follow_thread: { type: 'follow_thread', payload: { ref: 49, room, target } },
  get_users: { type: 'get_users', payload: { ref: 51, users: ['bob', 'carol'] } },
  unfollow_thread: { type: 'unfollow_thread', payload: { ref: 50, room, target } },
  get_versions: { type: 'get_versions', payload: { ref: 48, room, target, limit: 2 } },
  get_reactions: { type: 'get_reactions', payload: { ref: 24, room, target } },
  create_room: {
    type: 'create_room',
    payload: {
      ref: 25,
      room: privateRoom,
      visibility: 'private',
      name: 'Harbour',
      topic: 'What arrives, what leaves',
    },
  },
  update_room: { type: 'update_room', payload: { ref: 26, room: privateRoom, topic: 'What leaves' } },
  delete_room: { type: 'delete_room', payload: { ref: 27, room: privateRoom } },
  list_rooms: { type: 'list_rooms', payload: { ref: 28, which: 'own', after: room, limit: 50 } },
  join_rooms: { type: 'join_rooms', payload: { ref: 29, rooms: [room, 'job/17#applicants'] } },
  list_active_members: { type: 'list_active_members', payload: { ref: 30, room } },
  invite_member: { type: 'invite_member', payload: { ref: 31, room: privateRoom, userId: 'bob' } },
  accept_invitation: { type: 'accept_invitation', payload: { ref: 32, room: privateRoom } },
  remove_member: { type: 'remove_member', payload: { ref: 33, room, userId: 'bob' } },
  get_room: { type: 'get_room', payload: { ref: 44, room: privateRoom } },
  set_role: { type: 'set_role', payload: { ref: 45, room: privateRoom, userId: 'bob', role: 'moderator' } },
  ban_member: { type: 'ban_member', payload: { ref: 46, room: privateRoom, userId: 'cy' } },
  unban_member: { type: 'unban_member', payload: { ref: 47, room: privateRoom, userId: 'cy' } },
  mute_member: {
    type: 'mute_member',
    payload: { ref: 48, room: privateRoom, userId: 'cy', durationMs: 600_000 },
  },
  unmute_member: { type: 'unmute_member', payload: { ref: 49, room: privateRoom, userId: 'cy' } },
  mark_delivered: { type: 'mark_delivered', payload: { ref: 34, room, seq: 3 } },
  list_unread: { type: 'list_unread', payload: { ref: 57, after: 'design' } },
  update_presence: { type: 'update_presence', payload: { status: 'busy', statusText: 'On the pier' } },
  subscribe_presence: { type: 'subscribe_presence', payload: { ref: 35, users: ['bob', 'cy'] } },
  unsubscribe_presence: { type: 'unsubscribe_presence', payload: { ref: 36, users: ['cy'] } },
  get_notifications: { type: 'get_notifications', payload: { ref: 37, before: 13, limit: 20 } },
  read_notifications: { type: 'read_notifications', payload: { ref: 38, seqs: [11, 12] } },
  read_all_notifications: { type: 'read_all_notifications', payload: { ref: 52, upTo: 13 } },
  set_notifications: {
    type: 'set_notifications',
    payload: { ref: 53, room, level: 'none', silenceMs: 0 },
  },
  clear_notifications: { type: 'clear_notifications', payload: { ref: 39, seqs: [11] } },
  clear_all_notifications: { type: 'clear_all_notifications', payload: { ref: 40, upTo: 13 } },

  send_signal: {
    type: 'send_signal',
    payload: { ref: 45, room, type: 'job_viewed', payload: { jobId: 'j17' } },
  },
  send_request: { type: 'send_request', payload: { ref: 46, type: 'get_job', payload: { jobId: 'j17' } } },
}

const roomDescription = {
  room: privateRoom,
  visibility: 'private',
  name: 'Harbour',
  topic: 'What leaves',
  memberCount: 2,
  head: 9,
  role: 'moderator',
  read: 4,
  unread: 3,
  last: {
    seq: 8,
    sender: 'bob',
    messageId: '0mrk3ld2x9vKqRz1_Ht8C',
    timestamp: time + 50_000,
    kind: 'text',
    content: 'It leaves on Tuesday.',
  },
  rights: rightsOf('moderator', 'private'),
} as const

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
      count: 3,
      code: 'RATE_LIMIT',
      message: 'too many messages: wait for retryAfterMs',
      room,
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
    payload: {
      ref: 11,
      room,
      entries: [bobJoined, entries.new_message],
      at: 3,
      from: 2,
      to: 3,
      hasOlder: true,
      hasNewer: false,
    },
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
      hasMore: false,
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
    payload: { room, users: [{ userId: 'bob', status: 'offline', lastSeenAt: time + 80_000 }] },
  },

  done: { type: 'done', payload: { ref: 31 } },
  user_list: {
    type: 'user_list',
    payload: {
      ref: 51,
      users: [{ userId: 'bob', name: 'Bob Hale', avatarUrl: 'https://files.example.org/bob.png' }],
    },
  },
  version_list: {
    type: 'version_list',
    payload: {
      ref: 48,
      room,
      versions: [
        {
          seq: 7,
          timestamp: time + 99_000,
          body: { kind: 'image', content: 'Has this shipment left yet?', file, mentions: ['bob'] },
        },
        { seq: 3, timestamp: time + 60_000, body: commands.send_message.payload },
      ],
      hasOlder: false,
    },
  },
  reaction_list: {
    type: 'reaction_list',
    payload: { ref: 24, room, reactions: [{ emoji: '👍🏽', count: 1, users: ['bob'] }] },
  },
  room_info: { type: 'room_info', payload: { ref: 26, ...roomDescription } },
  room_list: {
    type: 'room_list',
    payload: {
      ref: 28,
      rooms: [
        roomDescription,
        {
          room: direct,
          visibility: 'direct',
          memberCount: 2,
          head: 1,
          role: 'member',
          read: 0,
          unread: 1,
          rights: rightsOf('member', 'direct'),
        },
      ],
      hasMore: false,
    },
  },
  active_member_list: {
    type: 'active_member_list',
    payload: { ref: 30, room, members: [{ userId: 'ada', role: 'owner', status: 'online' }] },
  },
  messages_delivered: {
    type: 'messages_delivered',
    payload: { room, userId: 'bob', seq: 3, timestamp: time + 60_400 },
  },
  room_receipts: {
    type: 'room_receipts',
    payload: {
      room,
      receipts: [
        { userId: 'ada', delivered: 3, deliveredAt: time + 60_400, read: 3, readAt: time + 65_000 },
        { userId: 'bob', delivered: 3, deliveredAt: time + 60_400, read: 0 },
      ],
    },
  },
  unread_changed: { type: 'unread_changed', payload: { room, read: 2, head: 3, unread: 1 } },
  unread_list: {
    type: 'unread_list',
    payload: { ref: 57, rooms: [{ room, read: 2, head: 3, unread: 1 }], next: privateRoom },
  },
  user_presence: {
    type: 'user_presence',
    payload: {
      ref: 35,
      users: [
        { userId: 'bob', status: 'busy', statusText: 'On the pier' },
        { userId: 'cy', status: 'offline', lastSeenAt: time - 86_400_000 },
      ],
    },
  },
  notification_list: {
    type: 'notification_list',
    payload: {
      ref: 37,
      notifications: [
        { entry: entries.mention, read: true },
        { entry: entries.reply, read: false },
      ],
      unread: 1,
      head: 12,
      hasOlder: true,
    },
  },
  notifications_changed: {
    type: 'notifications_changed',
    payload: { ref: 38, read: [11, 12], unread: 0, head: 12 },
  },
  notifications_set: {
    type: 'notifications_set',
    payload: { ref: 53, room, level: 'mentions', silencedUntil: time + 3_600_000 },
  },

  signal: { type: 'signal', payload: { type: 'job_viewed', payload: { jobId: 'j17' }, room, sender: 'bob' } },
  response: { type: 'response', payload: { ref: 46, payload: { title: 'Painter' } } },
}

export const EXAMPLES: Examples = { client, server, commands, entries }
