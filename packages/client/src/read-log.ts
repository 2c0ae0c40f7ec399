/**
 * A room's messages from a position on, as an async iterator: pages of the log until it is caught up, then the live
 * entries, on one cursor. Each message once and in order, whatever the connection does meanwhile. It ends when the room
 * is followed no more, or the client is closed.
 */
import { type Entry, follow, type PayloadOf, TautlineError } from '@tautline/protocol/wire'
import { type Message, messageOf } from './message.ts'
import type { Room } from './room.ts'

/** Live entries kept for a slow reader; beyond this it reads them from the log instead. */
const BUFFERED_ENTRIES = 1_000

interface Position {
  seq: number
  h?: string | undefined
}

export function readLog(
  room: Room,
  after: number,
  getPage: (after: Position) => Promise<unknown>,
): AsyncIterableIterator<Message> {
  let position: Position = { seq: after }
  let live: Entry[] = []
  let ready: Message[] = []
  let wake = () => {}
  let done = false
  let failure: TautlineError | undefined
  /** Whether the log was read up to where the live entries go on. */
  let isCaughtUp = false

  const stops = [
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
    room.on('reset', () =>
      finish(new TautlineError('FETCH_ERROR', 'the log of the room is another one now')),
    ),
  ]

  function finish(error?: TautlineError): void {
    if (done) return
    done = true
    failure = error
    for (const stop of stops) stop()
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

  /** Reads one page; true when there is nothing after it for now. */
  async function readPage(): Promise<boolean> {
    let payload: PayloadOf<'page'> | PayloadOf<'reset'>
    try {
      payload = (await getPage(position)) as PayloadOf<'page'> | PayloadOf<'reset'>
    } catch (error) {
      if (done) return false
      // No connection for the whole of the request's time: the reader has all the time there is.
      if (error instanceof TautlineError && error.code === 'TIMEOUT') return false
      throw error
    }
    if (!('entries' in payload))
      throw new TautlineError('FETCH_ERROR', 'the log of the room is another one now')
    if (payload.after.seq > position.seq) position = payload.after
    take(payload.entries, payload.h)
    return position.seq >= payload.head
  }

  async function next(): Promise<IteratorResult<Message>> {
    while (ready.length === 0 && !done) {
      if (!isCaughtUp) isCaughtUp = await readPage()
      else if (live.length > 0) isCaughtUp = takeLive()
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    const message = ready.shift()
    if (message) return { done: false, value: message }
    if (failure) throw failure
    return { done: true, value: undefined }
  }

  if (room.getSnapshot().phase === 'idle') room.follow().catch(finish)

  let turn: Promise<unknown> = Promise.resolve()
  return {
    next() {
      const result = turn.then(next)
      // Calls may overlap: each takes its turn, and one that failed does not fail those behind it.
      turn = result.catch(() => finish())
      return result
    },
    return() {
      ready = []
      finish()
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
