/**
 * Calls: the words with which WebRTC calls of two users, and of a few in a room, are set up, kept and ended. They are an
 * extension, made of nothing but what `defineProtocol` offers; an entry of its own, `@tautline/protocol/calls`.
 *
 * The server decides what must be decided in one place: whether it rings, which of a user's devices is in, when it is
 * over. It tells each change as the whole call, so that what was missed needs no repair. Session descriptions and
 * candidates are opaque to it, and travel from peer to peer in lanes of their own (see `signal`).
 *
 * A **peer** is one device's part in a call: its id is chosen by the device anew each time that it comes in.
 */
import * as z from 'zod/mini'
import { defineProtocol } from './extension.ts'
import { MAX_CALL_CANDIDATES, MAX_CALL_USERS, MAX_CALLS_OF_USER } from './limits.ts'
import { durationMs, position, roomId, seq, timestamp, userId } from './messages/fields.ts'

/** Chosen by who starts the call: asked twice, a call is one call. Its entries have message ids made of it. */
export const CALL_ID = /^[A-Za-z0-9_-]{8,48}$/
export const PEER_ID = /^[\w-]{8,48}$/

const callId = z.string().check(z.regex(CALL_ID))
const peerId = z.string().check(z.regex(PEER_ID))
const media = z.enum(['audio', 'video'])

/** Why a call is over for all. */
const endReason = z.enum(['ended', 'cancelled', 'missed', 'rejected', 'busy', 'failed'])

const participant = z.object({
  userId,
  /**
   * - `ringing`: it rings on all of the user's devices
   * - `joined`: the user is in, with the device of `peerId`
   * - `rejected`, `missed`, `busy` (in another call): did not come in; `left`: hung up; `lost`: did not come back
   */
  state: z.enum(['ringing', 'joined', 'rejected', 'missed', 'busy', 'left', 'lost']),
  peerId: z.optional(peerId),
  /** Whether the server has a connection of the device now. Without one its media may go on. */
  isConnected: z.optional(z.boolean()),
})

/** A call as it stands. */
const call = z.object({
  callId,
  room: roomId,
  media,
  startedBy: userId,
  /** The position of `call_started` in the log of the room. */
  seq: position,
  startedAt: timestamp,
  /** When the second user came in. */
  answeredAt: z.optional(timestamp),
  /** Of two pictures of a call the one with the higher number is newer. */
  revision: position,
  /** The server was started anew, and waits for devices that it may not know of yet. */
  isRestored: z.optional(z.boolean()),
  participants: z.array(participant).check(z.maxLength(MAX_CALL_USERS)),
  ended: z.optional(z.object({ at: timestamp, reason: endReason })),
})

/** As `RTCIceCandidate.toJSON()` gives it; an empty `candidate` says that there are no more. */
const candidate = z.object({
  candidate: z.string().check(z.maxLength(1_024)),
  sdpMid: z.optional(z.nullable(z.string().check(z.maxLength(64)))),
  sdpMLineIndex: z.optional(z.nullable(z.int().check(z.minimum(0), z.maximum(255)))),
  usernameFragment: z.optional(z.nullable(z.string().check(z.maxLength(256)))),
})

const description = z.object({
  type: z.enum(['offer', 'answer']),
  sdp: z.string().check(z.maxLength(32_768)),
})

/**
 * What one peer says to another: number `n` of the lane from the one to the other, from 1 without holes. `received`: up to
 * which number the other lane arrived. Number 0 says that alone, and asks for what comes after it.
 */
const signal = z.object({
  n: position,
  received: position,
  description: z.optional(description),
  candidates: z.optional(z.array(candidate).check(z.minLength(1), z.maxLength(MAX_CALL_CANDIDATES))),
})

const asked = { payload: z.object({ callId }), response: z.object({}) }
const told = z.object({ call })

export const callProtocol = defineProtocol({
  name: 'calls',
  messages: {
    /**
     * Call members of the room: these, or all of it. Where a call is on in the room, this peer comes into it instead. The
     * answer may be a call that is over already: all were busy.
     */
    start_call: {
      kind: 'request',
      payload: z.object({
        callId,
        peerId,
        room: roomId,
        media,
        to: z.optional(z.array(userId).check(z.minLength(1), z.maxLength(MAX_CALL_USERS - 1))),
      }),
      response: told,
    },
    /** Take the call with this device, or come (back) into it. One answer of a user wins: ANSWERED_ELSEWHERE. */
    answer_call: { kind: 'request', payload: z.object({ callId, peerId }), response: told },
    /** On all devices of the user. */
    reject_call: { kind: 'request', ...asked },
    /** Hang up. */
    end_call: { kind: 'request', payload: z.object({ callId, peerId }), response: asked.response },
    /** Still in the call, on another connection: to a server that may not know of it. */
    resume_call: {
      kind: 'request',
      payload: z.object({
        callId,
        peerId,
        room: roomId,
        seq,
        answeredAt: z.optional(timestamp),
        /** How many other peers this one has. */
        others: z.int().check(z.minimum(0), z.maximum(MAX_CALL_USERS - 1)),
      }),
      response: told,
    },
    /** The calls that the user is in, or that ring for them. */
    get_calls: {
      kind: 'request',
      payload: z.object({}),
      response: z.object({ calls: z.array(call).check(z.maxLength(MAX_CALLS_OF_USER)) }),
    },
    /** Say something to another peer of the call. */
    signal_peer: {
      kind: 'request',
      payload: z.object({ callId, from: peerId, to: peerId, signal }),
      response: z.object({}),
    },
    /** To the device of `to`. */
    peer_signal: { kind: 'event', payload: z.object({ callId, from: peerId, to: peerId, signal }) },
    /** To all devices of who is in the call or is called: how it stands now. */
    call_changed: { kind: 'event', payload: told },
    /** In the log of the room, said by the server alone, with the message id `callId`. */
    call_started: { kind: 'durable', payload: z.object({ callId, media }) },
    /** The same when it is over. */
    call_ended: {
      kind: 'durable',
      payload: z.object({
        callId,
        media,
        startedBy: userId,
        startedAt: timestamp,
        /** When the second user came in; absent: nobody did. */
        answeredAt: z.optional(timestamp),
        /** From the answer to the end; 0 where nobody answered. */
        durationMs,
        reason: endReason,
        /** Who was in it or was called. */
        users: z.array(userId).check(z.maxLength(MAX_CALL_USERS)),
      }),
    },
  },
  errors: {
    CALL_NOT_FOUND: { message: 'There is no such call for you.', retryable: false },
    CALL_ENDED: { message: 'The call is over.', retryable: false },
    ANSWERED_ELSEWHERE: { message: 'Another device of yours is in the call.', retryable: false },
    IN_CALL: { message: 'You are in another call.', retryable: false },
    CALL_FULL: { message: 'As many are in the call as can be.', retryable: false },
    ROOM_TOO_LARGE: {
      message: 'The room has more members than can be in a call: name some.',
      retryable: false,
    },
    PEER_UNAVAILABLE: { message: 'The other peer has no connection now.', retryable: false },
    SAID_BY_THE_SERVER: { message: 'The server alone says when a call begins and ends.', retryable: false },
  },
})

export type Call = z.infer<typeof call>
export type Participant = Call['participants'][number]
export type CallMedia = Call['media']
export type CallEndReason = z.infer<typeof endReason>
export type CallSignal = z.infer<typeof signal>
export type CallCandidate = z.infer<typeof candidate>
export type CallDescription = z.infer<typeof description>
/** How a call went: the payload of `call_ended`. */
export type CallRecord = z.infer<(typeof callProtocol)['messages']['call_ended']['payload']>
