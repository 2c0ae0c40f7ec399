// A device of the scene: a client behind a network of its own, that can be cut, and what its page shows.

import { type Client, createClient, type Entry, type Room } from '@tautline/client'
import { type Calls, calls } from '@tautline/client/calls'
import { type Extension, extend } from '@tautline/client/extension'
import { file } from '@tautline/client/file'
import { type Notifications, notifications } from '@tautline/client/notifications'
import { type Timeline, timeline } from '@tautline/client/timeline'
import { unread } from '@tautline/client/unread'
import type { FakeRtc } from '../../client/calls/fake-peer-connection.ts'
import type { TcpProxy } from '../../faults/proxy.ts'
import { jobs } from '../../support/jobs.ts'
import { until, within } from './waiting.ts'

/** A room as a page has it open. */
export interface OpenRoom {
  readonly room: Room
  readonly timeline: Timeline
  /** What was told since it was opened. */
  readonly entries: Entry[]
}

export interface Device {
  /** `ada’s phone` */
  readonly name: string
  readonly userId: string
  readonly proxy: TcpProxy
  /** Another one after `signInAgain`. */
  readonly client: Client
  readonly notifications: Notifications
  readonly calls: Calls
  readonly app: Extension<typeof jobs>
  readonly rooms: ReadonlyMap<string, OpenRoom>
  /** Opens the room as its page does, and follows it; resolves with it when its newest page is there. */
  open(room: string): Promise<Room>
  /** The page of the room is closed. */
  shut(room: string): void
  room(id: string): Room
  timeline(room: string): Timeline
  /** As after a reload: a new client with the outbox that the last one left. */
  signInAgain(): void
  close(): Promise<void>
}

export interface DeviceOptions {
  readonly name: string
  readonly userId: string
  readonly proxy: TcpProxy
  /** Where its outbox is kept. */
  readonly outbox: string
  readonly seed: number
  readonly rtc: FakeRtc
}

export function createDevice({ name, userId, proxy, outbox, seed, rtc }: DeviceOptions): Device {
  const rooms = new Map<string, OpenRoom>()
  let client = signIn()

  function signIn(): Client {
    const next = createClient({
      url: `ws://127.0.0.1:${proxy.port}/ws`,
      userId,
      getToken: () => userId,
      outbox: { store: file(outbox) },
      backoff: { minMs: 5, baseMs: 30, capMs: 100 },
      seed,
    })
    notifications(next)
    unread(next)
    calls(next, { RTCPeerConnection: rtc.RTCPeerConnection })
    return next
  }

  function openRoom(id: string): OpenRoom {
    const known = rooms.get(id)
    if (known) return known
    const room = client.room(id)
    const entries: Entry[] = []
    room.on('entry', (entry) => entries.push(entry))
    const open = { room, entries, timeline: timeline(room) }
    rooms.set(id, open)
    return open
  }

  function shut(id: string): void {
    rooms.get(id)?.timeline.close()
    rooms.get(id)?.room.unfollow()
    rooms.delete(id)
  }

  function opened(id: string): OpenRoom {
    const known = rooms.get(id)
    if (!known) throw new Error(`${name} has not opened ${id}`)
    return known
  }

  return {
    name,
    userId,
    proxy,
    get client() {
      return client
    },
    get notifications() {
      return notifications(client)
    },
    get calls() {
      return calls(client)
    },
    get app() {
      return extend(client, jobs)
    },
    rooms,
    async open(id) {
      const { room, timeline: shown } = openRoom(id)
      await within(room.follow(), `${name} follows ${id}`)
      await until(shown, ({ isLoading, error }) => !isLoading && !error, `${name} shows ${id}`)
      return room
    },
    shut,
    room: (id) => opened(id).room,
    timeline: (id) => opened(id).timeline,
    signInAgain() {
      for (const id of Array.from(rooms.keys())) shut(id)
      client = signIn()
    },
    async close() {
      calls(client).close()
      await client.close()
    },
  }
}
