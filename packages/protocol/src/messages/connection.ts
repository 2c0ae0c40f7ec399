/** The connection: authentication, renewal, heartbeat, acks, errors, going away. */
import * as z from 'zod/mini'
import { CODE_NAME } from '../codes.ts'
import { MAX_BATCH, MAX_RUN_ENTRIES } from '../limits.ts'
import { durationMs, messageId, ref, roomId, seq, sid, timestamp, userId } from './fields.ts'
import { updatePresence } from './presence.ts'

/** Open: the table may have grown, and applications have codes of their own. */
const code = z.string().check(z.regex(CODE_NAME))
const token = z.string().check(z.minLength(1), z.maxLength(16_384))

/** To the server, first: who I am. `token` is absent where the upgrade request carried it. */
export const authenticate = z.object({
  ref,
  sid,
  token: z.optional(token),
  /** Who the client believes to be; another answer than this stops it before anything is sent. */
  userId: z.optional(userId),
  /** How I am from the first moment: as `update_presence`, for which who hides would come too late. */
  presence: z.optional(updatePresence),
})

/** To the server, on an open connection: a token that lives longer. */
export const renewToken = z.object({ ref, token })

const positive = z.int().check(z.minimum(1))
const limits = z.object({
  maxMessageChars: positive,
  maxFrameBytes: positive,
  windowPerRoom: positive,
  windowPerConnection: positive,
  windowBytes: positive,
  messagesPerSecond: z.number().check(z.positive()),
  messageBurst: positive,
  maxSubscriptions: positive,
})

/** From the server: authenticated. The envelope's timestamp is the server's time. */
export const connected = z.object({
  ref,
  connectionId: z.string().check(z.minLength(1), z.maxLength(128)),
  userId,
  /** Names the log store; another one means that all cursors are void. */
  epoch: z.string().check(z.minLength(1), z.maxLength(64)),
  limits,
  heartbeatIntervalMs: durationMs,
  /** When the connection ends unless the token is renewed. */
  tokenExpiresAt: z.optional(timestamp),
})

export const tokenRenewed = z.object({ ref, tokenExpiresAt: z.optional(timestamp) })

export const ping = z.object({ ref })
export const pong = z.object({ ref })

/** From the server: what was asked with `ref` has happened, and there is nothing more to say. */
export const done = z.object({ ref })

const runLength = z.optional(z.int().check(z.minimum(1), z.maximum(MAX_BATCH)))

/**
 * From the server: durable commands that have their place. One item speaks for `count` commands (default 1) with
 * consecutive refs, which got consecutive seqs. The time of an item is the envelope's timestamp, unless it says its own.
 */
export const ack = z.object({
  acks: z
    .array(
      z.object({
        ref,
        seq,
        count: runLength,
        timestamp: z.optional(timestamp),
      }),
    )
    .check(z.minLength(1), z.maxLength(MAX_RUN_ENTRIES)),
})

/**
 * From the server: what was asked with `ref` did not happen. Without `ref` it concerns the whole connection. With `count`
 * it speaks for so many commands of one lane with consecutive refs.
 */
export const error = z.object({
  ref: z.optional(ref),
  count: runLength,
  code,
  /** Said beside a code that is not of the table: what was asked has failed for good. */
  final: z.optional(z.boolean()),
  message: z.string().check(z.maxLength(1_000)),
  room: z.optional(roomId),
  messageId: z.optional(messageId),
  retryAfterMs: z.optional(durationMs),
})

/** From the server: it is about to close every connection; come back after this time. */
export const goingAway = z.object({ reconnectAfterMs: durationMs })
