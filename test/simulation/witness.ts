// Writes into the history what the application of one session says and what its client tells it: of its messages, of the
// rooms that it follows, of its outbox. It asks for nothing, and nothing here acts on it.

import type { Effect } from '../../packages/client/src/core/context.ts'
import type { SendOutcome } from '../../packages/client/src/core/outbox-row.ts'
import type { Outcome, Restored, Sent, Session, Stream } from './history.ts'
import type { World } from './world.ts'

/** What the core wants to be told, not done. */
type Told = Exclude<
  Effect,
  { readonly type: 'get_token' | 'dial' | 'transmit' | 'hang_up' | 'reply' | 'store' }
>

export interface Witness {
  said(sent: Sent): void
  told(effect: Told): void
  /** A message of its own, or one that it found in the store; undefined where it was forgotten. */
  message(messageId: string): Sent | Restored | undefined
  /** Messages that failed. */
  failed(): readonly string[]
  forget(messageId: string): void
}

export function createWitness(world: World, session: Session, count: (what: string) => void): Witness {
  const sends = new Map<string, Sent>()
  /** Those, and what it found in the store. */
  const known = new Map<string, Sent | Restored>()
  const streams = new Map<string, Stream>()

  function note(line: () => string): void {
    world.note(() => `${session.id}: ${line()}`)
  }

  function streamOf(room: string): Stream {
    const found = streams.get(room)
    if (found) return found
    const stream: Stream = { room, from: world.now, to: Number.POSITIVE_INFINITY, events: [] }
    streams.set(room, stream)
    session.streams.push(stream)
    return stream
  }

  function endStream(room: string): void {
    const stream = streams.get(room)
    if (stream) stream.to = world.now
    streams.delete(room)
    session.liveSince.delete(room)
  }

  function settled({ messageId, outcome }: Extract<Told, { type: 'settled' }>): void {
    note(() => `${messageId} is ${outcome.status} ${'seq' in outcome ? outcome.seq : outcome.code}`)
    known.get(messageId)?.outcomes.push(outcomeOf(outcome))
    if (outcome.status === 'failed') count(`failed_${outcome.code}`)
  }

  function outcomeOf(outcome: SendOutcome): Outcome {
    return {
      at: world.now,
      status: outcome.status,
      code: outcome.status === 'failed' ? outcome.code : undefined,
      seq: outcome.status === 'acknowledged' ? outcome.seq : undefined,
    }
  }

  function restored({ row: { messageId, room }, outcome }: Extract<Told, { type: 'restored' }>): void {
    if (known.has(messageId)) return
    note(() => `finds ${messageId} ${outcome?.status ?? ''}`)
    const found: Restored = { messageId, room, outcomes: outcome ? [outcomeOf(outcome)] : [] }
    known.set(messageId, found)
    session.restored.push(found)
    count('restored')
  }

  function entered({ room, phase }: Extract<Told, { type: 'room' }>): void {
    note(() => `${room} is ${phase}`)
    session.phases.set(room, phase)
    if (phase === 'idle') endStream(room)
    if (phase !== 'live') return
    session.lives.push({ at: world.now, room, link: session.links.at(-1)?.id ?? 0 })
    if (!session.liveSince.has(room)) session.liveSince.set(room, world.now)
  }

  return {
    said(sent) {
      const { messageId, room, kind } = sent
      sends.set(messageId, sent)
      known.set(messageId, sent)
      session.sends.push(sent)
      note(() => `sends ${messageId} to ${room} (${kind})`)
    },

    told(effect) {
      switch (effect.type) {
        case 'status':
          session.statuses.push({ at: world.now, status: effect.status, reason: effect.reason })
          return note(() => `${effect.status} ${effect.reason ?? ''}`)
        case 'settled':
          return settled(effect)
        case 'entries': {
          const { room, entries } = effect
          note(() => `${room} applies ${entries.map((e) => `${e.seq}:${e.messageId}`).join(' ')}`)
          streamOf(room).events.push({ at: world.now, type: 'entries', entries })
          return
        }
        case 'gap': {
          const { from, to, reason } = effect.gap
          count(`gap_${reason}`)
          note(() => `${effect.room} has a gap from ${from} to ${to} (${reason})`)
          streamOf(effect.room).events.push({ at: world.now, type: 'gap', from, to })
          return
        }
        case 'reset':
          note(() => `${effect.room} is reset (${effect.reason})`)
          count(`reset_${effect.reason}`)
          return endStream(effect.room)
        case 'left':
          note(() => `${effect.room} is left (${effect.reason})`)
          return endStream(effect.room)
        case 'room':
          return entered(effect)
        case 'storage':
          note(() => `its outbox is ${effect.status} ${effect.detail ?? ''}`)
          count(`storage_${effect.status}`)
          if (effect.status === 'lost') session.storageLostAt = world.now
          return
        case 'restored':
          return restored(effect)
        case 'progress': {
          const sent = sends.get(effect.messageId)
          if (sent && effect.status === 'queued') sent.queuedAt = Math.min(sent.queuedAt, world.now)
          return
        }
        case 'discarded':
        case 'identified':
        case 'ready':
        case 'latency':
        case 'presence':
        case 'typing':
        case 'message':
        case 'problem':
          return
        default:
          effect satisfies never
      }
    },

    message: (messageId) => known.get(messageId),
    failed: () =>
      [...known.values()]
        .filter(({ outcomes }) => outcomes[0]?.status === 'failed')
        .map(({ messageId }) => messageId),
    forget(messageId) {
      known.delete(messageId)
    },
  }
}
