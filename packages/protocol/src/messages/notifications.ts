/**
 * A user's own log (`~user`) and the notifications that it holds: every entry that somebody else caused is one, and its
 * `seq` is its name. A new one arrives like any entry of a room that is followed; what is kept beside the log is which of
 * them were read or cleared, and of which rooms the user wants to hear.
 */
import * as z from 'zod/mini'
import { MAX_PAGE_ENTRIES } from '../limits.ts'
import {
  count,
  messageId,
  messagePlace,
  position,
  ref,
  roomId,
  roomMetadata,
  seq,
  timestamp,
} from './fields.ts'
import { entry } from './messages.ts'
import { role } from './rooms.ts'

/** How loudly a device should say it. Absent: by its type, see alertOf. */
const alert = z.object({
  priority: z.enum(['low', 'normal', 'high']),
  sound: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
  /** The number on the application's icon. */
  badge: z.optional(count),
})

/** Entries of a user's own log. Their sender is who caused them. */
const about = { room: roomId, alert: z.optional(alert) }
export const mention = z.object({ ...about, message: messagePlace })
/** Somebody answered a message of this user, or one whose thread they follow: `thread`. */
export const reply = z.object({ ...about, message: messagePlace, thread: z.optional(messagePlace) })
export const invitation = z.object({ ...about, role })
/** The user is a member now: by their own act on any device, or because somebody wrote to them first. */
export const admission = z.object({ ...about, role })
export const removal = z.object({ ...about, reason: z.enum(['left', 'removed', 'banned', 'deleted']) })
/** The user, a member, has another role from now on. */
export const appointment = z.object({ ...about, role })
export const missedCall = z.object({
  ...about,
  callId: messageId,
  media: z.enum(['audio', 'video']),
  startedAt: timestamp,
})

/** Something else that the application has to say to the user. */
export const notice = z.object({
  room: z.optional(roomId),
  alert: z.optional(alert),
  title: z.string().check(z.minLength(1), z.maxLength(200)),
  body: z.optional(z.string().check(z.maxLength(2_000))),
  metadata: z.optional(roomMetadata),
})

const seqs = z.array(seq).check(z.minLength(1), z.maxLength(MAX_PAGE_ENTRIES))

/** To the server: the newest that are not cleared, or those before a position. */
export const getNotifications = z.object({
  ref,
  before: z.optional(seq),
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_PAGE_ENTRIES))),
})
export const notificationList = z.object({
  ref,
  /** In the order of the log. */
  notifications: z.array(z.object({ entry, read: z.boolean() })).check(z.maxLength(MAX_PAGE_ENTRIES)),
  unread: count,
  /** The last position of the log when it was counted: what comes after is not in it. */
  head: position,
  hasOlder: z.boolean(),
})

/** To the server. All are answered by `notifications_changed`, which the user's other connections get too. */
export const readNotifications = z.object({ ref, seqs })
/** Up to a position, as to clear. */
export const readAllNotifications = z.object({ ref, upTo: seq })
export const clearNotifications = z.object({ ref, seqs })
/** Up to a position: what arrives meanwhile was not seen, and stays. */
export const clearAllNotifications = z.object({ ref, upTo: seq })

export const notificationsChanged = z.object({
  ref: z.optional(ref),
  read: z.optional(seqs),
  /** Everything up to here was read. */
  readUpTo: z.optional(seq),
  cleared: z.optional(seqs),
  /** Everything up to here was cleared. */
  clearedUpTo: z.optional(seq),
  /** How many are unread now. */
  unread: count,
  /** The last position of the log when it was counted. */
  head: position,
})
