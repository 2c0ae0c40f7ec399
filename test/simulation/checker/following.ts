// I4 and I12: what is followed is applied once and in order, and a history that was taken back is told.

import type { History, Link, Session } from '../history.ts'
import { isSameEntry } from './logs.ts'
import { talkOf } from './talk.ts'
import { allStreams, stays } from './told.ts'
import type { Violation } from './violation.ts'

/** A gap that was told moves the place; nothing else does. */
export function appliedOnceInOrder(history: History): Violation[] {
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
export function liveIsTrue({ sessions }: History): Violation[] {
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

/**
 * Who hears from a read that the server does not push the room to them any more follows it again, at once: when all is
 * heard that came in the same frame.
 */
export function readsAreNoProof({ sessions }: History): Violation[] {
  const violations: Violation[] = []
  for (const session of sessions)
    for (const link of session.links) {
      /** By ref: the rooms of which a page was asked for. What is followed anew since then does not rely on it. */
      const reads = new Map<number, string>()
      /** Whoever left, or was put out, has nothing to follow, whatever they asked for in the same breath. */
      const out = new Set<string>()
      const relied: { readonly at: number; readonly room: string }[] = []
      for (const talk of talkOf(link)) {
        for (const { at, room } of relied.splice(0)) {
          if (talk.at > at) violations.push(unfollowed(session, room, at))
          else if ('said' in talk ? !asksFor(talk.said, room) : !takesAway(talk.heard, room))
            relied.push({ at, room })
        }
        if ('said' in talk) {
          if (talk.said.type === 'get_page') reads.set(talk.said.payload.ref, talk.said.payload.room)
          for (const [ref, room] of reads) if (asksFor(talk.said, room)) reads.delete(ref)
          for (const room of out) if (asksFor(talk.said, room)) out.delete(room)
        } else if (talk.heard.type === 'room_left') {
          out.add(talk.heard.payload.room)
        } else if (talk.heard.type === 'page' && talk.at < link.overAt) {
          const { ref, room, live } = talk.heard.payload
          if (reads.delete(ref) && !live && !out.has(room)) relied.push({ at: talk.at, room })
        }
      }
      for (const { at, room } of relied) violations.push(unfollowed(session, room, at))
    }
  return violations
}

function asksFor(said: Link['up'][number]['message'], room: string): boolean {
  if (said.type === 'unsubscribe') return said.payload.rooms.includes(room)
  return said.type === 'subscribe' && said.payload.rooms.some((one) => one.room === room)
}

/** Whoever is out of the room has nothing to follow. */
function takesAway(heard: Link['down'][number]['message'], room: string): boolean {
  return heard.type === 'room_left' && heard.payload.room === room
}

function unfollowed({ id }: Session, room: string, at: number): Violation {
  const what = `${id} heard that ${room} is not pushed to it, and went on`
  return { invariant: 'I4', at, what, about: [room, id] }
}

/** All that was applied without a word between must be of one history. */
export function divergenceIsVisible(history: History): Violation[] {
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
