/**
 * Read positions: how far each user has read. State, not entries: the newest value counts. A follower gets all of them
 * after the first page and each change from then on, in rooms of up to 100 members; in larger ones only the user's own
 * connections do. Left out where a connection is slow.
 */
import { broadcast, type Context, send } from './context.ts'
import { isOpen, type Room, type Subscription } from './rooms.ts'
import type { ReadPosition } from './store.ts'

/** Members of the largest room in which others are told how far one has read. */
export const MAX_RECEIPT_MEMBERS = 100

export function sendReceipts(
  context: Context,
  { connection, room }: Subscription,
  positions: readonly ReadPosition[],
): void {
  for (const { userId, seq, timestamp } of positions) {
    if (seq > 0)
      send(context, connection, { type: 'messages_read', payload: { room: room.id, userId, seq, timestamp } })
  }
}

/** Tells everybody but the connection that moved the position. */
export function tellReceipt(
  context: Context,
  room: Room,
  { userId, seq, timestamp }: ReadPosition,
  except: number,
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
    type: 'messages_read',
    payload: { room: room.id, userId, seq, timestamp },
  })
}
