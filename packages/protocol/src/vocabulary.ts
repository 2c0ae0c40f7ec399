/**
 * The vocabulary: every type of message with its schema, by direction, and what may go into a log. Types of the wire
 * are inferred from here and written nowhere else. A new message is a schema in messages/ and a row here; the
 * compiler then names the switches that must learn it.
 */
import type * as z from 'zod/mini'
import * as connection from './messages/connection.ts'
import * as extensions from './messages/extensions.ts'
import * as history from './messages/history.ts'
import * as messages from './messages/messages.ts'
import * as settings from './messages/notification-settings.ts'
import * as notifications from './messages/notifications.ts'
import * as presence from './messages/presence.ts'
import * as reactions from './messages/reactions.ts'
import * as receipts from './messages/receipts.ts'
import * as rooms from './messages/rooms.ts'
import * as typing from './messages/typing.ts'
import * as users from './messages/users.ts'

/** From the client to the server. */
export const CLIENT_MESSAGES = {
  authenticate: connection.authenticate,
  renew_token: connection.renewToken,
  ping: connection.ping,
  pong: connection.pong,

  commands: messages.commands,

  subscribe: history.subscribe,
  unsubscribe: history.unsubscribe,
  get_page: history.getPage,
  check: history.check,
  get_history: history.getHistory,
  get_thread: history.getThread,
  follow_thread: history.followThread,
  unfollow_thread: history.unfollowThread,
  get_versions: history.getVersions,
  get_reactions: reactions.getReactions,

  create_room: rooms.createRoom,
  update_room: rooms.updateRoom,
  delete_room: rooms.deleteRoom,
  list_rooms: rooms.listRooms,
  get_room: rooms.getRoom,
  join_room: rooms.joinRoom,
  join_rooms: rooms.joinRooms,
  leave_room: rooms.leaveRoom,
  list_members: rooms.listMembers,
  list_active_members: rooms.listActiveMembers,
  invite_member: rooms.inviteMember,
  accept_invitation: rooms.acceptInvitation,
  remove_member: rooms.removeMember,
  set_role: rooms.setRole,
  ban_member: rooms.banMember,
  unban_member: rooms.unbanMember,
  mute_member: rooms.muteMember,
  unmute_member: rooms.unmuteMember,

  mark_read: receipts.markRead,
  mark_delivered: receipts.markDelivered,
  list_unread: receipts.listUnread,

  start_typing: typing.startTyping,
  stop_typing: typing.stopTyping,

  get_users: users.getUsers,

  update_presence: presence.updatePresence,
  subscribe_presence: presence.subscribePresence,
  unsubscribe_presence: presence.unsubscribePresence,

  get_notifications: notifications.getNotifications,
  read_notifications: notifications.readNotifications,
  read_all_notifications: notifications.readAllNotifications,
  clear_notifications: notifications.clearNotifications,
  clear_all_notifications: notifications.clearAllNotifications,
  set_notifications: settings.setNotifications,

  send_signal: extensions.sendSignal,
  send_request: extensions.sendRequest,
} as const

/** From the server to the client. */
export const SERVER_MESSAGES = {
  connected: connection.connected,
  token_renewed: connection.tokenRenewed,
  ping: connection.ping,
  pong: connection.pong,
  done: connection.done,
  ack: connection.ack,
  error: connection.error,
  going_away: connection.goingAway,

  entries: messages.entries,
  page: history.page,
  reset: history.reset,
  checked: history.checked,
  unsubscribed: history.unsubscribed,
  history: history.history,
  version_list: history.versionList,
  reaction_list: reactions.reactionList,

  room_info: rooms.roomInfo,
  room_list: rooms.roomList,
  room_joined: rooms.roomJoined,
  room_left: rooms.roomLeft,
  member_list: rooms.memberList,
  active_member_list: rooms.activeMemberList,

  messages_read: receipts.messagesRead,
  messages_delivered: receipts.messagesDelivered,
  room_receipts: receipts.roomReceipts,
  unread_changed: receipts.unreadChanged,
  unread_list: receipts.unreadList,

  typing_started: typing.typingStarted,
  typing_stopped: typing.typingStopped,

  user_list: users.userList,

  room_presence: presence.roomPresence,
  presence_changed: presence.presenceChanged,
  user_presence: presence.userPresence,

  notification_list: notifications.notificationList,
  notifications_changed: notifications.notificationsChanged,
  notifications_set: settings.notificationsSet,

  signal: extensions.signal,
  response: extensions.response,
} as const

/** Durable commands: the items of a `commands` frame. */
export const COMMANDS = {
  send_message: messages.sendMessage,
  edit_message: messages.editMessage,
  delete_message: messages.deleteMessage,
  forward_message: messages.forwardMessage,
  add_reaction: reactions.addReaction,
  remove_reaction: reactions.removeReaction,
  skip: messages.skip,
} as const

/** Entries of a log that this version knows: of a room's, then of a user's own. */
export const ENTRIES = {
  new_message: messages.newMessage,
  message_edited: messages.messageEdited,
  message_deleted: messages.messageDeleted,
  reaction_added: reactions.reactionAdded,
  reaction_removed: reactions.reactionRemoved,
  room_created: rooms.roomCreated,
  room_updated: rooms.roomUpdated,
  room_deleted: rooms.roomDeleted,
  member_invited: rooms.memberInvited,
  member_joined: rooms.memberJoined,
  member_left: rooms.memberLeft,
  member_unbanned: rooms.memberUnbanned,
  member_muted: rooms.memberMuted,
  member_unmuted: rooms.memberUnmuted,
  role_changed: rooms.roleChanged,

  mention: notifications.mention,
  reply: notifications.reply,
  invitation: notifications.invitation,
  admission: notifications.admission,
  removal: notifications.removal,
  appointment: notifications.appointment,
  missed_call: notifications.missedCall,
  notice: notifications.notice,
} as const

type Table = Readonly<Record<string, z.ZodMiniType>>

/** The envelopes of a table, as a union that narrows on `type`. */
type EnvelopeOf<T extends Table> = {
  [K in keyof T & string]: {
    readonly type: K
    readonly payload: z.infer<T[K]>
    readonly timestamp?: number | undefined
  }
}[keyof T & string]

export type ClientMessage = EnvelopeOf<typeof CLIENT_MESSAGES>
export type ServerMessage = EnvelopeOf<typeof SERVER_MESSAGES>
export type ClientMessageType = keyof typeof CLIENT_MESSAGES
export type ServerMessageType = keyof typeof SERVER_MESSAGES
export type PayloadOf<K extends ClientMessageType | ServerMessageType> = Extract<
  ClientMessage | ServerMessage,
  { type: K }
>['payload']

export type CommandType = keyof typeof COMMANDS
export type EntryType = keyof typeof ENTRIES
export type EntryPayload<K extends EntryType> = z.infer<(typeof ENTRIES)[K]>
export type CommandPayload<K extends CommandType> = z.infer<(typeof COMMANDS)[K]>

/** An entry as it travels: `type` is open, `payload` is what its type says where this version knows it. */
export type Entry = z.infer<typeof messages.entry>
export type EntryOf<K extends EntryType> = Omit<Entry, 'type' | 'payload'> & {
  readonly type: K
  readonly payload: EntryPayload<K>
}
export type Role = z.infer<typeof rooms.role>
/** What a user is called, and how they look. */
export type UserDescription = z.infer<typeof users.userList>['users'][number]
export type PresenceStatus = z.infer<typeof rooms.presenceStatus>
export type Member = z.infer<typeof rooms.member>
/** A room as one user sees it. */
export type RoomDescription = z.infer<typeof rooms.room>
export type NotificationLevel = z.infer<typeof settings.notificationLevel>
/** How loudly a device should say something. */
export type Alert = NonNullable<EntryPayload<'mention'>['alert']>
export type Visibility = z.infer<typeof rooms.visibility>
/** What a message can hold: `text`, which is the default, `image` … */
export type MessageKind = NonNullable<EntryPayload<'new_message'>['kind']>
