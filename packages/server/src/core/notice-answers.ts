/**
 * What is told of notifications that were read or cleared, of the settings of rooms, and of the list of them: to who
 * asked, with a `ref`, and to the other connections of the same user without. Those follow the user's own log.
 */
import { ownLogId, type PayloadOf } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, send } from './context.ts'
import type { AnswerOf } from './reads.ts'
import { broadcastToUser, type Rooms } from './rooms.ts'
import type { MarkNoticesOp, Outcome, SetNoticesOp } from './store.ts'

type Noticed = Extract<Outcome, { outcome: 'noticed' }>
type NoticesSet = Extract<Outcome, { outcome: 'notices_set' }>

export function answerNotices(
  context: Context,
  connection: Connection,
  { ref }: PayloadOf<'get_notifications'>,
  { result: { notices, hasOlder, unread, head } }: AnswerOf<'notices'>,
): void {
  const notifications = notices.map(({ entry, isRead }) => ({ entry, read: isRead }))
  send(context, connection, {
    type: 'notification_list',
    payload: { ref, notifications, unread, head, hasOlder },
  })
}

/** `asker`: undefined: gone by now. What was so already is news to nobody else. */
export function tellNoticed(
  context: Context,
  rooms: Rooms,
  asker: { readonly connection: Connection; readonly ref: number } | undefined,
  { user, change, seqs, upTo }: MarkNoticesOp,
  { unread, head, moved }: Noticed,
): void {
  const payload: PayloadOf<'notifications_changed'> = { unread, head }
  if (upTo !== undefined) payload[change === 'read' ? 'readUpTo' : 'clearedUpTo'] = upTo
  if (seqs) payload[change] = [...seqs]
  const type = 'notifications_changed'
  if (asker) send(context, asker.connection, { type, payload: { ref: asker.ref, ...payload } })
  const isOther = (connection: Connection) => connection !== asker?.connection
  if (moved) broadcastToUser(context, rooms.get(ownLogId(user)), { type, payload }, isOther)
}

export function tellNoticesSet(
  context: Context,
  rooms: Rooms,
  asker: { readonly connection: Connection; readonly ref: number } | undefined,
  { user, room }: SetNoticesOp,
  { level, silencedUntil, moved }: NoticesSet,
): void {
  const payload: PayloadOf<'notifications_set'> = { room, level }
  if (silencedUntil > 0) payload.silencedUntil = silencedUntil
  const type = 'notifications_set'
  if (asker) send(context, asker.connection, { type, payload: { ref: asker.ref, ...payload } })
  const isOther = (connection: Connection) => connection !== asker?.connection
  if (moved) broadcastToUser(context, rooms.get(ownLogId(user)), { type, payload }, isOther)
}
