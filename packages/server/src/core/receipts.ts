/**
 * Receipts: how far each user has read, and how far their devices have the room (which is at least as far), and since when.
 * State, not entries: the newest value counts. A follower gets all of them after the first page and from then on those
 * that moved, once a second at most, in rooms of up to 100 members; in larger ones only the user's own connections do. Told
 * anew where a connection was slow.
 *
 * How much is unread is told beside it: to who follows the room after the first page, and to all connections of the user
 * when the position moves. It is counted up to a `head`; what comes after, a client counts by itself.
 */
import { MAX_RECEIPT_MEMBERS, ownLogId, type PayloadOf } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { broadcast, type Context, send } from './context.ts'
import { beat, createPulse, type Pulse } from './pulse.ts'
import type { AnswerOf } from './reads.ts'
import { broadcastToUser, isOpen, type Room, type Rooms, type Subscription } from './rooms.ts'
import type { ReadPosition, Receipts, Unread } from './store.ts'

type ReceiptType = 'messages_read' | 'messages_delivered'
type Receipt = PayloadOf<'room_receipts'>['receipts'][number]

/** What moved in a room and was not told to the others yet. */
export interface Moves {
  readonly receipts: Map<string, Receipt>
  readonly pulse: Pulse
}

/** What is read was delivered. */
const readUpTo = ({ userId, seq, timestamp }: ReadPosition): Receipt => ({
  userId,
  delivered: seq,
  deliveredAt: timestamp,
  read: seq,
  readAt: timestamp,
})

function merge(old: Receipt | undefined, next: Receipt): Receipt {
  if (!old) return next
  const { delivered, deliveredAt } = next.delivered > old.delivered ? next : old
  const { read, readAt } = next.read > old.read ? next : old
  return { userId: next.userId, delivered, deliveredAt, read, readAt }
}

/** How far everybody is. */
export function sendReceipts(
  context: Context,
  { connection, room }: Subscription,
  { positions, deliveries }: Pick<Receipts, 'positions' | 'deliveries'>,
): void {
  const all = new Map<string, Receipt>()
  for (const position of positions) if (position.seq > 0) all.set(position.userId, readUpTo(position))
  for (const { userId, seq: delivered, timestamp: deliveredAt } of deliveries)
    all.set(userId, { ...(all.get(userId) ?? { userId, read: 0 }), delivered, deliveredAt })
  if (all.size === 0) return
  send(context, connection, {
    type: 'room_receipts',
    payload: { room: room.id, receipts: [...all.values()] },
  })
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

/** Where something is left to read. */
export function answerUnread(
  context: Context,
  connection: Connection,
  { ref }: PayloadOf<'list_unread'>,
  { result: { rooms, next } }: AnswerOf<'unread'>,
): void {
  const payload = { ref, rooms: rooms.map(({ room, ...unread }) => unreadPayload(room, unread)) }
  send(context, connection, {
    type: 'unread_list',
    payload: next === undefined ? payload : { ...payload, next },
  })
}

/** A position moved: the user's other connections hear of it at once, the others with all that moved meanwhile. */
export function tellReceipt(
  context: Context,
  room: Room,
  position: ReadPosition,
  except: number,
  type: ReceiptType = 'messages_read',
): void {
  const { userId, seq, timestamp } = position
  const recipients: number[] = []
  for (const subscription of room.followers) {
    const { connection } = subscription
    if (connection.userId !== userId || connection.id === except || !isOpen(subscription)) continue
    if (isSlow(context, connection)) subscription.missedReceipts = true
    else recipients.push(connection.id)
  }
  broadcast(context, recipients, { type, payload: { room: room.id, userId, seq, timestamp } })
  if (!isSmall(room)) return
  const { receipts, pulse } = movesOf(context, room)
  const moved =
    type === 'messages_read'
      ? readUpTo(position)
      : { userId, delivered: seq, deliveredAt: timestamp, read: 0 }
  receipts.set(userId, merge(receipts.get(userId), moved))
  beat(context, pulse)
}

/** The user has left: what the others were to be told of them is nothing any more. */
export function forgetReceipt({ moves }: Room, userId: string): void {
  moves?.receipts.delete(userId)
}

function movesOf(context: Context, room: Room): Moves {
  room.moves ??= { receipts: new Map(), pulse: createPulse(() => tellMoves(context, room)) }
  return room.moves
}

function tellMoves(context: Context, room: Room): void {
  const { receipts: moved } = movesOf(context, room)
  const receipts = [...moved.values()].slice(0, MAX_RECEIPT_MEMBERS)
  moved.clear()
  // It may have grown meanwhile.
  if (!isSmall(room)) return
  if (receipts.length === 0) return
  const [only] = receipts.length === 1 ? receipts : []
  const recipients: number[] = []
  for (const subscription of room.followers) {
    const { connection } = subscription
    if (!isOpen(subscription) || connection.userId === only?.userId) continue
    if (isSlow(context, connection)) subscription.missedReceipts = true
    else recipients.push(connection.id)
  }
  broadcast(context, recipients, { type: 'room_receipts', payload: { room: room.id, receipts } })
}

function isSmall({ memberCount }: Room): boolean {
  return memberCount !== undefined && memberCount <= MAX_RECEIPT_MEMBERS
}

function isSlow(context: Context, { bufferedBytes }: Connection): boolean {
  return bufferedBytes > context.options.relievedBytes
}
