/**
 * The room log as both ends see it: an entry has a gap-free `seq` from 1, and whoever follows a log holds one cursor.
 * The rule of the follower lives here because a client and a server node obey the same one: deliver `seq = next`,
 * drop what is below, and on anything above read the hole from the log.
 */
import { hash53 } from './hash.ts'

/** A position in a log: the last `seq` applied, and the fingerprint of the log up to and including it. */
export interface Cursor {
  readonly seq: number
  readonly h: string
}

/** Before the first entry. */
export const LOG_START: Cursor = { seq: 0, h: '' }

/**
 * What a follower does with a run of entries whose first seq is `first` and whose last is `last` (a run has no holes):
 * `apply` it from index `skip` on, `drop` it (all of it was applied before), or read the `hole` before it.
 */
export type Follow =
  | { readonly do: 'apply'; readonly skip: number }
  | { readonly do: 'drop' }
  | { readonly do: 'hole' }

const DROP: Follow = { do: 'drop' }
const HOLE: Follow = { do: 'hole' }

export function follow(cursor: number, first: number, last: number): Follow {
  if (first > cursor + 1) return HOLE
  if (last <= cursor) return DROP
  return { do: 'apply', skip: cursor + 1 - first }
}

/**
 * The next rolling fingerprint: a hash of the one before, the sender and the message id. It finds logs that diverged by
 * accident (a restored snapshot); it is no defence against forgery.
 */
export function nextFingerprint(h: string, sender: string, messageId: string): string {
  const text = `${h}\n${sender}\n${messageId}`
  return hash53(text)
}

/** A short digest of a text, compared for equality only. */
export function digestOf(text: string): string {
  return hash53(text)
}
