/**
 * The message that another one answers: out of the timeline, or where it is older than that, asked of the server. It is kept
 * nowhere but where it is shown, and asked for again when it was edited or deleted.
 */
import type { Message, Room } from '@tautline/client'
import { history } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { changedBy } from '@tautline/protocol/wire'
import { useMemo } from 'react'
import type { MessagePlace } from './find-message.ts'
import { type Source, useAsked, whenLive } from './use-asked.ts'

/** What a quote shows of it. */
export type Quoted = Pick<Message, 'sender' | 'content' | 'kind'>

/** `shown`: as the timeline has it, if it does. */
export function useQuoted(
  room: Room,
  shown: TimelineItem | undefined,
  place: MessagePlace | undefined,
): Quoted | undefined {
  const isShown = shown !== undefined
  const { seq, messageId } = place ?? {}
  const [older] = useAsked(
    useMemo(
      () => (isShown || seq === undefined ? NOTHING : olderMessage(room, seq, messageId)),
      [room, isShown, seq, messageId],
    ),
  )
  return shown ?? older
}

const CHANGES = new Set(['message_edited', 'message_deleted'])

const NOTHING: Source<Message | undefined> = { ask: async () => undefined, watch: () => () => {} }

function olderMessage(room: Room, seq: number, messageId: string | undefined): Source<Message | undefined> {
  return {
    async ask() {
      const message = await messageAt(room, seq)
      // In another history of the room another one may stand there.
      return message?.messageId === messageId ? message : undefined
    },
    watch(askAgain) {
      const stops = [
        whenLive(room, askAgain),
        room.on('entry', (entry) => CHANGES.has(entry.type) && changedBy(entry) === seq && askAgain()),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

/** On their way: many may answer the same message, and are shown at the same time. */
const asked = new WeakMap<Room, Map<number, Promise<Message | undefined>>>()

function messageAt(room: Room, seq: number): Promise<Message | undefined> {
  const questions = asked.get(room) ?? new Map<number, Promise<Message | undefined>>()
  asked.set(room, questions)
  const question =
    questions.get(seq) ??
    history(room, { before: seq + 1, limit: 1 })
      .then(({ messages: [message] }) => (message?.seq === seq ? message : undefined))
      .finally(() => questions.delete(seq))
  questions.set(seq, question)
  return question
}
