/**
 * What each field means. One word means one thing all over the protocol: a field has its sentence under its name, and
 * under `message.path` only where a message says it more exactly. The specification and the JSON Schemas take it from
 * here; a test demands a sentence for every field, and a field for every sentence.
 */
const FIELDS: Readonly<Record<string, string>> = {
  // The envelope.
  type: 'The type of the message.',
  payload: 'What the message says; its fields depend on the type.',
  messageId: 'Made by the sender, unique among all their messages, the same in every retry.',
  timestamp: 'Unix milliseconds, by the clock of the server.',

  // Names.
  ref: 'Matches the reply to its request: chosen by who asks, unique on the connection.',
  room: 'The id of a room.',
  rooms: 'Ids of rooms.',
  userId: 'The id of a user.',
  users: 'Ids of users.',
  sender: 'Who sent it.',
  sid: 'The lane id: one sender session (a loaded page, a process) of this user.',
  epoch: 'Names the log store; with another one all cursors are void.',
  connectionId: 'Names the connection in the logs of the server.',

  // Positions.
  seq: 'A position in the log of the room.',
  h: 'The fingerprint of the log up to and including this position; compared for equality only.',
  after: 'The position that the asker has.',
  before: 'The position before which to begin.',
  head: 'The last position of the log.',
  oldest: 'The oldest position that the asker could still read.',
  at: 'The position up to which changes are folded in.',
  limit: 'At most so many; the default is 50.',
  hasMore: 'Whether more follows.',
  hasOlder: 'Whether there is anything older that the asker may read.',
  hasNewer: 'Whether there is anything newer, up to `at`.',

  // Tokens, limits and errors.
  token: 'The access token.',
  tokenExpiresAt: 'When the connection ends unless the token is renewed, in Unix milliseconds.',
  limits: 'The limits in force.',
  maxMessageChars: 'UTF-16 units in the content of one message.',
  maxFrameBytes: 'Bytes of one frame from a client.',
  windowPerRoom: 'Commands without an answer that a client may have in one room.',
  windowPerConnection: 'Commands without an answer that a client may have on the connection.',
  windowBytes: 'The bytes of the commands without an answer on the connection.',
  messagesPerSecond: 'Commands a second of this user that the server takes in the long run.',
  messageBurst: 'Commands of this user that the server takes at once.',
  maxSubscriptions: 'Rooms that one connection may follow.',
  heartbeatIntervalMs: 'How often the server speaks at least, in milliseconds.',
  reconnectAfterMs: 'How long to stay away, in milliseconds.',
  retryAfterMs: 'How long to wait at least before the same is asked again, in milliseconds.',
  code: "What happened: a code of the table, or one of the application's own.",
  final: 'Beside a code that is not of the table: true where it failed for good.',
  reason: 'Why.',

  // Commands and entries.
  n: 'The place of the first command in its lane: 1, 2, 3 …',
  commands:
    'The commands, at the places n, n + 1 …, answered under ref, ref + 1 … Each is decided by itself.',
  acks: 'Commands that have their place.',
  count: 'How many.',
  entries: 'Entries in the order of the log.',
  live: 'Whether this connection follows the room.',
  gap: 'Positions that were asked for and are not given here.',

  // What a message holds.
  kind: 'What the message holds; without it, text.',
  content: 'The text: what is said, a caption, the name of a place, a ciphertext in base64url.',
  metadata: "The application's own data, within the bounds of its size and depth.",
  mentions: 'Users whom the message names: each gets an entry in their own log.',
  file: 'Where the file is, and what it is.',
  url: 'The address of the file: http, https, or relative to the page.',
  name: 'What it is called.',
  mediaType: 'The media type, such as image/png.',
  bytes: 'The size in bytes.',
  width: 'In pixels.',
  height: 'In pixels.',
  durationMs: 'How long it plays, in milliseconds.',
  location: 'A place.',
  latitude: 'Degrees north of the equator, in WGS 84.',
  longitude: 'Degrees east of Greenwich, in WGS 84.',
  accuracyMeters: 'The radius in which the place lies, in metres.',
  keyId: 'Names the key of the ciphertext to those who have it.',
  replyTo: 'The message that this one answers.',
  target: 'The message that it is about, in the same room.',
  forwardedFrom: 'Who said it first, and when; not in which room.',
  editedAt: 'When it was last edited, in Unix milliseconds; in history and lists of rooms.',
  version: 'Which version it is: 1 as it was said, one more with each edit; only in history.',
  replyCount: 'How many messages answer it, deleted ones too; only in history.',
  lastReply: 'The newest of those; only in history.',
  reactions: 'The reactions to the message, by emoji.',
  emoji: "One emoji, or the short name of one of the application's own between colons.",
  own: 'Whether the asker is one of them.',

  // Rooms and members.
  visibility: 'Who may join: anybody, the invited, or exactly two users.',
  topic: 'What the room is about; empty is none.',
  memberCount: 'How many members the room has.',
  role: 'The role of the member.',
  rights: 'What the asker may do in the room; absent: not a member.',
  mutedUntil: 'Until when the asker may not write, in Unix milliseconds.',
  until: 'When it ends, in Unix milliseconds.',
  which: "One's own rooms, or all public ones.",
  members: 'Members of the room.',
  status: 'How present the user is.',
  statusText: 'What the user says of themselves.',
  joinedAt: 'Since when the user is a member, in Unix milliseconds.',
  lastSeenAt: 'When the user was last there, in Unix milliseconds; given with offline.',

  // Receipts and notifications.
  read: 'The position up to which the user has read.',
  delivered: "The position up to which the user's devices have it.",
  deliveredAt: 'Since when, in Unix milliseconds; absent: nothing was.',
  readAt: 'Since when, in Unix milliseconds; absent: nothing was.',
  receipts: 'How far each user is.',
  unread: 'How many messages came after the read position.',
  message: 'The message that it is about.',
  alert: 'How loudly a device should say it.',
  priority: 'How urgent it is.',
  sound: 'The sound to play.',
  badge: "The number on the application's icon.",
  notifications: 'Notifications in the order of the log.',
  entry: "The entry of the user's own log.",
  seqs: "Positions in the user's own log.",
  cleared: 'Notifications that were cleared.',
  clearedUpTo: 'The position up to which everything was cleared.',
  readUpTo: 'The position up to which everything was read.',
  upTo: 'The last position that is meant.',
  level: 'Every message, what names or answers the user, or nothing that is said there.',
  silencedUntil: 'Until when nothing that is said there is told, in Unix milliseconds.',
  silenceMs: 'For how long nothing that is said there shall be told, in milliseconds; 0: tell it again.',
  title: 'What it is, in a line.',
  body: 'What there is to say beyond that.',

  // Missed calls.
  callId: 'Names the call: chosen by who started it, of the form of a message id.',
  media: 'What the call carries.',
  startedAt: 'When it began to ring, in Unix milliseconds.',

  // What one message says more exactly.
  'authenticate.token': 'The access token; absent where the upgrade request carried it.',
  'authenticate.userId': 'Who the client believes to be.',
  'connected.userId': 'Who the connection belongs to.',
  'error.ref': 'The request that failed; absent where the whole connection is concerned.',
  'error.count': 'For how many commands with consecutive refs it speaks; without it, one.',
  'error.message': 'A sentence for people; it may change.',
  'error.room': 'The room that it is about.',
  'error.messageId': 'The command that it is about.',
  'commands.ref': 'The ref of the first command.',
  'ack.acks.ref': 'The ref of the (first) command.',
  'ack.acks.seq': 'The position that the (first) command got.',
  'ack.acks.count':
    'How many commands with consecutive refs and positions the item speaks for; without it, one.',
  'ack.acks.timestamp': "When it was committed, in Unix milliseconds; without it, the envelope's timestamp.",
  'subscribe.rooms': 'The rooms to follow.',
  'subscribe.rooms.after': 'The cursor; without it, the newest page is asked for.',
  'subscribe.rooms.limit':
    'Without `after`: at most so many of the newest entries (0: begin at the head). Default 100.',
  'subscribe.epoch': 'The epoch that the cursors belong to.',
  'check.rooms': 'The rooms to compare.',
  'check.rooms.after': 'The cursor.',
  'checked.rooms': 'Those that are behind, diverged or not followed.',
  'page.after': 'Where this page begins: the cursor asked for, or a later one (then `gap` says why).',
  'page.h': 'The fingerprint of the last entry, or of `after` where there is none.',
  'page.head': 'The last position of the log when the page was read.',
  'page.gap.from': 'The first of them.',
  'page.gap.to': 'The last of them.',
  'page.gap.reason':
    'Cut off by retention, before the membership began, or jumped over because too far behind.',
  'entries.h': 'The fingerprint of the last entry.',
  'reset.reason': 'Another epoch, another history below the cursor, or a cursor beyond the head.',
  'get_history.after': 'The position after which to begin; `before` wins.',
  'history.entries': 'Messages and other entries in the order of the log, as they stand at `at`.',
  'list_members.after': 'Members whose ids come after this one.',
  'list_members.limit': 'At most so many; the default is 100.',
  'member_list.members': 'Members, in the order of their ids.',
  'list_rooms.after': 'Rooms whose ids come after this one.',
  'room_list.rooms': 'The rooms, in the order of their ids.',
  'room_list.rooms.role': 'The role of the asker; absent: not a member.',
  last: 'The newest message that the asker may read, as it stands; in answers to `list_rooms` and `get_room`.',
  'room_list.rooms.last.content':
    'The beginning of what it says as it stands, 140 UTF-16 units at most; of what is encrypted or deleted nothing.',
  'room_info.last.content':
    'The beginning of what it says as it stands, 140 UTF-16 units at most; of what is encrypted or deleted nothing.',
  'room_info.role': 'The role of the asker; absent: not a member.',
  'room_left.reason': 'Left, removed, banned, or the room was deleted.',
  'member_left.reason': 'Left, removed, or banned.',
  'removal.reason': 'Left, removed, banned, or the room was deleted.',
  'set_role.role': 'The role to have.',
  'mute_member.durationMs': 'For how long, in milliseconds.',
  'invite_member.role': 'The role to have; without it, member.',
  following: 'Whether the asker is told of the answers; only of a thread.',
  thread: 'The message that was answered: there the thread begins.',
  'user_list.users': 'Those whom the asker may know and of whom the application has something to say.',
  'user_list.users.name': 'What they are called.',
  avatarUrl: 'The address of a picture of them.',
  versions: 'What it said, the newest first.',
  'version_list.versions.seq': 'The position of the entry that said it.',
  'version_list.versions.body': 'All that it said.',
  'get_versions.before': 'The position before which to begin.',
  'reaction_list.reactions.count': 'How many users reacted with it.',
  'reaction_list.reactions.users': 'The first 100 of them, in the order in which they reacted.',
  'new_message.lastReply.timestamp': 'When it was said, in Unix milliseconds.',
  'reaction_added.count': 'How many users have reacted with it after this.',
  'reaction_removed.count': 'How many users are left who reacted with it.',
  'history.from': 'The first position that was looked at; go on before it. Absent: that of the first entry.',
  'history.to': 'The last position that was looked at; go on after it. Absent: that of the last entry.',
  'new_message.reactions.count': 'How many users reacted with it.',
  'new_message.replyTo.seq': 'Its position; given by a server that looked for it.',
  'new_message.reactions': 'The reactions to it; only in history.',
  'new_message.forwardedFrom.timestamp': 'When they said it, in Unix milliseconds.',
  'forward_message.from': 'The message to say again.',
  'room_presence.users': 'Who is there.',
  'room_presence.count': 'How many are there, where `users` does not name all.',
  'active_member_list.count': 'How many there are, where `members` does not name all.',
  'authenticate.presence': 'How the user is from the first moment; as `update_presence`.',
  'presence_changed.users': 'Who came, went or changed.',
  'presence_changed.count': 'How many are there, where not all are named.',
  'user_presence.users': 'The users, as they are now.',
  'user_presence.ended': 'Users of whom the asker may not know any longer.',
  'notification_list.notifications.read': 'Whether the user has read it.',
  'notification_list.head':
    'The last position of the own log when it was counted: what comes after is not in it.',
  'notifications_changed.head':
    'The last position of the own log when it was counted: what comes after is not in it.',
  'room_info.notifications': 'Of what the asker wants to hear; absent: not a member, or the default.',
  'room_list.rooms.notifications': 'Of what the asker wants to hear; absent: not a member, or the default.',
  'notification_list.unread': 'How many are unread now.',
  'notifications_changed.read': 'Notifications that were read.',
  'notifications_changed.unread': 'How many are unread now.',
  'invitation.role': 'The role to have.',
  'send_signal.type': "The application's own name for it.",
  'send_signal.payload': 'What it says, as its type demands.',
  'send_request.type': "The application's own name for it.",
  'send_request.payload': 'What it says, as its type demands.',
  'signal.type': "The application's own name for it.",
  'signal.payload': 'What it says, as its type demands.',
  'signal.room': 'The room in which it was said; absent: it was said to a user, or to one session.',
  'signal.sender': 'Who said it; absent: the application.',
  'response.payload': 'The answer, as the type of the request demands.',
}

/** The keys under which a field of a message may have its sentence, the most exact first. */
export function meaningKeys(type: string, path: readonly string[]): readonly [string, string] {
  return [`${type}.${path.join('.')}`, path.at(-1) ?? '']
}

/** What the field at this path means; undefined: the glossary lacks it. */
export function meaningOf(type: string, path: readonly string[]): string | undefined {
  for (const key of meaningKeys(type, path)) {
    const meaning = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined
    if (meaning !== undefined) return meaning
  }
  return undefined
}

/** All keys of the glossary, for the test that finds those that no field has. */
export const MEANING_KEYS: readonly string[] = Object.keys(FIELDS)
