// A chat in a tab, as the tests of test/browser have it: one room, the outbox in IndexedDB, a timeline, and a journal of
// all that the tab was told, in the words of test/faults/history.ts. The test outside takes the journal from time to time.

import { type Client, type ClientOptions, createClient, type Room, type Sent } from '@tautline/client'
import { indexedDb } from '@tautline/client/indexeddb'
import { type Timeline, timeline } from '@tautline/client/timeline'
import type { HistoryEvent } from '../faults/history.ts'
import { createRecorder } from '../faults/support/recorder.ts'
import { createHiddenHost, type HiddenHost } from './hidden-host.ts'

export interface TabChatOptions
  extends Pick<ClientOptions, 'outbox' | 'ackTimeoutMs' | 'heartbeat' | 'backoff'> {
  readonly url: string
  readonly userId: string
  readonly token: string
  readonly room: string
  /** A reader of its own, so another one after each load. */
  readonly device: string
  /** Whether its clock and what it notices of the host are those of `host`. */
  readonly isHosted?: boolean | undefined
}

export interface TabChat {
  readonly client: Client
  readonly room: Room
  readonly timeline: Timeline
  readonly host: HiddenHost
  /** Every status that the connection had, its reason beside it; and every storage of the outbox. */
  readonly statuses: readonly string[]
  /** Resolves when the outbox has them; with the codes of those that failed. */
  send(contents: readonly string[]): Promise<readonly (string | undefined)[]>
  /** What was told since the last time. */
  takeJournal(): HistoryEvent[]
  /** The timeline to its beginning: content, position and status of each item. */
  list(): Promise<readonly TabItem[]>
}

export type TabItem = readonly [content: string, seq: number | undefined, status: string]

/** Joins and connects, now or as soon as there is a server. */
export function openChat({ room: id, device, isHosted = false, ...options }: TabChatOptions): TabChat {
  const host = createHiddenHost()
  const journal: HistoryEvent[] = []
  const statuses: string[] = []
  const { userId, token } = options
  const client = createClient({
    // Everything quicker than in life: what is lost is found, and tried again, while the test still looks.
    backoff: { minMs: 20, baseMs: 50, capMs: 300 },
    requestTimeoutMs: 60_000,
    ...(isHosted ? { scheduler: host.scheduler, lifecycle: host.lifecycle } : {}),
    ...options,
    getToken: () => token,
    outbox: { ...options.outbox, store: indexedDb(isHosted ? { scheduler: host.scheduler } : {}) },
  })
  const room = client.room(id)
  const recorder = createRecorder((event) => journal.push(event))
  client.on('status', ({ status, reason }) => statuses.push(reason ? `${status} ${reason}` : status))
  client.on('storage', ({ status }) => statuses.push(`storage ${status}`))
  // Also what was said before this load, and in other tabs.
  room.on('sending', (sent) => recorder.watch(sent))
  recorder.recordEvents(client, id, () => device)
  const shown = timeline(room)
  room.join().then(
    () => recorder.recordLog(client, id, `${device} log`),
    () => {}, // The tab was left before. Who misses the reader will say so.
  )
  client.connect().catch(() => {}) // The tab may end first.
  return {
    client,
    room,
    timeline: shown,
    host,
    statuses,
    send: (contents) => Promise.all(contents.map((content) => kept(room.send({ content })))),
    takeJournal: () => journal.splice(0),
    async list() {
      do await shown.loadOlder()
      while (shown.getSnapshot().hasOlder && !shown.getSnapshot().error)
      const { items, error } = shown.getSnapshot()
      if (error) throw error
      return items.map(({ content, seq, status, sender }) => [
        content,
        seq,
        sender === userId ? status : `of ${sender}`,
      ])
    },
  }
}

function kept(sent: Sent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      if (sent.status === 'saving') return
      stop()
      resolve(sent.error?.code)
    }
    const stop = sent.subscribe(look)
    look()
  })
}
