/** What rooms are called: a direct one after the other user. */
import { usersOfDirectRoom } from '@tautline/protocol/wire'
import type { KnownRoom } from './use-rooms.ts'

/** Whom a direct room is with. Undefined: it is none of ours. */
export function partnerIn(room: string, me: string | undefined): string | undefined {
  const users = usersOfDirectRoom(room)
  return users?.includes(me ?? '') ? users.find((user) => user !== me) : undefined
}

export function titleOf({ id, about }: KnownRoom, me: string | undefined): string {
  return partnerIn(id, me) ?? about?.name ?? id
}
