// What stands in the logs of a run, in all lines of its history.

import type { Entry } from '@tautline/protocol/wire'
import type { History, Line } from '../history.ts'

interface Place {
  readonly line: number
  readonly room: string
  readonly seq: number
  readonly at: number
}

/** Where each (sender, messageId) stands, in all lines. */
export function placesIn({ lines }: History): Map<string, Place[]> {
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

export function keyOf(sender: string, messageId: string): string {
  return `${sender} ${messageId}`
}

/** When the line ceased to be in force. */
export function endOf({ lines }: History, line: number): number {
  return lines[line + 1]?.from ?? Number.POSITIVE_INFINITY
}

export function lastLine({ lines }: History): Line {
  return lines[lines.length - 1]!
}

interface Identity {
  readonly seq: number
  readonly sender: string
  readonly messageId: string
}

export function isSameEntry(a: Identity, b: Identity | undefined): boolean {
  return b !== undefined && a.seq === b.seq && a.sender === b.sender && a.messageId === b.messageId
}

export function membershipIn({
  type,
  sender,
  payload,
}: Entry): { readonly user: string; readonly isMember: boolean } | undefined {
  if (type === 'room_created') return { user: sender, isMember: true }
  if (type !== 'member_joined' && type !== 'member_left') return undefined
  return { user: String(payload['userId']), isMember: type === 'member_joined' }
}

/**
 * By place of the last line: since when the room has been the same up to there. After a store was set back, the same may
 * have been said again in the same places: nobody can tell, and nobody needs to.
 */
export function knownSince(history: History, room: string): readonly number[] {
  const log = lastLine(history).logs.get(room) ?? []
  const since = log.map(({ at }) => at)
  for (const { logs } of history.lines) {
    const other = logs.get(room) ?? []
    for (let i = 0; i < log.length && i < other.length; i++) {
      if (!isSameEntry(log[i]!.entry, other[i]!.entry)) break
      since[i] = Math.min(since[i]!, other[i]!.at)
    }
  }
  return since
}
