/**
 * What members, moderators and owners ask of a room beside talking in it. Who may do what stands in `info().rights`; what
 * one may not rejects with FORBIDDEN. All of it needs the connection, and asked twice it is as once. Everybody is told by
 * entries of the room.
 */
import type { Member, PayloadOf, PresenceStatus, Role, RoomDescription } from '@tautline/protocol/wire'
import type { Room } from './room.ts'
import { ADMIN_CHECKS } from './subject-checks.ts'

export interface MemberList {
  /** By user id. */
  readonly members: readonly Member[]
  readonly hasMore: boolean
}

export interface ActiveMembers {
  /** By user id. */
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
  /** A page of the members, at most 100: those whose ids sort after `after`, the last of the page before. */
  members(options?: {
    readonly after?: string | undefined
    readonly limit?: number | undefined
  }): Promise<MemberList>
  /** The members who are there now. */
  activeMembers(): Promise<ActiveMembers>
  update(change: RoomChange): Promise<RoomDescription>
  /** Removes the room and all that was said in it, for everybody and for ever. No other can have its id. */
  destroy(): Promise<void>
  /**
   * Let somebody in who then may `accept()`; they are told by their event `invited`. In a private room owners and
   * moderators may, in a public one every member; only owners make moderators. Rejects with FORBIDDEN where we may not.
   */
  invite(userId: string, options?: { readonly role?: 'moderator' | 'member' | undefined }): Promise<void>
  /**
   * Put a member out, or take an invitation back; they are told by their event `removed`. Owners may, and moderators may
   * where it is an ordinary member. Rejects with FORBIDDEN where we may not.
   */
  remove(userId: string): Promise<void>
  /** A room keeps an owner: the last one cannot be made anything else (FORBIDDEN). */
  setRole(userId: string, role: Role): Promise<void>
  /** Puts a user out, who neither joins nor is invited any more until `unban`. */
  ban(userId: string): Promise<void>
  unban(userId: string): Promise<void>
  /** For so long all that the member sends here fails with MUTED. Again: from now on for so long. */
  mute(userId: string, durationMs: number): Promise<void>
  unmute(userId: string): Promise<void>
}

/** `admin(room).invite('bob')`; the same at any time, and it keeps nothing. */
export function admin({ id: room, client: { port } }: Room): RoomAdmin {
  port.learn(ADMIN_CHECKS)
  const about =
    (type: 'remove_member' | 'ban_member' | 'unban_member' | 'unmute_member') =>
    async (userId: string): Promise<void> => {
      await port.request({ type, payload: { room, userId } }, 'done')
    }
  return {
    info: async () =>
      (await port.request({ type: 'get_room', payload: { room } }, 'room_info')) as PayloadOf<'room_info'>,
    async members({ after, limit } = {}) {
      const payload = { room, after, limit }
      const list = await port.request({ type: 'list_members', payload }, 'member_list')
      const { members, hasMore } = list as PayloadOf<'member_list'>
      return { members, hasMore }
    },
    async activeMembers() {
      const list = await port.request(
        { type: 'list_active_members', payload: { room } },
        'active_member_list',
      )
      const { members, count = members.length } = list as PayloadOf<'active_member_list'>
      return { members, count }
    },
    async update(change) {
      const payload = { room, ...change }
      return (await port.request({ type: 'update_room', payload }, 'room_info')) as PayloadOf<'room_info'>
    },
    async destroy() {
      await port.request({ type: 'delete_room', payload: { room } }, 'room_left')
    },
    async invite(userId, { role } = {}) {
      await port.request({ type: 'invite_member', payload: { room, userId, role } }, 'done')
    },
    remove: about('remove_member'),
    async setRole(userId, role) {
      await port.request({ type: 'set_role', payload: { room, userId, role } }, 'done')
    },
    ban: about('ban_member'),
    unban: about('unban_member'),
    async mute(userId, durationMs) {
      await port.request({ type: 'mute_member', payload: { room, userId, durationMs } }, 'done')
    },
    unmute: about('unmute_member'),
  }
}
