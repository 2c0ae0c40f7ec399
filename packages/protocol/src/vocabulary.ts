/**
 * The vocabulary: every type of message with its schema, by direction, and what may go into a log. Types of the wire
 * are inferred from here and written nowhere else. A new message is a schema in messages/ and a row here; the
 * compiler then names the switches that must learn it.
 */
import type * as z from 'zod/mini'
import * as connection from './messages/connection.ts'
import * as history from './messages/history.ts'
import * as messages from './messages/messages.ts'
import * as presence from './messages/presence.ts'
import * as receipts from './messages/receipts.ts'
import * as rooms from './messages/rooms.ts'
import * as typing from './messages/typing.ts'

/** From the client to the server. */
export const CLIENT_MESSAGES = {
  authenticate: connection.authenticate,
  renew_token: connection.renewToken,
  ping: connection.ping,
  pong: connection.pong,
  commands: messages.commands,
  join_room: rooms.joinRoom,
  leave_room: rooms.leaveRoom,
  list_members: rooms.listMembers,
  subscribe: history.subscribe,
  unsubscribe: history.unsubscribe,
  get_page: history.getPage,
  get_history: history.getHistory,
  check: history.check,
  mark_read: receipts.markRead,
  start_typing: typing.startTyping,
  stop_typing: typing.stopTyping,
} as const

/** From the server to the client. */
export const SERVER_MESSAGES = {
  connected: connection.connected,
  token_renewed: connection.tokenRenewed,
  ping: connection.ping,
  pong: connection.pong,
  ack: connection.ack,
  error: connection.error,
  going_away: connection.goingAway,
  entries: messages.entries,
  page: history.page,
  reset: history.reset,
  checked: history.checked,
  history: history.history,
  unsubscribed: history.unsubscribed,
  room_joined: rooms.roomJoined,
  room_left: rooms.roomLeft,
  member_list: rooms.memberList,
  messages_read: receipts.messagesRead,
  typing_started: typing.typingStarted,
  typing_stopped: typing.typingStopped,
  room_presence: presence.roomPresence,
  presence_changed: presence.presenceChanged,
} as const

/** Durable commands: the items of a `commands` frame. */
export const COMMANDS = {
  send_message: messages.sendMessage,
  skip: messages.skip,
} as const

/** Entries of a log that this version knows. */
export const ENTRIES = {
  new_message: messages.newMessage,
  member_joined: rooms.memberJoined,
  member_left: rooms.memberLeft,
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
export type PresenceStatus = z.infer<typeof rooms.presenceStatus>
export type Member = z.infer<typeof rooms.member>
