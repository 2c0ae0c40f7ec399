/**
 * The forms of all identifiers, and the ids that are made of others. Ids are checked here before any store sees them.
 *
 * `~` is reserved: it begins the ids that are derived, never chosen (a user's own log, a direct room).
 */
export const USER_ID = /^[A-Za-z0-9._@|:+=-]{1,128}$/
/** The sender of what the application says and does by itself. No client can be it: a token that names it is refused. */
export const SYSTEM_USER_ID = 'system'
/** A chosen room name, `~user` (a user's own log) or `~a~b` (the direct room of two users, sorted). */
export const ROOM_ID =
  /^(?:[A-Za-z0-9][A-Za-z0-9._@|:+=/#-]{0,127}|~[A-Za-z0-9._@|:+=-]{1,128}(?:~[A-Za-z0-9._@|:+=-]{1,128})?)$/
export const MESSAGE_ID = /^[A-Za-z0-9_-]{8,64}$/
/** The id of a lane: one sender session (a loaded tab, a process) of one user. */
export const SID = /^[A-Za-z0-9_-]{8,64}$/
/** The fingerprint of a log's prefix; empty before the first entry. */
export const FINGERPRINT = /^[A-Za-z0-9_-]{0,12}$/

/** The type of a command, an entry, or a message of the application's own. Those of the protocol have no dot. */
export const TYPE_NAME = /^[a-z][a-z0-9_.]{0,63}$/

/** A message id: 9 characters of Unix milliseconds in base 36 (so that ids sort by time), then 12 random ones. */
export function makeMessageId(unixMs: number, random12: string): string {
  return unixMs.toString(36).padStart(9, '0') + random12
}

/** The id of the room of exactly these two users, the same from both sides. */
export function directRoomId(a: string, b: string): string {
  return a < b ? `~${a}~${b}` : `~${b}~${a}`
}

/** The two users of a direct room, or undefined where the id is not one. */
export function usersOfDirectRoom(room: string): readonly [string, string] | undefined {
  if (!ROOM_ID.test(room)) return undefined
  const [, a, b] = room.split('~')
  return a !== undefined && b !== undefined && a < b ? [a, b] : undefined
}

/** The id of a user's own log, which only that user follows. */
export function ownLogId(userId: string): string {
  return `~${userId}`
}
