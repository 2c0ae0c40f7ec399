/**
 * Joining is an intent, not a request: it stands until the server has answered it for good, through every loss of the
 * connection. Until then the outbox holds back what was sent to the room, which would fail for want of membership. What a
 * former load said that way, and left in the store, brings the intent back, for nobody who waits.
 */
import { CODES } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context, Failure } from './context.ts'

interface Join {
  readonly room: string
  /** The calls that wait for it. */
  readonly ids: number[]
  /** Messages of a former load need it: it stands also where the connection ends for good and is asked for once more. */
  isResumed: boolean
  /** Asks for it, where somebody is there to ask. */
  readonly ask: () => void
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
  rejectAll(failure: Failure): void
}

export function createJoins(context: Context): Joins {
  const open = new Map<string, Join>()
  /** Rooms for which a join of this load has its answer. */
  const answered = new Set<string>()

  function ask(join: Join): void {
    const { room } = join
    if (!context.ready) return
    context.alarm(join.ask, NEVER)
    context.ask(
      { type: 'join_room', payload: { room } },
      {
        answer: 'room_joined',
        answered({ payload }) {
          finish(room)
          for (const id of join.ids) context.emit({ type: 'reply', id, reply: { ok: true, payload } })
        },
        refused: (failure) => refused(join, failure),
      },
    )
  }

  function begin(room: string): Join {
    const known = open.get(room)
    if (known) return known
    const join: Join = { room, ids: [], isResumed: false, ask: () => open.get(room) === join && ask(join) }
    open.set(room, join)
    join.ask()
    return join
  }

  function finish(room: string): void {
    open.delete(room)
    answered.add(room)
  }

  function refused(join: Join, failure: Failure): void {
    if (!CODES[failure.code].retryable) {
      finish(join.room)
      return reject(join, failure)
    }
    const waitMs = Math.max(failure.retryAfterMs ?? 0, RETRY_MS) * (1 + 0.2 * context.random())
    context.alarm(join.ask, context.now + waitMs)
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
      for (const join of open.values()) join.ask()
    },
    rejectAll(failure) {
      for (const join of Array.from(open.values())) {
        if (!join.isResumed) open.delete(join.room)
        reject(join, failure)
      }
    },
  }
}
