/**
 * What is handed on to a push service: the notifications of users who are away, and the messages of rooms of which they
 * want to hear everything. Away is who has no connection, and has had none for the grace of presence: so neither a
 * reload nor a tunnel makes a telephone ring. A node that has just started knows of nobody when they left, and takes all
 * of them for having left as it began.
 *
 * Here is only decided for whom and when. It is said after the commit, which waits for nothing of it.
 */
import { type Entry, isNotification, usersOfDirectRoom } from '@tautline/protocol/wire'
import { isMessage } from './batch.ts'
import type { Context } from './context.ts'
import type { Scheduled } from './schedule.ts'
import type { Sessions } from './session.ts'
import type { Appended, CommitResult } from './store.ts'

export interface Push {
  readonly userId: string
  /** Of the user's own log; undefined: a message of which they want to hear, and nothing else. */
  readonly entry: Entry | undefined
  /** What was said, where it was said in this commit, and in which room. */
  readonly message: { readonly room: string; readonly entry: Entry } | undefined
}

/** What waits for the end of a user's grace. */
export interface PushWait extends Scheduled {
  readonly kind: 'push'
  readonly userId: string
  readonly pushes: Push[]
}

/** Pushes that may wait for a grace to end; beyond them they are handed on at once. */
const MAX_WAITING = 10_000
/** Messages of which one commit tells users; more than that nobody would keep until they are handed on. */
const MAX_AT_ONCE = 20_000

export interface Pushes {
  committed(result: CommitResult): void
  /** The grace is over. */
  ring(wait: PushWait): void
  /** No more commit comes: what waits is handed on for those who are away. */
  flush(): void
}

export function createPushes(context: Context, sessions: Pick<Sessions, 'isThere' | 'leftAt'>): Pushes {
  const { pushes: isOn, presenceGraceMs } = context.options
  const waits = new Map<string, PushWait>()
  let waiting = 0
  let isFlushed = false
  let startedAt: number | undefined

  function offer(push: Push): void {
    const { userId } = push
    if (sessions.isThere(userId)) return
    startedAt ??= context.now
    const dueAt = (sessions.leftAt(userId) ?? startedAt) + presenceGraceMs
    if (dueAt <= context.now || waiting >= MAX_WAITING || isFlushed) {
      context.effects.push({ do: 'push', push })
      return
    }
    const wait = waits.get(userId) ?? { kind: 'push', userId, pushes: [], dueAt, place: -1 }
    waits.set(userId, wait)
    wait.pushes.push(push)
    waiting++
    context.schedule.set(wait, dueAt)
  }

  function end(wait: PushWait): void {
    context.schedule.remove(wait)
    waits.delete(wait.userId)
    waiting -= wait.pushes.length
    if (sessions.isThere(wait.userId)) return
    for (const push of wait.pushes) context.effects.push({ do: 'push', push })
  }

  return {
    committed({ appended }) {
      if (!isOn) return
      startedAt ??= context.now
      const messages = messagesOf(appended)
      /** Who is told of which message by an entry of their own. */
      const told = new Set<string>()
      for (const { room, entries } of appended) {
        if (!isOwnLog(room)) continue
        const userId = room.slice(1)
        for (const entry of entries) {
          const place = messagePlaceOf(entry)
          if (place) told.add(`${userId}\n${place}`)
          if (isNotification(userId, entry) && !isOpening(entry))
            offer({ userId, entry, message: place === undefined ? undefined : messages.get(place) })
        }
      }
      let handedOn = 0
      let leftOut = 0
      for (const { room, entries, listeners = [] } of appended) {
        // Each is looked for once, not once for each of a thousand messages.
        const away = listeners.filter((userId) => !sessions.isThere(userId))
        for (const entry of away.length > 0 ? entries : []) {
          if (!isMessage(entry)) continue
          const place = placeKey(room, entry.seq)
          const message = { room, entry }
          for (const userId of away) {
            if (userId === entry.sender || (told.size > 0 && told.has(`${userId}\n${place}`))) continue
            if (handedOn++ < MAX_AT_ONCE) offer({ userId, entry: undefined, message })
            else leftOut++
          }
        }
      }
      if (leftOut > 0) context.effects.push({ do: 'leave_out_pushes', count: leftOut })
    },

    ring: end,

    flush() {
      isFlushed = true
      for (const wait of waits.values()) end(wait)
    },
  }
}

function isOwnLog(room: string): boolean {
  return room.startsWith('~') && usersOfDirectRoom(room) === undefined
}

/** Of a direct room, of whose first message one hears anyway. */
function isOpening({ type, payload }: Entry): boolean {
  const { room } = payload
  return type === 'admission' && typeof room === 'string' && usersOfDirectRoom(room) !== undefined
}

function messagesOf(appended: readonly Appended[]): Map<string, NonNullable<Push['message']>> {
  const messages = new Map<string, NonNullable<Push['message']>>()
  for (const { room, entries } of appended) {
    for (const entry of entries)
      if (isMessage(entry)) messages.set(placeKey(room, entry.seq), { room, entry })
  }
  return messages
}

function messagePlaceOf({ type, payload }: Entry): string | undefined {
  const { room, message } = payload as { readonly room?: string; readonly message?: { readonly seq: number } }
  return (type === 'mention' || type === 'reply') && room && message ? placeKey(room, message.seq) : undefined
}

function placeKey(room: string, seq: number): string {
  return `${room} ${seq}`
}
