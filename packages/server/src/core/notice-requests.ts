/**
 * What each request about notifications asks of the store: from the words of the wire, and of the application, to an
 * operation. Nothing is decided here.
 */
import { type ClientMessage, digestOf, ownLogId } from '@tautline/protocol/wire'
import { unreachable } from './context.ts'
import type { NotifyMessage } from './contract.ts'
import type { MarkNoticesOp, NotifyOp, SetNoticesOp } from './store.ts'

export const NOTICE_REQUESTS = [
  'read_notifications',
  'read_all_notifications',
  'clear_notifications',
  'clear_all_notifications',
  'set_notifications',
] as const

export type NoticeRequest = Extract<ClientMessage, { type: (typeof NOTICE_REQUESTS)[number] }>

const NAMES: ReadonlySet<string> = new Set(NOTICE_REQUESTS)

export function isNoticeRequest(message: { readonly type: string }): message is NoticeRequest {
  return NAMES.has(message.type)
}

/** `user`: who asks; of `notify` who caused it. */
export function noticeOperationOf(
  message: NoticeRequest | NotifyMessage,
  user: string,
): MarkNoticesOp | SetNoticesOp | NotifyOp {
  const mark = { op: 'mark_notices', user, room: ownLogId(user) } as const
  switch (message.type) {
    case 'read_notifications':
      return { ...mark, change: 'read', seqs: message.payload.seqs }
    case 'read_all_notifications':
      return { ...mark, change: 'read', upTo: message.payload.upTo }
    case 'clear_notifications':
      return { ...mark, change: 'cleared', seqs: message.payload.seqs }
    case 'clear_all_notifications':
      return { ...mark, change: 'cleared', upTo: message.payload.upTo }
    case 'set_notifications': {
      const { room, level, silenceMs } = message.payload
      return { op: 'set_notices', user, room, level, silenceMs }
    }
    case 'notify': {
      const { userId, messageId, entry } = message.payload
      const digest = digestOf(JSON.stringify(entry))
      return { op: 'notify', user, room: ownLogId(userId), messageId, digest, ...entry }
    }
    default:
      return unreachable(message)
  }
}
