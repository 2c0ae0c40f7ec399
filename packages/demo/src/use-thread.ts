/**
 * A message with its answers, own ones on their way included. The room's timeline reaches from its oldest message to now,
 * so where it has a message it has all answers to it; the server is only asked whether we are told of them.
 */
import type { MessageName, Room, TautlineError } from '@tautline/client'
import { followThread, thread, unfollowThread } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { useMemo, useState } from 'react'
import { type Source, useAsked, whenLive } from './use-asked.ts'

export interface Thread {
  readonly answers: readonly TimelineItem[]
  /** Whether we are told of answers; undefined: not known yet. */
  readonly isFollowed: boolean | undefined
  /** Why the last `follow` failed. */
  readonly error: TautlineError | undefined
  follow(isFollowed: boolean): void
}

export function useThread(room: Room, root: TimelineItem, items: readonly TimelineItem[]): Thread {
  const { sender, messageId } = root
  const target = useMemo(() => ({ sender, messageId }), [sender, messageId])
  const [isFollowed, askAgain] = useAsked(useMemo(() => followingOf(room, target), [room, target]))
  const [error, setError] = useState<TautlineError>()
  const answers = useMemo(() => items.filter(({ body }) => isSame(body.replyTo, target)), [items, target])

  function follow(next: boolean): void {
    setError(undefined)
    const said = (next ? followThread : unfollowThread)(room, target)
    said.then(askAgain, setError)
  }

  return { answers, isFollowed, error, follow }
}

/** Who answers follows by it, unless they said that they do not: only the server knows. */
function followingOf(room: Room, target: MessageName): Source<boolean | undefined> {
  return {
    ask: async () => (await thread(room, target, { limit: 1 })).following,
    watch(askAgain) {
      const stops = [
        whenLive(room, askAgain),
        room.on('message', ({ sender, body }) => {
          if (sender === room.client.userId && isSame(body.replyTo, target)) askAgain()
        }),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

function isSame(one: MessageName | undefined, other: MessageName): boolean {
  return one?.messageId === other.messageId && one.sender === other.sender
}
