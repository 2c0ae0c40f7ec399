/**
 * `@tautline/client/presence`: how we are, and how chosen users are, whatever rooms they are in. Who is in a followed room
 * says the room's own snapshot.
 *
 * How we are is said with each hello, and where it changes. Whom we watch is asked again after each connect: what is shown
 * is never older than the connection.
 */

import {
  MAX_USERS_PER_FRAME,
  type PayloadOf,
  type PresenceStatus,
  TautlineError,
} from '@tautline/protocol/wire'
import { type Activity, browserActivity } from './activity.ts'
import type { Client } from './client.ts'
import { NEVER } from './core/alarms.ts'
import type { UserPresence } from './core/presence.ts'
import { onePerClient } from './one-per-client.ts'
import { createStore, type Readable } from './store.ts'
import { PRESENCE_CHECKS } from './subject-checks.ts'

export type { Activity, ActivityEvent } from './activity.ts'

export interface AutoAway {
  /** Without a use of the device for so long we are away. Default 300,000 ms (5 min); Infinity: never. */
  readonly idleMs?: number | undefined
  /** Out of sight for so long, likewise: long enough for a reload. Default 10,000 ms. */
  readonly hiddenMs?: number | undefined
  /** Who knows whether the device is used. Default: the page that we are in. */
  readonly activity?: Activity | undefined
}

export interface PresenceOptions {
  /** Whether `online` becomes `away` by itself while nobody uses this device. Default false. */
  readonly autoAway?: boolean | AutoAway | undefined
}

export interface OwnPresence {
  /** As others are told of this device, where they are. */
  readonly status: PresenceStatus
  readonly text: string | undefined
}

export interface WatchedUser extends UserPresence {
  /** Unix milliseconds; of who is offline, where it is known. */
  readonly lastSeenAt: number | undefined
}

export interface WatchSnapshot {
  /** Those of whom we may know, as they are; nobody while there is no connection. */
  readonly users: ReadonlyMap<string, WatchedUser>
}

export interface Watch extends Readable<WatchSnapshot> {
  close(): void
}

export interface Presence extends Readable<OwnPresence> {
  /**
   * How this device's user is from now on, also on later connections: `online`, `away`, `busy`, or `offline`, which hides
   * them; and up to 100 characters that they say of themselves. Others are told at most every 3 s. What other devices of
   * the user say counts too: hidden before busy before online before away, and the newest text. Throws VALIDATION_ERROR
   * where the text is too long.
   */
  set(presence: { readonly status: PresenceStatus; readonly text?: string | undefined }): void
  /**
   * Follows how these users are, until it is closed; those of whom we may not know are not in it, until we may. One
   * connection watches 1,000 users at most: of more nothing is told.
   */
  watch(userIds: Iterable<string>): Watch
  /** Ends all of it. What was said last of us stays so until the connection goes. */
  close(): void
}

/** Within what servers take of one user in a minute. */
const SAY_INTERVAL_MS = 3_000
const RETRY_MS = 2_000
const MAX_TEXT_CHARS = 100

const presenceOf = onePerClient(createPresence)

/** The presence of this client: one for each, with the options of the first call. */
export function presence(client: Client, options: PresenceOptions = {}): Presence {
  return presenceOf(client, options)
}

function createPresence(client: Client, forget: () => void, { autoAway = false }: PresenceOptions): Presence {
  const { port } = client
  const own = createStore<OwnPresence>({ status: 'online', text: undefined })
  /** As it was chosen: `own` is away where nobody is there. */
  let chosen: OwnPresence = own.getSnapshot()
  let isUnused = false
  let isReady = false
  let saidAt = 0
  let stopSaying: (() => void) | undefined
  /** How often each user is watched, and how they are. */
  const watched = new Map<string, number>()
  const users = new Map<string, WatchedUser>()
  /** Those that the server is yet to be told of, or of no more. */
  const wanted = new Set<string>()
  const unwanted = new Set<string>()
  let stopAsking: (() => void) | undefined
  const views = new Set<(changed: ReadonlySet<string>) => void>()

  // ── How we are ────────────────────────────────────────────────────────────────────────────────────────────────

  function choose(): void {
    const status = isUnused && chosen.status === 'online' ? 'away' : chosen.status
    const before = own.getSnapshot()
    own.update({ status, text: chosen.text })
    const now = own.getSnapshot()
    if (now === before) return
    port.greet({ status: now.status, statusText: now.text })
    stopSaying ??= port.after(Math.max(0, saidAt + SAY_INTERVAL_MS - port.now()), say)
  }

  function say(): void {
    stopSaying = undefined
    const { status, text } = own.getSnapshot()
    if (port.tell({ type: 'update_presence', payload: { status, statusText: text } })) saidAt = port.now()
  }

  function watchUse({
    idleMs = 300_000,
    hiddenMs = 10_000,
    activity = browserActivity,
  }: AutoAway): () => void {
    let cancel = () => {}
    let isHidden: boolean | undefined
    const wait = (ms: number) => {
      cancel()
      cancel =
        ms === NEVER
          ? () => {}
          : port.after(ms, () => {
              isUnused = true
              choose()
            })
    }
    const stop = activity((event) => {
      if (event === 'hidden' && isHidden) return
      isHidden = event === 'hidden'
      wait(isHidden ? hiddenMs : idleMs)
      if (isHidden || !isUnused) return
      isUnused = false
      choose()
    })
    if (isHidden === undefined) wait(idleMs)
    return () => {
      stop()
      cancel()
    }
  }

  // ── How others are ────────────────────────────────────────────────────────────────────────────────────────────

  function show(changed: ReadonlySet<string>): void {
    if (changed.size > 0) for (const view of views) view(changed)
  }

  function take({ users: told, ended = [] }: PayloadOf<'user_presence'>): void {
    const changed = new Set<string>()
    for (const { userId, status, statusText: text, lastSeenAt } of told) {
      if (!watched.has(userId)) continue
      users.set(userId, { status, text, lastSeenAt })
      changed.add(userId)
    }
    for (const userId of ended) if (users.delete(userId)) changed.add(userId)
    show(changed)
  }

  /** All that was asked for in one go is one request; a failure that passes is tried again. */
  function ask(): void {
    stopAsking = undefined
    if (!isReady) return
    for (const named of chunks(wanted)) {
      const payload = { users: named }
      port.request({ type: 'subscribe_presence', payload }).catch((error: unknown) => {
        if (!(error instanceof TautlineError) || !error.retryable) return
        for (const userId of named) if (watched.has(userId)) wanted.add(userId)
        askSoon(error.retryAfterMs ?? RETRY_MS)
      })
    }
    // Where it fails, we hear of somebody who interests nobody.
    for (const named of chunks(unwanted))
      port.request({ type: 'unsubscribe_presence', payload: { users: named } }).catch(() => {})
    wanted.clear()
    unwanted.clear()
  }

  function askSoon(ms = 0): void {
    stopAsking ??= port.after(ms, ask)
  }

  function want(userId: string): void {
    watched.set(userId, (watched.get(userId) ?? 0) + 1)
    if (watched.get(userId) !== 1) return
    unwanted.delete(userId)
    wanted.add(userId)
  }

  function release(userId: string): void {
    const count = (watched.get(userId) ?? 0) - 1
    if (count > 0) {
      watched.set(userId, count)
      return
    }
    watched.delete(userId)
    users.delete(userId)
    if (!wanted.delete(userId)) unwanted.add(userId)
  }

  port.learn(PRESENCE_CHECKS)
  const stops = [
    port.onMessage((message) => {
      if (message.type === 'user_presence') take(message.payload)
    }),
    port.onReady((ready) => {
      isReady = ready
      unwanted.clear()
      if (ready) {
        for (const userId of watched.keys()) wanted.add(userId)
        ask()
      } else {
        const gone = new Set(users.keys())
        users.clear()
        show(gone)
      }
    }),
  ]
  if (autoAway !== false) stops.push(watchUse(autoAway === true ? {} : autoAway))

  return {
    getSnapshot: own.getSnapshot,
    subscribe: own.subscribe,

    set({ status, text = '' }) {
      if (text.length > MAX_TEXT_CHARS)
        throw new TautlineError('VALIDATION_ERROR', `a text of more than ${MAX_TEXT_CHARS} characters`)
      chosen = { status, text: text || undefined }
      choose()
    },

    watch(userIds) {
      const named = new Set(userIds)
      const shown = () => new Map(Array.from(users).filter(([userId]) => named.has(userId)))
      const store = createStore<WatchSnapshot>({ users: shown() })
      const view = (changed: ReadonlySet<string>) => {
        if (Array.from(changed).some((userId) => named.has(userId))) store.update({ users: shown() })
      }
      views.add(view)
      for (const userId of named) want(userId)
      askSoon()
      return {
        getSnapshot: store.getSnapshot,
        subscribe: store.subscribe,
        close() {
          if (!views.delete(view)) return
          for (const userId of named) release(userId)
          askSoon()
        },
      }
    },

    close() {
      for (const userId of watched.keys()) unwanted.add(userId)
      wanted.clear()
      ask()
      for (const stop of stops) stop()
      stopSaying?.()
      stopAsking?.()
      views.clear()
      forget()
    },
  }
}

function* chunks(named: ReadonlySet<string>): Generator<string[]> {
  const all = Array.from(named)
  for (let i = 0; i < all.length; i += MAX_USERS_PER_FRAME) yield all.slice(i, i + MAX_USERS_PER_FRAME)
}
