// What clients said and were told, session by session.

import type { History, Outcome, Sent, Session, Stream } from '../history.ts'

export function* allSends({ sessions }: History): Generator<readonly [Session, Sent]> {
  for (const session of sessions) for (const sent of session.sends) yield [session, sent]
}

/** A message with what one session was told of it; `sent` is what its sender knew. */
interface Told {
  readonly session: Session
  readonly sent: Sent
  readonly outcomes: readonly Outcome[]
}

/** Every message, once for each session that knew of it. */
export function allTold({ sessions }: History): Told[] {
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

export function* allStreams({ sessions }: History): Generator<readonly [Session, Stream]> {
  for (const session of sessions) for (const stream of session.streams) yield [session, stream]
}

/** Who is still there at the end, and was not told to stay away. */
export function stays({ endedBy, statuses }: Session): boolean {
  const last = statuses[statuses.length - 1]
  return endedBy === 'end' && !(last?.status === 'stopped' && last.reason === 'REPLACED')
}
