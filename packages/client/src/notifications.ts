/**
 * The user's notifications: a window of the newest that goes on live, how many are unread, and what is read and cleared,
 * the same on all devices. It asks for the newest after each connect, since what other devices read or cleared meanwhile
 * was told to nobody here; what arrived meanwhile comes with the user's own log.
 *
 * The server's answers are applied in the order in which it said them. An answer that was on its way while something
 * changed may be older than the change: it is asked for again.
 */

import { MAX_PAGE_ENTRIES, TautlineError } from '@tautline/protocol/wire'
import type { Client } from './client.ts'
import { createEmitter } from './emitter.ts'
import { createNotificationItems, type Notification } from './notification-items.ts'
import { createNotificationSettings, type NotificationSettings } from './notification-settings.ts'
import { onePerClient } from './one-per-client.ts'
import { createStore, type Readable } from './store.ts'
import { NOTIFICATION_CHECKS } from './subject-checks.ts'

export type { Notification } from './notification-items.ts'
export type { NotificationSettings, NotificationSettingsSnapshot } from './notification-settings.ts'

export interface NotificationsSnapshot {
  /** The newest first; an item is the same object until something in it changes. */
  readonly items: readonly Notification[]
  /** Of all of them, also those that are not loaded: the number on an icon. */
  readonly unread: number
  readonly hasOlder: boolean
  /** Whether the newest have been loaded since the client was made. */
  readonly isLoaded: boolean
}

export interface NotificationsEvents {
  /** A new one, once on each device that is open; also one that arrived while the connection was away for a while. */
  notification: [notification: Notification]
}

export interface Notifications extends Readable<NotificationsSnapshot> {
  /**
   * Loads the next page of older ones. Resolves when it is there, at once where there is none. Rejects with TIMEOUT,
   * DISCONNECTED, FETCH_ERROR, RATE_LIMIT: try again; with UNKNOWN_TYPE where the server has no notifications.
   */
  loadOlder(): Promise<void>
  /**
   * Reads those, for good and on all devices; those that are read, cleared or unknown are left as they are. What is read
   * shows when the server has it. This and the others reject as `loadOlder` does.
   */
  read(seqs: readonly number[]): Promise<void>
  /** Reads all that are known here; what arrives meanwhile stays unread. */
  readAll(): Promise<void>
  /** Takes those away, for good and on all devices. */
  clear(seqs: readonly number[]): Promise<void>
  /** Takes all away that are known here; what arrives meanwhile stays. */
  clearAll(): Promise<void>
  /** Of what in a room the user wants to hear; the same object for the same room. */
  settings(room: string): NotificationSettings
  on<K extends keyof NotificationsEvents>(
    event: K,
    listener: (...args: NotificationsEvents[K]) => void,
  ): () => void
  once<K extends keyof NotificationsEvents>(
    event: K,
    listener: (...args: NotificationsEvents[K]) => void,
  ): () => void
  off<K extends keyof NotificationsEvents>(
    event: K,
    listener: (...args: NotificationsEvents[K]) => void,
  ): void
  /** Stops listening. `notifications(client)` makes another one then. */
  close(): void
}

/** Of a page. */
const PAGE_SIZE = 50
/** After a page that could not be had, unless the server asks for more: the first wait, doubled up to the last. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 60_000

const notificationsOf = onePerClient(createNotifications)

/** The notifications of the client's user: one object for each client. */
export function notifications(client: Client): Notifications {
  return notificationsOf(client, undefined)
}

function createNotifications(client: Client, forget: () => void): Notifications {
  const { port } = client
  const items = createNotificationItems()
  const store = createStore<NotificationsSnapshot>({ items: [], unread: 0, hasOlder: false, isLoaded: false })
  const events = createEmitter<NotificationsEvents>()
  const rooms = new Map<string, ReturnType<typeof createNotificationSettings>>()
  let isReady = false
  let isClosed = false
  /** The page that is being asked for: one at a time. It resolves, whatever becomes of it. */
  let pending: Promise<void> | undefined
  /** Which one has no answer yet. */
  let awaited: 'newest' | 'older' | undefined
  /** What changed while it was on its way may be missing in it. */
  let isStale = false
  /** The newest must be asked for (again). */
  let isWanted = false
  let waitMs = RETRY_MS
  let stopWaiting = () => {}

  function show(isLoaded = store.getSnapshot().isLoaded): void {
    store.update({ ...items.snapshot(), isLoaded })
  }

  /** The answer is applied in `onMessage`, at its place among the others. */
  async function ask(what: 'newest' | 'older', before?: number): Promise<void> {
    awaited = what
    isStale = false
    const limit =
      what === 'newest' ? Math.min(Math.max(items.size(), PAGE_SIZE), MAX_PAGE_ENTRIES) : PAGE_SIZE
    const answer = port.request({ type: 'get_notifications', payload: { before, limit } })
    pending = answer.then(
      () => {},
      () => {},
    )
    try {
      await answer
    } finally {
      pending = undefined
      awaited = undefined
      if (isWanted) refresh()
    }
  }

  function refresh(): void {
    isWanted = true
    if (pending || !isReady || isClosed) return
    isWanted = false
    stopWaiting()
    ask('newest').then(
      () => {
        waitMs = RETRY_MS
        if (isStale) refresh()
      },
      (error: unknown) => retry(error),
    )
  }

  function retry(error: unknown): void {
    const isRefusal = error instanceof TautlineError
    // A server without notifications, or a client that has ended.
    if (isClosed || (isRefusal && !error.retryable && error.code !== 'TIMEOUT')) return
    isWanted = true
    stopWaiting = port.after(Math.max(waitMs, (isRefusal && error.retryAfterMs) || 0), refresh)
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)
  }

  async function mark(
    type: 'read_notifications' | 'clear_notifications',
    seqs: readonly number[],
  ): Promise<void> {
    const asked: Promise<unknown>[] = []
    for (let from = 0; from < seqs.length; from += MAX_PAGE_ENTRIES) {
      const page = seqs.slice(from, from + MAX_PAGE_ENTRIES)
      asked.push(port.request({ type, payload: { seqs: page } }))
    }
    await Promise.all(asked)
  }

  async function markAll(type: 'read_all_notifications' | 'clear_all_notifications'): Promise<void> {
    const upTo = items.lastSeq()
    if (upTo > 0) await port.request({ type, payload: { upTo } })
  }

  port.learn(NOTIFICATION_CHECKS)
  const stops = [
    port.onReady((ready) => {
      isReady = ready
      if (!ready) return
      refresh()
      for (const settings of rooms.values()) settings.refresh()
    }),
    port.onMessage((message) => {
      if (message.type === 'notification_list') {
        if (!awaited || isStale) return
        items.page(message.payload, awaited === 'newest')
        awaited = undefined
        show(true)
      } else if (message.type === 'notifications_changed') {
        isStale ||= awaited !== undefined
        items.changed(message.payload)
        show()
      } else if (message.type === 'notifications_set') rooms.get(message.payload.room)?.heard(message.payload)
    }),
    port.onOwnEntries((entries) => {
      for (const entry of entries) {
        const { item, isHole } = items.add(entry, port.userId())
        if (isHole) refresh()
        if (!item) continue
        show()
        events.emit('notification', item)
      }
    }, refresh),
  ]

  const api: Notifications = {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    on: events.on,
    once: events.once,
    off: events.off,

    async loadOlder() {
      // What is on its way may change where the list ends.
      while (pending) await pending
      const oldest = items.oldest()
      if (!store.getSnapshot().hasOlder || oldest === undefined) return
      await ask('older', oldest)
      if (isStale) await api.loadOlder()
    },

    read: (seqs) =>
      mark(
        'read_notifications',
        seqs.filter((seq) => !items.isRead(seq)),
      ),
    readAll: () => markAll('read_all_notifications'),
    clear: (seqs) => mark('clear_notifications', seqs),
    clearAll: () => markAll('clear_all_notifications'),

    settings(room) {
      const known = rooms.get(room) ?? createNotificationSettings(port, room)
      rooms.set(room, known)
      return known.settings
    },

    close() {
      isClosed = true
      stopWaiting()
      for (const stop of stops) stop()
      forget()
    },
  }
  return api
}
