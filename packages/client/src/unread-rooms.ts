/**
 * How much is unread in all rooms of the user, followed or not, the same on all devices. Three sources, each of which
 * says something else:
 *
 * - a room that is followed counts by itself (unread.ts): what its snapshot says is shown;
 * - `unread_changed` tells all devices where one of them has read on or spoken;
 * - the list says the rest. It is asked for at each connect and about once a minute, for the server does not tell each
 *   message to members who do not follow its room.
 *
 * The server's answers are applied at their place among the other messages. What changed since a page was asked for is
 * newer than what is missing in it.
 */

import { type PayloadOf, TautlineError } from '@tautline/protocol/wire'
import type { Client } from './client.ts'
import { onePerClient } from './one-per-client.ts'
import { createStore, type Readable } from './store.ts'
import { UNREAD_CHECKS } from './subject-checks.ts'
import type { ServerCount } from './unread.ts'

export interface UnreadSnapshot {
  /** Messages of others that none of our devices has read, in all rooms together. */
  readonly total: number
  /** The same by room; those alone in which there are any. The same object until one of the counts changes. */
  readonly rooms: ReadonlyMap<string, number>
  /** Whether all rooms have been looked at since the client was made. */
  readonly isLoaded: boolean
}

export interface Unread extends Readable<UnreadSnapshot> {
  /** Asks for the rooms that are not followed now, and not within the next minute. */
  refresh(): void
  /** Stops listening. `unread(client)` makes another one then. */
  close(): void
}

/**
 * Between two looks at all rooms, for each page that they take: the first, and what is added of the clock's milliseconds.
 * So two clients that ask together ask twice as far from each other the next time, without dice.
 */
const LOOK_MS = 54_000
const SPREAD_MS = 12_000
/** After a page that could not be had, unless the server asks for more: the first wait, doubled up to the last. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 60_000

const unreadOf = onePerClient(createUnread)

/** What is unread in all rooms of the client's user: one object for each client. */
export function unread(client: Client): Unread {
  return unreadOf(client, undefined)
}

function createUnread(client: Client, forget: () => void): Unread {
  const { port } = client
  port.learn(UNREAD_CHECKS)
  const store = createStore<UnreadSnapshot>({ total: 0, rooms: new Map(), isLoaded: false })
  /** Also of rooms where nothing is: the next one told of them may be older. */
  const counts = new Map<string, ServerCount>()
  /** Those that count by themselves. */
  const followed = new Set<string>()
  /** Of what was told since the page was asked for. */
  const touched = new Set<string>()
  /** A look is under way; the page that is awaited begins after this room. */
  let after: string | undefined
  let isReady = false
  let isClosed = false
  let waitMs = RETRY_MS
  let stopWaiting = () => {}

  function show(isLoaded = store.getSnapshot().isLoaded): void {
    const { rooms } = store.getSnapshot()
    const left = new Map<string, number>()
    let total = 0
    for (const [room, count] of counts) {
      if (count.unread > 0) left.set(room, count.unread)
      total += count.unread
    }
    const isSame = left.size === rooms.size && [...left].every(([room, count]) => rooms.get(room) === count)
    store.update({ total, rooms: isSame ? rooms : left, isLoaded })
  }

  /** What was read from the store a moment ago may arrive behind what was told since. */
  function told(room: string, { read, head, unread: count }: ServerCount): void {
    const known = counts.get(room)
    if (known && (head < known.head || read < known.read)) return
    counts.set(room, { read, head, unread: count })
  }

  /** As the room itself says, if it does. */
  function look(room: string): void {
    const { phase, unread: count } = client.room(room).getSnapshot()
    if (phase === 'idle' || phase === 'refused') followed.delete(room)
    else followed.add(room)
    if (count === undefined) return
    const known = counts.get(room)
    if (known?.unread === count) return
    counts.set(room, { read: 0, head: 0, ...known, unread: count })
    show()
  }

  function forgetRoom(room: string): void {
    touched.add(room)
    if (counts.delete(room)) show()
  }

  function take({ rooms, next }: PayloadOf<'unread_list'>): void {
    const from = after ?? ''
    after = next
    const listed = new Set(rooms.map(({ room }) => room))
    for (const room of counts.keys()) {
      const isLookedAt = room > from && (next === undefined || room <= next)
      if (isLookedAt && !listed.has(room) && !followed.has(room) && !touched.has(room)) counts.delete(room)
    }
    for (const { room, ...count } of rooms)
      if (!followed.has(room) && (counts.has(room) || !touched.has(room))) told(room, count)
    touched.clear()
    show(next === undefined || undefined)
  }

  /** One look at a time: whoever wants one while it is under way gets what it finds. */
  let looking = false
  async function lookAtAll(): Promise<number> {
    let pages = 0
    after = ''
    while (after !== undefined && !isClosed) {
      touched.clear()
      await port.request({ type: 'list_unread', payload: { after: after || undefined } }, 'unread_list')
      pages++
    }
    return pages
  }

  function refresh(): void {
    if (looking || !isReady || isClosed) return
    looking = true
    stopWaiting()
    lookAtAll().then(
      (pages) => {
        looking = false
        waitMs = RETRY_MS
        again(pages * (LOOK_MS + (port.now() % SPREAD_MS)))
      },
      (error: unknown) => {
        looking = false
        const isRefusal = error instanceof TautlineError
        // A server that has no such list, or a client that has ended.
        if (isRefusal && !error.retryable && error.code !== 'TIMEOUT') return
        again(Math.max(waitMs, (isRefusal && error.retryAfterMs) || 0))
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)
      },
    )
  }

  function again(ms: number): void {
    if (!isClosed) stopWaiting = port.after(ms, refresh)
  }

  const stops = [
    port.onReady((ready) => {
      isReady = ready
      refresh()
    }),
    port.onMessage(({ type, payload }) => {
      if (type === 'unread_list') {
        if (looking) take(payload)
      } else if (type === 'unread_changed') {
        const { room } = payload
        touched.add(room)
        if (followed.has(room)) return look(room)
        told(room, payload)
        show()
      }
    }),
    port.onRoom((room, what) => {
      if (what === 'left' || what === 'reset') forgetRoom(room)
      else look(room)
    }),
    port.onOwnEntries(
      (entries) => {
        for (const { type, payload } of entries)
          if (type === 'removal') forgetRoom((payload as { room: string }).room)
      },
      // Perhaps the logs are other ones: what is told next counts, wherever it ends.
      () => {
        for (const [room, { unread: count }] of counts) counts.set(room, { read: 0, head: 0, unread: count })
        refresh()
      },
    ),
  ]

  const api: Unread = {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    refresh,
    close() {
      isClosed = true
      stopWaiting()
      for (const stop of stops) stop()
      forget()
    },
  }
  return api
}
