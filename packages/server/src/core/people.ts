/**
 * How users are, whatever room they are in: what their devices say of it, made one, and when they were last seen.
 *
 * Each device speaks for itself, and one that said nothing is online. Together:
 * 1. who is hidden (`offline`) or `busy` on one device is so on all, in this order;
 * 2. else `online` where one device is, else `away`;
 * 3. the text is the one that was given last, of those that devices have.
 *
 * What a connection said counts for the grace after it went, so that a reload changes nothing, or until one that came
 * after it says something else. Changes are told at most once a second.
 */
import type { PayloadOf, PresenceStatus } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, unixMs } from './context.ts'
import { beat, beatLater, createPulse, PULSE_MS, type Pulse } from './pulse.ts'
import type { Room } from './rooms.ts'
import type { Scheduled } from './schedule.ts'
import type { Seen } from './store.ts'

/** What a device says of its user. */
export interface Said {
  readonly status: PresenceStatus
  /** Empty: none. */
  readonly text: string
  /** When the text was given, and when the device came or went, in the order in which all that happened. */
  readonly textAt: number
  readonly since: number
}

export interface Person extends Scheduled {
  readonly kind: 'person'
  readonly userId: string
  /** The first first: one, mostly. What each says stands with it. */
  devices: readonly Connection[]
  /** What connections said that went a moment ago. */
  remnant: Said | undefined
  /** Where they are present; see presence.ts. */
  readonly rooms: Set<Room>
  /** As was told. */
  status: PresenceStatus
  text: string
  /** When the last connection went, or they hid, in Unix milliseconds; of who is there, nothing. */
  lastSeenAt: number
  readonly pulse: Pulse
}

/** Users whose last time is not in the store yet; beyond them the oldest are forgotten. */
const MAX_UNWRITTEN = 10_000
/** … in one writing. */
const MAX_WRITTEN = 1_000
const FIRST_WORD: Said = { status: 'online', text: '', textAt: 0, since: 0 }
/** Who says the first of these speaks for all devices of the user. */
const PRECEDENCE: readonly PresenceStatus[] = ['offline', 'busy', 'online', 'away']

export interface People {
  get(userId: string): Person | undefined
  /** A connection is authenticated. */
  join(connection: Connection): void
  leave(connection: Connection): void
  update(connection: Connection, said: PayloadOf<'update_presence'>): void
  /** The grace is over. */
  ring(person: Person): void
  /** When the store does not know it yet. */
  unwritten(userId: string): number | undefined
  written(isDone: boolean): void
  /** The node ends: everybody was last seen now. */
  stop(): void
}

/** `changed`: somebody is not as they were, by `person`; `was`: their status before. */
export function createPeople(
  context: Context,
  changed: (person: Person, was: PresenceStatus) => void,
): People {
  const people = new Map<string, Person>()
  const unwritten = new Map<string, number>()
  let writing: readonly Seen[] = []
  let order = 0
  let isStopped = false
  const pen = createPulse(write)

  function write(): void {
    if (writing.length > 0 || unwritten.size === 0) return
    writing = Array.from(unwritten, ([userId, at]) => ({ userId, at })).slice(0, MAX_WRITTEN)
    context.effects.push({ do: 'mark_seen', seen: writing })
  }

  function noteSeen(person: Person): void {
    person.lastSeenAt = unixMs(context)
    if (isStopped) return
    // Set anew, so that the map stays in the order of the times.
    unwritten.delete(person.userId)
    unwritten.set(person.userId, person.lastSeenAt)
    const [oldest] = unwritten.keys()
    if (unwritten.size > MAX_UNWRITTEN && oldest !== undefined) unwritten.delete(oldest)
    beat(context, pen)
  }

  function open(userId: string): Person {
    const known = people.get(userId)
    if (known) return known
    const person: Person = {
      kind: 'person',
      userId,
      devices: [],
      remnant: undefined,
      rooms: new Set(),
      status: 'offline',
      text: '',
      lastSeenAt: 0,
      pulse: createPulse(() => tell(person)),
      dueAt: Number.POSITIVE_INFINITY,
      place: -1,
    }
    people.set(userId, person)
    return person
  }

  function tell(person: Person): void {
    if (people.get(person.userId) !== person) return
    const { status, text } = together(person)
    const was = person.status
    if (status === was && text === person.text) return
    if (status === 'offline' && was !== 'offline') noteSeen(person)
    person.status = status
    person.text = text
    // What a hidden user says of themselves is not told.
    if (status !== 'offline' || was !== 'offline') changed(person, was)
  }

  return {
    get: (userId) => people.get(userId),

    join(connection) {
      const person = open(connection.userId)
      const { status = 'online', statusText: text = '' } = connection.greeting ?? {}
      const since = ++order
      connection.said = { status, text, textAt: since, since }
      person.devices = [...person.devices, connection]
      if (connection.greeting) person.remnant = undefined
      beat(context, person.pulse)
    },

    leave(connection) {
      const person = people.get(connection.userId)
      const { said } = connection
      if (!person || !said) return
      connection.said = undefined
      person.devices = person.devices.filter((device) => device !== connection)
      person.remnant = merge([...(person.remnant ? [person.remnant] : []), { ...said, since: ++order }])
      if (person.devices.length === 0 && person.status !== 'offline') noteSeen(person)
      if (!isStopped) context.schedule.set(person, context.now + context.options.presenceGraceMs)
    },

    update(connection, { status, statusText: text = '' }) {
      const person = people.get(connection.userId)
      const before = connection.said
      if (!person || !before) return
      const textAt = text === before.text ? before.textAt : ++order
      connection.said = { status, text, textAt, since: before.since }
      if (person.remnant && person.remnant.since < before.since) person.remnant = undefined
      beat(context, person.pulse)
    },

    ring(person) {
      person.remnant = undefined
      if (person.devices.length > 0) {
        beat(context, person.pulse)
        return
      }
      people.delete(person.userId)
      context.schedule.remove(person.pulse)
      const was = person.status
      person.status = 'offline'
      if (was !== 'offline') changed(person, was)
    },

    unwritten: (userId) => unwritten.get(userId),

    written(isDone) {
      for (const { userId, at } of writing)
        if (isDone && unwritten.get(userId) === at) unwritten.delete(userId)
      writing = []
      if (unwritten.size === 0) return
      if (isDone) beat(context, pen)
      else beatLater(context, pen, PULSE_MS)
    },

    stop() {
      for (const person of people.values())
        if (person.devices.length > 0 && person.status !== 'offline') noteSeen(person)
      isStopped = true
      // The last word: all of it, at once.
      for (const seen of chunksOf(unwritten)) context.effects.push({ do: 'mark_seen', seen })
      unwritten.clear()
      context.beating.delete(pen)
      context.schedule.remove(pen)
    },
  }
}

function* chunksOf(unwritten: ReadonlyMap<string, number>): Generator<readonly Seen[]> {
  const all = Array.from(unwritten, ([userId, at]) => ({ userId, at }))
  for (let i = 0; i < all.length; i += MAX_WRITTEN) yield all.slice(i, i + MAX_WRITTEN)
}

function together({ devices, remnant }: Person): Pick<Said, 'status' | 'text'> {
  const said = devices.flatMap((device) => device.said ?? [])
  return merge(remnant ? [...said, remnant] : said)
}

function merge(all: readonly Said[]): Said {
  const status = PRECEDENCE.find((each) => all.some((said) => said.status === each)) ?? 'online'
  const newest = all.filter(({ text }) => text !== '').sort((a, b) => b.textAt - a.textAt)[0]
  const { text, textAt } = newest ?? FIRST_WORD
  return { status, text, textAt, since: Math.max(0, ...all.map(({ since }) => since)) }
}
