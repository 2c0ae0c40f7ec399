/**
 * What both ends hold of a notification: which entries of a user's own log are one, how loudly each is said where nobody
 * said otherwise, and of what in a room a user hears without a setting.
 */
import { usersOfDirectRoom } from './ids.ts'
import type { Alert, NotificationLevel } from './vocabulary.ts'

/** What one did oneself, on whatever device, is no news. */
export function isNotification(userId: string, { sender }: { readonly sender: string }): boolean {
  return sender !== userId
}

const HIGH: ReadonlySet<string> = new Set(['mention', 'missed_call'])

/** The alert of an entry of a user's own log; of a type that this version does not know, too. */
export function alertOf(type: string, alert: Alert | undefined): Alert {
  return alert ?? { priority: HIGH.has(type) ? 'high' : 'normal' }
}

/** Without a setting. Who writes to somebody directly wants them to hear of it. */
export function defaultLevel(room: string): NotificationLevel {
  return usersOfDirectRoom(room) ? 'all' : 'mentions'
}
