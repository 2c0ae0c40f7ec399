/**
 * What each message is for, in a sentence, and what answers it. The specification and the AsyncAPI document take it from
 * here. A request is answered by one of its replies or by `error`, under its ref.
 */
import type { ClientMessageType, CommandType, EntryType, ServerMessageType } from '../vocabulary.ts'

export interface Exchange {
  readonly summary: string
  readonly replies: readonly ServerMessageType[]
}

function tells(summary: string): Exchange {
  return { summary, replies: [] }
}

function asks(summary: string, ...replies: readonly ServerMessageType[]): Exchange {
  return { summary, replies }
}

/** From the client to the server. */
export const CLIENT_EXCHANGES: { readonly [T in ClientMessageType]: Exchange } = {
  authenticate: asks('The hello: who I am, and which lane I speak in.', 'connected'),
  renew_token: asks('A token that lives longer, on an open connection.', 'token_renewed'),
  ping: asks('Are you there?', 'pong'),
  pong: tells('I am here: the answer to a ping of the server.'),
  commands: asks('Durable commands of one lane.', 'ack'),
  subscribe: asks('Follow these rooms on this connection, each from its cursor.', 'page', 'reset'),
  unsubscribe: asks('Follow these rooms no longer.', 'unsubscribed'),
  get_page: asks('The entries after a position, without following the room.', 'page', 'reset'),
  check: asks('Am I behind anywhere?', 'checked'),
  get_history: asks('Messages as they stand, next before a position or next after one.', 'history'),
  get_thread: asks('The answers to a message, as they stand.', 'history'),
  follow_thread: asks('Tell me of the answers to this message.', 'done'),
  unfollow_thread: asks('Tell me of them no longer.', 'done'),
  get_versions: asks('What a message has said so far, and says now.', 'version_list'),
  get_reactions: asks('Who reacted to a message, and with what.', 'reaction_list'),
  create_room: asks('Make a room; the asker owns it.', 'room_info'),
  update_room: asks('Change what is named here of a room, and nothing else.', 'room_info'),
  delete_room: asks('Remove a room with all its messages.', 'room_left'),
  list_rooms: asks("One's own rooms, or all public ones.", 'room_list'),
  get_room: asks('One room, as the asker sees it.', 'room_info'),
  join_room: asks('Become a member of a public room.', 'room_joined'),
  join_rooms: asks('Become a member of several; each room has an answer of its own.', 'room_joined'),
  leave_room: asks('Be a member no longer.', 'room_left'),
  list_members: asks('Who belongs to the room.', 'member_list'),
  list_active_members: asks('Who of the members is there now.', 'active_member_list'),
  invite_member: asks('Let a user become a member of a private room.', 'done'),
  accept_invitation: asks('Become a member of a room to which one was invited.', 'room_joined'),
  remove_member: asks('Take the membership, or the invitation, from a user.', 'done'),
  set_role: asks('Make a member an owner, a moderator or a member.', 'done'),
  ban_member: asks('Put a user out until they are unbanned.', 'done'),
  unban_member: asks('Let a banned user join and be invited again.', 'done'),
  mute_member: asks('Forbid a member to write for a time.', 'done'),
  unmute_member: asks('Let a muted member write again.', 'done'),
  mark_read: asks('I have read everything up to here.', 'messages_read'),
  mark_delivered: asks('My device has everything up to here.', 'messages_delivered'),
  list_unread: asks('In which of my rooms is something left to read?', 'unread_list'),
  start_typing: tells('I am typing.'),
  stop_typing: tells('I stopped typing.'),
  get_users: asks('What are these users called, and how do they look?', 'user_list'),
  update_presence: tells('How I am on this connection, until I say otherwise.'),
  subscribe_presence: asks('Tell me of these users, whatever rooms they are in.', 'user_presence'),
  unsubscribe_presence: asks('Tell me of these users no longer.', 'done'),
  get_notifications: asks("The notifications in one's own log that are not cleared.", 'notification_list'),
  read_notifications: asks('I have read these notifications.', 'notifications_changed'),
  read_all_notifications: asks('I have read every notification up to here.', 'notifications_changed'),
  clear_notifications: asks('Show me these notifications no more.', 'notifications_changed'),
  clear_all_notifications: asks('Show me no notification up to here any more.', 'notifications_changed'),
  set_notifications: asks('Of what in this room I want to hear.', 'notifications_set'),
  send_signal: asks("An ephemeral message of the application's own, to a room.", 'done'),
  send_request: asks('A question to the application.', 'response'),
}

/** From the server to the client. */
export const SERVER_SUMMARIES: { readonly [T in ServerMessageType]: string } = {
  connected: 'Authenticated: who you are, and what binds you.',
  token_renewed: 'The new token is in force.',
  ping: 'Are you there?',
  pong: 'I am here: the answer to a ping of the client.',
  done: 'What was asked has happened, and there is nothing more to say.',
  ack: 'Commands that have their place in the log: committed, for everybody, for ever.',
  error: 'What was asked did not happen, and why.',
  going_away: 'Every connection will be closed soon; come back after this time.',
  entries: 'The newest entries of a room that the connection follows.',
  page: 'A run of entries without holes that begins right after a position.',
  reset: 'The cursor is not one of this log: drop what is cached of the room, ask again without it.',
  checked: 'The rooms that are behind, diverged or not followed.',
  unsubscribed: 'These rooms are followed no longer.',
  history: 'Messages as they stand, in the order of the log.',
  version_list: 'What the message has said, the newest first.',
  reaction_list: 'Who reacted to the message, and with what.',
  room_info: 'The room, as the asker sees it.',
  room_list: 'Rooms, as the asker sees them.',
  room_joined: 'A member now.',
  room_left: 'A member no longer, and following no longer.',
  member_list: 'Who belongs to the room.',
  active_member_list: 'Who of the members is there now.',
  messages_read: 'The user has read up to here: to their own connections.',
  messages_delivered: "The user's devices have everything up to here: to their own connections.",
  room_receipts: 'How far everybody is, after the first page of a subscription; then those who moved.',
  unread_changed: 'What is left to read in a room: to all connections of the user.',
  unread_list: 'Rooms of the asker in which something is left to read.',
  typing_started: 'A user is typing in a room that the connection follows.',
  typing_stopped: 'A user stopped typing.',
  user_list: 'What the application says of users.',
  room_presence: 'Who is in the room now: after the first page of a subscription.',
  presence_changed: 'Who came, went or changed in a room that the connection follows.',
  user_presence: 'How users are who were asked for; without a ref, those who changed.',
  notification_list: "Notifications of the user's own log.",
  notifications_changed: 'Notifications were read or cleared: to all connections of the user.',
  notifications_set: 'Of what in a room the user wants to hear: to all connections of the user.',
  signal: "An ephemeral message of the application's own: of a user in a room, or of the application.",
  response: 'What the application answers.',
}

export interface CommandExchange {
  readonly summary: string
  /** The entry that an accepted one becomes; undefined: it is never accepted. */
  readonly becomes: EntryType | undefined
}

export const COMMAND_EXCHANGES: { readonly [T in CommandType]: CommandExchange } = {
  send_message: { summary: 'Say something in the room.', becomes: 'new_message' },
  edit_message: {
    summary: 'This is what the message says from now on, all of it.',
    becomes: 'message_edited',
  },
  delete_message: { summary: 'Blank what the message and its edits said.', becomes: 'message_deleted' },
  forward_message: { summary: 'Say here what was said there.', becomes: 'new_message' },
  add_reaction: { summary: 'React to a message with an emoji.', becomes: 'reaction_added' },
  remove_reaction: { summary: 'Take a reaction back.', becomes: 'reaction_removed' },
  skip: { summary: 'Give the place in the lane up.', becomes: undefined },
}

export const ENTRY_SUMMARIES: { readonly [T in EntryType]: string } = {
  new_message: 'Somebody said something.',
  message_edited: 'A message says something else from now on.',
  message_deleted: 'What a message said was blanked.',
  reaction_added: 'The sender reacted to a message.',
  reaction_removed: 'The sender took a reaction back.',
  room_created: 'The room was made by the sender: its first entry.',
  room_updated: 'What is named here of the room was changed.',
  room_deleted: 'The sender deleted the room: its last entry.',
  member_invited: 'The sender let a user become a member.',
  member_joined: 'A user became a member.',
  member_left: 'A user is a member no longer.',
  member_unbanned: 'A user may join and be invited again.',
  member_muted: 'The sender forbade a member to write for a time.',
  member_unmuted: 'A member may write again.',
  role_changed: 'A member has another role.',
  mention: 'A message names the user.',
  reply: 'A message answers one of the user.',
  invitation: 'The user may become a member of a room.',
  admission: 'The user is a member of a room now.',
  removal: 'The user is a member of a room no longer.',
  appointment: 'The user has another role in a room.',
  missed_call: 'Nobody answered a call to the user.',
  notice: 'The application has something to say to the user.',
}
