/**
 * Whether calls are over, as the logs of their rooms say. A log may have to be read far on from where a call began, and
 * anybody in the room may ask: so a user's questions are answered one after the other, others have their turn between two
 * pages, and what is over is remembered, for it stays so.
 */
import type { Entry } from '@tautline/protocol/wire'
import { LRUCache } from 'lru-cache'
import { nextTurn } from '../next-turn.ts'

/** Entries that are read at once … */
const PAGE_ENTRIES = 100
/** … and how often at most: of a call that began longer ago in its room nobody can say that it is not over. */
const MAX_PAGES = 50
const MAX_REMEMBERED = 1_000

export interface Began {
  readonly callId: string
  readonly room: string
  /** Who wants to know, and with whose rights it is read. */
  readonly as: string
  /** The position of its beginning. */
  readonly after: number
}

export interface Endings {
  /** Whether the log has the end of the call, or cannot be looked through for it: it is too long since, or hidden. */
  isOver(logs: Logs, began: Began): Promise<boolean>
}

interface Logs {
  getEntries(
    room: string,
    options: { readonly as: string; readonly after: number; readonly limit: number },
  ): Promise<readonly Entry[] | undefined>
}

export function createEndings(): Endings {
  const over = new LRUCache<string, true>({ max: MAX_REMEMBERED })
  /** The last question of each user. */
  const asked = new Map<string, Promise<boolean>>()

  async function look(logs: Logs, began: Began): Promise<boolean> {
    const key = `${began.room}\n${began.callId}\n${began.after}`
    if (over.has(key)) return true
    const isOver = await findEnd(logs, began)
    if (isOver) over.set(key, true)
    return isOver ?? true
  }

  return {
    isOver(logs, began) {
      const { as } = began
      const before = asked.get(as)
      const looked = before
        ? before.then(
            () => look(logs, began),
            () => look(logs, began),
          )
        : look(logs, began)
      asked.set(as, looked)
      const forget = () => {
        if (asked.get(as) === looked) asked.delete(as)
      }
      looked.then(forget, forget)
      return looked
    },
  }
}

/** Undefined: what is hidden from who asks may hold the end, be it from before they came or gone by retention. */
async function findEnd(logs: Logs, { callId, room, as, after: began }: Began): Promise<boolean | undefined> {
  let after = began
  for (let page = 0; page < MAX_PAGES; page++) {
    if (page > 0) await nextTurn()
    const entries = await logs.getEntries(room, { as, after, limit: PAGE_ENTRIES })
    if (entries === undefined || (entries[0] && entries[0].seq !== after + 1)) return undefined
    if (entries.some(({ type, payload }) => type === 'call_ended' && payload['callId'] === callId))
      return true
    const last = entries.at(-1)
    if (!last) return false
    after = last.seq
  }
  return true
}
