/**
 * Histories for the tests of the checker: clean ones, as a run without a fault would leave them, and one fault put into
 * them for each verdict.
 */
import * as fc from 'fast-check'
import type { Verdict } from '../checker.ts'
import type { HistoryEvent, Reader } from '../history.ts'

type Event<E extends HistoryEvent['event']> = Extract<HistoryEvent, { event: E }>
type Delivery = Event<'deliver'>

/** `heard`: acknowledged; `unheard`: acknowledged, and its sender was gone; the unknown one is in the log or not. */
type Fate = 'heard' | 'unheard' | 'failed' | 'unknown_in' | 'unknown_out'

interface Shape {
  readonly sends: readonly { readonly outbox: number; readonly room: number; readonly fate: Fate }[]
  readonly readers: readonly {
    readonly room: number
    readonly from: number
    readonly length: number
    readonly isDone: boolean
    readonly gap: number | undefined
  }[]
  /** When the guest may be in the second room. */
  readonly stay: readonly [number, number]
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  sends: fc.array(
    fc.record({
      outbox: fc.nat(2),
      room: fc.nat(1),
      fate: fc.constantFrom<Fate>(
        'heard',
        'heard',
        'heard',
        'unheard',
        'failed',
        'unknown_in',
        'unknown_out',
      ),
    }),
    { minLength: 12, maxLength: 40 },
  ),
  readers: fc.array(
    fc.record({
      room: fc.nat(1),
      from: fc.nat(15),
      length: fc.integer({ min: 2, max: 20 }),
      isDone: fc.boolean(),
      gap: fc.option(fc.nat(10), { nil: undefined }),
    }),
    { maxLength: 4 },
  ),
  stay: fc.tuple(fc.nat(6), fc.integer({ min: 3, max: 12 })),
})

/** Rooms are `open`, to all, and `closed`, in which the guest is a member for a while. */
export const cleanHistories: fc.Arbitrary<HistoryEvent[]> = shapes.map((shape) => {
  const history: HistoryEvent[] = []
  const logs: Delivery[][] = [[], []]
  // Positions that hold no message (somebody joined) are holes in what is delivered, and no fault.
  const heads = [2, 2]
  shape.sends.forEach(({ outbox, room: at, fate }, i) => {
    const room = at === 0 ? 'open' : 'closed'
    const sender = `user${outbox % 2}`
    const content = `${outbox} ${i}`
    history.push({
      event: 'invoke',
      outbox: `outbox${outbox}`,
      sender,
      room,
      content,
      mayFail: fate === 'failed',
    })
    if (fate === 'failed') history.push({ event: 'fail', content, code: 'FORBIDDEN' })
    if (fate === 'unknown_in' || fate === 'unknown_out') history.push({ event: 'unknown', content })
    if (fate === 'failed' || fate === 'unknown_out') return
    const seq = heads[at]! + (i % 5 === 0 ? 2 : 1)
    heads[at] = seq
    logs[at]!.push({
      event: 'deliver',
      user: '',
      device: '',
      room,
      seq,
      sender,
      messageId: `id${i}`,
      content,
    })
    if (fate === 'heard') history.push({ event: 'ok', content, seq })
    if (fate === 'unheard') history.push({ event: 'ok', content })
  })

  const give = (reader: Reader, deliveries: readonly Delivery[]) => {
    for (const delivery of deliveries) history.push({ ...delivery, ...reader })
  }
  for (const [at, room] of ['open', 'closed'].entries()) {
    for (const user of ['user0', 'user1']) {
      const reader = { user, device: 'whole', room }
      history.push({ event: 'open', ...reader, after: 0 })
      give(reader, logs[at]!)
      history.push({ event: 'done', ...reader })
    }
  }
  shape.readers.forEach(({ room: at, from, length, isDone, gap }, i) => {
    const reader = { user: 'user1', device: `part${i}`, room: at === 0 ? 'open' : 'closed' }
    const deliveries = logs[at]!.slice(from, isDone ? undefined : from + length)
    const left = gap === undefined ? undefined : deliveries[gap]
    if (left) history.push({ event: 'gap', ...reader, from: left.seq, to: left.seq })
    const first = deliveries[0]
    if (first) history.push({ event: 'open', ...reader, after: first.seq - 1 })
    give(
      reader,
      deliveries.filter((delivery) => delivery !== left),
    )
    if (isDone && first) history.push({ event: 'done', ...reader })
  })
  const [from, length] = shape.stay
  const guest = { user: 'guest', device: 'phone', room: 'closed' }
  give(
    guest,
    logs[1]!.filter(({ seq }) => seq >= from && seq <= from + length),
  )
  history.push({ event: 'joined', room: 'closed', user: 'guest', seq: from })
  history.push({ event: 'left', room: 'closed', user: 'guest', seq: from + length })
  for (const user of ['user0', 'user1']) history.push({ event: 'joined', room: 'closed', user, seq: 1 })
  return history
})

/** Puts one fault into a clean history, at a place that `pick` chooses. Undefined: there is none in this one. */
export type Plant = (history: readonly HistoryEvent[], pick: number) => HistoryEvent[] | undefined

function eventsOf<E extends HistoryEvent['event']>(history: readonly HistoryEvent[], kind: E): Event<E>[] {
  return history.filter((event): event is Event<E> => event.event === kind)
}

function pickOne<T>(of: readonly T[], pick: number): T | undefined {
  return of[pick % of.length]
}

const isOf = (reader: Reader) => (event: HistoryEvent) =>
  'device' in event &&
  event.user === reader.user &&
  event.device === reader.device &&
  event.room === reader.room

function isWhole({ device }: Reader): boolean {
  return device === 'whole'
}

export const plants: Readonly<Record<Verdict, Plant>> = {
  lost(history, pick) {
    const ok = pickOne(eventsOf(history, 'ok'), pick)
    return ok && history.filter((event) => event.event !== 'deliver' || event.content !== ok.content)
  },
  duplicate(history, pick) {
    const delivery = pickOne(eventsOf(history, 'deliver'), pick)
    if (!delivery) return undefined
    // To one reader once more, or to everybody at another position.
    if (pick % 2 === 0) return [...history, delivery]
    const again = eventsOf(history, 'done').filter((reader) => reader.room === delivery.room)
    return [...history, ...again.map(({ user, device }) => ({ ...delivery, user, device, seq: 10_000 }))]
  },
  divergent(history, pick) {
    const delivery = pickOne(eventsOf(history, 'deliver'), pick)
    return history.map((event) =>
      event === delivery
        ? pick % 2 === 0
          ? { ...delivery, messageId: 'another' }
          : { ...delivery, sender: 'x' }
        : event,
    )
  },
  skipped(history, pick) {
    const delivery = pickOne(eventsOf(history, 'deliver').filter(isWhole), pick)
    return history.filter((event) => event !== delivery)
  },
  reordered(history, pick) {
    const delivery = pickOne(eventsOf(history, 'deliver'), pick)
    if (!delivery) return undefined
    const own = eventsOf(history, 'deliver').filter(isOf(delivery))
    const next = own[own.indexOf(delivery) + 1]
    return (
      next &&
      history.map((event) => {
        if (event === delivery) return next
        return event === next ? delivery : event
      })
    )
  },
  spurious(history, pick) {
    const ok = pickOne(eventsOf(history, 'ok'), pick)
    if (!ok) return undefined
    const { content } = ok
    return history
      .filter((event) => event.event !== 'deliver' || event.content !== content)
      .map((event) => (event === ok ? { event: 'fail', content, code: 'VOID' } : event))
  },
  failed_but_seen(history, pick) {
    const seen = new Set(eventsOf(history, 'deliver').map(({ content }) => content))
    const ok = pickOne(
      eventsOf(history, 'ok').filter(({ content }) => seen.has(content)),
      pick,
    )
    return (
      ok &&
      history.map((event) => (event === ok ? { event: 'fail', content: ok.content, code: 'VOID' } : event))
    )
  },
  sender_order(history, pick) {
    const seen = new Set(eventsOf(history, 'deliver').map(({ content }) => content))
    const invokes = eventsOf(history, 'invoke').filter(({ content }) => seen.has(content))
    const first = pickOne(invokes, pick)
    const second = invokes.find(
      (invoke, i) =>
        first && i > invokes.indexOf(first) && invoke.outbox === first.outbox && invoke.room === first.room,
    )
    if (!first || !second) return undefined
    const others = history.filter(({ event }) => event !== 'invoke')
    const swapped = eventsOf(history, 'invoke').map((invoke) => {
      if (invoke === first) return second
      return invoke === second ? first : invoke
    })
    return [...swapped, ...others]
  },
  unauthorized(history, pick) {
    const left = history.find((event) => event.event === 'left')
    const outside = eventsOf(history, 'deliver').filter(
      ({ user, device, room, seq }) =>
        left?.event === 'left' &&
        user === 'user0' &&
        device === 'whole' &&
        room === 'closed' &&
        seq > left.seq,
    )
    const delivery = pickOne(outside, pick)
    return delivery && [...history, { ...delivery, user: 'guest', device: 'phone' }]
  },
  undecided(history, pick) {
    const outcome = pickOne([...eventsOf(history, 'ok'), ...eventsOf(history, 'fail')], pick)
    return history.filter((event) => event !== outcome)
  },
  contradicted(history, pick) {
    const ok = pickOne(
      eventsOf(history, 'ok').filter(({ seq }) => seq !== undefined),
      pick,
    )
    if (!ok?.seq) return undefined
    const other: HistoryEvent =
      pick % 2 === 0
        ? { event: 'fail', content: ok.content, code: 'EXPIRED' }
        : { event: 'ok', content: ok.content, seq: ok.seq + 1 }
    return [...history, other]
  },
  invented(history, pick) {
    const delivery = pickOne(eventsOf(history, 'deliver'), pick)
    const of = delivery?.content
    return history.map((event) =>
      event.event === 'deliver' && event.content === of ? { ...event, content: 'never said' } : event,
    )
  },
  unread(history, pick) {
    const ok = pickOne(eventsOf(history, 'ok'), pick)
    const room = eventsOf(history, 'invoke').find(({ content }) => content === ok?.content)?.room
    return room === undefined
      ? undefined
      : history.filter((event) => event.event !== 'done' || event.room !== room)
  },
}
