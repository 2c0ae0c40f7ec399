/**
 * Which messages of the server every client checks: those on which a part of the core or of the rooms acts. Those that the
 * core does not know by a case in core.ts are told to whoever listens (`message`), and where they carry the `ref` of a
 * request, they answer it. So a new message of a subject needs nothing in the core.
 *
 * Left to the subjects are messages that only they act on: each learns the checks of its own (`port.learn`), and until
 * then the door lets them fall without a look, for each check costs bytes in every bundle.
 */
import type { ServerMessageType } from '@tautline/protocol/wire'

type SubjectMessageType =
  | 'history'
  | 'version_list'
  | 'reaction_list'
  | 'member_list'
  | 'active_member_list'
  | 'user_list'
  | 'unread_list'
  | 'user_presence'
  | 'notification_list'
  | 'notifications_changed'
  | 'notifications_set'
  | 'signal'
  | 'response'

export type HandledServerMessageType = Exclude<ServerMessageType, SubjectMessageType>
