/**
 * Whether users know each other, by the rooms that they share, and when each was last there. Of each user so many rooms
 * are looked at, by their ids: nobody may make a read longer by joining more. Their direct room is theirs by its name, so
 * it counts for who asks only once the other has said something in it: else to write to a stranger would be to watch them.
 *
 * Many are looked at by and by: whoever names 200 strangers must not hold up everybody.
 */
import { directRoomId } from '@tautline/protocol/wire'
import { type Acquaintance, MAX_SHARED_LOOKS } from '../core/store.ts'
import { nextTurn } from '../next-turn.ts'
import type { Log } from './log.ts'

/** Users who are looked at in one turn of the event loop: 1,000 rooms of each cost about 1.5 ms. */
const USERS_AT_ONCE = 5
/** Rooms of one user that are looked at in one go. */
const ROOMS_AT_ONCE = 100
/** The ids of direct rooms begin with it, and sort after all others. */
const DIRECT = '~'

/** `read`: a part of it, as the store does every read. */
export async function readAcquaintances(
  { log, user }: { readonly log: Log; readonly user: string },
  others: readonly string[],
  read: <T>(answer: () => T) => Promise<T>,
): Promise<readonly Acquaintance[]> {
  const own = await read(() => new Set(firstRooms(log, user)))
  const isKnown = (userId: string) =>
    userId === user || isAmong(own, firstRooms(log, userId)) || hasSpoken(log, userId, user)
  const known: Acquaintance[] = []
  for (let i = 0; i < others.length; i += USERS_AT_ONCE) {
    if (i > 0) await nextTurn()
    const some = others.slice(i, i + USERS_AT_ONCE)
    const found = await read(() =>
      some.map((userId) => ({ userId, sharesRoom: isKnown(userId), lastSeenAt: log.lastSeen(userId) })),
    )
    known.push(...found)
  }
  return known
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
    for (const room of rooms) {
      if (room >= DIRECT) return
      yield room
    }
    if (rooms.length < ROOMS_AT_ONCE) return
    after = rooms.at(-1) ?? ''
  }
}

function hasSpoken(log: Log, from: string, to: string): boolean {
  return (log.joinedSeq(directRoomId(from, to), from) ?? 0) > 0
}
