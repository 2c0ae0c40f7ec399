/**
 * Commands and entries: what goes into a room's log and what comes out of it. A command is an entry that has no place
 * yet. Both are envelopes ({ type, payload, messageId, timestamp }); a `commands` frame names room and lane once for
 * all that it carries, an `entries` frame the room.
 */
import * as z from 'zod/mini'
import { TYPE_NAME } from '../ids.ts'
import { MAX_BATCH, MAX_RUN_ENTRIES } from '../limits.ts'
import { contentWith, recordedContentWith } from './content.ts'
import {
  count,
  fingerprint,
  messageId,
  messagePlace,
  messageTarget,
  openObject,
  ref,
  roomId,
  seq,
  sid,
  timestamp,
  userId,
} from './fields.ts'
import { reactionCounts } from './reactions.ts'

export const typeName = z.string().check(z.regex(TYPE_NAME))

/**
 * To the server: durable commands of one lane (this user, `sid`, `room`). The first has place `n` in the lane and is
 * answered under `ref`, the next `n + 1` and `ref + 1`, and so on.
 */
export const commands = z
  .object({
    ref,
    room: roomId,
    sid,
    n: z.int().check(z.minimum(1)),
    // Each item is checked by itself (see decodeCommand): one that is malformed must not take its neighbours with it.
    commands: z.array(z.unknown()).check(z.minLength(1), z.maxLength(MAX_BATCH)),
  })
  // The last ref is one, too.
  .check(z.refine(({ ref: first, commands: { length } }) => first <= Number.MAX_SAFE_INTEGER - length + 1))

/** One item of `commands`. */
export const command = z.object({ type: typeName, messageId, payload: z.optional(openObject) })

/** Command: say something in the room. The server's maxMessageChars binds beyond this schema. */
export const sendMessage = contentWith({ replyTo: z.optional(messageTarget) })

/** Command: this is what that message says from now on, all of it. Its sender alone may. */
export const editMessage = contentWith({ target: messageTarget })

/** Command: blank what that message said, and all that its edits said. */
export const deleteMessage = z.object({ target: messageTarget })

/** Command: say here what was said there. The server copies the content; the client could not vouch for it. */
export const forwardMessage = z.object({
  from: z.object({ room: roomId, sender: userId, messageId }),
})

/** Command: give the place in the lane up. `messageId` is that of the command that had it. */
export const skip = z.object({})

/** One entry of a log. `type` is open: a reader that does not know it still moves on. */
export const entry = z.object({
  type: typeName,
  seq,
  sender: userId,
  messageId,
  timestamp,
  payload: openObject,
})

/** From the server: the newest entries of a room that the connection follows, without holes; `h` is that of the last. */
export const entries = z.object({
  room: roomId,
  entries: z.array(entry).check(z.minLength(1), z.maxLength(MAX_RUN_ENTRIES)),
  h: fingerprint,
})

/** The message that this one answers; `seq` is given by a server that looked for it. */
const replyPlace = z.object({ seq: z.optional(seq), sender: userId, messageId })

/** Entry: what `send_message` or `forward_message` became, or what the server itself said. */
export const newMessage = recordedContentWith({
  replyTo: z.optional(replyPlace),
  /** Who said it first, and when. Not in which room: the readers of this one may not know of it. */
  forwardedFrom: z.optional(z.object({ sender: userId, timestamp })),
  /** Only in `history`, where later changes are folded in (see fold.ts). */
  editedAt: z.optional(timestamp),
  /** 1 as it was said, one more with each edit. */
  version: z.optional(z.int().check(z.minimum(2))),
  reactions: z.optional(reactionCounts),
  replyCount: z.optional(count),
  lastReply: z.optional(z.object({ ...messagePlace.shape, timestamp })),
})

/** Entry: what `edit_message` became. */
export const messageEdited = recordedContentWith({ target: messagePlace })

/** Entry: what `delete_message` became. Its sender is who deleted. */
export const messageDeleted = z.object({ target: messagePlace })
