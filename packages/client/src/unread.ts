/**
 * Counts what is unread in a room that is followed. The server says how much there was up to a position; from there on
 * each later message of others is one more, and one's own makes it none: who says something has read what stands before.
 * All devices of a user do the same sum, whichever of them read or spoke.
 */
import type { Entry } from '@tautline/protocol/wire'

export interface ServerCount {
  /** Read up to here. */
  readonly read: number
  /** Counted up to here. */
  readonly head: number
  readonly unread: number
}

export interface UnreadCounter {
  told(count: ServerCount): void
  /** New messages in the order of the room. */
  heard(message: Entry, isOwn: boolean): void
  /** The log is another one, or ours no more. */
  forget(): void
  /** Undefined until the server has said how much there was. */
  count(): number | undefined
}

/** Positions that are kept until the server has told its first count. */
const MAX_EARLY = 1_000

export function createUnreadCounter(): UnreadCounter {
  let base: ServerCount | undefined
  /** Positions of later messages of others. */
  let later: number[] = []

  function take(count: ServerCount): void {
    base = count
    later = later.filter((seq) => seq > count.head)
  }

  return {
    told(count) {
      // What was read from the store a moment ago may arrive behind what was told since.
      const isOld = base && (count.head < base.head || count.read < base.read)
      if (!isOld) take(count)
    },
    heard({ seq }, isOwn) {
      if (isOwn) take({ read: seq, head: seq, unread: 0 })
      else if (base ? seq > base.head : later.length < MAX_EARLY) later.push(seq)
    },
    forget() {
      base = undefined
      later = []
    },
    count: () => base && base.unread + later.length,
  }
}
