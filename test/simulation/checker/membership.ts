// Who belongs to a room, and as what, by its log alone: told entry by entry.

import { type Entry, type Role, SYSTEM_USER_ID } from '@tautline/protocol/wire'

export interface Membership {
  isPrivate: boolean
  readonly roles: Map<string, Role>
  readonly invited: Map<string, Role>
  readonly banned: Set<string>
  /** In Unix milliseconds, by user. */
  readonly mutedUntil: Map<string, number>
}

/** `visit` is called before each entry has its effect. */
export function foldMembership(
  entries: Iterable<Entry>,
  visit?: (entry: Entry, before: Membership) => void,
): Membership {
  const is: Membership = {
    isPrivate: false,
    roles: new Map(),
    invited: new Map(),
    banned: new Set(),
    mutedUntil: new Map(),
  }
  for (const entry of entries) {
    visit?.(entry, is)
    apply(is, entry)
  }
  return is
}

function apply(is: Membership, { type, sender, payload }: Entry): void {
  const user = String(payload['userId'])
  const role = roleIn(payload['role'])
  switch (type) {
    case 'room_created':
      is.isPrivate = payload['visibility'] === 'private'
      if (sender !== SYSTEM_USER_ID) is.roles.set(sender, 'owner')
      return
    case 'room_updated':
      if (payload['visibility'] !== undefined) is.isPrivate = payload['visibility'] === 'private'
      return
    case 'member_joined':
      is.roles.set(user, role)
      is.invited.delete(user)
      is.banned.delete(user)
      return
    case 'member_left':
      is.roles.delete(user)
      is.invited.delete(user)
      if (payload['reason'] === 'banned') is.banned.add(user)
      return
    case 'member_unbanned':
      is.banned.delete(user)
      return
    case 'member_invited':
      is.invited.set(user, role)
      return
    case 'role_changed':
      is.roles.set(user, role)
      return
    case 'member_muted':
      is.mutedUntil.set(user, Number(payload['until']))
      return
    case 'member_unmuted':
      is.mutedUntil.delete(user)
      return
    default:
      return
  }
}

function roleIn(value: unknown): Role {
  return value === 'owner' || value === 'moderator' ? value : 'member'
}

/** What speaks against the entry, by the log before it; undefined: nothing. */
export function objectionTo(entry: Entry, before: Membership): string | undefined {
  const { type, sender, payload, timestamp, messageId } = entry
  if (sender === SYSTEM_USER_ID) return undefined
  const user = String(payload['userId'])
  const own = before.roles.get(sender)
  const isStaff = own === 'owner' || own === 'moderator'
  const isAbove = own === 'owner' || (isStaff && (before.roles.get(user) ?? 'member') === 'member')
  switch (type) {
    case 'new_message':
      return (before.mutedUntil.get(sender) ?? 0) > timestamp ? 'is muted' : undefined
    case 'room_updated':
      return own === 'owner' ? undefined : 'does not own the room'
    case 'role_changed':
      // Whoever goes is followed by an heir.
      return own === 'owner' || messageId.endsWith('-2') ? undefined : 'does not own the room'
    case 'member_invited':
      return before.isPrivate ? (isStaff ? undefined : 'may not invite') : own && undefined
    case 'member_joined':
      if (before.banned.has(user)) return 'is banned'
      return before.isPrivate && !before.invited.has(user) ? 'is not invited' : undefined
    case 'member_left':
      return user === sender || isAbove ? undefined : 'may put nobody out'
    case 'member_muted':
    case 'member_unmuted':
      return isAbove ? undefined : 'may not mute them'
    case 'member_unbanned':
      return isStaff ? undefined : 'may not unban'
    default:
      return undefined
  }
}
