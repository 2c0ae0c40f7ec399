/** How a message stands among the others: where a day begins, where one goes on, and where the unread begins. */
import type { Room } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { useRoom } from '@tautline/react'
import { useState } from 'react'
import type { MessagePosition } from './message-item.tsx'

/** Messages of one sender that follow each other within this time stand together. */
const GROUP_MS = 4 * 60_000

/** `newFrom`: the position after which nothing was read when the room was opened. */
export function placeAmong(
  items: readonly TimelineItem[],
  index: number,
  newFrom: number | undefined,
): MessagePosition {
  const item = items[index]
  const before = items[index - 1]
  if (!item || !before) return { beginsDay: true, beginsNew: false, continues: false }
  const beginsDay = new Date(item.timestamp).toDateString() !== new Date(before.timestamp).toDateString()
  const isSoon = item.timestamp - before.timestamp < GROUP_MS
  const beginsNew = newFrom !== undefined && isBetween(newFrom, before.seq, item.seq)
  const continues = !beginsDay && !beginsNew && isSoon && item.sender === before.sender && !item.body.replyTo
  return { beginsDay, beginsNew, continues }
}

function isBetween(newFrom: number, before: number | undefined, seq: number | undefined): boolean {
  return before !== undefined && seq !== undefined && before <= newFrom && newFrom < seq
}

/** Undefined: nothing was unread, or it is not known yet. */
export function useNewFrom(room: Room, me: string | undefined): number | undefined {
  const now = useRoom(room.id, ({ read, unread }) =>
    unread === undefined ? undefined : { upTo: read.get(me ?? ''), unread },
  )
  const [then, setThen] = useState(now)
  if (then === undefined && now !== undefined) setThen(now)
  return then && then.unread > 0 ? then.upTo : undefined
}
