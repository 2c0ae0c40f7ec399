/**
 * Writes what clients are asked and told as a history, one line of JSON an event, at once and before anything else
 * happens: this process may be killed at any time.
 */
import { writeSync } from 'node:fs'
import type { Client, Message, Sent } from '@tautline/client'
import { TautlineError } from '@tautline/client'
import type { HistoryEvent, Reader } from '../history.ts'

/** What a process says beside its history. */
export type Note =
  /** Whether this client is connected and follows all its rooms. */
  | { readonly note: 'live'; readonly client: string; readonly isLive: boolean }
  /** The outbox has it, and will keep it over a crash. */
  | { readonly note: 'queued'; readonly content: string }
  /** What an outbox had kept. Each will have an outcome; whatever it did not keep will have none. */
  | { readonly note: 'restored'; readonly outbox: string; readonly contents: readonly string[] }
  /** It offers load, or stopped doing so and has an outcome for everything. */
  | { readonly note: 'loading' | 'settled' }

export type Line = HistoryEvent | Note

export function tell(line: Line): void {
  // To who reads line by line this character ends one; JSON need not escape it.
  writeSync(1, `${JSON.stringify(line).replaceAll('\u2028', '\\u2028')}\n`)
}

/** Sends, and tells of it before and after. */
export function send(client: Client, room: string, outbox: string, content: string): Sent {
  tell({ event: 'invoke', outbox, sender: client.userId ?? '', room, content })
  const sent = client.room(room).send({ content })
  watch(sent)
  return sent
}

/** Tells what becomes of it. */
function watch(sent: Sent): void {
  const { content } = sent
  const stop = sent.subscribe(() => {
    if (sent.status === 'saving') return
    tell({ note: 'queued', content })
    stop()
  })
  sent.then(
    ({ seq }) => tell({ event: 'ok', content, seq }),
    (error: unknown) =>
      tell({ event: 'fail', content, code: error instanceof TautlineError ? error.code : String(error) }),
  )
}

/** Content that ends a room: who reads it has read to the end. */
const END = 'the end of '

export function endOf(room: string): string {
  return END + room
}

/** Tells what a reader is given. */
function deliver(reader: Reader, { seq, sender, messageId, content }: Message): void {
  tell({ event: 'deliver', ...reader, seq, sender, messageId, content })
  if (content.startsWith(END)) tell({ event: 'done', ...reader })
}

/** Tells what a client gets of a room from now on, as events. `device` may change from one message to the next. */
export function recordEvents(client: Client, id: string, device: () => string): void {
  const room = client.room(id)
  const reader = (): Reader => ({ user: client.userId ?? '', device: device(), room: id })
  room.on('message', (message) => deliver(reader(), message))
  room.on('gap', ({ from, to }) => tell({ event: 'gap', ...reader(), from, to }))
  room.on('reset', (reason) => tell({ event: 'reset', ...reader(), reason }))
}

/** Tells what a client reads of a room from its beginning on, up to its end. */
export async function recordLog(client: Client, id: string, device: string): Promise<void> {
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
}

/**
 * Tells of the membership of a room, as its owner sees it, who made it and is there throughout. The function that is
 * returned tells of those who are members still.
 */
export function recordMembers(client: Client, id: string): () => void {
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
}
