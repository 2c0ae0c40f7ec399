/**
 * Which messages of the server the core acts on. The others are in the vocabulary, and nothing is done about them yet:
 * the door leaves them out without a look (each check costs bytes in every bundle), and the core passes over them. One
 * that is handled loses its line here; the compiler then demands a check in the door and a case in the core.
 */
import type { ServerMessage, ServerMessageType } from '@tautline/protocol/wire'

type IgnoredServerMessageType =
  | 'room_receipts'
  | 'user_presence'
  | 'notification_list'
  | 'notifications_changed'
  | 'call_started'
  | 'incoming_call'
  | 'call_answered'
  | 'call_ended'
  | 'call_candidate'
  | 'call_list'

export type HandledServerMessageType = Exclude<ServerMessageType, IgnoredServerMessageType>
export type HandledServerMessage = Extract<ServerMessage, { type: HandledServerMessageType }>
