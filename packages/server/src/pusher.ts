/**
 * Hands notifications of users who are away to the application's `onNotification`, which gives them to a push service.
 * Best effort, after the commit: what waits here is in memory, bounded, tried a few times, and gone with the process.
 * Nothing is lost by that but the ringing: a notification stays in its user's own log, where the next connection finds
 * it. No commit and no client waits for anything here.
 */
import { type Alert, alertOf, CODES, type EntryPayload, isCode } from '@tautline/protocol/wire'
import type { Push } from './core/pushes.ts'
import type { NoticesResult, Store } from './core/store.ts'
import { describeError, type Logger } from './log.ts'

/** What somebody who is away shall hear of. */
export interface PushNotification {
  readonly userId: string
  /**
   * `mention`, `reply`, `invitation`, `admission`, `removal`, `appointment`, `missed_call`, `notice`; or `message`: one of
   * a room of which the user wants to hear everything, as of every direct room.
   */
  readonly type: string
  /** The same for each try: a push service that is given it as a topic, or a page as a tag, shows one. */
  readonly id: string
  /** Its place in the user's own log, by which it is read and cleared; a `message` has none. */
  readonly seq?: number | undefined
  readonly room?: string | undefined
  /** Who caused it. */
  readonly sender: string
  /** Unix milliseconds. */
  readonly timestamp: number
  /** How loudly to say it. `badge`: how many notifications of the user are unread now, where the application named none. */
  readonly alert: Alert & { readonly badge: number }
  /** The entry of the user's own log; of a `message` there is none. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined
  /** What was said, as it stands, for a mention, an answer and a `message`; absent where they may not read it any more. */
  readonly message?:
    | {
        readonly seq: number
        readonly sender: string
        readonly messageId: string
        readonly payload: EntryPayload<'new_message'>
      }
    | undefined
}

/** What became of notifications of users who are away, where there is an `onNotification`; else all are 0. */
export interface PushFigures {
  /** Handed on: the hook took them. */
  readonly pushes: number
  /** Tries that failed, of which some were tried again. */
  readonly pushTriesFailed: number
  /** Given up: refused for good, tried often enough, or more than may wait. */
  readonly pushesGivenUp: number
  /** That wait now, for the first try or the next one, or are being handed on. */
  readonly pushesWaiting: number
}

export const NO_PUSHES: PushFigures = {
  pushes: 0,
  pushTriesFailed: 0,
  pushesGivenUp: 0,
  pushesWaiting: 0,
}

export interface Pusher {
  take(push: Push): void
  /** So many more were to be handed on than can wait: they are counted as given up. */
  leaveOut(count: number): void
  figures(): PushFigures
  /** Resolves when each was tried, or after so long: then what is left, and what would be tried again, is given up. */
  finish(timeoutMs: number): Promise<void>
}

export interface PusherOptions {
  readonly store: Pick<Store, 'readNotices' | 'readVersions'>
  /** Whether the user may read the room, by its rights and by the application. Rejects where that is to be asked again. */
  readonly mayRead: (user: string, room: string) => Promise<boolean>
  /** Throws, or rejects, where it shall be tried again. */
  readonly push: (notification: PushNotification) => Promise<unknown>
  readonly logger: Logger
}

/** What may wait, to be tried for the first time or again; beyond it the newest is given up. */
const MAX_QUEUED = 10_000
/** Calls of the hook at the same time. */
const MAX_RUNNING = 16
/** Waits before the second try and the later ones. */
const RETRY_AFTER_MS = [1_000, 5_000, 25_000, 125_000] as const
/** So long, at most, a push service may ask to wait. */
const MAX_RETRY_MS = 600_000

interface Job {
  readonly push: Push
  tries: number
}

export function createPusher({ store, mayRead, push, logger }: PusherOptions): Pusher {
  let queue: Job[] = []
  const waiting = new Set<NodeJS.Timeout>()
  let running = 0
  let handedOn = 0
  let triesFailed = 0
  let givenUp = 0
  let leftOut = 0
  let isStopped = false
  let onIdle: (() => void) | undefined

  function start(): void {
    while (running < MAX_RUNNING) {
      const job = queue.shift()
      if (!job) break
      running++
      const ended = (how: () => void) => {
        running--
        how()
        start()
      }
      attempt(job).then(
        () => ended(() => {}),
        (error: unknown) => ended(() => failed(job, error)),
      )
    }
    if (running === 0 && queue.length === 0) onIdle?.()
  }

  async function attempt({ push: next }: Job): Promise<void> {
    if (await isOutOfReach(mayRead, next)) return
    const notification = await describe(store, next)
    // It was read or cleared meanwhile, on a device that came back.
    if (!notification || isStopped) return
    await push(notification)
    handedOn++
  }

  function failed(job: Job, error: unknown): void {
    const waitMs = RETRY_AFTER_MS[job.tries++]
    triesFailed++
    const { userId: user } = job.push
    if (isFinal(error) || waitMs === undefined || isStopped) {
      givenUp++
      logger.error({ user, tries: job.tries, ...describeError(error) }, 'a notification was not handed on')
      return
    }
    logger.warn(
      { user, tries: job.tries, ...describeError(error) },
      'a notification is handed on again later',
    )
    const askedMs = Math.min(retryAfterOf(error), MAX_RETRY_MS)
    const timer = setTimeout(
      () => {
        waiting.delete(timer)
        queue.push(job)
        start()
      },
      Math.max(waitMs, askedMs) * (1 + Math.random() / 5),
    )
    timer.unref()
    waiting.add(timer)
  }

  function leaveOut(count: number): void {
    // Once for each thousand: a push service that is down must not fill the log as well.
    const isTold = Math.ceil((leftOut + count) / 1_000) > Math.ceil(leftOut / 1_000)
    leftOut += count
    if (isTold) logger.error({ givenUp: leftOut }, 'too many notifications wait to be handed on')
  }

  return {
    leaveOut,

    take(next) {
      if (isStopped) return
      if (queue.length + waiting.size >= MAX_QUEUED) {
        leaveOut(1)
        return
      }
      queue.push({ push: next, tries: 0 })
      start()
    },

    figures: () => ({
      pushes: handedOn,
      pushTriesFailed: triesFailed,
      pushesGivenUp: givenUp + leftOut,
      pushesWaiting: queue.length + waiting.size + running,
    }),

    async finish(timeoutMs) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
        start()
      })
      isStopped = true
      const left = queue.length + waiting.size
      givenUp += left
      if (left > 0) logger.warn({ left }, 'notifications were not handed on before the end')
      queue = []
      for (const timer of waiting) clearTimeout(timer)
      waiting.clear()
    },
  }
}

/** What speaks of something that was said or done in a room, and not of belonging to it. */
const WITHIN_ROOM: ReadonlySet<string> = new Set(['message', 'mention', 'reply', 'missed_call'])

/** Whether it is of a room that they may not read by now: then it is not for them any more. */
async function isOutOfReach(
  mayRead: PusherOptions['mayRead'],
  { userId, entry, message }: Push,
): Promise<boolean> {
  const { room = message?.room } = (entry?.payload ?? {}) as { readonly room?: string }
  return room !== undefined && WITHIN_ROOM.has(entry?.type ?? 'message') && !(await mayRead(userId, room))
}

/** As it stands now. Undefined: nobody has to hear of it any more. */
async function describe(
  store: PusherOptions['store'],
  { userId, entry, message }: Push,
): Promise<PushNotification | undefined> {
  const before = entry && entry.seq + 1
  const read = await store.readNotices({ user: userId, before, limit: 1 })
  if (entry && !isUnread(read, entry.seq)) return undefined
  const said = message && (await readSaid(store, userId, message))
  const about = entry ?? (said && message?.entry)
  if (!about) return undefined
  const { sender, timestamp, messageId: id } = about
  const { room, alert } = (entry?.payload ?? {}) as { readonly room?: string; readonly alert?: Alert }
  const type = entry?.type ?? 'message'
  const loudness = alertOf(type, alert)
  return {
    userId,
    type,
    id,
    seq: entry?.seq,
    room: room ?? message?.room,
    sender,
    timestamp,
    alert: { ...loudness, badge: loudness.badge ?? read.unread },
    payload: entry?.payload,
    message: said,
  }
}

/** As it stands, where they may still read it: who was put out of the room meanwhile is not told what was said in it. */
async function readSaid(
  store: PusherOptions['store'],
  user: string,
  { room, entry: { seq, sender, messageId, payload } }: NonNullable<Push['message']>,
): Promise<PushNotification['message']> {
  const read = await store.readVersions({
    user,
    room,
    target: { sender, messageId },
    before: undefined,
    limit: 1,
  })
  const [newest] = read?.versions ?? []
  // Deleted.
  if (!newest) return undefined
  const { replyTo, forwardedFrom } = payload as EntryPayload<'new_message'>
  const origin = { ...(replyTo && { replyTo }), ...(forwardedFrom && { forwardedFrom }) }
  return { seq, sender, messageId, payload: { ...origin, ...newest.body } }
}

function isUnread({ notices }: NoticesResult, seq: number): boolean {
  const last = notices.at(-1)
  return last?.entry.seq === seq && !last.isRead
}

/** A refusal for good (a TautlineError, of whatever copy of the class) is no reason to ask again. */
function isFinal(error: unknown): boolean {
  const code = isRefusal(error) && 'code' in error ? error.code : undefined
  return isCode(code) && CODES[code].final
}

function retryAfterOf(error: unknown): number {
  const ms = isRefusal(error) && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  return typeof ms === 'number' && ms > 0 ? ms : 0
}

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'TautlineError'
}
