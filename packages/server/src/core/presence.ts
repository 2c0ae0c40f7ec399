/**
 * Who is there. A user is online in a room while one of their connections follows it, and for a grace afterwards, so
 * that a reload or a short loss of the network is no coming and going. Followers get a list after their first page, and
 * each change from then on. Ephemeral: left out where a connection is slow, and told anew when it has caught up. In a
 * room so full that a list cannot name everybody, changes are told to nobody, since each would go to all; when it has
 * emptied, all get the list anew.
 */
import { MAX_PRESENT_USERS, type PayloadOf, type PresenceStatus } from '@tautline/protocol/wire'
import { broadcast, type Context, send, unixMs } from './context.ts'
import { isOpen, type Room, type Rooms, type Subscription } from './rooms.ts'
import type { Scheduled } from './schedule.ts'

/** A user's presence in a room, and the deadline of its end while no connection holds it up. */
export interface Absence extends Scheduled {
  readonly kind: 'absence'
  readonly room: Room
  readonly userId: string
  /** Connections of the user that follow the room. */
  followers: number
  /** When the last of them went, in Unix milliseconds. */
  lastSeenAt: number
}

/** A crowd is none any more when so few are there: less than made it one, so that it does not come and go. */
const CALM_USERS = MAX_PRESENT_USERS * 0.8

/** The subscription has become open: its user is there. */
export function arrive(context: Context, { room, connection }: Subscription): void {
  const { userId } = connection
  const known = room.present.get(userId)
  if (known) {
    known.followers++
    context.schedule.remove(known)
    return
  }
  room.present.set(userId, {
    kind: 'absence',
    room,
    userId,
    followers: 1,
    lastSeenAt: 0,
    dueAt: Number.POSITIVE_INFINITY,
    place: -1,
  })
  room.isCrowded ||= room.present.size > MAX_PRESENT_USERS
  if (!room.isCrowded) tellOthers(context, room, userId, { room: room.id, userId, status: 'online' })
}

/** A subscription that was open has ended; the user may come back within the grace. */
export function depart(context: Context, { room, connection }: Subscription): void {
  const known = room.present.get(connection.userId)
  if (!known) return
  known.followers--
  if (known.followers > 0) return
  known.lastSeenAt = unixMs(context)
  context.schedule.set(known, context.now + context.options.presenceGraceMs)
}

/** The grace is over, or the user does not belong to the room any more. */
export function vanish(context: Context, rooms: Rooms, absence: Absence): void {
  const { room, userId, lastSeenAt } = absence
  context.schedule.remove(absence)
  room.present.delete(userId)
  if (!room.isCrowded)
    tellOthers(context, room, userId, { room: room.id, userId, status: 'offline', lastSeenAt })
  else if (room.present.size <= CALM_USERS) calmDown(context, room)
  rooms.release(room)
}

function calmDown(context: Context, room: Room): void {
  room.isCrowded = false
  for (const subscription of room.followers) {
    if (!isOpen(subscription)) continue
    const isSlow = subscription.connection.bufferedBytes > context.options.relievedBytes
    if (isSlow) subscription.missedPresence = true
    else sendPresence(context, subscription)
  }
}

export function sendPresence(context: Context, subscription: Subscription): void {
  const { room, connection } = subscription
  subscription.missedPresence = false
  const payload: PayloadOf<'room_presence'> = { room: room.id, users: [] }
  for (const userId of room.present.keys()) {
    if (payload.users.push({ userId, status: 'online' }) < MAX_PRESENT_USERS) continue
    if (room.present.size > MAX_PRESENT_USERS) payload.count = room.present.size
    break
  }
  send(context, connection, { type: 'room_presence', payload })
}

export function statusOf(room: Room | undefined, userId: string): PresenceStatus {
  return room?.present.has(userId) ? 'online' : 'offline'
}

function tellOthers(
  context: Context,
  room: Room,
  userId: string,
  payload: {
    readonly room: string
    readonly userId: string
    readonly status: PresenceStatus
    readonly lastSeenAt?: number
  },
): void {
  const recipients: number[] = []
  for (const subscription of room.followers) {
    const { connection } = subscription
    if (connection.userId === userId || !isOpen(subscription)) continue
    if (connection.bufferedBytes > context.options.relievedBytes) subscription.missedPresence = true
    else recipients.push(connection.id)
  }
  broadcast(context, recipients, { type: 'presence_changed', payload })
}
