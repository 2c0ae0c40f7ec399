/** The fields that several messages share. A form that an id must have is checked by its pattern in ids.ts. */
import * as z from 'zod/mini'
import { FINGERPRINT, MESSAGE_ID, ROOM_ID, SID, USER_ID, usersOfDirectRoom } from '../ids.ts'
import { MAX_DURATION_MS, MAX_METADATA_BYTES, MAX_PAYLOAD_DEPTH, MAX_ROOM_METADATA_BYTES } from '../limits.ts'
import { findFault, utf8Bytes } from '../text.ts'

export const userId = z.string().check(z.regex(USER_ID))
/** Of the two ways to write a direct room, one is the room; the other would be a room of the same name for nobody. */
export const roomId = z.string().check(z.regex(ROOM_ID), z.refine(isCanonical))
export const messageId = z.string().check(z.regex(MESSAGE_ID))
export const sid = z.string().check(z.regex(SID))
export const fingerprint = z.string().check(z.regex(FINGERPRINT))

/** Matches a reply to its request: chosen by who asks, unique within the connection. */
export const ref = z.int().check(z.minimum(1))
/** A position in a room's log, from 1. */
export const seq = z.int().check(z.minimum(1))
/** A position or the start of the log, 0. */
export const position = z.int().check(z.minimum(0))
/** Unix milliseconds. */
export const timestamp = z.int().check(z.minimum(0))
export const durationMs = z.int().check(z.minimum(0), z.maximum(MAX_DURATION_MS))
/** How many. */
export const count = z.int().check(z.minimum(0))
/** The application's own: the protocol does not look into it. */
export const openObject = z.record(z.string(), z.unknown())
/** The same within bounds: no deeper than its entry may be, by whatever frame it comes and goes, and bounded. */
export function boundedObject(maxBytes: number) {
  return openObject.check(z.refine((value) => isModest(value, maxBytes)))
}
export const metadata = boundedObject(MAX_METADATA_BYTES)
export const roomMetadata = boundedObject(MAX_ROOM_METADATA_BYTES)

export const cursor = z.object({ seq: position, h: fingerprint })
/** A cursor whose fingerprint the asker may not know. */
export const looseCursor = z.object({ seq: position, h: z.optional(fingerprint) })

/**
 * Names a message of the same room. By its id, not its position: what is not acknowledged yet can be edited, answered
 * and deleted as well, for a lane keeps the order.
 */
export const messageTarget = z.object({ sender: userId, messageId })
/** The same in an entry, with the position that the server found. */
export const messagePlace = z.object({ seq, sender: userId, messageId })

/** As it will be written, not as it came. */
function isModest(value: unknown, maxBytes: number): boolean {
  if (findFault(value, false, MAX_PAYLOAD_DEPTH) !== undefined) return false
  return utf8Bytes(JSON.stringify(value)) <= maxBytes
}

function isCanonical(room: string): boolean {
  return !room.includes('~', 1) || usersOfDirectRoom(room) !== undefined
}
