// Where the history of a good run can be laid hands on: a message that was acknowledged, the log of a room, what somebody was
// told, a link with all that was said on it.

import type { Invariant } from '../checker/violation.ts'
import type { History, Link, Sent, Session } from '../history.ts'

/** A promise, what is done to the history, and how. */
export type Tampering = readonly [Invariant, string, (history: History) => void]

export function acknowledged({ sessions }: History): { readonly session: Session; readonly sent: Sent } {
  for (const session of sessions) {
    const sent = session.sends.find(({ outcomes }) => outcomes[0]?.status === 'acknowledged')
    if (sent && session.endedBy === 'end') return { session, sent }
  }
  throw new Error('nothing was acknowledged')
}

export function logOf(history: History, room: string) {
  const log = history.lines[history.lines.length - 1]?.logs.get(room)
  if (!log || log.length < 3) throw new Error(`next to nothing was said in ${room}`)
  return log
}

/** What a session was told of den, without a gap, more than twice. */
export function stream({ sessions }: History) {
  const told = sessions
    .flatMap(({ streams }) => streams)
    .find(({ room, events }) => room === 'den' && events.filter(({ type }) => type === 'entries').length > 2)
  if (!told) throw new Error('nobody was told much')
  return told
}

export function readyLink({ sessions }: History): { readonly session: Session; readonly link: Link } {
  for (const session of sessions) {
    const link = session.links.find(
      ({ readyAt, up }) => readyAt < 1e9 && up.some(({ message }) => message.type === 'commands'),
    )
    if (link) return { session, link }
  }
  throw new Error('nobody was connected')
}

/** At 1e6 + 1 a read tells that den is not pushed any more. */
export function readInVain(history: History): Link {
  const { link } = readyLink(history)
  const after = { seq: 1, h: '' }
  const asked = { ref: 9_000, room: 'den', after }
  link.up.push({ at: 1e6, order: 1e7, message: { type: 'get_page', payload: asked } })
  const page = { ref: 9_000, room: 'den', epoch: '', after, entries: [], h: '', head: 1, oldest: 1 }
  link.overAt = Number.POSITIVE_INFINITY
  link.down.push({
    at: 1e6 + 1,
    order: 1e7 + 1,
    message: { type: 'page', payload: { ...page, live: false } },
  })
  return link
}
