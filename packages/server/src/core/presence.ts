/**
 * Who is there. A user is present in a room while one of their connections follows it, and for a grace afterwards, so
 * that a reload or a short loss of the network is no coming and going; how they are meanwhile, and whether they hide, is
 * in people.ts. Followers get a list after their first page, and from then on what changed, once a second at most.
 * Ephemeral: left out where a connection is slow, and told anew when it has caught up.
 *
 * A list names MAX_PRESENT_USERS, the same for all followers; beside it stands how many there are. Where one of those
 * goes another takes the place, so that a room of any size costs a follower what one of that size does.
 */
import { MAX_PRESENT_USERS, type PayloadOf, type PresenceStatus } from '@tautline/protocol/wire'
import { broadcast, type Context, send, unixMs } from './context.ts'
import type { People, Person } from './people.ts'
import { beat, createPulse, PULSE_MS, type Pulse } from './pulse.ts'
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

/** Who is seen in a room, and what of it was not told yet. */
export interface Attendance {
  /** Those whom lists name, and the others. */
  readonly named: Set<string>
  readonly unnamed: Set<string>
  /** Of those who were named when it was told last or are now; for who is there no longer, when they were last seen. */
  readonly changed: Map<string, number>
  /** How many changes there were: who got a list since needs to be told of none. */
  changes: number
  readonly pulse: Pulse
}

/** Frames about the coming and going in one room, at most: in a large one it is told less often. */
const FRAMES_PER_SECOND = 2_000

export interface Presence {
  /** The subscription has become open: its user is there. */
  arrive(subscription: Subscription): void
  /** A subscription that was open has ended; the user may come back within the grace. */
  depart(subscription: Subscription): void
  /** The grace is over, or the user does not belong to the room any more. */
  vanish(absence: Absence): void
  /** They are not as they were, wherever they are. */
  changed(person: Person, was: PresenceStatus): void
  sendList(subscription: Subscription): void
  statusOf(room: Room | undefined, userId: string): PresenceStatus
}

export function createPresence(context: Context, rooms: Rooms, people: Pick<People, 'get'>): Presence {
  function attendanceOf(room: Room): Attendance {
    room.attendance ??= {
      named: new Set(),
      unnamed: new Set(),
      changed: new Map(),
      changes: 0,
      pulse: createPulse(() => tell(room)),
    }
    return room.attendance
  }

  function note(room: Room, attendance: Attendance, userId?: string, lastSeenAt = 0): void {
    if (userId !== undefined) attendance.changed.set(userId, lastSeenAt)
    attendance.changes++
    const spreadMs = (room.followers.size / FRAMES_PER_SECOND) * 1_000
    beat(context, attendance.pulse, Math.max(PULSE_MS, spreadMs))
  }

  function show(room: Room, userId: string): void {
    const attendance = attendanceOf(room)
    const { named, unnamed } = attendance
    if (named.has(userId) || unnamed.has(userId)) return
    const hasPlace = named.size < MAX_PRESENT_USERS
    if (hasPlace) named.add(userId)
    else unnamed.add(userId)
    note(room, attendance, hasPlace ? userId : undefined)
  }

  function hide(room: Room, userId: string, lastSeenAt: number): void {
    const attendance = attendanceOf(room)
    const { named, unnamed } = attendance
    if (unnamed.delete(userId)) note(room, attendance)
    if (!named.delete(userId)) return
    note(room, attendance, userId, lastSeenAt)
    const [next] = unnamed
    if (next === undefined) return
    unnamed.delete(next)
    named.add(next)
    note(room, attendance, next)
  }

  function itemOf(userId: string): PayloadOf<'room_presence'>['users'][number] {
    const { status = 'online', text = '' } = people.get(userId) ?? {}
    // Who is named is there: of one whose connections went a moment ago it is told when their grace is over.
    const shown = status === 'offline' ? 'online' : status
    return text === '' ? { userId, status: shown } : { userId, status: shown, statusText: text }
  }

  function listOf(room: Room): PayloadOf<'room_presence'> {
    const { named, unnamed } = attendanceOf(room)
    return withCount({ room: room.id, users: Array.from(named, itemOf) }, unnamed.size, named.size)
  }

  function tell(room: Room): void {
    const attendance = attendanceOf(room)
    const { named, unnamed, changed } = attendance
    const recipients: number[] = []
    for (const subscription of room.followers) {
      const { connection } = subscription
      if (!isOpen(subscription) || subscription.listedAt === attendance.changes) continue
      if (connection.bufferedBytes > context.options.relievedBytes) subscription.missedPresence = true
      else recipients.push(connection.id)
    }
    const users = Array.from(changed, ([userId, lastSeenAt]) =>
      named.has(userId) ? itemOf(userId) : { userId, status: 'offline' as const, lastSeenAt },
    )
    changed.clear()
    // Nobody was told, so nobody has to wait for the next.
    if (recipients.length === 0) attendance.pulse.flushedAt = Number.NEGATIVE_INFINITY
    if (users.length > MAX_PRESENT_USERS)
      broadcast(context, recipients, { type: 'room_presence', payload: listOf(room) })
    else {
      const payload = withCount({ room: room.id, users }, unnamed.size, named.size)
      broadcast(context, recipients, { type: 'presence_changed', payload })
    }
  }

  return {
    arrive({ room, connection }) {
      const { userId } = connection
      const known = room.present?.get(userId)
      if (known) {
        known.followers++
        known.lastSeenAt = 0
        context.schedule.remove(known)
        return
      }
      room.present ??= new Map()
      room.present.set(userId, {
        kind: 'absence',
        room,
        userId,
        followers: 1,
        lastSeenAt: 0,
        dueAt: Number.POSITIVE_INFINITY,
        place: -1,
      })
      const person = people.get(userId)
      person?.rooms.add(room)
      if (person?.status !== 'offline') show(room, userId)
    },

    depart({ room, connection }) {
      const known = room.present?.get(connection.userId)
      if (!known) return
      known.followers--
      if (known.followers > 0) return
      known.lastSeenAt = unixMs(context)
      context.schedule.set(known, context.now + context.options.presenceGraceMs)
    },

    vanish(absence) {
      const { room, userId, lastSeenAt } = absence
      context.schedule.remove(absence)
      room.present?.delete(userId)
      people.get(userId)?.rooms.delete(room)
      hide(room, userId, lastSeenAt)
      if (rooms.release(room)) context.schedule.remove(attendanceOf(room).pulse)
    },

    changed({ userId, status, lastSeenAt, rooms: present }, was) {
      for (const room of present) {
        const attendance = attendanceOf(room)
        if (status === 'offline') hide(room, userId, room.present?.get(userId)?.lastSeenAt || lastSeenAt)
        else if (was === 'offline') show(room, userId)
        else if (attendance.named.has(userId)) note(room, attendance, userId)
      }
    },

    sendList(subscription) {
      const { room, connection } = subscription
      subscription.missedPresence = false
      subscription.listedAt = attendanceOf(room).changes
      send(context, connection, { type: 'room_presence', payload: listOf(room) })
    },

    statusOf(room, userId) {
      const isThere = room?.attendance?.named.has(userId) || room?.attendance?.unnamed.has(userId)
      return isThere ? itemOf(userId).status : 'offline'
    },
  }
}

function withCount<T extends object>(payload: T, more: number, named: number): T {
  return more === 0 ? payload : { ...payload, count: named + more }
}
