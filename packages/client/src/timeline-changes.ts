/**
 * Own changes of messages on their way, as a timeline shows them: an edit, a deletion or a reaction is seen at once, and
 * undone where it fails. One that is acknowledged stays until what is shown has it from the log, and is then let go.
 */
import {
  type CommandPayload,
  type Entry,
  type EntryType,
  type FoldedMessage,
  foldMessage,
} from '@tautline/protocol/wire'
import type { Sent } from './sent.ts'

const ENTRY_OF: { readonly [T in Sent['type']]?: EntryType } = {
  edit_message: 'message_edited',
  delete_message: 'message_deleted',
  add_reaction: 'reaction_added',
  remove_reaction: 'reaction_removed',
}

/** Whether it changes a message that is there, rather than being one. */
export function isChange({ type }: Sent): boolean {
  return ENTRY_OF[type] !== undefined
}

/** The message that it is about. */
export function targetOf({ payload }: Sent): { readonly sender: string; readonly messageId: string } {
  return (payload as CommandPayload<'delete_message'>).target
}

/** Whether the message, as it stands in the log, has it already, or never will. */
export function isOver({ status, acknowledgement }: Sent, message: FoldedMessage): boolean {
  return status === 'failed' || (acknowledgement !== undefined && acknowledgement.seq <= message.at)
}

/** The message as it would stand with it, to its sender. */
export function withChange(message: FoldedMessage, sent: Sent, userId: string): FoldedMessage {
  const { type, messageId, payload, createdAt: timestamp } = sent
  const target = { ...targetOf(sent), seq: message.seq }
  const entry: Entry = {
    type: ENTRY_OF[type] ?? type,
    seq: message.at + 1,
    sender: userId,
    messageId,
    timestamp,
    payload: { ...payload, target, count: countAfter(message, sent) },
  }
  return { ...foldMessage(message, entry, userId), at: message.at }
}

/** How many would react so: oneself once. */
function countAfter({ body }: FoldedMessage, { type, payload }: Sent): number {
  const known = body.reactions?.find(({ emoji }) => emoji === payload.emoji)
  const isOwn = known?.own ?? false
  const count = known?.count ?? 0
  if (type === 'add_reaction') return isOwn ? count : count + 1
  return isOwn ? count - 1 : count
}
