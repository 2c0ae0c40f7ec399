// I18: what came of a message is what its log says, in the store and at everybody.

import {
  changedBy,
  type Entry,
  type FoldedMessage,
  foldedMessage,
  foldMessage,
  type MessageBody,
} from '@tautline/protocol/wire'
import type { History } from '../history.ts'
import { lastLine } from './logs.ts'
import { allStreams } from './told.ts'
import type { Violation } from './violation.ts'

/** A client folds what it is told, whenever that is: before a deletion has blanked it, or after. */
export function standsAsTheLogSays(history: History): Violation[] {
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
