/**
 * Telling the server how far this device has each followed room, so that senders see their messages delivered: the newest
 * position alone, at most once a second a room, and again after a reconnect where no answer came. A server that keeps none
 * of a room (it is a large one) is asked no more. Of what is ours, and of one's own log, nobody has to hear.
 */
import type { Entry } from '@tautline/protocol/wire'
import type { Context } from './context.ts'

interface Delivery {
  seq: number
  /** Up to here the server knows. */
  known: number
  /** When to tell; Infinity: nothing to tell, or told and unanswered. */
  dueAt: number
}

const INTERVAL_MS = 1_000

export interface Deliveries {
  heard(room: string, entries: readonly Entry[], userId: string | undefined): void
  answered(room: string, seq: number): void
  /** `retryAfterMs` undefined: for good. */
  refused(room: string, retryAfterMs: number | undefined): void
  leave(room: string): void
  start(): void
  tick(): void
  deadline(): number
}

export function createDeliveries(context: Context): Deliveries {
  const rooms = new Map<string, Delivery>()

  function plan(delivery: Delivery, waitMs: number): void {
    if (delivery.seq > delivery.known) delivery.dueAt = Math.min(delivery.dueAt, context.now + waitMs)
  }

  return {
    heard(room, entries, userId) {
      if (!context.options.tellDeliveries || (room.startsWith('~') && !room.includes('~', 1))) return
      const last = entries.filter(({ type, sender }) => type === 'new_message' && sender !== userId).at(-1)
      if (!last) return
      const delivery = rooms.get(room) ?? { seq: 0, known: 0, dueAt: Number.POSITIVE_INFINITY }
      rooms.set(room, delivery)
      delivery.seq = Math.max(delivery.seq, last.seq)
      plan(delivery, INTERVAL_MS)
    },
    answered(room, seq) {
      const delivery = rooms.get(room)
      if (delivery) delivery.known = Math.max(delivery.known, seq)
    },
    refused(room, retryAfterMs) {
      const delivery = rooms.get(room)
      if (!delivery) return
      if (retryAfterMs === undefined) delivery.known = Number.POSITIVE_INFINITY
      else plan(delivery, Math.max(retryAfterMs, INTERVAL_MS))
    },
    leave: (room) => rooms.delete(room),
    start() {
      for (const delivery of rooms.values()) plan(delivery, INTERVAL_MS)
    },
    tick() {
      if (!context.ready) return
      for (const [room, delivery] of rooms) {
        if (delivery.dueAt > context.now) continue
        const ref = context.takeRefs(1)
        delivery.dueAt = Number.POSITIVE_INFINITY
        context.pending.set(ref, { for: 'delivery', room, sentAt: context.now })
        context.send({ type: 'mark_delivered', payload: { ref, room, seq: delivery.seq } })
      }
    },
    deadline() {
      let earliest = Number.POSITIVE_INFINITY
      if (!context.ready) return earliest
      for (const { dueAt } of rooms.values()) if (dueAt < earliest) earliest = dueAt
      return earliest
    },
  }
}
