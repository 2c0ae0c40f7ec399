/**
 * Who may do what in a room: one table, role × right. The server holds everybody to it, and tells each member what
 * their role comes to (`rights`), so that a page shows no button that would be refused.
 *
 * It says what a role may. Against whom is one rule beside it, `outranks`.
 */
import type { Role, Visibility } from './vocabulary.ts'

/** True, false, or in public rooms alone. */
type Grant = boolean | 'public'

const STAFF = { owner: true, moderator: true, member: false } as const
const OWNERS = { owner: true, moderator: false, member: false } as const

export const RIGHTS = {
  /** Say, react, edit and delete what is one's own. */
  write: { owner: true, moderator: true, member: true },
  /** Delete what others said. */
  delete_others: STAFF,
  /** Let a member in; of a higher role who may `set_role`. */
  invite: { owner: true, moderator: true, member: 'public' },
  /** Put a member out, take an invitation back. */
  remove: STAFF,
  /** Put out for good, and lift that. */
  ban: STAFF,
  /** Forbid to write for a time, and lift that. */
  mute: STAFF,
  /** Change name, topic, metadata, visibility. */
  update: OWNERS,
  set_role: OWNERS,
  delete: OWNERS,
} as const satisfies Record<string, Readonly<Record<Role, Grant>>>

export type Right = keyof typeof RIGHTS

export const RIGHT_NAMES = Object.keys(RIGHTS) as readonly Right[]

/** Whether this role has the right in such a room. In a direct room both are members, and nobody's superiors. */
export function hasRight(role: Role, right: Right, visibility: Visibility): boolean {
  const grant: Grant = RIGHTS[right][role]
  return grant === 'public' ? visibility === 'public' : grant
}

export function rightsOf(role: Role, visibility: Visibility): Right[] {
  return RIGHT_NAMES.filter((right) => hasRight(role, right, visibility))
}

/** Whether what one of the role `own` may do to people may be done to one of the role `other`: by owners always. */
export function outranks(own: Role, other: Role): boolean {
  return own === 'owner' || (own === 'moderator' && other === 'member')
}
