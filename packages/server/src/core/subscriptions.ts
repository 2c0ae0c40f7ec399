/**
 * Following rooms: subscribe, unsubscribe, what becomes of the pages that the store gives, catching up, and the end of
 * a subscription. Reads that concern none are only passed on (reads.ts) and answered (answers.ts). The subscription is registered before its page is read, so that nothing can fall between;
 * it is open, and tells anything, only once the page was allowed.
 */
import {
  type Code,
  MAX_PAGE_ENTRIES,
  MAX_RECEIPT_MEMBERS,
  ownLogId,
  type PayloadOf,
} from '@tautline/protocol/wire'
import {
  answerActive,
  answerCheck,
  answerHistory,
  answerMembers,
  answerPage,
  answerReactions,
  answerRoom,
  answerRooms,
  answerUsers,
  answerVersions,
  sendPage,
  sendReset,
} from './answers.ts'
import type { Connection } from './connection.ts'
import { type Context, refuse, refuseInRoom, send, unreachable } from './context.ts'
import type { ReadAnswer, ReadQueue } from './contract.ts'
import { answerNotices } from './notice-answers.ts'
import type { Presence } from './presence.ts'
import { type AnswerOf, finishRead, mayQueue, pumpQueue, pumpReads, queueRead, type Read } from './reads.ts'
import { answerUnread, forgetReceipt, sendReceipts, sendUnread } from './receipts.ts'
import {
  createSubscription,
  type EndReason,
  isOpen,
  type Room,
  type Rooms,
  type Subscription,
} from './rooms.ts'
import type { PageResult, Receipts } from './store.ts'
import { stopTyping } from './typing.ts'
import type { Watching } from './watching.ts'

export interface Subscriptions {
  subscribe(connection: Connection, ask: PayloadOf<'subscribe'>): void
  unsubscribe(connection: Connection, ask: PayloadOf<'unsubscribe'>): void
  /** A read that the store must answer for one ref. */
  ask(connection: Connection, read: Extract<Read, { ask: unknown }>): void
  /** Who of the members is there. */
  askActive(connection: Connection, ask: PayloadOf<'list_active_members'>): void
  readDone(connection: Connection, queue: ReadQueue, answer: ReadAnswer): void
  /** The user does not belong to the room any more: their connections are told, unless they know. */
  evict(room: Room, userId: string, reason: EndReason, knows: (connection: Connection) => boolean): void
  /** The room is there no more: so is nobody in it. */
  evictAll(room: Room, knows: (connection: Connection) => boolean): void
  /** Reads what the subscription was not sent, and whether its user may still have it. */
  catchUp(subscription: Subscription): void
  /** Whether the user is still a member was to change, and nobody knows whether it did: the store does. */
  recheck(roomId: string, userId: string): void
  /** The connection can be sent to again. */
  relieve(connection: Connection): void
  forget(connection: Connection): void
}

export function createSubscriptions(
  context: Context,
  rooms: Rooms,
  presence: Presence,
  watching: Pick<Watching, 'answered' | 'failed'>,
): Subscriptions {
  const { options } = context

  function end(subscription: Subscription): void {
    if (subscription.state === 'ended') return
    const { connection, room } = subscription
    const wasOpen = isOpen(subscription)
    stopTyping(context, subscription)
    subscription.state = 'ended'
    room.followers.delete(subscription)
    connection.subscriptions.delete(room.id)
    connection.usedAt = context.now
    if (wasOpen) presence.depart(subscription)
    rooms.release(room)
  }

  function subscribeRoom(
    connection: Connection,
    ref: number,
    epoch: string | undefined,
    wanted: PayloadOf<'subscribe'>['rooms'][number],
  ): void {
    const { room: id, after, limit = MAX_PAGE_ENTRIES } = wanted
    if (after && epoch !== undefined && epoch !== options.epoch) {
      sendReset(context, connection, ref, id, 'epoch')
      return
    }
    let subscription = connection.subscriptions.get(id)
    if (!subscription) {
      // One's own log is followed beside all rooms.
      const size =
        connection.subscriptions.size - Number(connection.subscriptions.has(ownLogId(connection.userId)))
      if (size >= options.limits.maxSubscriptions && !isOwnLog(connection, id)) {
        refuse(context, connection, ref, 'VALIDATION_ERROR', {
          room: id,
          message: 'this connection follows as many rooms as it may',
        })
        return
      }
      subscription = createSubscription(connection, rooms.open(id))
      connection.subscriptions.set(id, subscription)
      subscription.room.followers.add(subscription)
    }
    queueRead(context, connection, { why: 'subscribe', ref, subscription, after, limit })
  }

  function subscribed(
    connection: Connection,
    read: Extract<Read, { why: 'subscribe' }>,
    { result: page }: AnswerOf<'page'>,
  ): void {
    const { ref, subscription } = read
    const { room } = subscription
    if (page.result === 'forbidden') {
      end(subscription)
      refuseInRoom(context, connection, ref, 'FORBIDDEN', room.id)
      return
    }
    if (page.result === 'reset') {
      end(subscription)
      sendReset(context, connection, ref, room.id, page.reason)
      return
    }
    const opens = subscription.state === 'opening'
    if (opens) open(subscription, page.head)
    sendPage(context, connection, ref, room.id, page)
    noteHead(room, page)
    if (!opens) return
    if (isOwnLog(connection, room.id)) {
      keepUp(subscription)
      return
    }
    presence.sendList(subscription)
    queueFollowUp(connection, { why: 'receipts', subscription })
    keepUp(subscription)
  }

  function open(subscription: Subscription, head: number): void {
    subscription.state = 'live'
    subscription.sent = head
    if (!isOwnLog(subscription.connection, subscription.room.id)) presence.arrive(subscription)
  }

  /** What belongs to a request that was let in is not counted against the bound again. */
  function queueFollowUp(connection: Connection, read: Read): void {
    connection.reads.push(read)
  }

  /** Entries came while nothing was pushed: they are read from the store. */
  function keepUp(subscription: Subscription): void {
    const { connection, room } = subscription
    if (subscription.sent >= room.headSeq) {
      subscription.state = 'live'
      return
    }
    if (connection.congestedSince !== Number.POSITIVE_INFINITY) {
      subscription.state = 'behind'
      return
    }
    subscription.state = 'catching_up'
    queueFollowUp(connection, { why: 'catch_up', subscription })
  }

  function catchUp(subscription: Subscription): void {
    subscription.state = 'catching_up'
    queueRead(context, subscription.connection, { why: 'catch_up', subscription })
  }

  function caughtUp(subscription: Subscription, { result: page }: AnswerOf<'page'>): void {
    const { connection, room } = subscription
    if (subscription.state === 'ended') return
    if (page.result !== 'page') {
      end(subscription)
      send(context, connection, { type: 'room_left', payload: { room: room.id, reason: 'removed' } })
      return
    }
    const { entries, h } = page
    const last = entries[entries.length - 1]
    // Nothing more can be read than the store has: what is announced beyond comes as a push.
    subscription.sent = last?.seq ?? Math.max(page.head, room.headSeq)
    if (last)
      send(context, connection, { type: 'entries', payload: { room: room.id, entries: [...entries], h } })
    noteHead(room, page)
    keepUp(subscription)
  }

  function failed(connection: Connection, read: Read, code: Code): void {
    switch (read.why) {
      case 'subscribe':
        if (read.subscription.state === 'opening' && !isAskedAgain(connection, read.subscription))
          end(read.subscription)
        refuseInRoom(context, connection, read.ref, code, read.subscription.room.id)
        break
      case 'catch_up':
        // The next push finds the hole, and reads it.
        if (read.subscription.state === 'catching_up') read.subscription.state = 'live'
        break
      case 'page':
      case 'history':
      case 'thread':
      case 'versions':
      case 'reactions':
      case 'members':
      case 'active':
      case 'room':
        refuseInRoom(context, connection, read.ask.ref, code, read.ask.room)
        break
      case 'rooms':
      case 'unread':
      case 'users':
      case 'notices':
      case 'check':
        refuse(context, connection, read.ask.ref, code)
        break
      case 'receipts':
        break
      case 'watch':
      case 'doubt':
        watching.failed(connection, read, code)
        break
      default:
        unreachable(read)
    }
  }

  /** A second asking for the same room is on its way, and may follow it yet. */
  function isAskedAgain({ reads }: Connection, subscription: Subscription): boolean {
    return reads.some((read) => read.why === 'subscribe' && read.subscription === subscription)
  }

  function toldReceipts(subscription: Subscription, receipts: Receipts | undefined): void {
    if (!receipts || !isOpen(subscription)) return
    const { memberCount, own } = receipts
    subscription.room.memberCount ??= memberCount
    if (memberCount <= MAX_RECEIPT_MEMBERS) sendReceipts(context, subscription, receipts)
    sendUnread(context, subscription, own)
  }

  /** The pairs of a question and the answer of its kind; any other pair is the store's fault. */
  function deliver(connection: Connection, read: Read, answer: ReadAnswer): void {
    if (answer.of === 'failure') failed(connection, read, answer.code)
    else if (read.why === 'subscribe' && answer.of === 'page') subscribed(connection, read, answer)
    else if (read.why === 'page' && answer.of === 'page') answerPage(context, connection, read.ask, answer)
    else if (read.why === 'catch_up' && answer.of === 'page') caughtUp(read.subscription, answer)
    else if ((read.why === 'history' || read.why === 'thread') && answer.of === 'history')
      answerHistory(context, connection, read.ask, answer)
    else if (read.why === 'versions' && answer.of === 'versions')
      answerVersions(context, connection, read.ask, answer)
    else if (read.why === 'reactions' && answer.of === 'reactions')
      answerReactions(context, connection, read.ask, answer)
    else if (read.why === 'members' && answer.of === 'members')
      answerMembers(context, rooms, presence, connection, read.ask, answer)
    else if (read.why === 'active' && answer.of === 'members')
      answerActive(context, rooms, presence, connection, read.ask, answer)
    else if (read.why === 'room' && answer.of === 'rooms') answerRoom(context, connection, read.ask, answer)
    else if (read.why === 'rooms' && answer.of === 'rooms') answerRooms(context, connection, read.ask, answer)
    else if (read.why === 'unread' && answer.of === 'unread')
      answerUnread(context, connection, read.ask, answer)
    else if (read.why === 'notices' && answer.of === 'notices')
      answerNotices(context, connection, read.ask, answer)
    else if (read.why === 'users' && answer.of === 'users') answerUsers(context, connection, read.ask, answer)
    else if (read.why === 'check' && answer.of === 'heads')
      answerCheck(context, connection, read.ask, answer.heads)
    else if (read.why === 'receipts' && answer.of === 'receipts')
      toldReceipts(read.subscription, answer.receipts)
    else if ((read.why === 'watch' || read.why === 'doubt') && answer.of === 'visible')
      watching.answered(connection, read, answer.users)
    else failed(connection, read, 'INTERNAL_ERROR')
  }

  function putOut(
    subscription: Subscription,
    reason: EndReason | 'deleted',
    knows: (connection: Connection) => boolean,
  ): void {
    const { connection, room } = subscription
    const told = !knows(connection) && isOpen(subscription)
    end(subscription)
    if (told) send(context, connection, { type: 'room_left', payload: { room: room.id, reason } })
  }

  function ask(connection: Connection, read: Extract<Read, { ask: unknown }>): void {
    const room = 'room' in read.ask ? read.ask.room : undefined
    if (mayQueue(context, connection, 1)) queueRead(context, connection, read)
    else if (room === undefined) refuse(context, connection, read.ask.ref, 'UNAVAILABLE')
    else refuseInRoom(context, connection, read.ask.ref, 'UNAVAILABLE', room)
  }

  return {
    subscribe(connection, { ref, epoch, rooms: wanted }) {
      if (!mayQueue(context, connection, wanted.length)) {
        for (const { room } of wanted) refuseInRoom(context, connection, ref, 'UNAVAILABLE', room)
        return
      }
      for (const room of wanted) subscribeRoom(connection, ref, epoch, room)
    },

    unsubscribe(connection, { ref, rooms: ids }) {
      for (const id of ids) {
        const subscription = connection.subscriptions.get(id)
        if (subscription) end(subscription)
      }
      send(context, connection, { type: 'unsubscribed', payload: { ref, rooms: ids } })
    },

    ask,

    askActive(connection, asked) {
      const users = [...(rooms.get(asked.room)?.attendance?.named ?? [])].sort()
      ask(connection, { why: 'active', ask: asked, users })
    },

    readDone(connection, queue, answer) {
      const read = finishRead(connection, queue)
      if (read) deliver(connection, read, answer)
      // The others wait for nothing of this one, and to look through what waits for each answer adds up.
      pumpQueue(context, connection, queue)
    },

    evict(room, userId, reason, knows) {
      for (const subscription of room.followers)
        if (subscription.connection.userId === userId) putOut(subscription, reason, knows)
      const absence = room.present?.get(userId)
      if (absence) presence.vanish(absence)
      forgetReceipt(room, userId)
    },

    evictAll(room, knows) {
      for (const subscription of room.followers) putOut(subscription, 'deleted', knows)
      for (const absence of room.present?.values() ?? []) presence.vanish(absence)
    },

    catchUp,

    recheck(roomId, userId) {
      for (const subscription of rooms.get(roomId)?.followers ?? [])
        if (subscription.connection.userId === userId && subscription.state === 'live') catchUp(subscription)
    },

    relieve(connection) {
      for (const subscription of connection.subscriptions.values()) {
        if (subscription.missedPresence) presence.sendList(subscription)
        if (subscription.missedReceipts) {
          subscription.missedReceipts = false
          queueFollowUp(connection, { why: 'receipts', subscription })
        }
        if (subscription.state === 'behind') keepUp(subscription)
      }
      pumpReads(context, connection)
    },

    forget(connection) {
      for (const subscription of connection.subscriptions.values()) end(subscription)
      connection.reads.length = 0
      connection.reading.length = 0
    },
  }
}

/** A log of notifications: nobody is there, types or is told how far one has read. */
function isOwnLog({ userId }: Connection, room: string): boolean {
  return room === ownLogId(userId)
}

/** What was read may be newer than what was pushed; the fingerprint is known where the page reaches the head. */
function noteHead(room: Room, { entries, after, head, h }: Extract<PageResult, { result: 'page' }>): void {
  const last = entries[entries.length - 1]?.seq ?? after.seq
  if (last !== head || head <= room.headSeq) return
  room.headSeq = head
  room.headH = h
}
