/**
 * Receipts: how far each user has read, and how far their devices have the room (which is at least as far). State, not entries: the newest value counts. A follower gets all of them
 * after the first page and each change from then on, in rooms of up to 100 members; in larger ones only the user's own
 * connections do. Left out where a connection is slow.
 *
 * How much is unread is told beside it: to who follows the room after the first page, and to all connections of the user
 * when the position moves. It is counted up to a `head`; what comes after, a client counts by itself.
 */
import { MAX_RECEIPT_MEMBERS, ownLogId, type PayloadOf } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { broadcast, type Context, send } from './context.ts'
import { broadcastToUser, isOpen, type Room, type Rooms, type Subscription } from './rooms.ts'
import type { ReadPosition, Unread } from './store.ts'

type ReceiptType = 'messages_read' | 'messages_delivered'

export function sendReceipts(
  context: Context,
  { connection, room }: Subscription,
  positions: readonly ReadPosition[],
  type: ReceiptType = 'messages_read',
): void {
  for (const { userId, seq, timestamp } of positions) {
    if (seq > 0) send(context, connection, { type, payload: { room: room.id, userId, seq, timestamp } })
  }
}

/** How much is left to read, to the connections that follow the user's own log: that is all of them. */
export function tellUnread(
  context: Context,
  rooms: Rooms,
  userId: string,
  room: string,
  unread: Unread,
  concerns: (connection: Connection) => boolean = () => true,
): void {
  const message = { type: 'unread_changed', payload: unreadPayload(room, unread) } as const
  broadcastToUser(context, rooms.get(ownLogId(userId)), message, concerns)
}

export function sendUnread(context: Context, { connection, room }: Subscription, unread: Unread): void {
  send(context, connection, { type: 'unread_changed', payload: unreadPayload(room.id, unread) })
}

function unreadPayload(room: string, { seq: read, head, unread }: Unread): PayloadOf<'unread_changed'> {
  return { room, read, head, unread }
}

/** Tells everybody but the connection that moved the position. */
export function tellReceipt(
  context: Context,
  room: Room,
  { userId, seq, timestamp }: ReadPosition,
  except: number,
  type: ReceiptType = 'messages_read',
): void {
  const isSmall = room.memberCount !== undefined && room.memberCount <= MAX_RECEIPT_MEMBERS
  const recipients: number[] = []
  for (const subscription of room.followers) {
    const { connection } = subscription
    if (connection.id === except || !isOpen(subscription)) continue
    if (!isSmall && connection.userId !== userId) continue
    if (connection.bufferedBytes <= context.options.relievedBytes) recipients.push(connection.id)
  }
  broadcast(context, recipients, {
    type,
    payload: { room: room.id, userId, seq, timestamp },
  })
}
