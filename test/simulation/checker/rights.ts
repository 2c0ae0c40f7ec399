// I9: who reads and writes may do so, by the log alone.

import { type Entry, SYSTEM_USER_ID } from '@tautline/protocol/wire'
import type { History, Session } from '../history.ts'
import { CENSORED_WORD, FORBIDDEN_WORD } from '../reviewer.ts'
import { membershipIn } from './logs.ts'
import { foldMembership, objectionTo } from './membership.ts'
import type { Violation } from './violation.ts'

/** From the log alone: a private room is read from one's own entry on, a direct one by its two, an own log by its owner. */
export function authorized(history: History): Violation[] {
  const violations: Violation[] = []
  const rights = history.lines.map(
    ({ logs }) => new Map([...logs].map(([room, log]) => [room, rightsIn(room, log)])),
  )
  history.lines.forEach(({ logs }, line) => {
    for (const [room, log] of logs) {
      for (const { at, entry } of log) {
        if (entry.type !== 'new_message' || entry.sender === SYSTEM_USER_ID) continue
        if (rights[line]?.get(room)?.mayWrite(entry.sender, entry.seq)) continue
        const what = `${entry.sender} wrote ${entry.messageId} in ${room} and was no member`
        violations.push({ invariant: 'I9', at, what, about: [room, entry.messageId] })
      }
      if (room.startsWith('~')) continue
      const told = log.map(({ entry }) => entry)
      foldMembership(told, (entry, before) => {
        const objection = objectionTo(entry, before)
        if (objection === undefined) return
        const what = `${entry.sender} did ${entry.type} (${entry.seq}) in ${room} and ${objection}`
        violations.push({ invariant: 'I9', at: log[entry.seq - 1]?.at ?? 0, what, about: [room] })
      })
    }
  })
  for (const [session, { room, seq, at }] of allReads(history)) {
    if (rights.some((of) => of.get(room)?.mayRead(session.user, seq))) continue
    const what = `${session.id} was told ${seq} of ${room}, which is not theirs`
    violations.push({ invariant: 'I9', at, what, about: [room, session.id] })
  }
  return violations
}

/** What is said passes the application's hooks, each message once it agreed, and as it changed it. */
export function reviewed({ hasHooks, reviewed: agreed, lines, spoken }: History): Violation[] {
  if (!hasHooks) return []
  const violations: Violation[] = []
  const unasked = new Set(spoken.map(({ messageId }) => messageId))
  for (const { logs } of lines)
    for (const [room, log] of logs)
      for (const { at, entry } of log) {
        const { type, sender, messageId, payload } = entry
        if (type !== 'new_message' && type !== 'message_edited') continue
        if (sender === SYSTEM_USER_ID || unasked.has(messageId)) continue
        const content = String(payload['content'])
        const isSeen = agreed.has(messageId) || isEditOf(entry, unasked)
        const isAsWanted = !content.startsWith(FORBIDDEN_WORD) && !content.startsWith(CENSORED_WORD)
        if (isSeen && isAsWanted) continue
        const what = `${messageId} is in ${room} and the application's hook ${isSeen ? 'wanted it otherwise' : 'had not agreed'}`
        violations.push({ invariant: 'I9', at, what, about: [room, messageId] })
      }
  return violations
}

/** The application edits in the name of who said it. */
function isEditOf({ type, payload }: Entry, messageIds: ReadonlySet<string>): boolean {
  const target = payload['target'] as { readonly messageId: string } | undefined
  return type === 'message_edited' && target !== undefined && messageIds.has(target.messageId)
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
  const wasPublic = log[0]?.entry.payload['visibility'] !== 'private'
  const opening = log.find(
    ({ entry }) => entry.type === 'room_updated' && entry.payload['visibility'] === 'public',
  )
  /** What was said in private stays with those who were there. */
  const openFrom = wasPublic ? 1 : (opening?.entry.seq ?? Number.POSITIVE_INFINITY)
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
  const mayRead = (user: string, seq: number) => isIn(user, seq) || (seq >= openFrom && wasNotOut(user, seq))
  return { mayRead, mayWrite: isIn }
}
