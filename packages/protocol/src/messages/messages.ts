/**
 * Commands and entries: what goes into a room's log and what comes out of it. A command is an entry that has no place
 * yet. Both are envelopes ({ type, payload, messageId, timestamp }); a `commands` frame names room and lane once for
 * all that it carries, an `entries` frame the room.
 */
import * as z from 'zod/mini'
import { MAX_BATCH, MAX_FRAME_BYTES } from '../limits.ts'
import { fingerprint, messageId, ref, roomId, seq, sid, timestamp, userId } from './fields.ts'

const typeName = z.string().check(z.regex(/^[a-z][a-z0-9_.]{0,63}$/))
const payload = z.record(z.string(), z.unknown())

/**
 * To the server: durable commands of one lane (this user, `sid`, `room`). The first has place `n` in the lane and is
 * answered under `ref`, the next `n + 1` and `ref + 1`, and so on.
 */
export const commands = z.object({
  ref,
  room: roomId,
  sid,
  n: z.int().check(z.minimum(1)),
  // Each item is checked by itself (see decodeCommand): one that is malformed must not take its neighbours with it.
  commands: z.array(z.unknown()).check(z.minLength(1), z.maxLength(MAX_BATCH)),
})

/** One item of `commands`. */
export const command = z.object({ type: typeName, messageId, payload: z.optional(payload) })

/** Command: say something in the room. The server's maxMessageChars binds beyond this schema. */
export const sendMessage = z.object({
  content: z.string().check(z.minLength(1), z.maxLength(MAX_FRAME_BYTES)),
  metadata: z.optional(payload),
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
  payload,
})

/** From the server: the newest entries of a room that the connection follows, without holes; `h` is that of the last. */
export const entries = z.object({
  room: roomId,
  entries: z.array(entry).check(z.minLength(1)),
  h: fingerprint,
})

/** Entry: what `send_message` became. */
export const newMessage = sendMessage
