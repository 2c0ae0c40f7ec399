/**
 * Whether users know each other, by the rooms that they share, and when each was last there. Of each user so many rooms
 * are looked at, by their ids: nobody may make a read longer by joining more.
 */
import { type Acquaintance, MAX_SHARED_LOOKS } from '../core/store.ts'
import type { Log } from './log.ts'

/** Rooms of one user that are looked at in one go. */
const ROOMS_AT_ONCE = 100

export function readAcquaintances(
  log: Log,
  user: string,
  others: readonly string[],
): readonly Acquaintance[] {
  const own = new Set(firstRooms(log, user))
  return others.map((userId) => {
    const sharesRoom = userId === user || isAmong(own, firstRooms(log, userId))
    return { userId, sharesRoom, lastSeenAt: log.lastSeen(userId) }
  })
}

function isAmong(own: ReadonlySet<string>, rooms: Iterable<string>): boolean {
  if (own.size === 0) return false
  for (const room of rooms) if (own.has(room)) return true
  return false
}

/** Read by and by, since a look at the first of them is mostly enough. */
function* firstRooms(log: Log, user: string): Generator<string> {
  let after = ''
  for (let looked = 0; looked < MAX_SHARED_LOOKS; looked += ROOMS_AT_ONCE) {
    const rooms = log.roomsOf(user, after, ROOMS_AT_ONCE)
    yield* rooms
    if (rooms.length < ROOMS_AT_ONCE) return
    after = rooms.at(-1) ?? ''
  }
}
