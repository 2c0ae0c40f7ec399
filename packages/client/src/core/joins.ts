/**
 * Joining is an intent, not a request: it stands until the server has answered it for good, through every loss of the
 * connection. Until then the outbox holds back what was sent to the room, which would fail for want of membership. What a
 * former load said that way, and left in the store, brings the intent back, for nobody who waits.
 */
import { CODES, type PayloadOf } from '@tautline/protocol/wire'
import type { Context, Failure } from './context.ts'

interface Join {
  readonly room: string
  /** The calls that wait for it. */
  readonly ids: number[]
  /** Messages of a former load need it: it stands also where the connection ends for good and is asked for once more. */
  isResumed: boolean
  /** When it is asked again after a refusal that will pass. */
  retryAt: number
}

/** After a refusal that will pass, unless the server asks for more. */
const RETRY_MS = 2_000

export interface Joins {
  add(id: number, room: string): void
  /** A message was left by a former load that was waiting for this: once in this load, unless it was answered already. */
  resume(room: string): void
  isJoining(room: string): boolean
  /** The connection is ready: ask for everything that has no answer. */
  start(): void
  joined(payload: PayloadOf<'room_joined'>): void
  refused(room: string, failure: Failure): void
  rejectAll(failure: Failure): void
  tick(): void
  deadline(): number
}

export function createJoins(context: Context): Joins {
  const open = new Map<string, Join>()
  /** Rooms for which a join of this load has its answer. */
  const answered = new Set<string>()

  function ask(join: Join): void {
    const ref = context.takeRefs(1)
    join.retryAt = Number.POSITIVE_INFINITY
    context.pending.set(ref, { for: 'join', room: join.room, sentAt: context.now })
    context.send({ type: 'join_room', payload: { ref, room: join.room } })
  }

  function begin(room: string): Join {
    const known = open.get(room)
    if (known) return known
    const join: Join = { room, ids: [], isResumed: false, retryAt: Number.POSITIVE_INFINITY }
    open.set(room, join)
    if (context.ready) ask(join)
    return join
  }

  function finish(room: string): void {
    open.delete(room)
    answered.add(room)
  }

  function reject(join: Join, failure: Failure): void {
    for (const id of join.ids.splice(0)) context.emit({ type: 'reply', id, reply: { ok: false, failure } })
  }

  return {
    add(id, room) {
      begin(room).ids.push(id)
    },
    resume(room) {
      if (!answered.has(room)) begin(room).isResumed = true
    },
    isJoining: (room) => open.has(room),
    start() {
      for (const join of open.values()) ask(join)
    },
    joined(payload) {
      const join = open.get(payload.room)
      finish(payload.room)
      for (const id of join?.ids ?? []) context.emit({ type: 'reply', id, reply: { ok: true, payload } })
    },
    refused(room, failure) {
      const join = open.get(room)
      if (!join) return
      if (!CODES[failure.code].retryable) {
        finish(room)
        return reject(join, failure)
      }
      const waitMs = Math.max(failure.retryAfterMs ?? 0, RETRY_MS) * (1 + 0.2 * context.random())
      join.retryAt = context.now + waitMs
    },
    rejectAll(failure) {
      for (const join of Array.from(open.values())) {
        if (!join.isResumed) open.delete(join.room)
        reject(join, failure)
      }
    },
    tick() {
      if (!context.ready) return
      for (const join of open.values()) if (join.retryAt <= context.now) ask(join)
    },
    deadline() {
      let earliest = Number.POSITIVE_INFINITY
      if (!context.ready) return earliest
      for (const { retryAt } of open.values()) if (retryAt < earliest) earliest = retryAt
      return earliest
    },
  }
}
