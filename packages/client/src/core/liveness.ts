/**
 * Whether the connection still lives: the heartbeat, and the answers that are overdue. A doubt is first put to the
 * server as a probe (`ping`); only its silence, or a minute without the answer, ends the connection. Nothing is ever
 * sent again on the same connection.
 */
import { NEVER } from './alarms.ts'
import type { Context, Pending } from './context.ts'
import { createHeartbeat, isLate } from './heartbeat.ts'

/** An answer is given up after this time, even by a server that answers probes. */
const ANSWER_LIMIT_MS = 60_000

export interface Liveness {
  start(): void
  stop(): void
  /** A frame came. */
  feed(): void
  /** Put a doubt to the server now, unless one is under way. */
  probe(): void
  /** One ping for the latency alone. */
  measure(): void
  tick(): 'alive' | 'dead'
  /** At the end of each step: when the oldest unanswered request becomes doubtful. */
  watchAnswers(): void
  deadline(): number
}

export function createLiveness(context: Context): Liveness {
  const heartbeat = createHeartbeat(context.options.heartbeat)
  let doubtAt = NEVER

  function ping(): void {
    const sentAt = context.now
    const answered = (): void => context.emit({ type: 'latency', latencyMs: context.now - sentAt })
    context.ask({ type: 'ping', payload: {} }, { answer: 'pong', answered })
  }

  function probe(): void {
    if (heartbeat.doubt(context.now)) ping()
  }

  /** Refs are taken in order, so the first is the oldest. */
  function oldest(): Pending | undefined {
    for (const pending of context.pending.values()) return pending
    return undefined
  }

  function doubt(): 'alive' | 'dead' {
    const isPremature = isLate(context.now, doubtAt)
    doubtAt = isPremature ? context.now + 1 : NEVER
    if (isPremature) return 'alive'
    const pending = oldest()
    if (!pending) return 'alive'
    const age = context.now - pending.sentAt
    if (age >= ANSWER_LIMIT_MS) return 'dead'
    if (age < context.options.ackTimeoutMs) return 'alive'
    probe()
    doubtAt = Math.min(context.now + context.options.ackTimeoutMs, pending.sentAt + ANSWER_LIMIT_MS)
    return 'alive'
  }

  return {
    start: () => heartbeat.start(context.now),
    stop() {
      heartbeat.stop()
      doubtAt = NEVER
    },
    feed: () => heartbeat.feed(context.now),
    probe,
    measure: ping,
    tick() {
      const verdict = heartbeat.tick(context.now)
      if (verdict === 'dead') return 'dead'
      if (verdict === 'probe') ping()
      return context.now >= doubtAt ? doubt() : 'alive'
    },
    watchAnswers() {
      if (!context.ready || doubtAt !== NEVER) return
      const pending = oldest()
      if (pending) doubtAt = Math.max(pending.sentAt + context.options.ackTimeoutMs, context.now + 1)
    },
    deadline: () => Math.min(heartbeat.deadline(), doubtAt),
  }
}
