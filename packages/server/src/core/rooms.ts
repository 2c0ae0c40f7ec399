/**
 * Who follows what, and the way of new entries to them. A room is known here while somebody follows it or was online
 * in it a moment ago.
 *
 * Nothing of a room reaches a subscription before the store has answered its first page: until then nobody knows
 * whether the user may read it. From then on entries are pushed in the order of the commits. What could not be pushed
 * (the page was being read, the connection was congested) is read from the store and sent as the same `entries`, so
 * that what a connection gets of a room has no holes, or holes that the client sees by seq and reads itself.
 */
import { ENTRIES } from '@tautline/protocol'
import { type Entry, type EntryPayload, nextFingerprint, type ServerMessage } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { broadcast, type Context, send } from './context.ts'
import type { Absence, Attendance } from './presence.ts'
import type { Moves } from './receipts.ts'
import type { Appended } from './store.ts'

export interface Room {
  readonly id: string
  readonly followers: Set<Subscription>
  /** Who is online here, by user; see presence.ts. Undefined: nobody was, as in a user's own log. */
  present: Map<string, Absence> | undefined
  /** Who of them is seen; made with the first. */
  attendance: Attendance | undefined
  /** Which receipts moved; see receipts.ts. */
  moves: Moves | undefined
  /** The newest entry that was appended or read since the room is known, with its fingerprint; 0: none. */
  headSeq: number
  headH: string
  /** Undefined until it was read, or told by a commit; see receipts.ts. */
  memberCount: number | undefined
}

/**
 * - `opening`: the first page is not read yet; nothing is told
 * - `live`: entries are pushed
 * - `behind`: entries were left out; they are read once the connection is free
 * - `catching_up`: that read is queued or in flight
 * - `ended`: dropped; whoever still holds it must let it be
 */
export type SubscriptionState = 'opening' | 'live' | 'behind' | 'catching_up' | 'ended'

export interface Subscription {
  readonly connection: Connection
  readonly room: Room
  state: SubscriptionState
  /** The connection was sent, or told of, everything up to here. */
  sent: number
  /** Ephemeral messages were left out: the list of who is there must be sent anew. */
  missedPresence: boolean
  /** … and receipts. */
  missedReceipts: boolean
  /** How many changes the list that it got had in it; -1: it got none. */
  listedAt: number
  /** Whether the others were told that this connection types, and when that was last; see typing.ts. */
  isTyping: boolean
  typedAt: number
}

export class Rooms {
  readonly #rooms = new Map<string, Room>()

  get size(): number {
    return this.#rooms.size
  }

  get(id: string): Room | undefined {
    return this.#rooms.get(id)
  }

  /** The room, made known. */
  open(id: string): Room {
    const found = this.#rooms.get(id)
    if (found) return found
    const room: Room = {
      id,
      followers: new Set(),
      present: undefined,
      attendance: undefined,
      moves: undefined,
      headSeq: 0,
      headH: '',
      memberCount: undefined,
    }
    this.#rooms.set(id, room)
    return room
  }

  /** Forgets the room if nobody is in it any more. */
  release(room: Room): boolean {
    const isEmpty = room.followers.size === 0 && (room.present?.size ?? 0) === 0
    return isEmpty && this.#rooms.delete(room.id)
  }
}

export function createSubscription(connection: Connection, room: Room): Subscription {
  return {
    connection,
    room,
    state: 'opening',
    sent: 0,
    missedPresence: false,
    missedReceipts: false,
    listedAt: -1,
    isTyping: false,
    typedAt: Number.NEGATIVE_INFINITY,
  }
}

/** Whether this subscription is told what happens in the room. */
export function isOpen({ state }: Subscription): boolean {
  return state !== 'opening' && state !== 'ended'
}

/** To connections of a user, all of whom follow the user's own log. */
export function broadcastToUser(
  context: Context,
  ownLog: Room | undefined,
  message: ServerMessage,
  concerns: (connection: Connection) => boolean,
): void {
  const recipients: number[] = []
  for (const subscription of ownLog?.followers ?? []) {
    if (isOpen(subscription) && concerns(subscription.connection)) recipients.push(subscription.connection.id)
  }
  broadcast(context, recipients, message)
}

/** Why somebody is a member no longer, of a room that is still there. */
export type EndReason = EntryPayload<'member_left'>['reason']

/**
 * Pushes what a commit added to everybody who may be pushed to. `evict` ends the subscriptions of who left; `catchUp` reads
 * for a subscription what stands between: a commit of which this node heard nothing, which may have put its user out.
 */
export function fanOut(
  context: Context,
  room: Room,
  { entries, h, memberCount }: Appended,
  evict: (room: Room, userId: string, reason: EndReason) => void,
  catchUp: (subscription: Subscription) => void,
): void {
  room.memberCount = memberCount
  let index = -1
  for (const entry of entries) {
    index++
    const departure = readDeparture(entry)
    if (departure === undefined) continue
    pushPrefix(context, room, entries.slice(0, index), departure.userId)
    evict(room, departure.userId, departure.reason)
  }
  push(context, room, entries, h, catchUp)
}

function push(
  context: Context,
  room: Room,
  entries: readonly Entry[],
  h: string,
  catchUp: (subscription: Subscription) => void,
): void {
  const first = entries[0]
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return
  if (last.seq > room.headSeq) {
    room.headSeq = last.seq
    room.headH = h
  }
  const recipients: number[] = []
  for (const subscription of room.followers) {
    if (subscription.state !== 'live' || last.seq <= subscription.sent) continue
    if (subscription.connection.congestedSince !== Number.POSITIVE_INFINITY) {
      subscription.state = 'behind'
      continue
    }
    if (first.seq > subscription.sent + 1) {
      catchUp(subscription)
      continue
    }
    subscription.sent = last.seq
    recipients.push(subscription.connection.id)
  }
  broadcast(context, recipients, { type: 'entries', payload: { room: room.id, entries: [...entries], h } })
}

/** Who leaves in the middle of a run still gets what stands before: all others get the run as a whole. */
function pushPrefix(context: Context, room: Room, prefix: readonly Entry[], userId: string): void {
  const first = prefix[0]
  if (first === undefined || room.headSeq !== first.seq - 1) return
  let h = room.headH
  for (const { sender, messageId } of prefix) h = nextFingerprint(h, sender, messageId)
  for (const subscription of room.followers) {
    const { connection, state } = subscription
    if (connection.userId !== userId || state !== 'live') continue
    send(context, connection, { type: 'entries', payload: { room: room.id, entries: [...prefix], h } })
  }
}

function readDeparture({ type, payload }: Entry): EntryPayload<'member_left'> | undefined {
  return type === 'member_left' ? ENTRIES.member_left.safeParse(payload).data : undefined
}
