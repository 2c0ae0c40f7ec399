/**
 * What each request that changes a room asks of the store: from the words of the wire to an operation. Clients and the
 * application come by this one door; nothing is decided here.
 */
import type { ClientMessage } from '@tautline/protocol/wire'
import { unreachable } from './context.ts'
import { aboutOf } from './room-changes.ts'
import type { StoreOp } from './store.ts'

export const ROOM_REQUESTS = [
  'create_room',
  'join_room',
  'leave_room',
  'invite_member',
  'accept_invitation',
  'remove_member',
  'update_room',
  'delete_room',
  'set_role',
  'ban_member',
  'unban_member',
  'mute_member',
  'unmute_member',
  'mark_read',
  'mark_delivered',
  'follow_thread',
  'unfollow_thread',
] as const

export type RoomRequest = Extract<ClientMessage, { type: (typeof ROOM_REQUESTS)[number] }>

export interface Asker {
  readonly user: string
  /** Whom it invites are members at once. */
  readonly isApplication: boolean
  /** Whether joining a room that does not exist makes it. */
  readonly createRooms: boolean
  /** The server's own ids, for what it writes. */
  makeId(): string
}

const NAMES: ReadonlySet<string> = new Set(ROOM_REQUESTS)

export function isRoomRequest(message: { readonly type: string }): message is RoomRequest {
  return NAMES.has(message.type)
}

export function operationOf({ type, payload }: RoomRequest, asker: Asker): StoreOp {
  const { user } = asker
  const { room } = payload
  if (type === 'mark_read' || type === 'mark_delivered') return { op: type, user, room, seq: payload.seq }
  if (type === 'follow_thread' || type === 'unfollow_thread')
    return { op: 'follow_thread', user, room, target: payload.target, follow: type === 'follow_thread' }
  const change = { user, room, messageId: asker.makeId(), noticeId: asker.makeId() }
  switch (type) {
    case 'create_room': {
      const { visibility, name, topic, metadata } = payload
      return { op: 'create', ...change, visibility, about: aboutOf({ name, topic, metadata }) }
    }
    case 'join_room':
      return { op: 'join', ...change, create: asker.createRooms }
    case 'leave_room':
      return { op: 'leave', ...change }
    case 'invite_member': {
      const { userId: target, role = 'member' } = payload
      return { op: asker.isApplication ? 'admit' : 'invite', ...change, target, role }
    }
    case 'accept_invitation':
      return { op: 'accept', ...change }
    case 'remove_member':
      return { op: 'remove', ...change, target: payload.userId }
    case 'update_room': {
      const { visibility, name, topic, metadata } = payload
      // An empty text says that there is to be none; what is not named is not there.
      return { op: 'update', ...change, visibility, about: JSON.stringify({ name, topic, metadata }) }
    }
    case 'delete_room':
      return { op: 'delete', ...change }
    case 'set_role':
      return { op: 'set_role', ...change, target: payload.userId, role: payload.role }
    case 'ban_member':
      return { op: 'ban', ...change, target: payload.userId, lift: false }
    case 'unban_member':
      return { op: 'ban', ...change, target: payload.userId, lift: true }
    case 'mute_member':
      return { op: 'mute', ...change, target: payload.userId, durationMs: payload.durationMs }
    case 'unmute_member':
      return { op: 'mute', ...change, target: payload.userId, durationMs: 0 }
    default:
      return unreachable(type)
  }
}
