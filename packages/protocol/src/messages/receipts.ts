/**
 * Receipts: monotone maxima per user and room, `read ≤ delivered ≤ head`. State, not entries: the newest value is what
 * counts, and a client sends its own again after each connect.
 */
import * as z from 'zod/mini'
import { MAX_RECEIPT_MEMBERS, MAX_UNREAD_ROOMS } from '../limits.ts'
import { count, position, ref, roomId, seq, timestamp, userId } from './fields.ts'

/** To the server: I have read, or been given, everything up to here. What is read was delivered. */
export const markRead = z.object({ ref, room: roomId, seq })
export const markDelivered = z.object({ ref, room: roomId, seq })

/** From the server, to the user's own connections: they have read up to `seq`; with `ref` as the answer to `mark_read`. */
export const messagesRead = z.object({ ref: z.optional(ref), room: roomId, userId, seq, timestamp })
/** From the server: the same of what was delivered. */
export const messagesDelivered = z.object({ ref: z.optional(ref), room: roomId, userId, seq, timestamp })

/**
 * From the server, after the first page of a subscription: how far everybody is, and since when; from then on those who
 * moved. Maxima: a position that is no greater than the one that is known says nothing.
 */
export const roomReceipts = z.object({
  room: roomId,
  receipts: z
    .array(
      z.object({
        userId,
        delivered: position,
        deliveredAt: z.optional(timestamp),
        read: position,
        readAt: z.optional(timestamp),
      }),
    )
    .check(z.maxLength(MAX_RECEIPT_MEMBERS)),
})

/**
 * From the server, to the user's own connections: what is left to read in a room, followed or not, of what stands up to
 * `head`. Who follows the room counts on from there: each later message of others is one more, and one's own is none.
 */
export const unreadChanged = z.object({ room: roomId, read: position, head: position, unread: count })

/** To the server: in which of my rooms is something left to read? In the order of their ids. */
export const listUnread = z.object({ ref, after: z.optional(roomId) })
export const unreadList = z.object({
  ref,
  /** Those alone in which there is something. */
  rooms: z.array(unreadChanged).check(z.maxLength(MAX_UNREAD_ROOMS)),
  /** Up to here the rooms were looked at, and more follow; absent: these are all. */
  next: z.optional(roomId),
})
