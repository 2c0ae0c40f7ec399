/**
 * What is unread: the messages that a log had by its head, less those that it had by the read position. So nothing is
 * counted one by one, and two devices that know the same position know the same count.
 *
 * Messages alone count. Who says something has read what stands before, so own messages never do; and nobody has to read
 * what was said before they came.
 */
import type { Membership, ReadMark, Room, Sanction, View } from './batch.ts'
import type { NoticeSetting } from './notice-changes.ts'
import type { ListedRoom, Unread } from './store.ts'

export function unreadOf(
  room: Pick<Room, 'lastSeq' | 'lastOrdinal'>,
  member: Pick<Membership, 'joinedOrdinal'>,
  mark: Pick<ReadMark, 'seq' | 'ordinal'> | undefined,
): Unread {
  const ordinal = Math.max(mark?.ordinal ?? 0, member.joinedOrdinal)
  return { seq: mark?.seq ?? 0, head: room.lastSeq, unread: room.lastOrdinal - ordinal }
}

/** The room as one user sees it: of one that they are no member of, nothing is theirs to count. */
export function describeRoom(
  id: string,
  room: Room,
  member: Membership | undefined,
  mark: ReadMark | undefined,
  sanction?: Sanction,
  notifications?: NoticeSetting,
): ListedRoom {
  const { visibility, about, memberCount, lastSeq: head } = room
  if (visibility === 'own' || visibility === 'deleted') throw new Error(`${id} is no room`)
  const described = { room: id, visibility, about, memberCount, head }
  if (!member) return { ...described, member: undefined }
  const { seq: read, unread } = unreadOf(room, member, mark)
  return {
    ...described,
    member: {
      role: member.role,
      read,
      unread,
      mutedUntil: sanction?.mutedUntil || undefined,
      ...(notifications && { notifications }),
    },
  }
}

/** The same, of what a view has of the user. */
export function describe(view: View, id: string, room: Room, user: string): ListedRoom {
  const [member, mark] = [view.member(id, user), view.readMark(id, user)]
  return describeRoom(id, room, member, mark, view.sanction(id, user), view.noticeSetting(id, user))
}
