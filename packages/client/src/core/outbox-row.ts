/**
 * What goes into the outbox, how it is kept, and what comes of it: the words that the core and the stores of the outbox
 * share.
 */
import type { Code } from '@tautline/protocol/wire'

/** What the application wants to say, with the id that it keeps through all attempts. */
export interface NewRow {
  readonly room: string
  /** The type of the command: `send_message`, … */
  readonly type: string
  /** As it goes over the wire: of the form of its type, for all that is known here. */
  readonly payload: Readonly<Record<string, unknown>> & { readonly content?: string | undefined }
  readonly messageId: string
  /** Bytes of the payload as JSON. */
  readonly bytes: number
  /** Unix milliseconds, by the sender's clock. */
  readonly createdAt: number
}

/** A row with its place in its lane. */
export interface LaneRow extends NewRow {
  readonly sid: string
  /** 1, 2, 3 … in (sid, room). */
  readonly n: number
  /** The row gives its place up instead of being sent, for this reason. */
  readonly skipFor?: Code | undefined
  /** It was said while a join of its room had no answer: whoever finds it asks for that join first. */
  readonly joins?: boolean | undefined
}

export interface StoredRow extends LaneRow {
  /** Given by the store: rows of a room are sent in this order, whoever wrote them. */
  readonly order: number
  /** It was refused for good, and is kept until the application has looked at it. */
  readonly failed?: Fault | undefined
}

/** What became of a message: the one thing that is reported for it, once. */
export type SendOutcome =
  | { readonly status: 'acknowledged'; readonly seq: number; readonly timestamp: number }
  | ({ readonly status: 'failed' } & Fault)

/** Why a message failed. */
export interface Fault {
  readonly code: Code
  readonly detail?: string | undefined
  /** The application's own code, or that of a newer server; `code` is what it comes to. */
  readonly applicationCode?: string | undefined
}

/** What those who share a store tell each other. */
export interface OutboxNotice {
  /** What became of rows, as the teller learned it. */
  readonly settled: readonly { readonly messageId: string; readonly outcome: SendOutcome }[]
  /** There is something new to read in the store, beside what `settled` says. */
  readonly isChanged: boolean
  /** The teller holds the store and can send: a sign of life. The holder answers whoever is not one. */
  readonly isHolder: boolean
}
