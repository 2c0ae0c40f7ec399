/** `client.rooms`: making rooms, and looking through those that there are. */
import type { PayloadOf, RoomDescription, TautlineError } from '@tautline/protocol/wire'
import type { RequestMessage } from './core/requests.ts'
import type { Room } from './room.ts'

export interface NewRoom {
  /** Chosen, for ever: letters, digits and . _ @ | : + = / # -, at most 128, and no other room's. */
  readonly id: string
  /** Whether anybody may join (`public`), or who is invited (`private`). */
  readonly visibility: 'public' | 'private'
  /** For people; at most 100 characters. */
  readonly name?: string | undefined
  /** At most 1,000 characters. */
  readonly topic?: string | undefined
  /** Anything that JSON can say. */
  readonly metadata?: Record<string, unknown> | undefined
}

export interface ListOptions {
  /** Those one is a member of (default), or all public ones. */
  readonly which?: 'own' | 'public' | undefined
  /** Rooms whose ids sort after this one: the last of the page before. */
  readonly after?: string | undefined
  /** Rooms a page: 1 to 100; default 50. A page may hold fewer where rooms say much of themselves. */
  readonly limit?: number | undefined
}

export interface RoomList {
  /** By id. Each with visibility, name, head; where one is a member: role, `read` and `unread`. */
  readonly rooms: readonly RoomDescription[]
  readonly hasMore: boolean
}

export interface RoomDirectory {
  /**
   * Makes the room, owns it and follows it; resolves when it is live. Called again, it changes nothing. Rejects with
   * FORBIDDEN where the id is taken, by others or in another form; TIMEOUT, UNAVAILABLE: try again.
   */
  create(room: NewRoom): Promise<Room>
  /**
   * One page of rooms as they are now. The counts stand still afterwards: those of followed rooms go on in
   * `room.getSnapshot().unread`. Rejects with TIMEOUT, DISCONNECTED, FETCH_ERROR.
   */
  list(options?: ListOptions): Promise<RoomList>
  /** Joins and follows all of them, as `room.join()` does each, in one go. One that fails keeps none of the others back. */
  join(ids: readonly string[]): Promise<readonly Joined[]>
}

/** What became of joining one of several rooms. */
export interface Joined {
  readonly room: Room
  /** Why not; undefined: we are a member, and the room is live. */
  readonly error: TautlineError | undefined
}

export interface RoomDirectoryPort {
  request(message: RequestMessage): Promise<unknown>
  room(id: string): Room
}

export function createRoomDirectory(port: RoomDirectoryPort): RoomDirectory {
  return {
    async create({ id, ...payload }) {
      const room = port.room(id)
      await port.request({ type: 'create_room', payload: { room: id, ...payload } })
      await room.follow()
      return room
    },
    async list({ which = 'own', after, limit } = {}) {
      const payload = await port.request({ type: 'list_rooms', payload: { which, after, limit } })
      const { rooms, hasMore } = payload as PayloadOf<'room_list'>
      return { rooms, hasMore }
    },
    join: (ids) =>
      Promise.all(
        ids.map(async (id) => {
          const room = port.room(id)
          const error = await room.join().then(
            () => undefined,
            (reason: unknown) => reason as TautlineError,
          )
          return { room, error }
        }),
      ),
  }
}
