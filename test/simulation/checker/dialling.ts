// I17, of connections: waits, probes and tokens.

import type { Code } from '@tautline/protocol/wire'
import type { History, Link, Session } from '../history.ts'
import { answersIn, CLOCK_TOLERANCE, commandsIn } from './talk.ts'
import type { Violation } from './violation.ts'

/** The first wait of the backoff, and the number of attempts in a minute that its growth allows. */
const MIN_BACKOFF_MS = 250

/** After these a client stays away until it is asked to connect. */
const STOPPING: readonly Code[] = ['REPLACED', 'IDENTITY_MISMATCH', 'UNSUPPORTED_VERSION']

const MAX_DIALS_A_MINUTE = 26

/** A probe waits so long for its answer; an answer is waited for so long where probes are answered. */
const PROBE_MS = 5_000

const ANSWER_LIMIT_MS = 60_000

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

export function dialDiscipline({ sessions }: History): Violation[] {
  return sessions.flatMap((session) => [
    ...dialsWithCare(session),
    ...probesBeforeHangingUp(session),
    ...asksForOneToken(session),
  ])
}
