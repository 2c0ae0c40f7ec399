/**
 * The lane of signals from this peer to one other, and the end of the lane back. Signals are numbered from 1, kept until
 * the other says that they arrived, and taken in their order, each once; so what a lost connection swallowed, on whichever
 * side and on whatever server, is said again. The server carries signals and keeps none.
 *
 * One is on its way at a time. What comes up meanwhile waits, and candidates that wait go together.
 */
import type { CallCandidate, CallDescription, CallSignal } from '@tautline/protocol/calls'
import { MAX_CALL_CANDIDATES } from '@tautline/protocol/wire'

export interface SignalContent {
  readonly description?: CallDescription | undefined
  readonly candidates?: readonly CallCandidate[] | undefined
}

export interface SignalLane {
  /** To be said when its turn comes. False: too much waits for a peer that does not answer; the lane is of no use any more. */
  say(content: SignalContent): boolean
  /** What to send now, if anything; then `sent` or `failed` is to be called. */
  next(): CallSignal | undefined
  /** The server took it. */
  sent(): void
  /** It did not; nothing is sent until `again`. */
  failed(): void
  /** Both can be reached (again): says how far the other lane came, and asks how far this one did. */
  again(): void
  /** What the other said: its content where it is the next one. */
  take(signal: CallSignal): SignalContent | undefined
}

/** Far more than a negotiation takes. */
const MAX_KEPT = 256

export function createSignalLane(): SignalLane {
  /** Said, and not known to have arrived. */
  let kept: (SignalContent & { readonly n: number })[] = []
  const waiting: SignalContent[] = []
  let lastN = 0
  let received = 0
  /** Of what is kept, everything up to there was sent since the last `again`. */
  let sentUpTo = 0
  let isOnItsWay = false
  let isHeldBack = false
  let owesHello = false
  let askedFor = -1

  function confirm(upTo: number): void {
    kept = kept.filter(({ n }) => n > upTo)
  }

  function numbered(content: SignalContent & { readonly n: number }): CallSignal {
    sentUpTo = content.n
    const { n, description, candidates } = content
    return {
      n,
      received,
      ...(description ? { description } : {}),
      ...(candidates ? { candidates: Array.from(candidates) } : {}),
    }
  }

  return {
    say(content) {
      const last = waiting.at(-1)
      const together = [...(last?.candidates ?? []), ...(content.candidates ?? [])]
      if (last && !last.description && content.candidates && together.length <= MAX_CALL_CANDIDATES)
        waiting[waiting.length - 1] = { candidates: together }
      else waiting.push(content)
      return kept.length + waiting.length <= MAX_KEPT
    },

    next() {
      if (isOnItsWay || isHeldBack) return undefined
      if (owesHello) {
        owesHello = false
        isOnItsWay = true
        return { n: 0, received }
      }
      const again = kept.find(({ n }) => n > sentUpTo)
      const content = again ?? waiting.shift()
      if (!content) return undefined
      isOnItsWay = true
      if (again) return numbered(again)
      const fresh = { ...content, n: ++lastN }
      kept.push(fresh)
      return numbered(fresh)
    },

    sent() {
      isOnItsWay = false
    },

    failed() {
      isOnItsWay = false
      isHeldBack = true
    },

    again() {
      isHeldBack = false
      owesHello = true
      askedFor = -1
    },

    take(signal) {
      confirm(signal.received)
      if (signal.n === 0) {
        // Whoever asks can be reached, and has what it says it has: the rest is said again.
        sentUpTo = signal.received
        isHeldBack = false
        return undefined
      }
      if (signal.n !== received + 1) {
        // A hole: asked for once, until something comes that fits.
        if (signal.n > received && askedFor !== received) {
          askedFor = received
          owesHello = true
        }
        return undefined
      }
      received = signal.n
      return { description: signal.description, candidates: signal.candidates }
    },
  }
}
