/**
 * Joining is an intent, not a request: it stands until the server has answered it for good, through every loss of the
 * connection. Until then the outbox holds back what was sent to the room, which would fail for want of membership.
 */
import { CODES, type PayloadOf } from '@tautline/protocol/wire'
import type { Context, Failure } from './context.ts'

interface Join {
  readonly room: string
  /** The calls that wait for it. */
  readonly ids: number[]
  /** When it is asked again after a refusal that will pass. */
  retryAt: number
}

/** After a refusal that will pass, unless the server asks for more. */
const RETRY_MS = 2_000

export interface Joins {
  add(id: number, room: string): void
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

  function ask(join: Join): void {
    const ref = context.takeRefs(1)
    join.retryAt = Number.POSITIVE_INFINITY
    context.pending.set(ref, { for: 'join', room: join.room, sentAt: context.now })
    context.send({ type: 'join_room', payload: { ref, room: join.room } })
  }

  function reject(join: Join, failure: Failure): void {
    open.delete(join.room)
    for (const id of join.ids) context.emit({ type: 'reply', id, reply: { ok: false, failure } })
  }

  return {
    add(id, room) {
      const known = open.get(room)
      if (known) {
        known.ids.push(id)
        return
      }
      const join: Join = { room, ids: [id], retryAt: Number.POSITIVE_INFINITY }
      open.set(room, join)
      if (context.ready) ask(join)
    },
    isJoining: (room) => open.has(room),
    start() {
      for (const join of open.values()) ask(join)
    },
    joined(payload) {
      const join = open.get(payload.room)
      open.delete(payload.room)
      for (const id of join?.ids ?? []) context.emit({ type: 'reply', id, reply: { ok: true, payload } })
    },
    refused(room, failure) {
      const join = open.get(room)
      if (!join) return
      if (!CODES[failure.code].retryable) return reject(join, failure)
      const waitMs = Math.max(failure.retryAfterMs ?? 0, RETRY_MS) * (1 + 0.2 * context.random())
      join.retryAt = context.now + waitMs
    },
    rejectAll(failure) {
      for (const join of Array.from(open.values())) reject(join, failure)
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
