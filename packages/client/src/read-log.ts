/**
 * A room's messages from a position on, as an async iterator: pages of the log until it is caught up, then the live
 * entries, on one cursor. Each message once and in order, whatever the connection does meanwhile.
 */
import { type Entry, follow, type PayloadOf, TautlineError } from '@tautline/protocol/wire'
import { type Message, messageOf, type Room } from './room.ts'

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

  const stops = [
    room.on('entry', (entry) => {
      if (live.length === BUFFERED_ENTRIES) live = []
      live.push(entry)
      wake()
    }),
    room.on('phase', () => wake()),
  ]

  function finish(): void {
    done = true
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

  /** What came live, as far as it goes on from where we are; false where there is a hole before it. */
  function takeLive(): boolean {
    const first = live[0]
    const last = live[live.length - 1]
    if (!first || !last) return true
    const rule = follow(position.seq, first.seq, last.seq)
    if (rule.do === 'hole') return false
    if (rule.do === 'apply') take(live.slice(rule.skip), undefined)
    live = []
    return true
  }

  /** Reads one page; true when there is nothing after it for now. */
  async function readPage(): Promise<boolean> {
    const payload = (await getPage(position)) as PayloadOf<'page'> | PayloadOf<'reset'>
    if (!('entries' in payload))
      throw new TautlineError('FETCH_ERROR', 'the log of the room is another one now')
    if (payload.after.seq > position.seq) position = payload.after
    take(payload.entries, payload.h)
    return position.seq >= payload.head
  }

  async function fill(): Promise<void> {
    // Joined late, or the position lies far back: the log first, the live entries where they go on from it.
    let caughtUp = await readPage()
    while (ready.length === 0 && !done) {
      if (!takeLive()) caughtUp = false
      if (ready.length > 0 || done) return
      if (caughtUp) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else caughtUp = await readPage()
    }
  }

  async function next(): Promise<IteratorResult<Message>> {
    if (ready.length === 0 && !done) {
      if (!takeLive() || position.seq === after) await fill()
      else if (ready.length === 0) await fill()
    }
    const message = ready.shift()
    return message === undefined || done ? { done: true, value: undefined } : { done: false, value: message }
  }

  if (room.getSnapshot().phase === 'idle') room.follow().catch(finish)

  let turn: Promise<unknown> = Promise.resolve()
  return {
    next() {
      const result = turn.then(next)
      turn = result.catch(finish)
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
