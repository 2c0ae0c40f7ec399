/**
 * One message on its way, or one change of a message: what `room.send()` and its like return. It can be awaited, watched, or ignored; a failure that nobody
 * awaits raises no unhandled rejection, it is the client's `failed` event.
 */
import { TautlineError } from '@tautline/protocol/wire'
import type { NewRow, SendOutcome } from './core/outbox-row.ts'
import { createListeners } from './listeners.ts'

/**
 * - `saving`: not yet in the outbox
 * - `queued`: in the outbox; from here on it has exactly one outcome
 * - `sent`: on its way, without an answer
 * - `acknowledged`: committed, with its position
 * - `failed`: not in the room and never will be; `error` says why
 */
export type SentStatus = 'saving' | 'queued' | 'sent' | 'acknowledged' | 'failed'

export interface Acknowledgement {
  /** The position in the room, the same for everybody. */
  readonly seq: number
  /** Unix milliseconds, by the server's clock. */
  readonly timestamp: number
}

export interface Sent extends PromiseLike<Acknowledgement> {
  readonly room: string
  readonly messageId: string
  /** What it is: `send_message`, `edit_message` … */
  readonly type: NewRow['type']
  /** All that it says, as it goes over the wire. */
  readonly payload: NewRow['payload']
  /** Empty where it says nothing, like a reaction. */
  readonly content: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** Unix milliseconds, by this device's clock. */
  readonly createdAt: number
  readonly status: SentStatus
  /** Once acknowledged. */
  readonly acknowledgement: Acknowledgement | undefined
  /** Once failed. */
  readonly error: TautlineError | undefined
  /** Calls back after each change of the status, until the returned function is called. */
  subscribe(listener: () => void): () => void
  /** As that of a promise. */
  catch<T>(onFailed: (error: TautlineError) => T | PromiseLike<T>): Promise<Acknowledgement | T>
}

/** The end that the client holds. */
export interface Sending {
  readonly sent: Sent
  readonly row: NewRow
  progress(status: 'queued' | 'sent'): void
  settle(outcome: SendOutcome): void
}

export function createSending(row: NewRow): Sending {
  let status: SentStatus = 'saving'
  let acknowledgement: Acknowledgement | undefined
  let error: TautlineError | undefined
  const listeners = createListeners<[]>()
  const waiting: { resolve(value: Acknowledgement): void; reject(reason: TautlineError): void }[] = []

  function change(next: SentStatus): void {
    status = next
    listeners.tell()
  }

  const sent: Sent = {
    room: row.room,
    messageId: row.messageId,
    type: row.type,
    payload: row.payload,
    content: typeof row.payload.content === 'string' ? row.payload.content : '',
    metadata: row.payload.metadata as Sent['metadata'],
    createdAt: row.createdAt,
    get status() {
      return status
    },
    get acknowledgement() {
      return acknowledgement
    },
    get error() {
      return error
    },
    subscribe: (listener) => listeners.add(listener),
    // A promise is made only for somebody who waits: that is what keeps an unobserved failure quiet.
    then(onAcknowledged, onFailed) {
      return new Promise<Acknowledgement>((resolve, reject) => {
        if (acknowledgement) resolve(acknowledgement)
        else if (error) reject(error)
        else waiting.push({ resolve, reject })
      }).then(onAcknowledged, onFailed)
    },
    catch: async (onFailed) => sent.then(undefined, onFailed),
  }

  return {
    sent,
    row,
    progress: change,
    settle(outcome) {
      if (outcome.status === 'acknowledged') {
        acknowledgement = { seq: outcome.seq, timestamp: outcome.timestamp }
        for (const { resolve } of waiting) resolve(acknowledgement)
      } else {
        error = new TautlineError(outcome.code, outcome.detail, undefined, outcome.applicationCode)
        for (const { reject } of waiting) reject(error)
      }
      waiting.length = 0
      change(outcome.status)
    },
  }
}
