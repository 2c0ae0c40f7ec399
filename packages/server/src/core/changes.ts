/**
 * What a command says about another message of its room: an edit, a deletion, a reaction, an answer, a copy. Here it is
 * found what the command names, whether the user may, and what the entry will hold; the outcome for the message itself is
 * the fold of the protocol.
 *
 * A message that does not exist and one that the user may not read are the same: FORBIDDEN. What the server adds to a
 * payload (positions, counts, who of the mentioned belongs to the room) is added here and nowhere else.
 */
import {
  type Code,
  type CommandPayload,
  type Entry,
  foldStanding,
  MAX_EMOJIS_PER_MESSAGE,
  type MessageBody,
  saidAfter,
} from '@tautline/protocol/wire'
import type { MessageChange, MessageRow, View } from './batch.ts'
import { canDelete, canSee, membershipOf } from './rights.ts'
import type { CommandOp } from './store.ts'
import { listenersOf } from './threads.ts'

type Payload = Readonly<Record<string, unknown>>

/** A command with everything that it names found. */
export interface Resolved {
  readonly payload: Payload
  /** The message that it changes or answers. */
  readonly about?: MessageRow | undefined
  /** The reaction that it makes or takes back; undefined: there is none, or it is so already. */
  readonly emoji?: string | undefined
  /** Whom it should be told in their own logs, and as what: each once. */
  readonly tells?: readonly Told[] | undefined
}

export interface Told {
  readonly user: string
  readonly type: 'mention' | 'reply'
  /** Of an answer: the message at which the thread begins. */
  readonly thread?: ReturnType<typeof placeOf> | undefined
}

/** Of a command by a user who may write in the room. A code: it cannot be, for good. */
export function resolve(view: View, op: CommandOp): Resolved | Code {
  const { entry } = op
  if (!entry) return { payload: {} }
  switch (entry.type) {
    case 'new_message':
      return op.forward ? resolveForward(view, op, op.forward) : resolveMessage(view, op, entry.payload)
    case 'message_edited':
      return resolveEdit(view, op, entry.payload)
    case 'message_deleted':
      return resolveDeletion(view, op, entry.payload)
    case 'reaction_added':
    case 'reaction_removed':
      return resolveReaction(view, op, entry)
    default:
      return { payload: entry.payload }
  }
}

/** What becomes of the message that the entry is about. */
export function changeOf(
  { user }: CommandOp,
  { about, emoji }: Resolved,
  entry: Entry,
): MessageChange | undefined {
  if (!about) return undefined
  const { room, seq, standing } = about
  const is = foldStanding(standing, entry, undefined)
  switch (entry.type) {
    case 'message_edited':
      return { room, seq, standing: { ...is, editSeq: entry.seq } }
    case 'message_deleted':
      return { room, seq, standing: { ...is, isDeleted: true }, blank: true }
    case 'reaction_added':
      return { room, seq, standing: is, reaction: emoji ? { user, emoji, at: entry.seq } : undefined }
    case 'reaction_removed':
      return { room, seq, standing: is, reaction: emoji ? { user, emoji, at: undefined } : undefined }
    default:
      return { room, seq, standing: is }
  }
}

function resolveMessage(view: View, op: CommandOp, payload: Payload): Resolved | Code {
  if (!('replyTo' in payload || 'mentions' in payload)) return { payload }
  const { replyTo, ...said } = payload as CommandPayload<'send_message'>
  const mentions = knownMentions(view, op.room, said.mentions)
  const about = replyTo && find(view, op, replyTo)
  if (replyTo && !about) return 'FORBIDDEN'
  const tells: Told[] = mentions.map((user) => ({ user, type: 'mention' }))
  for (const user of about ? listenersOf(view, about, op.user) : [])
    if (!mentions.includes(user)) tells.push({ user, type: 'reply', thread: about && placeOf(about) })
  return {
    payload: withMentions(replyTo && about ? { ...said, replyTo: placeOf(about) } : said, mentions),
    about,
    tells: tells.filter(({ user }) => user !== op.user),
  }
}

/** Whom the message named before was told then; who is new in it is not told by an edit. */
function resolveEdit(view: View, op: CommandOp, payload: Payload): Resolved | Code {
  const { target, ...said } = payload as CommandPayload<'edit_message'>
  const about = find(view, op, target)
  if (!about || about.sender !== op.user) return 'FORBIDDEN'
  if (about.standing.isDeleted) return 'MESSAGE_DELETED'
  const mentions = knownMentions(view, op.room, said.mentions)
  return { payload: { target: placeOf(about), ...withMentions(said, mentions) }, about }
}

/** What is deleted already may be deleted again: whoever wants it gone, on whatever device, has it so. */
function resolveDeletion(view: View, op: CommandOp, payload: Payload): Resolved | Code {
  const about = find(view, op, (payload as CommandPayload<'delete_message'>).target)
  if (!about || !canDelete(view, op.user, about)) return 'FORBIDDEN'
  return { payload: { target: placeOf(about) }, about }
}

function resolveReaction(
  view: View,
  op: CommandOp,
  { type, payload }: NonNullable<CommandOp['entry']>,
): Resolved | Code {
  const { target: named, emoji } = payload as CommandPayload<'add_reaction'>
  const about = find(view, op, named)
  if (!about) return 'FORBIDDEN'
  if (about.standing.isDeleted) return 'MESSAGE_DELETED'
  const { reactions = [] } = about.standing
  const known = reactions.find((reaction) => reaction.emoji === emoji)
  const isAdded = type === 'reaction_added'
  if (isAdded && !known && reactions.length >= MAX_EMOJIS_PER_MESSAGE) return 'TOO_MANY_REACTIONS'
  const count = known?.count ?? 0
  const target = placeOf(about)
  if (view.reacted(about.room, about.seq, emoji, op.user) === isAdded)
    return { payload: { target, emoji, count }, about }
  return { payload: { target, emoji, count: count + (isAdded ? 1 : -1) }, about, emoji }
}

/** The content as it stands, whoever said it first, and no names: they are of another room. */
function resolveForward(view: View, op: CommandOp, from: NonNullable<CommandOp['forward']>): Resolved | Code {
  const source = view.message(from.sender, from.messageId)
  if (source?.room !== from.room || !canSee(view, op.user, source) || source.standing.isDeleted)
    return 'FORBIDDEN'
  const { room, seq, sender, timestamp, standing } = source
  const original = view.payload(room, seq) as MessageBody | undefined
  const edit = standing.editSeq && view.payload(room, standing.editSeq)
  if (!original) return 'FORBIDDEN'
  const said = edit ? saidAfter(original, { ...FORM, type: 'message_edited', payload: edit }) : original
  if (said.kind === 'encrypted') return 'VALIDATION_ERROR'
  const { replyTo: _replyTo, forwardedFrom = { sender, timestamp }, ...content } = said
  if (content.kind === 'deleted') return 'FORBIDDEN'
  const { mentions: _mentions, ...copy } = content
  // Said by a user, it is a text.
  const { kind, ...text } = copy
  return { payload: { ...(kind === 'system' ? text : copy), forwardedFrom } }
}

const FORM: Omit<Entry, 'type' | 'payload'> = { seq: 0, sender: '', messageId: '', timestamp: 0 }

/** The message of the command's room that it names, where the user may read it. */
function find(
  view: View,
  { user, room }: CommandOp,
  { sender, messageId }: { readonly sender: string; readonly messageId: string },
): MessageRow | undefined {
  const message = view.message(sender, messageId)
  return message?.room === room && canSee(view, user, message) ? message : undefined
}

function placeOf({ seq, sender, messageId }: MessageRow) {
  return { seq, sender, messageId }
}

/** Those of them who belong to the room, each once. */
function knownMentions(view: View, room: string, mentions: readonly string[] = []): readonly string[] {
  return [...new Set(mentions)].filter((user) => membershipOf(view, room, user) !== undefined)
}

function withMentions(said: Payload, mentions: readonly string[]): Payload {
  const { mentions: _named, ...rest } = said
  return mentions.length > 0 ? { ...rest, mentions } : rest
}
