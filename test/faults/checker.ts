/**
 * Judges a history in the manner of Jepsen's checker for Kafka: it knows what was promised and what was seen, and
 * nothing of how Tautline works. Pure, and independent of the code under test.
 *
 * Each violation carries its evidence. One fault may show in several ways (what a reader never got was lost, and
 * skipped by those who read past it); all of them are told.
 */
import type { History, HistoryEvent } from './history.ts'
import { type IndexedHistory, indexHistory, type Log, type Message, type Sight } from './history-index.ts'

export const VERDICTS = {
  lost: 'acknowledged, and no reader who read to the end has it',
  duplicate: 'at two positions, or delivered twice to one reader',
  divergent: 'two see different things at one position, or a reader was told that its log is another one',
  skipped: 'a reader went past a message that others have, and was not told so',
  reordered: 'a reader got a position after a later one',
  spurious: 'failed, and nothing spoke against it',
  failed_but_seen: 'reported as failed, and delivered all the same',
  sender_order: 'two messages of one outbox in a room stand in another order than they were sent',
  unauthorized: 'read or written where its user is no member',
  undecided: 'sent, and without an outcome at the end',
  contradicted: 'two outcomes that differ',
  invented: 'delivered, and nobody sent it',
  unread: 'acknowledged where nobody read to the end: nothing can be said of it',
} as const

export type Verdict = keyof typeof VERDICTS

export interface Violation {
  readonly verdict: Verdict
  readonly room: string
  readonly seq?: number | undefined
  readonly content?: string | undefined
  /** Who saw it, or should have, as user/device. */
  readonly readers: readonly string[]
  readonly detail: string
}

export interface Judgement {
  readonly violations: readonly Violation[]
  /** Events of each kind: a judgement of few says little. */
  readonly counts: Readonly<Record<HistoryEvent['event'], number>>
  /** Deliveries that are missing, and excused by a gap that the reader was told of. */
  readonly excused: number
}

type Tell = (violation: Violation) => void

/** A history that nothing could have made (a content sent twice, an outcome of nothing) throws: the test is wrong. */
export function check(history: History): Judgement {
  const index = indexHistory(history)
  const violations: Violation[] = []
  const tell: Tell = (violation) => {
    violations.push(violation)
  }
  let excused = 0
  for (const log of index.logs.values()) {
    checkPlaces(log, tell)
    checkContents(log, index, tell)
    for (const sight of log.sights.values()) {
      checkDeliveries(log, sight, tell)
      excused += checkHoles(log, sight, tell)
    }
  }
  for (const message of index.messages.values()) checkOutcomes(message, tell)
  checkSenderOrder(index, tell)
  return { violations, counts: index.counts, excused }
}

/** One thing at each position. */
function checkPlaces({ room, places }: Log, tell: Tell): void {
  for (const [seq, place] of places) {
    if (place.size === 1) continue
    const readers = Array.from(place.values()).flatMap((same) => same.readers)
    const seen = Array.from(place, ([what, same]) => `${what} at ${same.readers.join(', ')}`)
    tell({ verdict: 'divergent', room, seq, readers, detail: seen.join('; ') })
  }
}

/** Each thing at one position, sent by somebody, who may. */
function checkContents(log: Log, { messages }: IndexedHistory, tell: Tell): void {
  for (const [content, { sender, positions, readers }] of log.seen) {
    const [seq] = positions
    const evidence = { room: log.room, seq, content, readers: [...readers] }
    const at = Array.from(positions).join(', ')
    if (positions.size > 1) tell({ ...evidence, verdict: 'duplicate', detail: `at ${at}` })
    const invoke = messages.get(content)?.invoke
    if (invoke?.sender !== sender || invoke.room !== log.room)
      tell({ ...evidence, verdict: 'invented', detail: `in the name of ${sender}` })
    if (Array.from(positions).some((position) => !log.isMember(sender, position)))
      tell({ ...evidence, verdict: 'unauthorized', detail: `${sender} wrote it, at ${at}` })
  }
}

/** What one reader was given: each position once, upwards, and only what it may read. */
function checkDeliveries(log: Log, sight: Sight, tell: Tell): void {
  const { room } = log
  const given = new Set<number>()
  let cursor = sight.openedAfter ?? Number.NEGATIVE_INFINITY
  for (const { seq, content } of sight.deliveries) {
    const evidence = { room, seq, content, readers: [sight.name] }
    if (given.has(seq)) tell({ ...evidence, verdict: 'duplicate', detail: 'delivered twice' })
    else if (seq <= cursor) tell({ ...evidence, verdict: 'reordered', detail: `delivered after ${cursor}` })
    if (!log.isMember(sight.user, seq))
      tell({ ...evidence, verdict: 'unauthorized', detail: `${sight.user} read it` })
    given.add(seq)
    cursor = Math.max(cursor, seq)
  }
  for (const reason of sight.resets)
    tell({ verdict: 'divergent', room, readers: [sight.name], detail: `reset: ${reason}` })
}

/** What one reader was not given. Returns how much of it a gap excuses. */
function checkHoles(log: Log, sight: Sight, tell: Tell): number {
  const given = new Set(sight.deliveries.map(({ seq }) => seq))
  let excused = 0
  for (const seq of log.positions()) {
    if (given.has(seq) || !sight.passed(seq) || !log.isMember(sight.user, seq)) continue
    if (sight.wasTold(seq)) {
      excused++
      continue
    }
    const others = Array.from(log.places.get(seq)?.values() ?? [])
    tell({
      verdict: 'skipped',
      room: log.room,
      seq,
      content: others[0]?.content,
      readers: [sight.name],
      detail: `others have it: ${others.flatMap(({ readers }) => readers).join(', ')}`,
    })
  }
  return excused
}

/** What the sender of a message was told, against what the readers have. */
function checkOutcomes({ invoke, outcomes, log }: Message, tell: Tell): void {
  const { room, content, outbox } = invoke
  const seen = log.seen.get(content)
  const positions = [...(seen?.positions ?? [])]
  const evidence = { room, content, seq: positions[0], readers: [...(seen?.readers ?? [])] }
  if (outcomes.length === 0) tell({ ...evidence, verdict: 'undecided', detail: `sent by ${outbox}` })
  const told = new Set(outcomes.map(wordsOf))
  // An acknowledgement that nobody heard agrees with every position.
  if (Array.from(told).some((words) => words.startsWith(`${ACKNOWLEDGED} at`))) told.delete(ACKNOWLEDGED)
  if (told.size > 1)
    tell({ ...evidence, verdict: 'contradicted', detail: Array.from(told).join(', and then ') })
  for (const outcome of outcomes) {
    if (outcome.event === 'fail' && seen)
      tell({ ...evidence, verdict: 'failed_but_seen', detail: `with ${outcome.code}` })
    if (outcome.event === 'fail' && !invoke.mayFail)
      tell({ ...evidence, verdict: 'spurious', detail: `with ${outcome.code}` })
    if (outcome.event !== 'ok') continue
    const { seq } = outcome
    if (seq !== undefined && seen && !seen.positions.has(seq))
      tell({
        ...evidence,
        verdict: 'divergent',
        detail: `acknowledged at ${seq}, read at ${positions.join(', ')}`,
      })
    checkRead(log, content, seq ?? positions[0], tell)
  }
}

/** Somebody who read to the end has an acknowledged message. */
function checkRead(log: Log, content: string, seq: number | undefined, tell: Tell): void {
  const toTheEnd = Array.from(log.sights.values()).filter(({ isDone }) => isDone)
  if (toTheEnd.some(({ contents }) => contents.has(content))) return
  const should = toTheEnd.filter((sight) =>
    seq === undefined
      ? sight.readAll()
      : sight.passed(seq) && !sight.wasTold(seq) && log.isMember(sight.user, seq),
  )
  tell({
    verdict: should.length > 0 ? 'lost' : 'unread',
    room: log.room,
    seq,
    content,
    readers: should.map(({ name }) => name),
    detail: seq === undefined ? ACKNOWLEDGED : `${ACKNOWLEDGED} at ${seq}`,
  })
}

/** What one outbox sent to a room stands there in the order of sending. What failed leaves no hole. */
function checkSenderOrder({ messages }: IndexedHistory, tell: Tell): void {
  const latest = new Map<string, { readonly seq: number; readonly content: string }>()
  for (const { invoke, log } of messages.values()) {
    const { room, content, outbox } = invoke
    const seen = log.seen.get(content)
    const [seq] = seen?.positions ?? []
    if (!seen || seq === undefined) continue
    const lane = JSON.stringify([outbox, room])
    const before = latest.get(lane)
    if (!before || before.seq <= seq) latest.set(lane, { seq, content })
    else {
      const detail = `${outbox} sent it after ${before.content}, which is at ${before.seq}`
      tell({ verdict: 'sender_order', room, seq, content, readers: [...seen.readers], detail })
    }
  }
}

const ACKNOWLEDGED = 'acknowledged'

function wordsOf(outcome: Message['outcomes'][number]): string {
  switch (outcome.event) {
    case 'ok':
      return outcome.seq === undefined ? ACKNOWLEDGED : `${ACKNOWLEDGED} at ${outcome.seq}`
    case 'fail':
      return `failed with ${outcome.code}`
    case 'unknown':
      return 'unknown'
    default:
      return outcome satisfies never
  }
}
