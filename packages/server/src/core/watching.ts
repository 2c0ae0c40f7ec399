/**
 * Being told of users, whatever room they are in. A connection names those it wants to know of; the store, and the
 * application's `maySee`, say of whom it may. Of the others nothing is told, not even that they are not there, until a
 * change of membership lets it know of them: each one's joins and leaves are reason to ask again, about them and for
 * them, and so is what one says to another for the first time, about the one and for the other alone. While that is
 * asked, nothing is told. That a direct room was opened is no reason: whoever writes to strangers knows none of them.
 */
import {
  type Code,
  type Entry,
  MAX_USERS_PER_FRAME,
  MAX_WATCHED_USERS,
  ownLogId,
  type PayloadOf,
  usersOfDirectRoom,
} from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, RETRY_AFTER_MS, refuse, send } from './context.ts'
import type { People, Person } from './people.ts'
import { beat, beatLater, createPulse, PULSE_MS, type Pulse } from './pulse.ts'
import { mayQueue, queueRead, type Read } from './reads.ts'
import type { Appended } from './store.ts'

/** What one connection wants to know. */
export interface Watch {
  readonly connection: Connection
  /** Those it named, and whether it may know of them; undefined: that is being asked. */
  readonly users: Map<string, boolean | undefined>
  /** Those about whom to ask again, and those about whom that is under way: of neither anything is told. */
  readonly doubtful: Set<string>
  asking: ReadonlySet<string>
  /** Those who are not as they were told; of who went, when that was. */
  readonly changed: Map<string, number>
  readonly pulse: Pulse
}

type Users = PayloadOf<'user_presence'>['users']
type Answer = readonly { readonly userId: string; readonly lastSeenAt: number | undefined }[]

export interface Watching {
  subscribe(connection: Connection, ask: PayloadOf<'subscribe_presence'>): void
  unsubscribe(connection: Connection, ask: PayloadOf<'unsubscribe_presence'>): void
  /** The store, and the application, have said of which of them the connection may know. */
  answered(connection: Connection, read: Extract<Read, { why: 'watch' | 'doubt' }>, answer: Answer): void
  failed(connection: Connection, read: Extract<Read, { why: 'watch' | 'doubt' }>, code: Code): void
  changed(person: Person): void
  /** After a commit: whose memberships it changed. */
  committed(appended: readonly Appended[]): void
  /** The connection can be sent to again. */
  relieve(connection: Connection): void
  forget(connection: Connection): void
}

/** Of the members of a deleted room so many find it in their own log; see room-changes.ts. Of more, nobody says who. */
const MAX_TOLD_REMOVALS = 1_000

export function createWatching(context: Context, people: Pick<People, 'get' | 'unwritten'>): Watching {
  const watchers = new Map<string, Set<Watch>>()
  const watches = new Map<Connection, Watch>()

  function watchOf(connection: Connection): Watch {
    const known = watches.get(connection)
    if (known) return known
    const watch: Watch = {
      connection,
      users: new Map(),
      doubtful: new Set(),
      asking: new Set(),
      changed: new Map(),
      pulse: createPulse(() => {
        inquire(watch)
        tellChanges(watch)
      }),
    }
    watches.set(connection, watch)
    return watch
  }

  function add(watch: Watch, userId: string): void {
    if (!watch.users.has(userId)) watch.users.set(userId, undefined)
    const all = watchers.get(userId) ?? new Set()
    watchers.set(userId, all.add(watch))
  }

  function remove(watch: Watch, userId: string): void {
    watch.users.delete(userId)
    watch.doubtful.delete(userId)
    watch.changed.delete(userId)
    const all = watchers.get(userId)
    all?.delete(watch)
    if (all?.size === 0) watchers.delete(userId)
  }

  function isDoubtful(watch: Watch, userId: string): boolean {
    return watch.doubtful.has(userId) || watch.asking.has(userId)
  }

  function doubt(watch: Watch, userId: string): void {
    watch.doubtful.add(userId)
    beat(context, watch.pulse)
  }

  /** Whoever was spoken to may know of the speaker from now on. */
  function spoke(room: string, speaker: string): void {
    for (const other of usersOfDirectRoom(room) ?? []) {
      for (const connection of other === speaker ? [] : (people.get(other)?.devices ?? [])) {
        const watch = watches.get(connection)
        if (watch?.users.has(speaker)) doubt(watch, speaker)
      }
    }
  }

  /** Asks again, about as many at once as a frame may name. */
  function inquire(watch: Watch): void {
    if (watch.asking.size > 0 || watch.doubtful.size === 0) return
    const users = [...watch.doubtful].slice(0, MAX_USERS_PER_FRAME)
    watch.asking = new Set(users)
    for (const userId of users) watch.doubtful.delete(userId)
    queueRead(context, watch.connection, { why: 'doubt', users })
  }

  function isSlow({ connection }: Watch): boolean {
    return connection.bufferedBytes > context.options.relievedBytes
  }

  function tellChanges(watch: Watch): void {
    if (isSlow(watch)) return
    const users: Users = []
    for (const [userId, lastSeenAt] of watch.changed) {
      if (isDoubtful(watch, userId)) continue
      watch.changed.delete(userId)
      users.push(itemOf(userId, lastSeenAt))
    }
    tellAll(watch, users, [])
  }

  function tellAll({ connection }: Watch, users: Users, ended: readonly string[]): void {
    for (let i = 0; i < users.length; i += MAX_USERS_PER_FRAME)
      send(context, connection, {
        type: 'user_presence',
        payload: { users: users.slice(i, i + MAX_USERS_PER_FRAME) },
      })
    if (ended.length > 0)
      send(context, connection, { type: 'user_presence', payload: { users: [], ended: [...ended] } })
  }

  /** `seenAt`: when they were last seen, where nothing newer is known here. */
  function itemOf(userId: string, seenAt: number | undefined): Users[number] {
    const person = people.get(userId)
    if (person && person.status !== 'offline') {
      const { status, text } = person
      return text === '' ? { userId, status } : { userId, status, statusText: text }
    }
    const lastSeenAt = person?.lastSeenAt || people.unwritten(userId) || seenAt
    return lastSeenAt ? { userId, status: 'offline', lastSeenAt } : { userId, status: 'offline' }
  }

  /** Takes over of which of them it may know; gives those of whom it is to hear, and of whom no more. */
  function take(
    watch: Watch,
    asked: readonly string[],
    answer: Answer,
  ): { readonly users: Users; readonly ended: string[] } {
    const users: Users = []
    const ended: string[] = []
    const known = new Map(answer.map(({ userId, lastSeenAt }) => [userId, lastSeenAt]))
    for (const userId of asked) {
      const before = watch.users.get(userId)
      if (!watch.users.has(userId) || isDoubtful(watch, userId)) continue
      const may = known.has(userId)
      watch.users.set(userId, may)
      if (before && !may) ended.push(userId)
      if (before || !may) {
        if (!may) watch.changed.delete(userId)
        continue
      }
      watch.changed.delete(userId)
      users.push(itemOf(userId, known.get(userId)))
    }
    return { users, ended }
  }

  return {
    subscribe(connection, { ref, users: named }) {
      const users = [...new Set(named)]
      const watch = watchOf(connection)
      const more = users.filter((userId) => !watch.users.has(userId)).length
      if (watch.users.size + more > MAX_WATCHED_USERS) {
        refuse(context, connection, ref, 'VALIDATION_ERROR', {
          message: 'this connection is told of as many users as it may',
        })
      } else if (!mayQueue(context, connection, 1)) {
        refuse(context, connection, ref, 'UNAVAILABLE', { retryAfterMs: RETRY_AFTER_MS.UNAVAILABLE })
      } else {
        // Before it is read, so that no change falls between.
        for (const userId of users) add(watch, userId)
        queueRead(context, connection, { why: 'watch', ref, users })
      }
    },

    unsubscribe(connection, { ref, users }) {
      const watch = watches.get(connection)
      if (watch) for (const userId of users) remove(watch, userId)
      send(context, connection, { type: 'done', payload: { ref } })
    },

    answered(connection, read, answer) {
      const watch = watches.get(connection)
      if (!watch) return
      if (read.why === 'watch') {
        // Named again, they are told again.
        for (const userId of read.users) if (watch.users.has(userId)) watch.users.set(userId, undefined)
        const { users } = take(watch, read.users, answer)
        send(context, connection, { type: 'user_presence', payload: { ref: read.ref, users } })
        return
      }
      watch.asking = new Set()
      const { users, ended } = take(watch, read.users, answer)
      tellAll(watch, users, ended)
      if (watch.doubtful.size > 0 || watch.changed.size > 0) beat(context, watch.pulse)
    },

    failed(connection, read, code) {
      const watch = watches.get(connection)
      if (!watch) return
      if (read.why === 'watch') {
        for (const userId of read.users) if (watch.users.get(userId) === undefined) remove(watch, userId)
        refuse(context, connection, read.ref, code, { retryAfterMs: RETRY_AFTER_MS[code] ?? PULSE_MS })
        return
      }
      watch.asking = new Set()
      for (const userId of read.users) if (watch.users.has(userId)) watch.doubtful.add(userId)
      beatLater(context, watch.pulse, PULSE_MS)
    },

    changed({ userId, lastSeenAt }) {
      const all = watchers.get(userId)
      if (!all) return
      for (const watch of all) {
        if (!watch.users.get(userId)) continue
        watch.changed.set(userId, lastSeenAt)
        beat(context, watch.pulse)
      }
    },

    committed(appended) {
      let removals = 0
      for (const { entries } of appended) {
        for (const { type } of entries) {
          if (type === 'removal') removals++
        }
      }
      for (const { room, entries, spokeFirst = [] } of appended) {
        for (const userId of spokeFirst) spoke(room, userId)
        if (!entries.some(isAboutAcquaintance)) continue
        const userId = room.slice(ownLogId('').length)
        for (const watch of watchers.get(userId) ?? []) doubt(watch, userId)
        for (const connection of people.get(userId)?.devices ?? []) {
          const watch = watches.get(connection)
          if (watch) for (const other of watch.users.keys()) doubt(watch, other)
        }
      }
      if (removals < MAX_TOLD_REMOVALS) return
      for (const watch of watches.values()) for (const userId of watch.users.keys()) doubt(watch, userId)
    },

    relieve(connection) {
      const watch = watches.get(connection)
      if (watch && watch.changed.size > 0) beat(context, watch.pulse)
    },

    forget(connection) {
      const watch = watches.get(connection)
      if (!watch) return
      for (const userId of watch.users.keys()) remove(watch, userId)
      watches.delete(connection)
      context.schedule.remove(watch.pulse)
      context.beating.delete(watch.pulse)
    },
  }
}

/** Whose log has it may know of others from then on, or they of them, or no longer. */
function isAboutAcquaintance({ type, payload }: Entry): boolean {
  if (type === 'removal') return true
  const { room } = payload
  return type === 'admission' && (typeof room !== 'string' || usersOfDirectRoom(room) === undefined)
}
