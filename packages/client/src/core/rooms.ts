/**
 * The rooms that the client follows: one cursor each, and the way back to it after a loss. Entries are applied at
 * `cursor + 1` alone; what is below is dropped, anything above makes us read the hole from the log, once at a time.
 * Whoever asks holds `syncRef`; pages that answer another ref are of the past.
 *
 * What a room says beyond its log (who is there, who types) is in presence.ts.
 */
import {
  CODES,
  type Cursor,
  follow,
  MAX_ROOMS_PER_FRAME,
  type PayloadOf,
  type ServerMessage,
} from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context, Failure, Question, RoomPhase } from './context.ts'

interface Room {
  readonly id: string
  phase: RoomPhase
  /** Undefined until the first page told where following begins. */
  cursor: Cursor | undefined
  /** The highest position that we have heard of. */
  heard: number
  /** The ref of the sync in flight, or 0. */
  syncRef: number
  /** Tries a refused or failed sync again. */
  readonly retry: () => void
  /** The last wait for what we have heard of and no page brings; 0 after progress. */
  waitMs: number
}

/** After a retryable refusal of a subscription, unless the server asks for more. */
const RETRY_MS = 2_000
/** After a page that brings nothing of what we have heard of: the first wait, doubled up to the last. */
const READ_AGAIN_MS = 100
const READ_AGAIN_MAX_MS = 60_000
/** Bytes of rooms in one `subscribe` or `check` at most, and what the envelope needs beside them. */
const CHUNK_BYTES = 32_768
const ENVELOPE_OVERHEAD = 192
const ROOM_OVERHEAD = 64

export interface Rooms {
  follow(room: string): void
  unfollow(room: string): void
  isFollowed(room: string): boolean
  phase(room: string): RoomPhase
  cursor(room: string): Cursor | undefined
  followed(): Iterable<string>
  /** The connection is ready: subscribe to everything, each from its cursor. */
  start(epoch: string): void
  stop(): void
  /** Nothing is followed any more, for good. */
  close(): void
  /** Whether some followed room has no answer yet on this connection. */
  isSyncing(): boolean
  entries(payload: PayloadOf<'entries'>): void
  left(room: string): void
  /** Compare all cursors with the server's heads. */
  check(): void
}

export function createRooms(context: Context): Rooms {
  const rooms = new Map<string, Room>()
  /** Names the log store that the cursors belong to. */
  let epoch: string | undefined

  function setPhase(room: Room, phase: RoomPhase, failure?: Failure): void {
    if (room.phase === phase) return
    room.phase = phase
    context.emit({ type: 'room', room: room.id, phase, failure })
  }

  /** Rooms in turn, in groups that fit into one message each. */
  function* chunks(all: Iterable<Room>): Generator<Room[]> {
    let chunk: Room[] = []
    let bytes = 0
    const maxBytes = Math.min(CHUNK_BYTES, context.limits.maxFrameBytes - ENVELOPE_OVERHEAD)
    for (const room of all) {
      const more = room.id.length + ROOM_OVERHEAD
      if (chunk.length === MAX_ROOMS_PER_FRAME || (chunk.length > 0 && bytes + more > maxBytes)) {
        yield chunk
        chunk = []
        bytes = 0
      }
      chunk.push(room)
      bytes += more
    }
    if (chunk.length > 0) yield chunk
  }

  function subscribe(all: Iterable<Room>): void {
    for (const chunk of chunks(all)) {
      // Without a cursor, following begins at the head: what lies before is history.
      const list = chunk.map(({ id, cursor }) =>
        cursor ? { room: id, after: cursor } : { room: id, limit: 0 },
      )
      sync({ type: 'subscribe', payload: { epoch, rooms: list } }, chunk)
      for (const room of chunk) setPhase(room, 'syncing')
    }
  }

  function readOn(room: Room): void {
    const { id, syncRef, cursor } = room
    if (syncRef === 0 && cursor)
      sync({ type: 'get_page', payload: { epoch, room: id, after: cursor } }, [room])
  }

  /** Asks for what each of them answers with a page or a reset. */
  function sync(question: Question, asked: readonly Room[]): void {
    const awaited = new Set(asked.map((room) => room.id))
    const ref = context.ask(question, {
      answer: 'page',
      rooms: awaited,
      answered: ({ payload }: Extract<ServerMessage, { type: 'page' | 'reset' }>) =>
        'head' in payload ? onPage(payload) : onReset(payload),
      refused(failure, only) {
        for (const id of only === undefined ? awaited : [only]) {
          const room = rooms.get(id)
          if (!isAnswer(room, ref)) continue
          if (CODES[failure.code].retryable) retryLater(room, failure.retryAfterMs ?? 0)
          else setPhase(room, 'refused', failure)
        }
      },
    })
    for (const room of asked) {
      room.syncRef = ref
      context.alarm(room.retry, NEVER)
    }
  }

  /** It was read before what we heard of was written; or there is no such thing, and only a longer log can tell. */
  function readLater(room: Room): void {
    room.waitMs = Math.min(Math.max(room.waitMs * 2, READ_AGAIN_MS), READ_AGAIN_MAX_MS)
    context.alarm(room.retry, context.now + room.waitMs)
  }

  /** The server does not push the room to us (any more). Told so in answer to a subscription: not in the same breath. */
  function followAgain(room: Room): void {
    if (room.phase === 'live') subscribe([room])
    else retryLater(room, 0)
  }

  function retry(room: Room): void {
    if (rooms.get(room.id) !== room || room.syncRef !== 0) return
    if (room.phase === 'live') readOn(room)
    else subscribe([room])
  }

  function retryLater(room: Room, askedMs: number): void {
    context.alarm(room.retry, context.now + Math.max(askedMs, RETRY_MS) * (1 + 0.2 * context.random()))
  }

  function hear(room: Room, seq: number): void {
    if (seq > room.heard) room.heard = seq
  }

  /** A run of entries without holes that ends with fingerprint `h`. */
  function apply(room: Room, cursor: Cursor, run: PayloadOf<'entries'>['entries'], h: string): void {
    const first = run[0]
    const last = run[run.length - 1]
    if (!first || !last) return
    const rule = follow(cursor.seq, first.seq, last.seq)
    if (rule.do !== 'apply') return
    room.cursor = { seq: last.seq, h }
    room.waitMs = 0
    context.emit({ type: 'entries', room: room.id, entries: rule.skip === 0 ? run : run.slice(rule.skip) })
  }

  function forget(room: Room, reason: 'epoch' | 'diverged' | 'ahead'): void {
    room.cursor = undefined
    room.heard = 0
    context.emit({ type: 'reset', room: room.id, reason })
  }

  function wanted(): Room[] {
    return [...rooms.values()].filter((room) => room.phase !== 'refused')
  }

  /** Another store has other logs: all cursors are void, and every room must be asked for anew. */
  function adopt(newEpoch: string): void {
    if (epoch !== undefined && epoch !== newEpoch) {
      for (const room of rooms.values()) if (room.cursor) forget(room, 'epoch')
    }
    epoch = newEpoch
  }

  function isAnswer(room: Room | undefined, ref: number): room is Room {
    if (room?.syncRef !== ref) return false
    room.syncRef = 0
    return true
  }

  function onPage(payload: PayloadOf<'page'>): void {
    const room = rooms.get(payload.room)
    if (!isAnswer(room, payload.ref)) return
    if (payload.epoch !== epoch) {
      adopt(payload.epoch)
      return subscribe(wanted())
    }
    hear(room, payload.head)
    const { after, gap } = payload
    const before = room.cursor?.seq
    if (room.cursor && after.seq > room.cursor.seq) {
      const from = room.cursor.seq + 1
      room.cursor = after
      context.emit({
        type: 'gap',
        room: room.id,
        gap: { from, to: after.seq, reason: gap?.reason ?? 'behind' },
      })
    }
    room.cursor ??= after
    apply(room, room.cursor, payload.entries, payload.h)
    if (!payload.live) return followAgain(room)
    setPhase(room, 'live')
    if (room.cursor.seq >= room.heard) return
    if (room.cursor.seq === before) readLater(room)
    else readOn(room)
  }

  function onReset({ room: id, ref, reason, epoch: newEpoch }: PayloadOf<'reset'>): void {
    const room = rooms.get(id)
    if (!isAnswer(room, ref)) return
    forget(room, reason)
    if (newEpoch === epoch) return subscribe([room])
    adopt(newEpoch)
    subscribe(wanted())
  }

  function onChecked({ payload }: Extract<ServerMessage, { type: 'checked' }>): void {
    const again: Room[] = []
    for (const id of payload.rooms) {
      const room = rooms.get(id)
      if (room && room.syncRef === 0 && room.phase !== 'refused') again.push(room)
    }
    subscribe(again)
  }

  return {
    follow(id) {
      const known = rooms.get(id)
      if (known && known.phase !== 'idle' && known.phase !== 'refused')
        // Who asks may not have been there when it was told.
        return context.emit({ type: 'room', room: id, phase: known.phase, failure: undefined })
      const room: Room = known ?? {
        id,
        phase: 'idle',
        cursor: undefined,
        heard: 0,
        syncRef: 0,
        retry: () => retry(room),
        waitMs: 0,
      }
      rooms.set(id, room)
      if (context.ready) subscribe([room])
      else setPhase(room, 'syncing')
    },

    unfollow(id) {
      const room = rooms.get(id)
      if (!room) return
      setPhase(room, 'idle')
      rooms.delete(id)
      if (context.ready)
        context.send({ type: 'unsubscribe', payload: { ref: context.takeRefs(1), rooms: [id] } })
    },

    isFollowed: (id) => rooms.has(id),
    phase: (id) => rooms.get(id)?.phase ?? 'idle',
    cursor: (id) => rooms.get(id)?.cursor,
    followed: () => rooms.keys(),

    start(newEpoch) {
      adopt(newEpoch)
      subscribe(wanted())
    },

    stop() {
      for (const room of rooms.values()) {
        room.syncRef = 0
        context.alarm(room.retry, NEVER)
        if (room.phase === 'live') setPhase(room, 'syncing')
      }
    },

    close() {
      for (const room of rooms.values()) setPhase(room, 'idle')
      rooms.clear()
    },

    isSyncing() {
      for (const room of rooms.values()) if (room.phase === 'syncing' && room.syncRef !== 0) return true
      return false
    },

    entries({ room: id, entries, h }) {
      const room = rooms.get(id)
      const last = entries[entries.length - 1]
      if (!room || !last) return
      hear(room, last.seq)
      if (!room.cursor) return
      apply(room, room.cursor, entries, h)
      if (room.cursor.seq < room.heard) readOn(room)
    },

    left(id) {
      const room = rooms.get(id)
      if (!room) return
      setPhase(room, 'idle')
      rooms.delete(id)
    },

    check() {
      const known = [...rooms.values()].filter((room) => room.cursor && room.syncRef === 0)
      for (const chunk of chunks(known)) {
        const list = chunk.map((room) => ({ room: room.id, after: room.cursor as Cursor }))
        context.ask(
          { type: 'check', payload: { epoch, rooms: list } },
          { answer: 'checked', answered: onChecked },
        )
      }
    },
  }
}
