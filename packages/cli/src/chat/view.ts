/**
 * What a chat shows, whatever it shows it on: a window in a terminal (window.ts) or plain lines (plain.ts). Texts from
 * others are handed over as they came; making them printable is the view's part.
 */
import type { Message, SentStatus, Status } from '@tautline/client'

/** An own message on its way. */
export interface OwnMessage {
  /** 1 for the first of this run. */
  readonly number: number
  readonly room: string
  readonly content: string
  readonly status: SentStatus
  /** Once acknowledged. */
  readonly seq: number | undefined
  /** Once failed: why. */
  readonly failure: string | undefined
}

export type ShownMessage = Pick<Message, 'room' | 'seq' | 'sender' | 'content' | 'timestamp'>

export interface ChatState {
  readonly status: Status
  readonly userId: string | undefined
  /** Where what is typed goes. */
  readonly room: string
  /** Who is there, us included; empty while it is not known. */
  readonly users: readonly string[]
  readonly typing: readonly string[]
  /** Without an outcome, the oldest first. */
  readonly pending: readonly OwnMessage[]
}

export interface View {
  /** The lines that were typed or piped in; it ends with the input, and with `close`. */
  readonly lines: AsyncIterable<string>
  /** Whether somebody sits there, who can wait and decide. */
  readonly isInteractive: boolean
  /** A message with its place. */
  message(message: ShownMessage): void
  /** A step of an own message. */
  step(own: OwnMessage): void
  /** Something that is good to know. */
  notice(text: string): void
  /** Something that went wrong. */
  problem(text: string): void
  /** What was asked for. */
  answer(text: string): void
  /** The state, whenever something in it changed. */
  show(state: ChatState): void
  /** Calls back when somebody types a message, or has none begun any more. */
  onTyping(listener: (active: boolean) => void): void
  /** Calls back when somebody wants to go (Ctrl-C). */
  onLeave(listener: () => void): void
  close(): void
}
