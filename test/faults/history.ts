/**
 * What was seen from outside while faults happened: what each sender asked for and was told, and what each reader was
 * given. Plain data, one event a line, so that processes which are about to be killed can write it.
 *
 * Only the order of the events of one observer counts: the invokes of one outbox, the deliveries of one reader. Events
 * of different observers may be merged in any way. A message is known by its content, which is unique in a history: it
 * is there before the client has given it an id, and it shows a message that was sent again under another id.
 */

/** A reader is one cursor: a device of a user in a room. Whoever begins anew is another device. */
export interface Reader {
  readonly user: string
  readonly device: string
  readonly room: string
}

export type HistoryEvent =
  /** Before `send()` is called. What one outbox is asked to send to a room should appear in this order. */
  | {
      readonly event: 'invoke'
      readonly outbox: string
      readonly sender: string
      readonly room: string
      readonly content: string
      /** Something may speak against it, such as that its sender is no member by then. */
      readonly mayFail?: boolean | undefined
    }
  /** Acknowledged. Without a position: the outbox holds it no more, and its sender was not there to be told. */
  | { readonly event: 'ok'; readonly content: string; readonly seq?: number | undefined }
  /** Failed for good. */
  | { readonly event: 'fail'; readonly content: string; readonly code: string }
  /** Nobody will ever know: its sender died and nothing was kept. It may be in the log, once, or not. */
  | { readonly event: 'unknown'; readonly content: string }
  /** This reader reads everything after this position. Without it, everything from its first delivery on. */
  | (Reader & { readonly event: 'open'; readonly after: number })
  | (Reader & {
      readonly event: 'deliver'
      readonly seq: number
      readonly sender: string
      readonly messageId: string
      readonly content: string
    })
  /** The reader was told that it will not get these positions, both included. */
  | (Reader & { readonly event: 'gap'; readonly from: number; readonly to: number })
  /** The reader was told that its log is another one now. */
  | (Reader & { readonly event: 'reset'; readonly reason: string })
  /** The reader has read to the end of the room, after the last message was sent. */
  | (Reader & { readonly event: 'done' })
  /**
   * The user became a member at this position of the room, or ceased to be one: in between, both included, they may read
   * and write. A room of which no membership is told is open to everybody.
   */
  | { readonly event: 'joined' | 'left'; readonly room: string; readonly user: string; readonly seq: number }

export type History = readonly HistoryEvent[]
