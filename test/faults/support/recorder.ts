/**
 * Tells what clients are asked and told as a history, each event at once and before anything else happens: the process
 * that tells may be killed at any time.
 */
import { type Client, type Message, type Sent, TautlineError } from '@tautline/client'
import { readMessages } from '@tautline/client/messages'
import type { HistoryEvent, Reader } from '../history.ts'

type Saying = Omit<Extract<HistoryEvent, { event: 'invoke' }>, 'event' | 'sender'>

export interface Recorder {
  /** Sends, and tells of it before and after. */
  send(client: Client, what: Saying): Sent
  /** Tells what becomes of a message. */
  watch(sent: Sent): void
  /** Tells what a client gets of a room from now on, as events. `device` may change from one message to the next. */
  recordEvents(client: Client, room: string, device: () => string): void
  /** Tells what a client reads of a room from its beginning on, up to its end. */
  recordLog(client: Client, room: string, device: string): Promise<void>
  /** Tells of the membership of a room, as its owner sees it, who made it and is there throughout. */
  recordMembers(client: Client, room: string): void
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
    send(client, what) {
      const { room, content } = what
      tell({ event: 'invoke', ...what, sender: client.userId ?? '' })
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
        for await (const message of readMessages(client.room(id), { after: 0 })) {
          deliver(reader, message)
          if (message.content === endOf(id)) return
        }
      } catch (error) {
        tell({ event: 'reset', ...reader, reason: String(error) })
      }
    },

    recordMembers(client, room) {
      tell({ event: 'joined', room, user: client.userId ?? '', seq: 1 })
      client.room(room).on('entry', ({ type, seq, payload }) => {
        const { userId: user } = payload as { readonly userId: string }
        if (type === 'member_joined') tell({ event: 'joined', room, user, seq })
        if (type === 'member_left') tell({ event: 'left', room, user, seq })
      })
    },
  }
}
