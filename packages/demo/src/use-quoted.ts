/** The message that another one answers: out of the timeline, or where it is older than that, asked of the server once. */
import type { Message, Room } from '@tautline/client'
import { history } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { useEffect, useState } from 'react'
import type { MessagePlace } from './find-message.ts'

/** What a quote shows of it. */
export type Quoted = Pick<Message, 'sender' | 'content' | 'kind'>

const asked = new WeakMap<Room, Map<number, Promise<Message | undefined>>>()

/** `shown`: as the timeline has it, if it does. */
export function useQuoted(
  room: Room,
  shown: TimelineItem | undefined,
  place: MessagePlace | undefined,
): Quoted | undefined {
  const seq = shown ? undefined : place?.seq
  const [older, setOlder] = useState<Message>()

  useEffect(() => {
    if (seq === undefined) return undefined
    let isOver = false
    void messageAt(room, seq).then((message) => {
      if (!isOver) setOlder(message)
    })
    return () => {
      isOver = true
    }
  }, [room, seq])

  return shown ?? (older?.seq === seq ? older : undefined)
}

function messageAt(room: Room, seq: number): Promise<Message | undefined> {
  const known = asked.get(room) ?? new Map<number, Promise<Message | undefined>>()
  asked.set(room, known)
  const answer =
    known.get(seq) ??
    history(room, { before: seq + 1, limit: 1 }).then(
      ({ messages: [message] }) => (message?.seq === seq ? message : undefined),
      () => {
        known.delete(seq) // asked again by who shows it next
        return undefined
      },
    )
  known.set(seq, answer)
  return answer
}
