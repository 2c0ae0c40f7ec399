/**
 * Tells what clients are asked and told as a history, each event at once and before anything else happens: the process
 * that tells may be killed at any time.
 */
import { type Client, type Message, type Sent, TautlineError } from '@tautline/client'
import type { HistoryEvent, Reader } from '../history.ts'

export interface Recorder {
  /** Sends, and tells of it before and after. */
  send(client: Client, room: string, outbox: string, content: string): Sent
  /** Tells what becomes of a message. */
  watch(sent: Sent): void
  /** Tells what a client gets of a room from now on, as events. `device` may change from one message to the next. */
  recordEvents(client: Client, room: string, device: () => string): void
  /** Tells what a client reads of a room from its beginning on, up to its end. */
  recordLog(client: Client, room: string, device: string): Promise<void>
  /**
   * Tells of the membership of a room, as its owner sees it, who made it and is there throughout. The function that is
   * returned tells of those who are members still.
   */
  recordMembers(client: Client, room: string): () => void
}

/** Content that ends a room: who reads it has read to the end. */
const END = 'the end of '

export function endOf(room: string): string {
  return END + room
}

export function createRecorder(
  tell: (event: HistoryEvent) => void,
  onQueued: (content: string) => void = () => {},
): Recorder {
  function watch(sent: Sent): void {
    const { content } = sent
    const stop = sent.subscribe(() => {
      if (sent.status === 'saving') return
      if (sent.status !== 'failed') onQueued(content)
      stop()
    })
    sent.then(
      ({ seq }) => tell({ event: 'ok', content, seq }),
      (error: unknown) =>
        tell({ event: 'fail', content, code: error instanceof TautlineError ? error.code : String(error) }),
    )
  }

  function deliver(reader: Reader, { seq, sender, messageId, content }: Message): void {
    tell({ event: 'deliver', ...reader, seq, sender, messageId, content })
    if (content.startsWith(END)) tell({ event: 'done', ...reader })
  }

  return {
    send(client, room, outbox, content) {
      tell({ event: 'invoke', outbox, sender: client.userId ?? '', room, content })
      const sent = client.room(room).send({ content })
      watch(sent)
      return sent
    },

    watch,

    recordEvents(client, id, device) {
      const room = client.room(id)
      const reader = (): Reader => ({ user: client.userId ?? '', device: device(), room: id })
      room.on('message', (message) => deliver(reader(), message))
      room.on('gap', ({ from, to }) => tell({ event: 'gap', ...reader(), from, to }))
      room.on('reset', (reason) => tell({ event: 'reset', ...reader(), reason }))
    },

    async recordLog(client, id, device) {
      const reader: Reader = { user: client.userId ?? '', device, room: id }
      tell({ event: 'open', ...reader, after: 0 })
      try {
        for await (const message of client.room(id).messages({ after: 0 })) {
          deliver(reader, message)
          if (message.content === endOf(id)) return
        }
      } catch (error) {
        tell({ event: 'reset', ...reader, reason: String(error) })
      }
    },

    recordMembers(client, id) {
      const since = new Map<string, number>()
      client.room(id).on('entry', ({ type, seq, payload }) => {
        const { userId } = payload as { readonly userId: string }
        if (type === 'member_joined') since.set(userId, seq)
        const from = since.get(userId)
        if (type !== 'member_left' || from === undefined) return
        since.delete(userId)
        tell({ event: 'member', room: id, user: userId, from, to: seq })
      })
      return () => {
        tell({ event: 'member', room: id, user: client.userId ?? '', from: 1 })
        for (const [user, from] of since) tell({ event: 'member', room: id, user, from })
      }
    },
  }
}
