/**
 * The messages that answer a question about a log or a room, made of what the store gave. Nothing is decided or kept
 * here; what a subscription makes of its page is in subscriptions.ts.
 */
import {
  type Cursor,
  MAX_PRESENT_USERS,
  type PayloadOf,
  type RoomDescription,
  rightsOf,
} from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, refuseInRoom, send, unixMs } from './context.ts'
import type { Presence } from './presence.ts'
import type { AnswerOf } from './reads.ts'
import { isOpen, type Rooms } from './rooms.ts'
import type { ListedRoom, PageResult } from './store.ts'

export function sendReset(
  context: Context,
  connection: Connection,
  ref: number,
  room: string,
  reason: PayloadOf<'reset'>['reason'],
): void {
  send(context, connection, { type: 'reset', payload: { ref, room, epoch: context.options.epoch, reason } })
}

export function sendPage(
  context: Context,
  connection: Connection,
  ref: number,
  room: string,
  page: Extract<PageResult, { result: 'page' }>,
): void {
  const { after, entries, h, head, oldest, gap } = page
  const subscription = connection.subscriptions.get(room)
  const live = subscription !== undefined && isOpen(subscription)
  const payload: PayloadOf<'page'> = {
    ref,
    room,
    epoch: context.options.epoch,
    after: { ...after },
    entries: [...entries],
    h,
    head,
    live,
    oldest,
  }
  if (gap) payload.gap = gap
  send(context, connection, { type: 'page', payload })
}

export function answerPage(
  context: Context,
  connection: Connection,
  { ref, room }: PayloadOf<'get_page'>,
  { result: page }: AnswerOf<'page'>,
): void {
  if (page.result === 'forbidden') refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
  else if (page.result === 'reset') sendReset(context, connection, ref, room, page.reason)
  else sendPage(context, connection, ref, room, page)
}

export function answerHistory(
  context: Context,
  connection: Connection,
  { ref, room }: PayloadOf<'get_history'> | PayloadOf<'get_thread'>,
  { result: read }: AnswerOf<'history'>,
): void {
  if (read.result === 'forbidden') {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
    return
  }
  const { entries, at, from, to, hasOlder, hasNewer, following } = read
  const looked = from <= to ? { from, to } : undefined
  const payload = { ref, room, entries: [...entries], at, ...looked, hasOlder, hasNewer }
  send(context, connection, {
    type: 'history',
    payload: following === undefined ? payload : { ...payload, following },
  })
}

export function answerVersions(
  context: Context,
  connection: Connection,
  { ref, room }: PayloadOf<'get_versions'>,
  { result }: AnswerOf<'versions'>,
): void {
  if (!result) {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
    return
  }
  const { versions, hasOlder } = result
  send(context, connection, {
    type: 'version_list',
    payload: { ref, room, versions: [...versions], hasOlder },
  })
}

export function answerReactions(
  context: Context,
  connection: Connection,
  { ref, room }: PayloadOf<'get_reactions'>,
  { result }: AnswerOf<'reactions'>,
): void {
  if (!result) {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
    return
  }
  const reactions = result.map(({ users, ...reaction }) => ({ ...reaction, users: [...users] }))
  send(context, connection, { type: 'reaction_list', payload: { ref, room, reactions } })
}

export function answerMembers(
  context: Context,
  rooms: Rooms,
  presence: Pick<Presence, 'statusOf'>,
  connection: Connection,
  { ref, room: id }: PayloadOf<'list_members'>,
  { result }: AnswerOf<'members'>,
): void {
  if (!result) {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', id)
    return
  }
  const room = rooms.get(id)
  const members = result.members.map((member) => ({
    ...member,
    status: presence.statusOf(room, member.userId),
  }))
  const { hasMore } = result
  send(context, connection, { type: 'member_list', payload: { ref, room: id, members, hasMore } })
}

/** Those whom the store knows as members, of those who were there when it was asked. */
export function answerActive(
  context: Context,
  rooms: Rooms,
  presence: Pick<Presence, 'statusOf'>,
  connection: Connection,
  { ref, room: id }: PayloadOf<'list_active_members'>,
  { result }: AnswerOf<'members'>,
): void {
  if (!result) {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', id)
    return
  }
  const room = rooms.get(id)
  const members: PayloadOf<'active_member_list'>['members'] = []
  for (const { userId, role } of result.members) {
    const status = presence.statusOf(room, userId)
    if (status !== 'offline') members.push({ userId, role, status })
  }
  const payload: PayloadOf<'active_member_list'> = { ref, room: id, members }
  const count = (room?.attendance?.named.size ?? 0) + (room?.attendance?.unnamed.size ?? 0)
  if (count > MAX_PRESENT_USERS) payload.count = count
  send(context, connection, { type: 'active_member_list', payload })
}

export function answerRooms(
  context: Context,
  connection: Connection,
  { ref }: PayloadOf<'list_rooms'>,
  { result: { rooms, hasMore } }: AnswerOf<'rooms'>,
): void {
  const listed = rooms.map((room) => descriptionOf(room, unixMs(context)))
  send(context, connection, { type: 'room_list', payload: { ref, rooms: listed, hasMore } })
}

export function answerRoom(
  context: Context,
  connection: Connection,
  { ref, room }: PayloadOf<'get_room'>,
  { result }: AnswerOf<'rooms'>,
): void {
  const [found] = result.rooms
  if (!found) refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
  else
    send(context, connection, {
      type: 'room_info',
      payload: { ref, ...descriptionOf(found, unixMs(context)) },
    })
}

/** `now`: Unix milliseconds. A mute, and a silence, that is over is none. */
export function descriptionOf({ about, member, ...room }: ListedRoom, now: number): RoomDescription {
  const words = JSON.parse(about) as Pick<RoomDescription, 'name' | 'topic' | 'metadata'>
  if (!member) return { ...room, ...words }
  const { mutedUntil = 0, notifications, ...own } = member
  const description: RoomDescription = {
    ...room,
    ...words,
    ...own,
    rights: rightsOf(own.role, room.visibility),
  }
  if (mutedUntil > now) description.mutedUntil = mutedUntil
  if (notifications) {
    const { level, silencedUntil } = notifications
    description.notifications = silencedUntil > now ? { level, silencedUntil } : { level }
  }
  return description
}

export function answerUsers(
  context: Context,
  connection: Connection,
  { ref }: PayloadOf<'get_users'>,
  { users }: AnswerOf<'users'>,
): void {
  send(context, connection, { type: 'user_list', payload: { ref, users: [...users] } })
}

export function answerCheck(
  context: Context,
  connection: Connection,
  { ref, rooms: asked }: PayloadOf<'check'>,
  heads: ReadonlyMap<string, Cursor>,
): void {
  const stale = asked.filter(({ room, after }) => {
    const subscription = connection.subscriptions.get(room)
    const head = heads.get(room)
    return !subscription || !isOpen(subscription) || head?.seq !== after.seq || head.h !== after.h
  })
  send(context, connection, { type: 'checked', payload: { ref, rooms: stale.map(({ room }) => room) } })
}
