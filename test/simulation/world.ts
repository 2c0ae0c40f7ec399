// Virtual time: what is to happen stands in one heap, and the next of it happens at once. What falls on the same moment
// comes in an order that the seed decides. A run that goes on for ever ends at a bound on its events.

import { createDice, type Dice } from './dice.ts'

interface Due {
  readonly at: number
  readonly tie: number
  readonly order: number
  readonly action: () => void
}

export interface World {
  /** Milliseconds since the run began. */
  readonly now: number
  /** How many events have happened. */
  readonly events: number
  after(ms: number, action: () => void): void
  /** A line of the trace; `line` is called only where somebody wants to read it. */
  note(line: () => string): void
  /** Promises are on their way: they are let through before the next event. */
  settleSoon(): void
  /** Lets everything happen up to this moment. */
  runUntil(end: number): Promise<void>
  /** A stream of dice for one part of the world. */
  dice(): Dice
}

export interface WorldOptions {
  readonly seed: number
  readonly maxEvents: number
  /** Takes the lines of the trace. */
  readonly trace?: ((line: string) => void) | undefined
}

export class TooManyEvents extends Error {}

/** Then-callbacks that may hang on one another between a question to a store and its answer. */
const PROMISE_DEPTH = 16

export function createWorld({ seed, maxEvents, trace }: WorldOptions): World {
  const dice = createDice(seed)
  const ties = dice.fork()
  const heap: Due[] = []
  let now = 0
  let events = 0
  let order = 0
  let hasPromises = false

  function isBefore(a: Due, b: Due): boolean {
    if (a.at !== b.at) return a.at < b.at
    return a.tie === b.tie ? a.order < b.order : a.tie < b.tie
  }

  function push(due: Due): void {
    let place = heap.length
    heap.push(due)
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above]!
      if (!isBefore(due, parent)) break
      heap[place] = parent
      place = above
    }
    heap[place] = due
  }

  function pop(): Due {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[place] = heap[below]!
      place = below
    }
    heap[place] = last
    return first
  }

  async function settle(): Promise<void> {
    if (!hasPromises) return
    hasPromises = false
    for (let i = 0; i < PROMISE_DEPTH; i++) await Promise.resolve()
  }

  return {
    get now() {
      return now
    },
    get events() {
      return events
    },
    after(ms, action) {
      push({ at: now + Math.max(0, ms), tie: ties.next(), order: order++, action })
    },
    note(line) {
      trace?.(`${(now / 1_000).toFixed(3).padStart(10)} ${line()}`)
    },
    settleSoon() {
      hasPromises = true
    },
    async runUntil(end) {
      await settle()
      while (heap.length > 0 && heap[0]!.at <= end) {
        const due = pop()
        now = due.at
        if (++events > maxEvents) throw new TooManyEvents(`more than ${maxEvents} events`)
        due.action()
        if (hasPromises) await settle()
      }
      now = end
    },
    dice: () => dice.fork(),
  }
}
