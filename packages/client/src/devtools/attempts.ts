/** How often each message of the outbox went out, and in which lane, as the frames say it. */
import { fieldOf, listOf, type WireMessage } from './round-trips.ts'

export interface Attempts {
  /** The lane: a sender session of this user in this room. */
  readonly sid: string
  /** Its place in the lane. */
  readonly n: number
  /** How often it was sent. */
  readonly count: number
  /** Unix milliseconds. */
  readonly lastAt: number
}

/** More than what can be under way; those beyond it, sent longest ago, are forgotten. */
const MAX_MESSAGES = 2_000

export interface AttemptBook {
  said(messages: readonly WireMessage[], at: number): void
  of(messageId: string): Attempts | undefined
}

export function createAttemptBook(): AttemptBook {
  const book = new Map<string, Attempts>()
  return {
    said(messages, at) {
      for (const { type, payload } of messages) {
        if (type !== 'commands') continue
        const sid = fieldOf(payload, 'sid')
        const first = fieldOf(payload, 'n')
        if (typeof sid !== 'string' || typeof first !== 'number') continue
        for (const [i, command] of listOf(fieldOf(payload, 'commands')).entries()) {
          const messageId = fieldOf(command, 'messageId')
          if (typeof messageId !== 'string') continue
          const count = (book.get(messageId)?.count ?? 0) + 1
          book.delete(messageId)
          book.set(messageId, { sid, n: first + i, count, lastAt: at })
        }
      }
      for (const oldest of book.keys()) {
        if (book.size <= MAX_MESSAGES) break
        book.delete(oldest)
      }
    },
    of: (messageId) => book.get(messageId),
  }
}
