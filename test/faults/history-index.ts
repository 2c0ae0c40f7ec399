/** A history, sorted by who saw what: the tables that the checker looks at. Nothing is judged here. */
import type { History, HistoryEvent, Reader } from './history.ts'

type Kind = HistoryEvent['event']
type Event<E extends Kind> = Extract<HistoryEvent, { event: E }>

export interface IndexedHistory {
  /** By content, in the order of sending. */
  readonly messages: ReadonlyMap<string, Message>
  readonly logs: ReadonlyMap<string, Log>
  readonly counts: Readonly<Record<Kind, number>>
}

export interface Message {
  readonly invoke: Event<'invoke'>
  readonly outcomes: Event<'ok' | 'fail' | 'unknown'>[]
  readonly log: Log
}

/** Something that was delivered, by whom it is said to be, where, and to whom. */
export interface Seen {
  readonly sender: string
  readonly positions: Set<number>
  readonly readers: Set<string>
}

/** What all readers of a room saw together. */
export class Log {
  readonly room: string
  readonly sights = new Map<string, Sight>()
  /** At each position, what was seen there, and by whom. More than one: they disagree. */
  readonly places = new Map<number, Map<string, { readonly content: string; readonly readers: string[] }>>()
  /** By content. */
  readonly seen = new Map<string, Seen>()
  /** When each user became a member, and ceased to be one; Infinity: not yet. */
  readonly #stays = new Map<string, { readonly from: number; to: number }[]>()
  #sorted: readonly number[] = []

  constructor(room: string) {
    this.room = room
  }

  /** The same for all where no membership of the room is told. */
  isMember(user: string, seq: number): boolean {
    if (this.#stays.size === 0) return true
    return (this.#stays.get(user) ?? []).some(({ from, to }) => from <= seq && seq <= to)
  }

  /** Every position at which something was seen, upwards. */
  positions(): readonly number[] {
    if (this.#sorted.length !== this.places.size) this.#sorted = [...this.places.keys()].sort((a, b) => a - b)
    return this.#sorted
  }

  sight({ user, device, room }: Reader): Sight {
    const name = `${user}/${device}`
    const sight = this.sights.get(name) ?? new Sight(name, user, room)
    this.sights.set(name, sight)
    return sight
  }

  joined(user: string, seq: number): void {
    const stays = this.#stays.get(user) ?? []
    this.#stays.set(user, [...stays, { from: seq, to: Number.POSITIVE_INFINITY }])
  }

  left(user: string, seq: number): void {
    const stay = this.#stays.get(user)?.at(-1)
    // Who told it may have missed the beginning.
    if (stay) stay.to = seq
    else this.#stays.set(user, [{ from: 1, to: seq }])
  }

  deliver(delivery: Event<'deliver'>): void {
    const { seq, sender, messageId, content } = delivery
    const sight = this.sight(delivery)
    sight.deliver(delivery)
    const place = this.places.get(seq) ?? new Map<string, { content: string; readers: string[] }>()
    this.places.set(seq, place)
    const identity = JSON.stringify([sender, messageId, content])
    const same = place.get(identity)
    if (same) same.readers.push(sight.name)
    else place.set(identity, { content, readers: [sight.name] })
    const seen = this.seen.get(content) ?? { sender, positions: new Set(), readers: new Set() }
    this.seen.set(content, seen)
    seen.positions.add(seq)
    seen.readers.add(sight.name)
  }
}

/** What one reader saw. */
export class Sight {
  /** user/device */
  readonly name: string
  readonly user: string
  readonly room: string
  readonly deliveries: Event<'deliver'>[] = []
  readonly contents = new Set<string>()
  readonly gaps: Event<'gap'>[] = []
  readonly resets: string[] = []
  openedAfter: number | undefined
  isDone = false
  #last = Number.NEGATIVE_INFINITY

  constructor(name: string, user: string, room: string) {
    this.name = name
    this.user = user
    this.room = room
  }

  deliver(delivery: Event<'deliver'>): void {
    this.deliveries.push(delivery)
    this.contents.add(delivery.content)
    this.#last = Math.max(this.#last, delivery.seq)
  }

  /** Whether it read past this position. */
  passed(seq: number): boolean {
    const first = this.deliveries[0]?.seq
    const after = this.openedAfter ?? (first === undefined ? Number.POSITIVE_INFINITY : first - 1)
    return after < seq && seq <= (this.isDone ? Number.POSITIVE_INFINITY : this.#last)
  }

  /** Whether it was told that it would not get this position. */
  wasTold(seq: number): boolean {
    return this.gaps.some(({ from, to }) => from <= seq && seq <= to)
  }

  /** Whether it read the room from its beginning to its end. */
  readAll(): boolean {
    return this.isDone && this.openedAfter === 0 && this.gaps.length === 0
  }
}

/** Throws where no history could be so: a content sent twice, an outcome of what nobody sent. */
export function indexHistory(history: History): IndexedHistory {
  const messages = new Map<string, Message>()
  const logs = new Map<string, Log>()
  const counts: Record<Kind, number> = {
    invoke: 0,
    ok: 0,
    fail: 0,
    unknown: 0,
    open: 0,
    deliver: 0,
    gap: 0,
    reset: 0,
    done: 0,
    joined: 0,
    left: 0,
  }
  const logOf = (room: string) => {
    const log = logs.get(room) ?? new Log(room)
    logs.set(room, log)
    return log
  }
  const sightOf = (reader: Reader) => logOf(reader.room).sight(reader)

  function take(event: HistoryEvent): void {
    switch (event.event) {
      case 'invoke':
        if (messages.has(event.content)) throw new Error(`sent twice: ${event.content}`)
        messages.set(event.content, { invoke: event, outcomes: [], log: logOf(event.room) })
        return
      case 'ok':
      case 'fail':
      case 'unknown': {
        const message = messages.get(event.content)
        if (!message) throw new Error(`an outcome of what nobody sent: ${event.content}`)
        message.outcomes.push(event)
        return
      }
      case 'open':
        sightOf(event).openedAfter = event.after
        return
      case 'deliver':
        return logOf(event.room).deliver(event)
      case 'gap':
        sightOf(event).gaps.push(event)
        return
      case 'reset':
        sightOf(event).resets.push(event.reason)
        return
      case 'done':
        sightOf(event).isDone = true
        return
      case 'joined':
        return logOf(event.room).joined(event.user, event.seq)
      case 'left':
        return logOf(event.room).left(event.user, event.seq)
      default:
        return event satisfies never
    }
  }
  for (const event of history) {
    counts[event.event]++
    take(event)
  }
  return { messages, logs, counts }
}
