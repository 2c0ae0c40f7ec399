/** A message as the application gets it: the entry of the log, flattened, with its room. */
import type { Entry, EntryPayload } from '@tautline/protocol/wire'

/** A message with its place in the room. */
export interface Message {
  readonly room: string
  /** Position in the room's log: the same for everybody, without gaps over all entries (messages are some of them). */
  readonly seq: number
  /** Unique per sender: the key of a message in a list is sender and messageId. */
  readonly messageId: string
  readonly sender: string
  readonly content: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** Unix milliseconds, by the server's clock. */
  readonly timestamp: number
}

export function messageOf(room: string, entry: Entry): Message | undefined {
  if (entry.type !== 'new_message') return undefined
  const payload = entry.payload as EntryPayload<'new_message'>
  const metadata = payload.kind === 'deleted' ? undefined : payload.metadata
  const { content } = payload
  const { seq, messageId, sender, timestamp } = entry
  return { room, seq, messageId, sender, content, metadata, timestamp }
}
