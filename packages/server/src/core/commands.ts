/**
 * From frames to operations of the store: durable commands in their lanes, and the requests that change a room. What
 * can be placed in its lane is decided there, valid or not, so that a malformed command cannot block those behind it;
 * what the user's rate refuses never comes near the lane.
 *
 * The user is always that of the session, whatever a frame says. The application's own commands (application.ts) come the
 * same way, and no rate binds them.
 */
import { type DecodedCommand, decodeCommand } from '@tautline/protocol'
import {
  CODES,
  type Code,
  type CommandPayload,
  digestOf,
  makeMessageId,
  type PayloadOf,
} from '@tautline/protocol/wire'
import type { Committer } from './commit.ts'
import { APPLICATION, type Connection } from './connection.ts'
import { type Context, refuse, refuseRun, unixMs, unreachable } from './context.ts'
import type { NotifyMessage } from './contract.ts'
import { type NoticeRequest, noticeOperationOf } from './notice-requests.ts'
import type { NodeOptions } from './options.ts'
import { randomText } from './random.ts'
import { isSystem } from './rights.ts'
import { isRoomRequest, operationOf, type RoomRequest } from './room-requests.ts'
import type { CommandOp } from './store.ts'
import type { Usage } from './usage.ts'

/** What an operation without content counts for against the size of a commit. */
const BARE_OP_CHARS = 64

export interface Commands {
  /** False: what the user may use (usage.ts) was too little for at least one. */
  take(connection: Connection, frame: PayloadOf<'commands'>): boolean
  /** A request that changes a room, what belongs to it, how far it was read, or somebody's notifications. */
  change(connection: Connection, message: RoomRequest | NoticeRequest | NotifyMessage): void
}

/** `intake`: what takes the operations. */
export function createCommands(context: Context, intake: Pick<Committer, 'add'>, usage: Usage): Commands {
  const { createRooms, own } = context.options

  function takeOne(connection: Connection, frame: PayloadOf<'commands'>, index: number): void {
    const item = frame.commands[index]
    const ref = frame.ref + index
    const command = decodeCommand(item)
    if (command.messageId === undefined) {
      refuse(context, connection, ref, 'INVALID_MESSAGE')
      return
    }
    const isUnknown = !command.ok && command.code === 'UNKNOWN_TYPE'
    const said = isUnknown
      ? ownVerdict(item as OwnCommand)
      : verdict(connection.userId, command, context.options)
    if (!said) {
      refuse(context, connection, ref, 'UNKNOWN_TYPE')
      return
    }
    const { room, sid } = frame
    const text = contentOf(item)
    const op: CommandOp = {
      op: 'command',
      user: connection.userId,
      room,
      sid,
      n: frame.n + index,
      messageId: command.messageId,
      digest: digestOf(text),
      noticeId: mayTell(room, said.entry?.payload) ? ownMessageId() : undefined,
      ...said,
    }
    intake.add(connection, ref, op, text.length + BARE_OP_CHARS)
  }

  /** Of a command that the vocabulary lacks. Undefined: the application has no such message either. */
  function ownVerdict({ type, payload = {} }: OwnCommand): Verdict | undefined {
    const checked = own.check('durable', type, payload)
    if (!checked) return undefined
    if (checked.ok) return entryOf(type, checked.payload)
    return { ...refusal(checked.code), refusalDetail: checked.detail }
  }

  function ownMessageId(): string {
    return makeMessageId(unixMs(context), randomText(context.random, 12))
  }

  return {
    take(connection, frame) {
      const { length } = frame.commands
      const isBound = connection.id !== APPLICATION
      for (let i = 0; i < length; i++) {
        const retryAfterMs = isBound ? usage.takeCommand(connection.userId, frame.commands[i]) : 0
        if (retryAfterMs === 0) takeOne(connection, frame, i)
        else {
          // So is the rest of the frame: the lane could answer no more than GAP.
          refuseRun(context, connection, frame.ref + i, 'RATE_LIMIT', length - i, retryAfterMs)
          return false
        }
      }
      return true
    },

    change(connection, message) {
      const { userId: user } = connection
      const isApplication = connection.id === APPLICATION
      const op = isRoomRequest(message)
        ? operationOf(message, { user, isApplication, createRooms, makeId: ownMessageId })
        : noticeOperationOf(message, user)
      const chars = 'about' in op ? op.about.length : 'payload' in op ? JSON.stringify(op.payload).length : 0
      intake.add(connection, message.payload.ref, op, BARE_OP_CHARS + chars)
    },
  }
}

type Verdict = Pick<CommandOp, 'entry' | 'refusal' | 'refusalDetail' | 'forward'>

/** Of the form of a command, of a type that is not the protocol's. */
interface OwnCommand {
  readonly type: string
  readonly payload?: unknown
}

/** What would be appended, or why nothing will be. */
function verdict(
  sender: string,
  command: DecodedCommand,
  { limits: { maxMessageChars }, isReactionName }: NodeOptions,
): Verdict {
  // What is not of its form is refused for good: a code that could be retried would hold up the lane for ever.
  if (!command.ok) return refusal(CODES[command.code].final ? command.code : 'VALIDATION_ERROR')
  switch (command.type) {
    case 'skip':
      return { entry: undefined, refusal: undefined }
    case 'send_message':
      if (command.payload.content.length > maxMessageChars) return refusal('MESSAGE_TOO_LONG')
      return entryOf('new_message', messageOf(sender, command.payload))
    case 'edit_message':
      if (command.payload.content.length > maxMessageChars) return refusal('MESSAGE_TOO_LONG')
      return entryOf('message_edited', messageOf(sender, command.payload))
    case 'delete_message':
      return entryOf('message_deleted', command.payload)
    case 'forward_message':
      return { ...entryOf('new_message', {}), forward: command.payload.from }
    case 'add_reaction':
      if (!isReaction(command.payload.emoji, isReactionName)) return refusal('VALIDATION_ERROR')
      return entryOf('reaction_added', command.payload)
    case 'remove_reaction':
      return entryOf('reaction_removed', command.payload)
    default:
      return unreachable(command)
  }
}

/** An emoji always is one. */
function isReaction(emoji: string, isReactionName: NodeOptions['isReactionName']): boolean {
  return !emoji.startsWith(':') || isReactionName(emoji.slice(1, -1))
}

function refusal(code: Code): Verdict {
  return { entry: undefined, refusal: code }
}

function entryOf(type: string, payload: Readonly<Record<string, unknown>>): Verdict {
  return { entry: { type, payload }, refusal: undefined }
}

/** Whether somebody's own log may get an entry by it. */
function mayTell(room: string, payload: Readonly<Record<string, unknown>> = {}): boolean {
  return room.startsWith('~') || 'mentions' in payload || 'replyTo' in payload
}

/** What no client can say and the system says unless told otherwise: a message of the kind `system`. */
function messageOf(
  sender: string,
  payload: CommandPayload<'send_message'> | CommandPayload<'edit_message'>,
): Readonly<Record<string, unknown>> {
  return isSystem(sender) && payload.kind === undefined ? { ...payload, kind: 'system' } : payload
}

/** Type and payload as they came: what the digest is made of. */
function contentOf(item: unknown): string {
  const { type, payload } = item as { readonly type?: unknown; readonly payload?: unknown }
  return JSON.stringify({ type, payload })
}
