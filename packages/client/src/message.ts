/** A message as the application gets it: the entry of the log, flattened, with its room. And what one can say. */
import {
  type CommandPayload,
  type Entry,
  type FoldedMessage,
  foldedMessage,
  type MessageBody,
  type MessageKind,
} from '@tautline/protocol/wire'

/** A message with its place in the room. */
export interface Message {
  readonly room: string
  /** Position in the room's log: the same for everybody, without gaps over all entries (messages are some of them). */
  readonly seq: number
  /** Unique per sender: the key of a message in a list is sender and messageId. */
  readonly messageId: string
  readonly sender: string
  /** `text`, `image` …; `deleted`: its content was deleted, and its place is left. */
  readonly kind: MessageKind
  readonly content: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** All that it holds; in history and timelines with what came of it: `editedAt`, `reactions`, `replyCount` … */
  readonly body: MessageBody
  /** Unix milliseconds, by the server's clock. */
  readonly timestamp: number
}

/** Names a message of a room: a Message, an item of a timeline, or a Sent; without a sender it is one's own. */
export interface MessageName {
  readonly sender?: string | undefined
  readonly messageId: string
}

export type MessageFile = Extract<CommandPayload<'send_message'>, { kind: 'file' }>['file']
export type MessageLocation = Extract<CommandPayload<'send_message'>, { kind: 'location' }>['location']

interface Said {
  /**
   * At most 5,000 UTF-16 units, unless the server says otherwise. Before the first connection nobody has said: what is
   * too long then fails with MESSAGE_TOO_LONG as soon as it has.
   */
  readonly content: string
  /** Anything that JSON can say. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** Users whom it names, at most 50: those who belong to the room are told. */
  readonly mentions?: readonly string[] | undefined
}

/** What a message says. Without a kind it is a text; a file and a place need no words beside them. */
export type Content =
  | (Said & { readonly kind?: 'text' | undefined })
  | (Said & { readonly kind: 'image' | 'file' | 'audio' | 'video'; readonly file: MessageFile })
  | (Said & { readonly kind: 'location'; readonly location: MessageLocation })
  /** `content` is the ciphertext, which nobody but the application looks into. */
  | (Said & { readonly kind: 'encrypted'; readonly keyId: string })

export type MessageContent = Content & {
  /** The message that this one answers. */
  readonly replyTo?: MessageName | undefined
}

/** As commands and requests name it. */
export function nameOf(
  { sender, messageId }: MessageName,
  ownId: string | undefined,
): { readonly sender: string; readonly messageId: string } {
  return { sender: sender || (ownId ?? ''), messageId }
}

export function messageOf(room: string, entry: Entry): Message | undefined {
  const folded = foldedMessage(entry)
  return folded && messageOfFolded(room, folded)
}

export function messageOfFolded(room: string, { at: _at, ...folded }: FoldedMessage): Message {
  const { body } = folded
  const metadata = body.kind === 'deleted' ? undefined : body.metadata
  return { room, kind: body.kind ?? 'text', content: body.content, metadata, ...folded }
}
