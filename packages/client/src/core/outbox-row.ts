/** What goes into the outbox, and what comes of it: the words that the core and the stores of the outbox share. */
import type { Code } from '@tautline/protocol/wire'

/** What the application wants to say, with the id that it keeps through all attempts. */
export interface NewRow {
  readonly room: string
  readonly type: 'send_message'
  readonly payload: {
    readonly content: string
    readonly metadata?: Readonly<Record<string, unknown>> | undefined
  }
  readonly messageId: string
  /** Bytes of the payload as JSON. */
  readonly bytes: number
  /** Unix milliseconds, by the sender's clock. */
  readonly createdAt: number
}

/** What became of a message: the one thing that is reported for it, once. */
export type SendOutcome =
  | { readonly status: 'acknowledged'; readonly seq: number; readonly timestamp: number }
  | { readonly status: 'failed'; readonly code: Code; readonly detail?: string | undefined }
