// The promises, as questions to the history of a run. Each invariant is a pure function: it knows nothing of how clients
// and servers work, only what was said, decided and told. Where the contract lets something happen (a restored snapshot
// takes back what was acknowledged), the exception stands beside the rule.

import {
  CODES,
  type Code,
  changedBy,
  type Entry,
  type FoldedMessage,
  foldedMessage,
  foldMessage,
  isCode,
  MAX_BATCH,
  type MessageBody,
} from '@tautline/protocol/wire'
import type { Decision, History, Line, Link, Outcome, Sent, Session, Stream } from './history.ts'

export interface Violation {
  readonly invariant: Invariant
  readonly what: string
  readonly at: number
  /** What the trace should be shortened to. */
  readonly about: readonly string[]
}

export const INVARIANTS = {
  I1: 'no acknowledged message is lost',
  I2: 'a message has one effect',
  I3: 'a room has one dense order, which does not change',
  I4: 'every entry is applied once, in order, and a room is live only where the server pushes it',
  I5: 'what one outbox sends to a room appears in the order in which it was sent',
  I6: 'an outcome is told once, and is true',
  I7: 'when nothing goes wrong any more, everything comes right',
  I8: 'nothing fails without a reason',
  I9: 'who reads and writes may do so',
  I10: 'what is acknowledged is durable',
  I11: 'nothing is held for ever',
  I12: 'a history that was taken back is told before anything more is applied',
  I13: 'read positions never go back',
  I14: 'nobody sends in the name of another, and nothing before it is known who they are',
  I15: 'nothing depends on servers telling each other',
  I16: 'a client has one socket and one timer, and none after close()',
  I17: 'nobody tries again sooner or more often than they should',
  I18: 'what came of a message is what its log says, in the store and at everybody',
  broken: 'nothing throws',
} as const

export type Invariant = keyof typeof INVARIANTS

const CHECKS: { readonly [I in Invariant]: (history: History) => Violation[] } = {
  I1: acknowledgedIsKept,
  I2: oneEffect,
  I3: oneOrder,
  I4: (history) => [...appliedOnceInOrder(history), ...liveIsTrue(history)],
  I5: (history) => [...senderOrder(history), ...outboxOrder(history)],
  I6: (history) => [...outcomesAreStable(history), ...failuresAreKept(history)],
  I7: (history) => (history.hintsWereLost ? [] : comesRight(history, 'I7')),
  I8: (history) => [...noSpuriousFailure(history), ...nobodyIsReplacedByNobody(history)],
  I9: authorized,
  I10: acknowledgedIsDurable,
  I11: bounded,
  I12: divergenceIsVisible,
  I13: readPositionsRise,
  I14: identity,
  I15: (history) => (history.hintsWereLost ? comesRight(history, 'I15') : []),
  I16: oneSocketOneTimer,
  I17: retryDiscipline,
  I18: standsAsTheLogSays,
  broken: ({ broken }) => broken.map(({ at, what }) => ({ invariant: 'broken', at, what, about: [] })),
}

export function check(history: History): Violation[] {
  return Object.values(CHECKS).flatMap((invariant) => invariant(history))
}

export function checkOne(invariant: Invariant, history: History): Violation[] {
  return CHECKS[invariant](history)
}

// --- what is in the logs -------------------------------------------------------------------------------------------

interface Place {
  readonly line: number
  readonly room: string
  readonly seq: number
  readonly at: number
}

/** Where each (sender, messageId) stands, in all lines. */
function placesIn({ lines }: History): Map<string, Place[]> {
  const places = new Map<string, Place[]>()
  lines.forEach(({ logs }, line) => {
    for (const [room, log] of logs) {
      log.forEach(({ at, entry }, i) => {
        const key = keyOf(entry.sender, entry.messageId)
        const known = places.get(key)
        const place = { line, room, seq: i + 1, at }
        if (known) known.push(place)
        else places.set(key, [place])
      })
    }
  })
  return places
}

function keyOf(sender: string, messageId: string): string {
  return `${sender} ${messageId}`
}

/** When the line ceased to be in force. */
function endOf({ lines }: History, line: number): number {
  return lines[line + 1]?.from ?? Number.POSITIVE_INFINITY
}

function lastLine({ lines }: History): Line {
  return lines[lines.length - 1]!
}

function* allSends({ sessions }: History): Generator<readonly [Session, Sent]> {
  for (const session of sessions) for (const sent of session.sends) yield [session, sent]
}

/** A message with what one session was told of it; `sent` is what its sender knew. */
interface Told {
  readonly session: Session
  readonly sent: Sent
  readonly outcomes: readonly Outcome[]
}

/** Every message, once for each session that knew of it. */
function allTold({ sessions }: History): Told[] {
  const told: Told[] = []
  const senders = new Map<string, Sent>()
  for (const session of sessions) {
    for (const sent of session.sends) {
      senders.set(sent.messageId, sent)
      told.push({ session, sent, outcomes: sent.outcomes })
    }
  }
  for (const session of sessions) {
    for (const { messageId, outcomes } of session.restored) {
      const sent = senders.get(messageId)
      if (sent) told.push({ session, sent, outcomes })
    }
  }
  return told
}

// --- the promises --------------------------------------------------------------------------------------------------

/** Only a restored snapshot takes an entry back: then it is in an earlier line and not in the last. */
function acknowledgedIsKept(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  for (const { session, sent, outcomes } of allTold(history)) {
    for (const { at, status, seq } of outcomes) {
      if (status !== 'acknowledged') continue
      const found = (places.get(keyOf(session.user, sent.messageId)) ?? []).some(
        (place) => place.room === sent.room && place.seq === seq,
      )
      if (!found)
        violations.push(
          violation('I1', at, `${sent.messageId} was acknowledged at ${seq} and is not there`, sent),
        )
    }
  }
  return violations
}

/** A client folds what it is told, whenever that is: before a deletion has blanked it, or after. */
function standsAsTheLogSays(history: History): Violation[] {
  const violations: Violation[] = []
  const said = new Map<string, ReadonlyMap<number, string>>()
  for (const [room, log] of lastLine(history).logs) {
    const bodies = foldedBodies(log.map(({ entry }) => entry))
    said.set(room, bodies)
    const stood = history.stood.get(room)
    for (const [seq, body] of bodies) {
      if (textOfBody(stood?.get(seq)) === body) continue
      const what = `message ${seq} of ${room} does not stand in the store as its log says`
      violations.push({ invariant: 'I18', at: history.endedAt, what, about: [room] })
    }
  }
  for (const { logs } of history.lines)
    for (const [room, log] of logs)
      for (const { seq } of miscounted(log.map(({ entry }) => entry))) {
        const what = `the entry ${seq} of ${room} does not say how many react so`
        violations.push({ invariant: 'I18', at: history.endedAt, what, about: [room] })
      }
  if (history.lines.length > 1) return violations
  for (const [session, { room, to, events }] of allStreams(history)) {
    const isWhole = to >= history.endedAt && events.every(({ type }) => type === 'entries')
    if (!isWhole || session.phases.get(room) !== 'live') continue
    const entries = events.flatMap((event) => (event.type === 'entries' ? event.entries : []))
    if (entries.at(-1)?.seq !== lastLine(history).logs.get(room)?.length) continue
    for (const [seq, body] of foldedBodies(entries)) {
      if (said.get(room)?.get(seq) === body) continue
      const what = `${session.id} sees message ${seq} of ${room} otherwise than its log says`
      violations.push({ invariant: 'I18', at: history.endedAt, what, about: [room, session.id] })
    }
  }
  return violations
}

/** Entries of reactions whose count is not that of the users whose reaction stands. */
function miscounted(log: readonly Entry[]): Entry[] {
  const users = new Map<string, Set<string>>()
  return log.filter((entry) => {
    const { emoji, count } = entry.payload
    if (entry.type !== 'reaction_added' && entry.type !== 'reaction_removed') return false
    const key = `${changedBy(entry)} ${String(emoji)}`
    const known = users.get(key) ?? new Set()
    users.set(key, known)
    if (entry.type === 'reaction_added') known.add(entry.sender)
    else known.delete(entry.sender)
    return count !== known.size
  })
}

function foldedBodies(entries: readonly Entry[]): ReadonlyMap<number, string> {
  const messages = new Map<number, FoldedMessage>()
  for (const entry of entries) {
    const target = changedBy(entry)
    const changed = target === undefined ? undefined : messages.get(target)
    if (changed) messages.set(changed.seq, foldMessage(changed, entry, undefined))
    const message = foldedMessage(entry)
    if (message) messages.set(message.seq, message)
  }
  return new Map([...messages].map(([seq, { body }]) => [seq, textOfBody(body)]))
}

/** With its fields in one order. */
function textOfBody(body: MessageBody | undefined): string {
  return JSON.stringify(Object.entries(body ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function oneEffect({ lines }: History): Violation[] {
  const violations: Violation[] = []
  for (const { logs } of lines) {
    const seen = new Set<string>()
    for (const [room, log] of logs) {
      for (const { at, entry } of log) {
        const key = keyOf(entry.sender, entry.messageId)
        if (seen.has(key))
          violations.push({
            invariant: 'I2',
            at,
            what: `${key} is twice in the logs`,
            about: [room, entry.messageId],
          })
        seen.add(key)
      }
    }
  }
  return violations
}

function oneOrder(history: History): Violation[] {
  const violations: Violation[] = []
  for (const { logs } of history.lines) {
    for (const [room, log] of logs) {
      log.forEach(({ at, entry }, i) => {
        if (entry.seq !== i + 1)
          violations.push({
            invariant: 'I3',
            at,
            what: `${room} has ${entry.seq} at place ${i + 1}`,
            about: [room],
          })
      })
    }
  }
  for (const [room, log] of lastLine(history).logs) {
    const stored = history.stored.get(room) ?? []
    const isSame = stored.length === log.length && log.every(({ entry }, i) => isSameEntry(entry, stored[i]))
    if (!isSame)
      violations.push({
        invariant: 'I3',
        at: history.endedAt,
        what: `the log of ${room} has changed`,
        about: [room],
      })
  }
  return violations
}

interface Identity {
  readonly seq: number
  readonly sender: string
  readonly messageId: string
}

function isSameEntry(a: Identity, b: Identity | undefined): boolean {
  return b !== undefined && a.seq === b.seq && a.sender === b.sender && a.messageId === b.messageId
}

function* allStreams({ sessions }: History): Generator<readonly [Session, Stream]> {
  for (const session of sessions) for (const stream of session.streams) yield [session, stream]
}

/** A gap that was told moves the place; nothing else does. */
function appliedOnceInOrder(history: History): Violation[] {
  const violations: Violation[] = []
  for (const [session, { room, events }] of allStreams(history)) {
    let last: number | undefined
    for (const event of events) {
      if (event.type === 'gap') {
        if (last !== undefined && event.from !== last + 1) {
          const what = `${session.id} was at ${last} of ${room} and was told a gap from ${event.from}`
          violations.push({ invariant: 'I4', at: event.at, what, about: [room, session.id] })
        }
        last = event.to
        continue
      }
      for (const entry of event.entries) {
        if (last !== undefined && entry.seq !== last + 1) {
          const what = `${session.id} was at ${last} of ${room} and applied ${entry.seq}`
          violations.push({ invariant: 'I4', at: event.at, what, about: [room, session.id] })
        }
        last = entry.seq
      }
    }
  }
  return violations
}

/** A page of a mere read is no proof that the connection is told what comes next. */
function liveIsTrue({ sessions }: History): Violation[] {
  const violations: Violation[] = []
  for (const session of sessions) {
    for (const { at, room, link } of session.lives) {
      const down = session.links.find(({ id }) => id === link)?.down ?? []
      const isTrue = down.some(
        ({ message, at: heardAt }) =>
          heardAt <= at && message.type === 'page' && message.payload.room === room && message.payload.live,
      )
      if (isTrue) continue
      const what = `${session.id} was told that ${room} is live, which the server had not said`
      violations.push({ invariant: 'I4', at, what, about: [room, session.id] })
    }
  }
  return violations
}

function senderOrder({ lines, sessions }: History): Violation[] {
  const violations: Violation[] = []
  for (const session of sessions) {
    const order = new Map(session.sends.map(({ messageId }, i) => [messageId, i]))
    if (order.size === 0) continue
    for (const { logs } of lines) {
      for (const [room, log] of logs) {
        let last = -1
        for (const { at, entry } of log) {
          const place = entry.sender === session.user ? order.get(entry.messageId) : undefined
          if (place === undefined) continue
          if (place < last) {
            const what = `${session.id} sent ${entry.messageId} before what stands before it in ${room}`
            violations.push({ invariant: 'I5', at, what, about: [room, entry.messageId, session.id] })
          }
          last = Math.max(last, place)
        }
      }
    }
  }
  return violations
}

/**
 * What a session sends comes after what was queued in the same outbox before that session began: it has read it. (What
 * tabs send at the same time has no order before the store gives it one.)
 */
function outboxOrder({ lines, sessions, evicted }: History): Violation[] {
  const violations: Violation[] = []
  const shared = sessions.filter(
    ({ outbox, storageLostAt }) => !evicted.has(outbox) && storageLostAt === Number.POSITIVE_INFINITY,
  )
  const senders = new Map<string, { readonly session: Session; readonly sent: Sent }>()
  for (const session of shared)
    for (const sent of session.sends) senders.set(sent.messageId, { session, sent })
  for (const { logs } of lines) {
    for (const [room, log] of logs) {
      /** By outbox: when the latest session whose messages were seen began. */
      const latest = new Map<string, number>()
      for (const { at, entry } of log) {
        const { session, sent } = senders.get(entry.messageId) ?? {}
        if (!session || !sent || entry.sender !== session.user) continue
        const began = latest.get(session.outbox) ?? 0
        if (sent.queuedAt < began) {
          const what = `${entry.messageId} was queued before the session began that sent what stands before it in ${room}`
          violations.push({ invariant: 'I5', at, what, about: [room, entry.messageId, session.id] })
        }
        latest.set(session.outbox, Math.max(began, session.startedAt))
      }
    }
  }
  return violations
}

/** That a message failed is in the store before it is told: whoever opens it later finds it so, with its reason. */
function failuresAreKept(history: History): Violation[] {
  const violations: Violation[] = []
  const failed = new Map<string, { readonly at: number; readonly code: Code | undefined }>()
  const told = allTold(history)
  for (const { session, sent, outcomes } of told) {
    const [outcome] = outcomes
    const isKept = sent.queuedAt < session.storageLostAt && !history.evicted.has(session.outbox)
    if (outcome?.status !== 'failed' || !isKept || outcome.at >= session.storageLostAt) continue
    const known = failed.get(sent.messageId)
    if (!known || outcome.at < known.at) failed.set(sent.messageId, outcome)
  }
  for (const { session, sent, outcomes } of told) {
    const before = failed.get(sent.messageId)
    const [outcome] = outcomes
    if (!before || !outcome || session.startedAt <= before.at || outcome.code === before.code) continue
    const what = `${sent.messageId} had failed with ${before.code}, and ${session.id} was told ${outcome.code ?? outcome.status}`
    violations.push(violation('I6', outcome.at, what, sent))
  }
  return violations
}

/**
 * A session tells an outcome once, and all of them tell the same. What the store had forgotten when the outcome was told
 * does not count.
 */
function outcomesAreStable(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  const first = new Map<string, Outcome['status']>()
  const wasSetBack = history.lines.length > 1
  for (const { session, sent, outcomes } of allTold(history)) {
    const { messageId } = sent
    if (outcomes.length > 1)
      violations.push(violation('I6', outcomes[1]!.at, `${messageId} has ${outcomes.length} outcomes`, sent))
    for (const { at, status, code } of outcomes) {
      const other = first.get(messageId) ?? status
      first.set(messageId, other)
      if (other !== status && !wasSetBack)
        violations.push(violation('I6', at, `${messageId} is ${other} to one and ${status} to another`, sent))
      if (status === 'acknowledged') continue
      const stands = (places.get(keyOf(session.user, messageId)) ?? []).some(
        ({ line }) => endOf(history, line) > at,
      )
      if (stands)
        violations.push(violation('I6', at, `${messageId} failed with ${code} and is in the log`, sent))
    }
  }
  return violations
}

/** Who is still there at the end, and was not told to stay away. */
function stays({ endedBy, statuses }: Session): boolean {
  const last = statuses[statuses.length - 1]
  return endedBy === 'end' && !(last?.status === 'stopped' && last.reason === 'REPLACED')
}

function comesRight(history: History, invariant: 'I7' | 'I15'): Violation[] {
  const violations = whatWasLeftBehind(history, invariant)
  const at = history.endedAt
  const { logs } = lastLine(history)
  for (const session of history.sessions.filter(stays)) {
    const report = (what: string, about: readonly string[]) =>
      violations.push({ invariant, at, what: `${session.id} ${what}`, about: [session.id, ...about] })
    if (session.status !== 'connected') report(`is ${session.status}`, [])
    for (const { messageId, outcomes, room } of [...session.sends, ...session.restored])
      if (outcomes.length === 0) report(`has no outcome for ${messageId}`, [messageId, room])
    if (session.queued > 0) report(`still has ${session.queued} rows in its outbox`, [])
    for (const [room, phase] of session.phases) {
      if (phase === 'syncing') report(`is still syncing ${room}`, [room])
      if (phase !== 'live') continue
      const head = logs.get(room)?.length ?? 0
      const seen = placeIn(session, room)
      if (seen !== undefined && seen !== head)
        report(`is at ${seen} of ${room}, whose head is ${head}`, [room])
      const liveSince = session.liveSince.get(room) ?? at
      if (seen === undefined && logs.get(room)?.some((logged) => logged.at > liveSince))
        report(`follows ${room} and heard nothing, whose head is ${head}`, [room])
    }
  }
  return violations
}

/** What was queued durably is decided, though who said it is gone: where somebody who shares the outbox is there. */
function whatWasLeftBehind(history: History, invariant: 'I7' | 'I15'): Violation[] {
  const violations: Violation[] = []
  const decided = new Set(placesIn(history).keys())
  for (const { session, sent, outcomes } of allTold(history))
    if (outcomes.length > 0) decided.add(keyOf(session.user, sent.messageId))
  for (const session of history.sessions) {
    const heirs = history.sessions.filter(
      (other) =>
        other.outbox === session.outbox && stays(other) && other.storageLostAt === Number.POSITIVE_INFINITY,
    )
    if (stays(session) || heirs.length === 0 || history.evicted.has(session.outbox)) continue
    for (const sent of session.sends) {
      if (sent.queuedAt >= session.storageLostAt || sent.queuedAt === Number.POSITIVE_INFINITY) continue
      if (decided.has(keyOf(session.user, sent.messageId))) continue
      const what = `${sent.messageId}, which ${session.id} had queued before it was gone, has no outcome`
      violations.push(violation(invariant, history.endedAt, what, sent))
    }
  }
  return violations
}

/** How far the session came in what it follows of the room now; undefined: it was told nothing yet. */
function placeIn({ streams }: Session, room: string): number | undefined {
  const stream = streams.find((one) => one.room === room && one.to === Number.POSITIVE_INFINITY)
  const last = stream?.events[stream.events.length - 1]
  if (last === undefined) return undefined
  return last.type === 'gap' ? last.to : last.entries[last.entries.length - 1]?.seq
}

function noSpuriousFailure(history: History): Violation[] {
  const violations: Violation[] = []
  const decisions = new Map<string, Decision[]>()
  for (const decision of history.decisions) {
    if (decision.messageId === undefined) continue
    const key = keyOf(decision.user, decision.messageId)
    const known = decisions.get(key)
    if (known) known.push(decision)
    else decisions.set(key, [decision])
  }
  for (const { session, sent, outcomes } of allTold(history)) {
    for (const outcome of outcomes) {
      if (outcome.status !== 'failed' || outcome.code === undefined) continue
      const decided = (decisions.get(keyOf(session.user, sent.messageId)) ?? []).filter(
        ({ at }) => at <= outcome.at,
      )
      if (REASONS[outcome.code]?.({ history, session, sent, at: outcome.at, decided })) continue
      violations.push(
        violation('I8', outcome.at, `${sent.messageId} failed with ${outcome.code} for no reason`, sent),
      )
    }
  }
  return violations
}

/** Each load of a page has a lane of its own: only where devices of a user are rivals is anybody put out. */
function nobodyIsReplacedByNobody({ sessions, hasRivals }: History): Violation[] {
  if (hasRivals) return []
  return sessions.flatMap((session) =>
    session.statuses
      .filter(({ status, reason }) => status === 'stopped' && reason === 'REPLACED')
      .map(({ at }) => ({
        invariant: 'I8',
        at,
        what: `${session.id} was stopped for another that there is not`,
        about: [session.id],
      })),
  )
}

interface Failed {
  readonly history: History
  readonly session: Session
  readonly sent: Sent
  readonly at: number
  /** What the store decided about the message before. */
  readonly decided: readonly Decision[]
}

/** Codes with which a message may fail, and when that is right. A message that fails with any other is one too many. */
const REASONS: { readonly [C in Code]?: (failed: Failed) => boolean } = {
  CANCELLED: ({ sent, at }) => sent.cancelledAt <= at,
  MESSAGE_TOO_LONG: ({ sent }) => sent.isLong,
  VALIDATION_ERROR: ({ sent }) => sent.kind === 'invalid',
  POISON: ({ sent }) => sent.kind === 'poison',
  OUTBOX_FULL: ({ sent }) => sent.undecided >= SMALLEST_OUTBOX_ROWS,
  EXPIRED: ({ session, sent, at }) => Math.max(session.clockErrorMs, at - sent.at) > SIX_DAYS_MS,
  MESSAGE_DELETED: ({ sent }) => sent.kind === 'change',
  FORBIDDEN: ({ history, sent, decided }) =>
    // The message went with a store that was set back, or is of before one came.
    sent.kind === 'change' ||
    decided.some((decision) => decision.code === 'FORBIDDEN' && !wasMember(history, decision)),
  // Decided before, without the message: its first answer was lost.
  VOID: ({ history, session, sent, at, decided }) =>
    history.evicted.has(session.outbox) ||
    // Accepted, and taken back with the store.
    (history.lines.length > 1 && decided.some(({ outcome }) => outcome === 'acknowledged')) ||
    decided.some(({ code }) => {
      if (code === 'SKIPPED') return sent.cancelledAt <= at || sent.kind === 'poison' || sent.isLong
      return code !== undefined && code !== 'VOID' && CODES[code].final
    }),
}

const SMALLEST_OUTBOX_ROWS = 30
const SIX_DAYS_MS = 6 * 86_400_000

/** Whether the user was a member of the room when this was decided, by the log as it stood then. */
function wasMember({ lines }: History, { at, line, room, user }: Decision): boolean {
  const [, a, b] = room.split('~')
  if (room.startsWith('~')) return b !== undefined && (user === a || user === b)
  let isMember = false
  for (const logged of lines[line]?.logs.get(room) ?? []) {
    if (logged.at > at) break
    const change = membershipIn(logged.entry)
    // What was decided in the same commit may have come after.
    if (change?.user === user && (logged.at < at || isMember)) isMember = change.isMember
  }
  return isMember
}

function membershipIn({
  type,
  sender,
  payload,
}: Entry): { readonly user: string; readonly isMember: boolean } | undefined {
  if (type === 'room_created') return { user: sender, isMember: true }
  if (type !== 'member_joined' && type !== 'member_left') return undefined
  return { user: String(payload['userId']), isMember: type === 'member_joined' }
}

/** From the log alone: a private room is read from one's own entry on, a direct one by its two, an own log by its owner. */
function authorized(history: History): Violation[] {
  const violations: Violation[] = []
  const rights = history.lines.map(
    ({ logs }) => new Map([...logs].map(([room, log]) => [room, rightsIn(room, log)])),
  )
  history.lines.forEach(({ logs }, line) => {
    for (const [room, log] of logs) {
      for (const { at, entry } of log) {
        if (entry.type !== 'new_message' || rights[line]?.get(room)?.mayWrite(entry.sender, entry.seq))
          continue
        const what = `${entry.sender} wrote ${entry.messageId} in ${room} and was no member`
        violations.push({ invariant: 'I9', at, what, about: [room, entry.messageId] })
      }
    }
  })
  for (const [session, { room, seq, at }] of allReads(history)) {
    if (rights.some((of) => of.get(room)?.mayRead(session.user, seq))) continue
    const what = `${session.id} was told ${seq} of ${room}, which is not theirs`
    violations.push({ invariant: 'I9', at, what, about: [room, session.id] })
  }
  return violations
}

interface Reading {
  readonly room: string
  readonly seq: number
  readonly at: number
}

/** Every entry that a session was sent, by whatever message: its application may not look at all of them. */
function* allReads({ sessions }: History): Generator<readonly [Session, Reading]> {
  for (const session of sessions) {
    for (const { down } of session.links) {
      for (const { at, message } of down) {
        if (message.type !== 'entries' && message.type !== 'page' && message.type !== 'history') continue
        const { room, entries } = message.payload
        for (const { seq } of entries) yield [session, { room, seq, at }]
      }
    }
  }
}

interface Rights {
  mayRead(user: string, seq: number): boolean
  mayWrite(user: string, seq: number): boolean
}

function rightsIn(room: string, log: readonly { readonly entry: Entry }[]): Rights {
  if (room.startsWith('~')) {
    const users = room.slice(1).split('~')
    const isTheirs = (user: string) => users.includes(user)
    return { mayRead: isTheirs, mayWrite: (user) => users.length === 2 && isTheirs(user) }
  }
  const isPrivate = log[0]?.entry.payload['visibility'] === 'private'
  /** The spans of each user's membership: from the entry that made them one to the one that put them out. */
  const spans = new Map<string, { readonly from: number; to: number }[]>()
  for (const { entry } of log) {
    const change = membershipIn(entry)
    if (change === undefined) continue
    const own = spans.get(change.user) ?? []
    spans.set(change.user, own)
    const open = own[own.length - 1]
    if (change.isMember) own.push({ from: entry.seq, to: Number.POSITIVE_INFINITY })
    else if (open) open.to = Math.min(open.to, entry.seq)
  }
  const isIn = (user: string, seq: number) =>
    (spans.get(user) ?? []).some(({ from, to }) => seq >= from && seq <= to)
  /** A public room is read from its beginning, up to where one was put out. */
  const wasNotOut = (user: string, seq: number) => (spans.get(user) ?? []).some(({ to }) => seq <= to)
  return { mayRead: isPrivate ? isIn : wasNotOut, mayWrite: isIn }
}

function acknowledgedIsDurable(history: History): Violation[] {
  const violations: Violation[] = []
  const places = placesIn(history)
  for (const { session, sent, outcomes } of allTold(history)) {
    for (const { at, status, seq } of outcomes) {
      if (status !== 'acknowledged') continue
      const first = Math.min(
        ...(places.get(keyOf(session.user, sent.messageId)) ?? []).map((place) => place.at),
      )
      if (first > at)
        violations.push(
          violation('I10', at, `${sent.messageId} was acknowledged at ${seq} before its commit`, sent),
        )
    }
  }
  return violations
}

function bounded(history: History): Violation[] {
  return history.nodes.flatMap(({ connections, open, queuedOps }, i) => {
    const violations: Violation[] = []
    const report = (what: string) =>
      violations.push({ invariant: 'I11', at: history.endedAt, what: `node ${i + 1} ${what}`, about: [] })
    if (connections > open) report(`knows ${connections} connections, and ${open} are open`)
    if (queuedOps > 0) report(`holds ${queuedOps} operations back`)
    return violations
  })
}

/** All that was applied without a word between must be of one history. */
function divergenceIsVisible(history: History): Violation[] {
  const violations: Violation[] = []
  for (const [session, { room, events, to }] of allStreams(history)) {
    let fitting = history.lines.map((_, i) => i)
    for (const event of events) {
      if (event.type !== 'entries') continue
      for (const entry of event.entries) {
        const before = fitting
        fitting = fitting.filter((line) =>
          isSameEntry(entry, history.lines[line]?.logs.get(room)?.[entry.seq - 1]?.entry),
        )
        if (fitting.length > 0) continue
        const what =
          before.length === history.lines.length
            ? `${session.id} applied ${entry.seq} ${entry.messageId} of ${room}, which no log has`
            : `${session.id} applied ${entry.seq} ${entry.messageId} of ${room} on another history, without a reset`
        violations.push({ invariant: 'I12', at: event.at, what, about: [room, session.id] })
        fitting = before
      }
    }
    const isCurrent = to === Number.POSITIVE_INFINITY && stays(session) && session.phases.get(room) === 'live'
    if (isCurrent && events.length > 0 && !fitting.includes(history.lines.length - 1)) {
      const what = `${session.id} still holds a history of ${room} that was taken back`
      violations.push({ invariant: 'I12', at: history.endedAt, what, about: [room, session.id] })
    }
  }
  return violations
}

function readPositionsRise({ decisions }: History): Violation[] {
  const violations: Violation[] = []
  const positions = new Map<string, number>()
  for (const { at, line, user, room, outcome, seq } of decisions) {
    if (outcome !== 'read' || seq === undefined) continue
    const key = `${line} ${user} ${room}`
    const before = positions.get(key) ?? 0
    if (seq < before) {
      const what = `the read position of ${user} in ${room} went from ${before} to ${seq}`
      violations.push({ invariant: 'I13', at, what, about: [room, user] })
    }
    positions.set(key, seq)
  }
  return violations
}

function identity(history: History): Violation[] {
  const violations: Violation[] = []
  const senders = new Map<string, string>()
  for (const [session, sent] of allSends(history)) senders.set(sent.messageId, session.user)
  for (const { at, op, user, messageId, room } of history.decisions) {
    const sender = op === 'command' && messageId !== undefined ? senders.get(messageId) : undefined
    if (sender !== undefined && sender !== user)
      violations.push({
        invariant: 'I14',
        at,
        what: `${messageId} of ${sender} was sent as ${user}`,
        about: [room],
      })
  }
  for (const session of history.sessions) {
    for (const link of session.links) {
      for (const { at, message } of link.up) {
        if (at >= link.readyAt || message.type === 'authenticate') continue
        const what = `${session.id} said ${message.type} before it was known`
        violations.push({ invariant: 'I14', at, what, about: [session.id] })
      }
    }
  }
  return violations
}

function oneSocketOneTimer({ sessions }: History): Violation[] {
  const violations: Violation[] = []
  for (const session of sessions) {
    const report = (what: string) =>
      violations.push({
        invariant: 'I16',
        at: session.endedAt,
        what: `${session.id} had ${what}`,
        about: [session.id],
      })
    if (session.mostSockets > 1) report(`${session.mostSockets} sockets at once`)
    if (session.mostTimers > 1) report(`${session.mostTimers} timers at once`)
    if (session.leftAfterClose > 0) report('a socket or a timer after close()')
  }
  return violations
}

// --- how often it is tried -----------------------------------------------------------------------------------------

/** Clocks differ: what the client measures as long enough may be a little less. */
const CLOCK_TOLERANCE = 0.985
/** The first wait of the backoff, and the number of attempts in a minute that its growth allows. */
const MIN_BACKOFF_MS = 250
/** After these a client stays away until it is asked to connect. */
const STOPPING: readonly Code[] = ['REPLACED', 'IDENTITY_MISMATCH', 'UNSUPPORTED_VERSION']
const MAX_DIALS_A_MINUTE = 26
/** A probe waits so long for its answer; an answer is waited for so long where probes are answered. */
const PROBE_MS = 5_000
const ANSWER_LIMIT_MS = 60_000

function retryDiscipline(history: History): Violation[] {
  const cancels = cancelsIn(history)
  return history.sessions.flatMap((session) => [
    ...sendsOnceALink(session, cancels),
    ...waitsAsTold(session),
    ...keepsWindows(session, cancels),
    ...dialsWithCare(session),
    ...probesBeforeHangingUp(session),
    ...asksForOneToken(session),
  ])
}

/**
 * By outbox and room: when something in it was first cancelled. Who cancels lets go of all that is behind it, and says it
 * again; tabs hear of each other's cancels at no certain time.
 */
function cancelsIn({ sessions }: History): ReadonlyMap<string, number> {
  const cancels = new Map<string, number>()
  for (const { outbox, sends } of sessions) {
    for (const { room, cancelledAt } of sends) {
      const key = `${outbox} ${room}`
      if (cancelledAt < (cancels.get(key) ?? Number.POSITIVE_INFINITY)) cancels.set(key, cancelledAt)
    }
  }
  return cancels
}

function isCancelling(
  cancels: ReadonlyMap<string, number>,
  { outbox }: Session,
  room: string,
  at: number,
): boolean {
  return (cancels.get(`${outbox} ${room}`) ?? Number.POSITIVE_INFINITY) <= at
}

interface Command {
  readonly ref: number
  readonly messageId: string
  /** What is the same when it is said again. */
  readonly identity: string
  readonly isSkip: boolean
}

function commandsIn(message: Link['up'][number]['message']): Command[] {
  if (message.type !== 'commands') return []
  const { ref, sid, n, commands } = message.payload
  return commands.map((command, i) => {
    const { messageId, type } = command as { readonly messageId: string; readonly type: string }
    return {
      ref: ref + i,
      messageId,
      identity: `${sid} ${n + i} ${type} ${messageId}`,
      isSkip: type === 'skip',
    }
  })
}

/** The refs that a message answers, with the code of a refusal. */
function answersIn(
  message: Link['down'][number]['message'],
): { readonly ref: number; readonly code?: Code; readonly waitMs?: number | undefined }[] {
  if (message.type === 'error' && message.payload.ref !== undefined) {
    const { ref, code, retryAfterMs, count = 1 } = message.payload
    const known: Code = isCode(code) ? code : 'UNAVAILABLE'
    return Array.from({ length: Math.min(count, MAX_BATCH) }, (_, i) => ({
      ref: ref + i,
      code: known,
      waitMs: retryAfterMs,
    }))
  }
  if (message.type !== 'ack') return []
  return message.payload.acks.flatMap(({ ref, count = 1 }) =>
    Array.from({ length: Math.min(count, MAX_BATCH) }, (_, i) => ({ ref: ref + i })),
  )
}

type Talk =
  | { readonly at: number; readonly said: Link['up'][number]['message'] }
  | { readonly at: number; readonly heard: Link['down'][number]['message'] }

/** Everything of a link, in its order. */
function* talkOf({ up, down }: Link): Generator<Talk> {
  let i = 0
  for (const { at, order, message } of down) {
    for (let next = up[i]; next && next.order < order; next = up[++i])
      yield { at: next.at, said: next.message }
    yield { at, heard: message }
  }
  for (let next = up[i]; next; next = up[++i]) yield { at: next.at, said: next.message }
}

/** A message is said once on a link in the same place, unless it was refused on it, or a predecessor of its was. */
function sendsOnceALink(session: Session, cancels: ReadonlyMap<string, number>): Violation[] {
  const violations: Violation[] = []
  for (const link of session.links) {
    /** What was said, with its room. */
    const said = new Map<string, string>()
    const roomOf = new Map<number, string>()
    for (const talk of talkOf(link)) {
      if ('heard' in talk) {
        for (const { ref, code } of answersIn(talk.heard)) {
          const room = roomOf.get(ref)
          if (code === undefined || room === undefined) continue
          for (const [place, of] of said) if (of === room) said.delete(place)
        }
        continue
      }
      if (talk.said.type !== 'commands') continue
      const { room } = talk.said.payload
      for (const { ref, messageId, identity: place } of commandsIn(talk.said)) {
        roomOf.set(ref, room)
        if (said.has(place) && !isCancelling(cancels, session, room, talk.at)) {
          const what = `${session.id} said ${messageId} twice on one link`
          violations.push({ invariant: 'I17', at: talk.at, what, about: [session.id, messageId] })
        }
        said.set(place, room)
      }
    }
  }
  return violations
}

/** After a refusal that will pass, the message is not said again before the time that the server asked for. */
function waitsAsTold(session: Session): Violation[] {
  const violations: Violation[] = []
  const notBefore = new Map<string, number>()
  const rate = CLOCK_TOLERANCE
  for (const link of session.links) {
    const open = new Map<number, { readonly messageId: string; readonly room: string }>()
    for (const talk of talkOf(link)) {
      if ('heard' in talk) {
        if (talk.at >= link.overAt) continue
        for (const { ref, code, waitMs } of answersIn(talk.heard)) {
          const refused = open.get(ref)
          open.delete(ref)
          if (refused === undefined || code === undefined || !CODES[code].retryable) continue
          // What was on the way behind it is forgotten, and so is what becomes of it.
          for (const [other, { room }] of open) if (room === refused.room && other > ref) open.delete(other)
          if (waitMs !== undefined) notBefore.set(refused.messageId, talk.at + waitMs * rate)
        }
        continue
      }
      if (talk.said.type !== 'commands') continue
      const { room } = talk.said.payload
      for (const { ref, messageId, isSkip } of commandsIn(talk.said)) {
        open.set(ref, { messageId, room })
        const earliest = notBefore.get(messageId) ?? 0
        // What another tab has decided meanwhile is asked for at once.
        if (talk.at >= earliest || isSkip) continue
        const what = `${session.id} said ${messageId} again ${Math.round(earliest - talk.at)} ms too early`
        violations.push({ invariant: 'I17', at: talk.at, what, about: [session.id, messageId] })
      }
    }
  }
  return violations
}

function keepsWindows(session: Session, cancels: ReadonlyMap<string, number>): Violation[] {
  const violations: Violation[] = []
  /** What another tab tells to be decided is awaited no longer. */
  const decidedAt = new Map<string, number>()
  for (const { messageId, outcomes } of [...session.sends, ...session.restored])
    if (outcomes[0]) decidedAt.set(messageId, outcomes[0].at)
  for (const link of session.links) {
    let perRoom = Number.POSITIVE_INFINITY
    let perConnection = Number.POSITIVE_INFINITY
    /** By message: what is said again, in another lane, takes the place of what was said before. */
    const open = new Map<string, string>()
    const said = new Map<number, { readonly messageId: string; readonly room: string }>()
    for (const talk of talkOf(link)) {
      if ('heard' in talk) {
        if (talk.heard.type === 'connected') {
          perRoom = talk.heard.payload.limits.windowPerRoom
          perConnection = talk.heard.payload.limits.windowPerConnection
        }
        for (const { ref, code } of answersIn(talk.heard)) {
          const answered = said.get(ref)
          if (answered === undefined) continue
          open.delete(answered.messageId)
          // A refusal lets go of everything of its room that is on the way.
          if (code !== undefined) for (const [other, of] of open) if (of === answered.room) open.delete(other)
        }
        continue
      }
      if (talk.said.type !== 'commands') continue
      const { room } = talk.said.payload
      if (isCancelling(cancels, session, room, talk.at)) continue
      for (const { ref, messageId } of commandsIn(talk.said)) {
        said.set(ref, { messageId, room })
        open.set(messageId, room)
      }
      let inRoom = 0
      for (const [messageId, of] of open) {
        if ((decidedAt.get(messageId) ?? Number.POSITIVE_INFINITY) <= talk.at) open.delete(messageId)
        else if (of === room) inRoom++
      }
      // What another tab took out of the store is on the way still, and asked after beside it.
      const shares = session.restored.length > 0 ? 2 : 1
      if (inRoom <= perRoom * shares && open.size <= perConnection * shares) continue
      const what = `${session.id} has ${open.size} commands on the way, ${inRoom} of them in ${room}`
      violations.push({ invariant: 'I17', at: talk.at, what, about: [session.id, room] })
    }
  }
  return violations
}

function dialsWithCare(session: Session): Violation[] {
  const violations: Violation[] = []
  const report = (at: number, what: string) =>
    violations.push({ invariant: 'I17', at, what: `${session.id} ${what}`, about: [session.id] })
  // An attempt begins with the question for a token; the transport is dialled when it is there.
  const links = session.links.map((link) => ({
    ...link,
    dialledAt: session.tokens.find((token) => token.link === link.id)?.at ?? link.dialledAt,
  }))
  let notBefore = 0
  links.forEach((link, i) => {
    const before = links[i - 1]
    const wasAsked = session.connects.some((at) => at > (before?.dialledAt ?? -1) && at <= link.dialledAt)
    if (before && !wasAsked) {
      if (link.dialledAt - before.dialledAt < MIN_BACKOFF_MS * CLOCK_TOLERANCE)
        report(link.dialledAt, `dialled again after ${Math.round(link.dialledAt - before.dialledAt)} ms`)
      if (link.dialledAt < notBefore)
        report(
          link.dialledAt,
          `dialled ${Math.round(notBefore - link.dialledAt)} ms before the server wanted it to`,
        )
      if (before.overBy === 'peer' && before.code && STOPPING.includes(before.code))
        report(link.dialledAt, `dialled again after ${before.code}, and nobody had asked`)
    }
    if (wasAsked) notBefore = 0
    if (link.overBy === 'peer' && link.retryAfterMs !== undefined)
      notBefore = Math.max(notBefore, link.overAt + link.retryAfterMs * CLOCK_TOLERANCE)
    const sinceNudges = [...session.nudges, ...session.connects].filter(
      (at) => at > link.dialledAt - 60_000 && at <= link.dialledAt,
    )
    const inAMinute = links.filter(
      ({ dialledAt }) => dialledAt > link.dialledAt - 60_000 && dialledAt <= link.dialledAt,
    )
    const wereGood = inAMinute.filter((one) => one.overAt - one.readyAt > 10_000 * CLOCK_TOLERANCE)
    if (inAMinute.length - wereGood.length * 8 > MAX_DIALS_A_MINUTE + sinceNudges.length)
      report(link.dialledAt, `dialled ${inAMinute.length} times in a minute`)
  })
  return violations
}

/**
 * Silence is no verdict: who hangs up with TIMEOUT has asked since the last word came, and waited, or has waited for one
 * answer for a minute.
 */
function probesBeforeHangingUp(session: Session): Violation[] {
  const violations: Violation[] = []
  for (const link of session.links) {
    const { overAt, readyAt, down, up } = link
    if (link.overBy !== 'client' || link.code !== 'TIMEOUT' || readyAt > overAt) continue
    const heard = down.filter(({ at }) => at < overAt)
    const heardAt = heard[heard.length - 1]?.at ?? readyAt
    const answered = new Set(heard.flatMap(({ message }) => answersTo(message)))
    const isLongAgo = (at: number, ms: number) => at <= overAt - ms * CLOCK_TOLERANCE
    const probed = up.some(
      ({ at, message }) => message.type === 'ping' && at >= heardAt && isLongAgo(at, PROBE_MS),
    )
    const waited = up.some(
      ({ at, message }) =>
        isLongAgo(at, ANSWER_LIMIT_MS) && refsOf(message).some((ref) => !answered.has(ref)),
    )
    if (probed || waited) continue
    const what = `${session.id} gave a link up without a question`
    violations.push({ invariant: 'I17', at: overAt, what, about: [session.id] })
  }
  return violations
}

/** The refs under which a message is answered. */
function refsOf(message: Link['up'][number]['message']): number[] {
  if (message.type === 'commands') return commandsIn(message).map(({ ref }) => ref)
  const { payload } = message
  return message.type !== 'pong' && 'ref' in payload && payload.ref !== undefined ? [payload.ref] : []
}

function answersTo(message: Link['down'][number]['message']): number[] {
  if (message.type === 'ack' || message.type === 'error') return answersIn(message).map(({ ref }) => ref)
  const { payload } = message
  return message.type !== 'ping' && 'ref' in payload && payload.ref !== undefined ? [payload.ref] : []
}

function asksForOneToken(session: Session): Violation[] {
  const violations: Violation[] = []
  session.tokens.forEach(({ at, link }, i) => {
    const open = session.tokens.slice(0, i).some((other) => other.link === link && other.answeredAt > at)
    if (!open) return
    const what = `${session.id} asked for a token while it waited for one`
    violations.push({ invariant: 'I17', at, what, about: [session.id] })
  })
  return violations
}

function violation(invariant: Invariant, at: number, what: string, { messageId, room }: Sent): Violation {
  return { invariant, at, what, about: [messageId, room] }
}
