/**
 * A message as it stands: what later entries of its log (edits, deletion, reactions, answers) make of it, one at a time
 * and in the order of the log. The server folds what `history` gives, a client what it shows, and both by this one
 * function, so that who was there and who comes back see the same.
 *
 * Pure. What was folded is known by `at`: an entry up to there is passed over, however often it comes. So a page of
 * history joins the live entries without a seam, whichever of the two arrives first.
 */
import type { Entry, EntryPayload } from './vocabulary.ts'

/** What a message holds, with what `history` tells beside it. */
export type MessageBody = EntryPayload<'new_message'>

/** What came of a message beside its content: the fields that only `history` has. */
export type Standing = Pick<MessageBody, 'editedAt' | 'version' | 'reactions' | 'replyCount' | 'lastReply'>

export interface FoldedMessage {
  readonly seq: number
  readonly sender: string
  readonly messageId: string
  readonly timestamp: number
  readonly body: MessageBody
  /** The position up to which later entries are folded in. */
  readonly at: number
}

/** The message of this entry, as it was said or as `history` gave it. Undefined: it is none. */
export function foldedMessage(entry: Entry, at: number = entry.seq): FoldedMessage | undefined {
  if (entry.type !== 'new_message') return undefined
  const { seq, sender, messageId, timestamp, payload } = entry
  return { seq, sender, messageId, timestamp, body: payload as MessageBody, at }
}

/** The position of the message that this entry changes, an answer that to which it answers. Undefined: none. */
export function changedBy(entry: Entry): number | undefined {
  switch (entry.type) {
    case 'new_message':
      return (entry.payload as MessageBody).replyTo?.seq
    case 'message_edited':
    case 'message_deleted':
    case 'reaction_added':
    case 'reaction_removed':
      // A client that does not check every field may see one without it.
      return (entry.payload as Partial<EntryPayload<'message_deleted'>>).target?.seq
    default:
      return undefined
  }
}

/** `userId`: who looks at it. The same object where the entry is folded in already, or about something else. */
export function foldMessage(message: FoldedMessage, entry: Entry, userId: string | undefined): FoldedMessage {
  if (entry.seq <= message.at || changedBy(entry) !== message.seq) return message
  return { ...message, body: foldBody(message.body, entry, userId), at: entry.seq }
}

function foldBody(body: MessageBody, entry: Entry, userId: string | undefined): MessageBody {
  const { editedAt, version, reactions, replyCount, lastReply, ...said } = body
  const standing = foldStanding({ editedAt, version, reactions, replyCount, lastReply }, entry, userId)
  return standingBody(saidAfter(said, entry), body.kind === 'deleted' ? withoutContent(standing) : standing)
}

/** The content with what came of it; of that, only what there is. */
export function standingBody(said: MessageBody, standing: Standing): MessageBody {
  const body: MessageBody = { ...said }
  const { editedAt, version, reactions, replyCount, lastReply } = standing
  if (editedAt !== undefined) body.editedAt = editedAt
  if (version !== undefined) body.version = version
  if (reactions?.length) body.reactions = reactions
  if (replyCount) body.replyCount = replyCount
  if (lastReply) body.lastReply = lastReply
  return body
}

/** What the message says after the entry. What it answers stays whatever is said; a forward that is edited is none any more. */
export function saidAfter(said: MessageBody, { type, payload }: Entry): MessageBody {
  if (said.kind === 'deleted') return said
  if (type === 'message_deleted') return tombstone(said)
  if (type !== 'message_edited') return said
  const { target: _target, ...content } = payload as EntryPayload<'message_edited'>
  return said.replyTo ? { ...content, replyTo: said.replyTo } : content
}

/** What is left of a message whose content was deleted: its place in the room, and in its thread. */
export function tombstone({ replyTo }: Pick<MessageBody, 'replyTo'>): MessageBody {
  return replyTo ? { kind: 'deleted', content: '', replyTo } : { kind: 'deleted', content: '' }
}

/** What comes of a message beside its content by this entry, which is about it. */
export function foldStanding(standing: Standing, entry: Entry, userId: string | undefined): Standing {
  switch (entry.type) {
    case 'new_message': {
      const { seq, sender, messageId, timestamp } = entry
      const replyCount = (standing.replyCount ?? 0) + 1
      return { ...standing, replyCount, lastReply: { seq, sender, messageId, timestamp } }
    }
    case 'message_edited':
      return { ...standing, editedAt: entry.timestamp, version: (standing.version ?? 1) + 1 }
    case 'message_deleted':
      return withoutContent(standing)
    case 'reaction_added':
    case 'reaction_removed':
      return { ...standing, reactions: foldReactions(standing.reactions ?? [], entry, userId) }
    default:
      return standing
  }
}

function withoutContent({ replyCount, lastReply }: Standing): Standing {
  return { replyCount, lastReply }
}

type Reactions = NonNullable<Standing['reactions']>

/** The entry says how many there are after it: so who knows only counts can fold, too. */
function foldReactions(reactions: Reactions, { type, sender, payload }: Entry, userId: string | undefined) {
  const { emoji, count } = payload as EntryPayload<'reaction_added'>
  const known = reactions.find((reaction) => reaction.emoji === emoji)
  const own = sender === userId ? type === 'reaction_added' : (known?.own ?? false)
  if (!known) return count > 0 ? [...reactions, { emoji, count, own }] : reactions
  return count > 0
    ? reactions.map((reaction) => (reaction === known ? { emoji, count, own } : reaction))
    : reactions.filter((reaction) => reaction !== known)
}
