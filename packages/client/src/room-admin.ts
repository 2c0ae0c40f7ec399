/**
 * What members, moderators and owners ask of a room beside talking in it. Who may do what stands in `info().rights`; what
 * one may not rejects with FORBIDDEN. All of it needs the connection, and asked twice it is as once. Everybody is told by
 * entries of the room.
 */
import type { PayloadOf, PresenceStatus, Role, RoomDescription } from '@tautline/protocol/wire'
import type { RequestMessage } from './core/requests.ts'

export interface ActiveMembers {
  readonly members: readonly {
    readonly userId: string
    readonly role: Role
    readonly status: PresenceStatus
  }[]
  /** How many are there; `members` names 500 at most. */
  readonly count: number
}

/** What is left out stays; an empty name or topic is none. */
export interface RoomChange {
  readonly visibility?: 'public' | 'private' | undefined
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly metadata?: Record<string, unknown> | undefined
}

export interface RoomAdmin {
  /**
   * The room as it is now: name, topic, metadata, visibility; where we are a member our role, what it may do here (`rights`),
   * and until when we are muted. Ask again after the entries `room_updated` and `role_changed`.
   */
  info(): Promise<RoomDescription>
  /** The members who are there now. */
  activeMembers(): Promise<ActiveMembers>
  update(change: RoomChange): Promise<RoomDescription>
  /** Removes the room and all that was said in it, for everybody and for ever. No other can have its id. */
  destroy(): Promise<void>
  /** A room keeps an owner: the last one cannot be made anything else (FORBIDDEN). */
  setRole(userId: string, role: Role): Promise<void>
  /** Puts a user out, who neither joins nor is invited any more until `unban`. */
  ban(userId: string): Promise<void>
  unban(userId: string): Promise<void>
  /** For so long all that the member sends here fails with MUTED. Again: from now on for so long. */
  mute(userId: string, durationMs: number): Promise<void>
  unmute(userId: string): Promise<void>
}

export function createRoomAdmin(
  room: string,
  request: (message: RequestMessage) => Promise<unknown>,
): RoomAdmin {
  const about =
    (type: 'ban_member' | 'unban_member' | 'unmute_member') =>
    async (userId: string): Promise<void> => {
      await request({ type, payload: { room, userId } })
    }
  return {
    info: async () => (await request({ type: 'get_room', payload: { room } })) as PayloadOf<'room_info'>,
    async activeMembers() {
      const payload = await request({ type: 'list_active_members', payload: { room } })
      const { members, count = members.length } = payload as PayloadOf<'active_member_list'>
      return { members, count }
    },
    update: async (change) =>
      (await request({ type: 'update_room', payload: { room, ...change } })) as PayloadOf<'room_info'>,
    async destroy() {
      await request({ type: 'delete_room', payload: { room } })
    },
    async setRole(userId, role) {
      await request({ type: 'set_role', payload: { room, userId, role } })
    },
    ban: about('ban_member'),
    unban: about('unban_member'),
    async mute(userId, durationMs) {
      await request({ type: 'mute_member', payload: { room, userId, durationMs } })
    },
    unmute: about('unmute_member'),
  }
}
