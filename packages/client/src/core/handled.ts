/**
 * Which messages of the server the client takes. Those that a part of the core acts on have a case in core.ts; all others
 * are told to whoever listens (`message`), and where they carry the `ref` of a request, they answer it. So a new message
 * of a subject needs a check in the door, which the compiler demands, and nothing here.
 *
 * Left out are messages that nobody acts on yet: the door lets them fall without a look (each check costs bytes in every
 * bundle). One that somebody acts on loses its line here.
 */
import type { ServerMessage, ServerMessageType } from '@tautline/protocol/wire'

type IgnoredServerMessageType =
  | 'call_started'
  | 'incoming_call'
  | 'call_answered'
  | 'call_ended'
  | 'call_candidate'
  | 'call_list'

export type HandledServerMessageType = Exclude<ServerMessageType, IgnoredServerMessageType>
export type HandledServerMessage = Extract<ServerMessage, { type: HandledServerMessageType }>
