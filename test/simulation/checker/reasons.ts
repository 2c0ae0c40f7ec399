// I8: nothing fails without a reason.

import { CODES, type Code, SYSTEM_USER_ID } from '@tautline/protocol/wire'
import type { Decision, History, Sent, Session } from '../history.ts'
import { keyOf, membershipIn } from './logs.ts'
import { allTold } from './told.ts'
import { type Violation, violation } from './violation.ts'

export function noSpuriousFailure(history: History): Violation[] {
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
export function nobodyIsReplacedByNobody({ sessions, hasRivals }: History): Violation[] {
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
  CANCELLED: wasGivenUp,
  MESSAGE_TOO_LONG: ({ sent }) => sent.isLong,
  VALIDATION_ERROR: ({ sent }) => sent.kind === 'invalid',
  POISON: ({ sent }) => sent.kind === 'poison',
  OUTBOX_FULL: ({ sent }) => sent.undecided >= SMALLEST_OUTBOX_ROWS,
  EXPIRED: ({ session, sent, at }) => Math.max(session.clockErrorMs, at - sent.at) > SIX_DAYS_MS,
  MESSAGE_DELETED: ({ sent }) => sent.kind === 'change',
  FORBIDDEN: ({ history, sent, decided }) =>
    // The message went with a store that was set back, or is of before one came.
    sent.kind === 'change' ||
    (sent.kind === 'forbidden' && history.hasHooks) ||
    wasRefused(history, 'FORBIDDEN', decided),
  MUTED: ({ history, decided }) => wasRefused(history, 'MUTED', decided),
  // Decided before, without the message: its first answer was lost.
  VOID: (failed) => {
    const { history, session, sent, decided } = failed
    if (history.evicted.has(session.outbox)) return true
    // Accepted, and taken back with the store.
    if (history.lines.length > 1 && decided.some(({ outcome }) => outcome === 'acknowledged')) return true
    return decided.some(({ code }) => {
      if (code === 'SKIPPED') return wasGivenUp(failed) || sent.kind === 'poison' || sent.isLong
      return code !== undefined && code !== 'VOID' && CODES[code].final
    })
  },
}

/** By its sender, or by a tab that signed out and kept nothing, which gives up what it finds while it does. */
function wasGivenUp({ history, session, sent, at }: Failed): boolean {
  if (sent.cancelledAt <= at) return true
  return history.departures.some(
    ({ outbox, from, until }) => outbox === session.outbox && from <= at && sent.at <= until,
  )
}

const SMALLEST_OUTBOX_ROWS = 30

const SIX_DAYS_MS = 6 * 86_400_000

/** Whether one of these decisions refused for want of a right which was not there by the log. */
export function wasRefused(history: History, code: Code | undefined, decided: readonly Decision[]): boolean {
  return decided.some((decision) => {
    if (decision.code !== code) return false
    return code === 'MUTED'
      ? wasMuted(history, decision)
      : code === 'FORBIDDEN' && !wasMember(history, decision)
  })
}

/** Until when is by the clock of the server that decided: it may be wrong. */
function wasMuted({ lines }: History, { at, line, room, user }: Decision): boolean {
  let isMuted = false
  for (const { at: loggedAt, entry } of lines[line]?.logs.get(room) ?? []) {
    if (loggedAt > at) break
    const isAbout = entry.payload['userId'] === user
    if (isAbout && entry.type === 'member_muted') isMuted = true
    // In the same commit it may have come after.
    if (isAbout && entry.type === 'member_unmuted' && loggedAt < at) isMuted = false
  }
  return isMuted
}

/** Whether the user was a member of the room when this was decided, by the log as it stood then. */
function wasMember({ lines }: History, { at, line, room, user }: Decision): boolean {
  const [, a, b] = room.split('~')
  if (user === SYSTEM_USER_ID)
    return room.startsWith('~') || (lines[line]?.logs.get(room)?.[0]?.at ?? at) < at
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
