/**
 * Calls of two users: the server carries their WebRTC signals, decides which of a user's devices answered, ends the
 * ringing, and keeps the history. Requests and ephemeral words; the one durable trace is `missed_call` in the log of
 * the user who was called. Offers, answers and candidates are opaque here.
 */
import * as z from 'zod/mini'
import { MAX_PAGE_ENTRIES } from '../limits.ts'
import { durationMs, messageId, ref, roomId, timestamp, userId } from './fields.ts'

/** Chosen by the caller, of the form of a message id: asked twice, a call is one call. */
const callId = messageId
const media = z.enum(['audio', 'video'])
/** A session description, as the browser gives it. */
const sdp = z.string().check(z.minLength(1), z.maxLength(32_768))
/** As RTCIceCandidate.toJSON() gives it; an empty `candidate` says that there are no more. */
const candidate = z.object({
  candidate: z.string().check(z.maxLength(1_024)),
  sdpMid: z.optional(z.nullable(z.string().check(z.maxLength(64)))),
  sdpMLineIndex: z.optional(z.nullable(z.int().check(z.minimum(0), z.maximum(255)))),
  usernameFragment: z.optional(z.nullable(z.string().check(z.maxLength(256)))),
})
const outcome = z.enum(['ended', 'rejected', 'missed', 'cancelled', 'failed'])

/** To the server: call a member of this room. */
export const startCall = z.object({ ref, callId, room: roomId, to: userId, media, offer: sdp })
/** To the server: this device takes the call. One answer wins; the others learn it from `call_ended`. */
export const answerCall = z.object({ ref, callId, answer: sdp })
export const rejectCall = z.object({ ref, callId })
/** To the server: hang up, before or after an answer. */
export const endCall = z.object({ ref, callId })
/** To the server, ephemeral: a candidate for the other side. */
export const sendCandidate = z.object({ callId, candidate })

/** From the server: it rings, and is missed after so long without an answer. */
export const callStarted = z.object({ ref, callId, ringTimeoutMs: durationMs })
/** From the server, to every connection of the user who is called. */
export const incomingCall = z.object({
  callId,
  room: roomId,
  from: userId,
  media,
  offer: sdp,
  ringTimeoutMs: durationMs,
})
/** From the server: to the device that answered, with `ref`; to the caller, with the answer. */
export const callAnswered = z.object({ ref: z.optional(ref), callId, answer: z.optional(sdp) })
/** From the server: over, or over on this device. With `ref` as the answer to `reject_call`, `end_call` or a late `answer_call`. */
export const callEnded = z.object({
  ref: z.optional(ref),
  callId,
  reason: z.enum([...outcome.options, 'answered_elsewhere']),
})
/** From the server, ephemeral: a candidate of the other side. */
export const callCandidate = z.object({ callId, candidate })

/** To the server: calls that I made or got, the newest, or those before a call. */
export const listCalls = z.object({
  ref,
  before: z.optional(callId),
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_PAGE_ENTRIES))),
})
/** From the server: the oldest first. */
export const callList = z.object({
  ref,
  calls: z
    .array(
      z.object({
        callId,
        room: roomId,
        from: userId,
        to: userId,
        media,
        outcome,
        startedAt: timestamp,
        answeredAt: z.optional(timestamp),
        endedAt: timestamp,
      }),
    )
    .check(z.maxLength(MAX_PAGE_ENTRIES)),
  hasOlder: z.boolean(),
})
