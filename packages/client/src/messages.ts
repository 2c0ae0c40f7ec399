/**
 * A room's messages from a position on, as an async iterator: pages of the log until it is caught up, then the live
 * entries, on one cursor. Each message once and in order, whatever the connection does meanwhile; what will pass is waited
 * for. It follows the room while it reads, and ends when the room is followed no more, or the client is closed.
 */
import { type Entry, follow, type PayloadOf, TautlineError } from '@tautline/protocol/wire'
import { type Message, messageOf } from './message.ts'
import type { Room } from './room.ts'

/** Live entries kept for a slow reader; beyond this it reads them from the log instead. */
const BUFFERED_ENTRIES = 1_000
/** After a page that could not be had, unless the server asks for more: the first wait, doubled up to the last. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 30_000

interface Position {
  seq: number
  h?: string | undefined
}

/**
 * The room's messages after a position, then live ones, on one cursor, for ever. The room is followed while they are
 * read: from the first one asked for until `break` or `return()`. Codes that pass (UNAVAILABLE, FETCH_ERROR, …) are
 * waited for; FORBIDDEN, and a log that is another one now (FETCH_ERROR), throw.
 */
export function readMessages(
  room: Room,
  { after }: { readonly after: number },
): AsyncIterableIterator<Message> {
  const { port } = room.client
  let position: Position = { seq: after }
  let live: Entry[] = []
  const ready: Message[] = []
  let wake = () => {}
  let done = false
  let isReturned = false
  let failure: TautlineError | undefined
  /** Whether the log was read up to where the live entries go on. */
  let isCaughtUp = false
  let waitMs = 0
  /** What to undo at the end; undefined until the first message is asked for. */
  let stops: (() => void)[] | undefined

  const begin = () => [
    room.on('entry', (entry) => {
      if (live.length === BUFFERED_ENTRIES) live = []
      live.push(entry)
      wake()
    }),
    room.on('gap', () => {
      // What came before the gap and what comes after it is not one run: all of it is read from the log.
      live = []
      isCaughtUp = false
      wake()
    }),
    room.on('phase', (phase) => {
      if (phase === 'idle' || phase === 'refused') finish(room.getSnapshot().error)
    }),
    room.on('reset', () => finish(anotherLog())),
    room.hold(),
  ]

  function finish(error?: TautlineError): void {
    if (done) return
    done = true
    failure = error
    for (const stop of stops ?? []) stop()
    wake()
  }

  function take(entries: readonly Entry[], h: string | undefined): void {
    for (const entry of entries) {
      const message = messageOf(room.id, entry)
      if (message) ready.push(message)
      position = { seq: entry.seq, h }
    }
  }

  /** What came live, where it goes on from our position; false where there is a hole before it. */
  function takeLive(): boolean {
    const run = live
    live = []
    const rule = follow(position.seq, run[0]?.seq ?? 0, run[run.length - 1]?.seq ?? 0)
    if (rule.do === 'apply') take(run.slice(rule.skip), undefined)
    return rule.do !== 'hole'
  }

  /** Until then, or until the end. */
  function pause(askedMs: number): Promise<void> {
    waitMs = Math.min(Math.max(waitMs * 2, RETRY_MS), RETRY_MAX_MS)
    return new Promise((resolve) => {
      const cancel = port.after(Math.max(askedMs, waitMs), resolve)
      wake = () => {
        if (!done) return
        cancel()
        resolve()
      }
    })
  }

  /** Reads one page; true when there is nothing after it for now. */
  async function readPage(): Promise<boolean> {
    let payload: PayloadOf<'page'> | PayloadOf<'reset'>
    try {
      payload = (await port.request({
        type: 'get_page',
        payload: { room: room.id, after: position },
      })) as PayloadOf<'page'> | PayloadOf<'reset'>
    } catch (error) {
      if (done) return false
      if (!(error instanceof TautlineError) || !error.retryable || error.code === 'DISCONNECTED') throw error
      // The reader has all the time there is: there may be no connection, or a server that cannot read just now.
      if (error.code !== 'TIMEOUT') await pause(error.retryAfterMs ?? 0)
      return false
    }
    waitMs = 0
    if (!('entries' in payload)) throw anotherLog()
    if (payload.after.seq > position.seq) position = payload.after
    take(payload.entries, payload.h)
    return position.seq >= payload.head
  }

  async function next(): Promise<IteratorResult<Message>> {
    if (!done) stops ??= begin()
    while (ready.length === 0 && !done) {
      if (!isCaughtUp) isCaughtUp = await readPage()
      else if (live.length > 0) isCaughtUp = takeLive()
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    // What was on its way when the reader went is nobody's.
    const message = isReturned ? undefined : ready.shift()
    if (message) return { done: false, value: message }
    if (failure) throw failure
    return { done: true, value: undefined }
  }

  let turn: Promise<unknown> = Promise.resolve()
  return {
    next() {
      const result = turn.then(next)
      // Calls may overlap: each takes its turn, and one that failed does not fail those behind it.
      turn = result.catch(() => finish())
      return result
    },
    return() {
      isReturned = true
      finish()
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function anotherLog(): TautlineError {
  return new TautlineError('FETCH_ERROR', 'the log of the room is another one now')
}
