/**
 * Telling the server how far this device has each followed room, so that senders see their messages delivered: the newest
 * position alone, at most once a second a room, and again after a reconnect where no answer came. A server that keeps none
 * of a room (it is a large one) is asked no more. Of what is ours, and of one's own log, nobody has to hear.
 */
import { CODES, type Entry } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context } from './context.ts'

interface Delivery {
  seq: number
  /** Up to here the server knows. */
  known: number
  /** When to tell; NEVER: nothing to tell, or told and unanswered. */
  dueAt: number
  readonly tell: () => void
}

const INTERVAL_MS = 1_000

export interface Deliveries {
  heard(room: string, entries: readonly Entry[], userId: string | undefined): void
  leave(room: string): void
  start(): void
}

export function createDeliveries(context: Context): Deliveries {
  const rooms = new Map<string, Delivery>()

  function plan(delivery: Delivery, waitMs: number): void {
    if (delivery.seq <= delivery.known) return
    delivery.dueAt = Math.min(delivery.dueAt, context.now + waitMs)
    context.alarm(delivery.tell, delivery.dueAt)
  }

  function tell(room: string, delivery: Delivery): void {
    const { seq } = delivery
    delivery.dueAt = NEVER
    if (!context.ready || rooms.get(room) !== delivery) return
    context.ask(
      { type: 'mark_delivered', payload: { room, seq } },
      {
        answer: 'messages_delivered',
        answered: () => {
          delivery.known = Math.max(delivery.known, seq)
        },
        refused({ code, retryAfterMs = 0 }) {
          if (CODES[code].final) delivery.known = NEVER
          else plan(delivery, Math.max(retryAfterMs, INTERVAL_MS))
        },
      },
    )
  }

  return {
    heard(room, entries, userId) {
      if (!context.options.tellDeliveries || (room.startsWith('~') && !room.includes('~', 1))) return
      const last = entries.filter(({ type, sender }) => type === 'new_message' && sender !== userId).at(-1)
      if (!last) return
      let delivery = rooms.get(room)
      if (!delivery) {
        const made: Delivery = { seq: 0, known: 0, dueAt: NEVER, tell: () => tell(room, made) }
        rooms.set(room, made)
        delivery = made
      }
      delivery.seq = Math.max(delivery.seq, last.seq)
      plan(delivery, INTERVAL_MS)
    },
    leave: (room) => rooms.delete(room),
    start() {
      for (const delivery of rooms.values()) plan(delivery, INTERVAL_MS)
    },
  }
}
