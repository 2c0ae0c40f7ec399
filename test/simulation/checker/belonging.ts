// I19: who belongs to a room, and as what, is what its log says: in the store, and in the lists that clients are given.

import type { History } from '../history.ts'
import { lastLine } from './logs.ts'
import { foldMembership, type Membership } from './membership.ts'
import type { Violation } from './violation.ts'

export function belongsAsTheLogSays(history: History): Violation[] {
  const violations: Violation[] = []
  const report = (what: string, room: string) =>
    violations.push({ invariant: 'I19', at: history.endedAt, what, about: [room] })
  const said = new Map<string, Membership>()
  /** Since when it has been so. */
  const since = new Map<string, number>()
  for (const [room, log] of lastLine(history).logs) {
    if (room.startsWith('~') || log.length === 0) continue
    said.set(room, foldMembership(log.map(({ entry }) => entry)))
    const changes = log.filter(({ entry }) => entry.type !== 'new_message')
    since.set(room, changes.at(-1)?.at ?? 0)
  }
  for (const [room, { roles, invited, banned }] of said) {
    const stored = history.belonging.get(room)
    if (!stored) report(`nobody knows in the store who belongs to ${room}`, room)
    else if (textOf(stored.roles) !== textOf(roles))
      report(`the members of ${room} are others in the store`, room)
    else if (textOf(stored.invited) !== textOf(invited))
      report(`who is invited to ${room} is another in the store`, room)
    else if (textOf(stored.banned) !== textOf(banned))
      report(`who is banned from ${room} is another in the store`, room)
  }
  for (const { session, room, at, members } of history.lists) {
    const is = said.get(room)
    if (!is || (since.get(room) ?? 0) >= at || textOf(members) === textOf(is.roles)) continue
    report(`${session} was told other members of ${room} than its log has`, room)
  }
  for (const { session, user, at, rooms } of history.ownRooms) {
    for (const [room, { roles }] of said) {
      const told = rooms.get(room)
      if ((since.get(room) ?? 0) >= at || told === roles.get(user)) continue
      report(
        `${session} was told to be ${told ?? 'no member'} of ${room}, and is ${roles.get(user) ?? 'none'}`,
        room,
      )
    }
  }
  return violations
}

function textOf(of: Iterable<unknown>): string {
  return [...of]
    .map((one) => JSON.stringify(one))
    .toSorted()
    .join(' ')
}
