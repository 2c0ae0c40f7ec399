/**
 * Carriers for the messages of an application's own: what is neither a command nor an entry of a log travels in these,
 * with its type inside, so that the vocabulary stays closed. Durable ones need none: they are commands and entries of
 * their own type. What a payload holds is between the application's ends (see defineProtocol).
 */
import * as z from 'zod/mini'
import { MAX_PAYLOAD_BYTES } from '../limits.ts'
import { boundedObject, ref, roomId, userId } from './fields.ts'
import { typeName } from './messages.ts'

const payload = boundedObject(MAX_PAYLOAD_BYTES)

/** To the server, ephemeral: for who follows the room, unless the application decides otherwise. Answered by `done`. */
export const sendSignal = z.object({ ref, room: roomId, type: typeName, payload })
/** From the server: what a user signalled in a room, or, without a sender, what the application says. */
export const signal = z.object({
  type: typeName,
  payload,
  room: z.optional(roomId),
  sender: z.optional(userId),
})

/** To the server: a question to the application. */
export const sendRequest = z.object({ ref, type: typeName, payload })
/** From the server: its answer. */
export const response = z.object({ ref, payload })
