// I17, of commands: nothing is said again sooner or more often than it may.

import { CODES } from '@tautline/protocol/wire'
import type { History, Session } from '../history.ts'
import { answersIn, CLOCK_TOLERANCE, commandsIn, talkOf } from './talk.ts'
import type { Violation } from './violation.ts'

/** A message is said once on a link in the same place, unless it was refused on it, or a predecessor of its was. */
function sendsOnceALink(session: Session): Violation[] {
  const violations: Violation[] = []
  /** By message: in which lane it was said last. */
  const lanes = new Map<string, string>()
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
      for (const { ref, messageId, identity: place, lane } of commandsIn(talk.said)) {
        roomOf.set(ref, room)
        // Another tab gave it a new lane, and it goes first: what stood behind it comes back.
        if ((lanes.get(messageId) ?? lane) !== lane)
          for (const [other, of] of said) if (of === room) said.delete(other)
        lanes.set(messageId, lane)
        if (said.has(place)) {
          const what = `${session.id} said ${messageId} twice on one link`
          violations.push({ invariant: 'I17', at: talk.at, what, about: [session.id, messageId] })
        }
        said.set(place, room)
      }
    }
  }
  return violations
}

/** By message: when the session knew what became of it. What another tab tells to be decided is awaited no longer. */
function decisionsIn({ sends, restored }: Session): ReadonlyMap<string, number> {
  const decidedAt = new Map<string, number>()
  for (const { messageId, outcomes } of [...sends, ...restored])
    if (outcomes[0]) decidedAt.set(messageId, outcomes[0].at)
  return decidedAt
}

/** After a refusal that will pass, the message is not said again before the time that the server asked for. */
function waitsAsTold(session: Session): Violation[] {
  const violations: Violation[] = []
  const notBefore = new Map<string, number>()
  const decidedAt = decisionsIn(session)
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
          // Nobody waits for it any more, and so nothing goes back with it.
          if ((decidedAt.get(refused.messageId) ?? Number.POSITIVE_INFINITY) <= talk.at) continue
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

function keepsWindows(session: Session): Violation[] {
  const violations: Violation[] = []
  const decidedAt = decisionsIn(session)
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
      for (const { ref, messageId } of commandsIn(talk.said)) {
        said.set(ref, { messageId, room })
        open.set(messageId, room)
      }
      let inRoom = 0
      for (const [messageId, of] of open) {
        if ((decidedAt.get(messageId) ?? Number.POSITIVE_INFINITY) <= talk.at) open.delete(messageId)
        else if (of === room) inRoom++
      }
      if (inRoom <= perRoom && open.size <= perConnection) continue
      const what = `${session.id} has ${open.size} commands on the way, ${inRoom} of them in ${room}`
      violations.push({ invariant: 'I17', at: talk.at, what, about: [session.id, room] })
    }
  }
  return violations
}

export function commandDiscipline(history: History): Violation[] {
  return history.sessions.flatMap((session) => [
    ...sendsOnceALink(session),
    ...waitsAsTold(session),
    ...keepsWindows(session),
  ])
}
