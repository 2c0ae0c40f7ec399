/**
 * A message with its answers. Those that the room's timeline holds are shown as they stand there, own ones on their way
 * included; what is older is asked of the server, again when one of those is changed.
 */
import type { Message, Room, TautlineError } from '@tautline/client'
import { followThread, type History, thread, unfollowThread } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { useCallback, useEffect, useMemo, useState } from 'react'

export interface Thread {
  readonly answers: readonly TimelineItem[]
  /** Whether we are told of answers; undefined: not known yet. */
  readonly isFollowed: boolean | undefined
  readonly hasOlder: boolean
  readonly error: TautlineError | undefined
  loadOlder(): void
  follow(isFollowed: boolean): void
}

const CHANGES = new Set(['message_edited', 'message_deleted', 'reaction_added', 'reaction_removed'])
/** The most that one page holds. */
const PAGE_SIZE = 100

export function useThread(room: Room, root: TimelineItem, items: readonly TimelineItem[]): Thread {
  const { sender, messageId } = root
  const [pages, setPages] = useState<readonly History[]>([])
  const [isFollowed, setIsFollowed] = useState<boolean>()
  const [error, setError] = useState<TautlineError>()

  const load = useCallback(
    (before?: number) =>
      thread(room, { sender, messageId }, { before, limit: PAGE_SIZE }).then((page) => {
        setPages((known) => (before === undefined ? [page] : [page, ...known]))
        setIsFollowed(page.following)
        setError(undefined)
      }, setError),
    [room, sender, messageId],
  )

  useEffect(() => {
    void load()
    const stops = [
      room.on('entry', ({ type }) => CHANGES.has(type) && void load()),
      room.on('phase', (phase) => phase === 'live' && void load()),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [room, load])

  const answers = useMemo(() => {
    const shown = items.filter(
      ({ body: { replyTo } }) => replyTo?.messageId === messageId && replyTo.sender === sender,
    )
    const keys = new Set(shown.map((item) => `${item.sender} ${item.messageId}`))
    const older = pages
      .flatMap(({ messages }) => messages)
      .filter((message) => !keys.has(`${message.sender} ${message.messageId}`))
    return [...older.map(itemOf), ...shown]
  }, [pages, items, sender, messageId])

  const oldest = pages[0]
  return {
    answers,
    isFollowed,
    hasOlder: oldest?.hasOlder ?? false,
    error,
    loadOlder: () => void load(oldest?.oldestSeq),
    follow(next) {
      const asked = (next ? followThread : unfollowThread)(room, { sender, messageId })
      asked.then(() => setIsFollowed(next), setError)
    },
  }
}

function itemOf({ room: _room, ...message }: Message): TimelineItem {
  const key = `${message.sender} ${message.messageId}`
  return { ...message, key, changes: [], status: 'acknowledged', sent: undefined }
}
