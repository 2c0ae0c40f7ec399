/**
 * Of which rooms a user wants to hear, and how much: a setting for each room, of the user's own, the same on all of their
 * devices. Without one it is `mentions`, in direct rooms `all`.
 */
import * as z from 'zod/mini'
import { durationMs, ref, roomId, timestamp } from './fields.ts'

/** Every message, what names or answers the user, or nothing that is said there. */
export const notificationLevel = z.enum(['all', 'mentions', 'none'])

const setting = {
  level: notificationLevel,
  /** Until then as `none`. */
  silencedUntil: z.optional(timestamp),
}

/** As it stands in the description of a room. */
export const roomNotifications = z.object(setting)
/** To the server: what is named here, for this room. `silenceMs` 0: hear again. */
export const setNotifications = z.object({
  ref,
  room: roomId,
  level: z.optional(notificationLevel),
  silenceMs: z.optional(durationMs),
})
/** With `ref` to who asked, without to the user's other connections. */
export const notificationsSet = z.object({ ref: z.optional(ref), room: roomId, ...setting })
