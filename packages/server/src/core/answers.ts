/**
 * The messages that answer a question about a log or a room, made of what the store gave. Nothing is decided or kept
 * here; what a subscription makes of its page is in subscriptions.ts.
 */
import type { Cursor, PayloadOf, RoomDescription } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, refuseInRoom, send } from './context.ts'
import { statusOf } from './presence.ts'
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
  { ref, room }: PayloadOf<'get_history'>,
  { result: read }: AnswerOf<'history'>,
): void {
  if (read.result === 'forbidden') {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', room)
    return
  }
  const { entries, at, from, to, hasOlder, hasNewer } = read
  const looked = from <= to ? { from, to } : undefined
  send(context, connection, {
    type: 'history',
    payload: { ref, room, entries: [...entries], at, ...looked, hasOlder, hasNewer },
  })
}

export function answerMembers(
  context: Context,
  rooms: Rooms,
  connection: Connection,
  { ref, room: id }: PayloadOf<'list_members'>,
  { result }: AnswerOf<'members'>,
): void {
  if (!result) {
    refuseInRoom(context, connection, ref, 'FORBIDDEN', id)
    return
  }
  const room = rooms.get(id)
  const members = result.members.map((member) => ({ ...member, status: statusOf(room, member.userId) }))
  const { hasMore } = result
  send(context, connection, { type: 'member_list', payload: { ref, room: id, members, hasMore } })
}

export function answerRooms(
  context: Context,
  connection: Connection,
  { ref }: PayloadOf<'list_rooms'>,
  { result: { rooms, hasMore } }: AnswerOf<'rooms'>,
): void {
  send(context, connection, { type: 'room_list', payload: { ref, rooms: rooms.map(descriptionOf), hasMore } })
}

export function descriptionOf({ about, member, ...room }: ListedRoom): RoomDescription {
  const words = JSON.parse(about) as Pick<RoomDescription, 'name' | 'topic' | 'metadata'>
  return { ...room, ...words, ...member }
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
