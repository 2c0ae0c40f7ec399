/**
 * All deadlines of a node in one binary heap, so that the shell arms a single timer and thousands of connections cost
 * a look at the top. Who has a deadline carries its place in the heap, and moving it costs O(log n).
 *
 * A deadline may be set too early on purpose (a connection that was heard since): its owner looks, finds nothing to do
 * and sets the next one. So a received frame costs the heap nothing.
 */
export interface Scheduled {
  /** Monotonic milliseconds. */
  dueAt: number
  /** Where it stands in the heap; -1: nowhere. */
  place: number
}

export class Schedule<T extends Scheduled> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest deadline, or undefined where there is none. */
  next(): number | undefined {
    return this.#heap[0]?.dueAt
  }

  /** Gives `item` this deadline instead of the one it may have; Infinity takes it out. */
  set(item: T, dueAt: number): void {
    if (dueAt === Number.POSITIVE_INFINITY) {
      this.remove(item)
      return
    }
    item.dueAt = dueAt
    if (item.place < 0) {
      item.place = this.#heap.length
      this.#heap.push(item)
    }
    this.#rise(item)
    this.#sink(item)
  }

  remove(item: T): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    this.#put(last, place)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out the earliest that is due, or gives undefined. */
  take(now: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueAt > now) return undefined
    this.remove(first)
    return first
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }

  #rise(item: T): void {
    let { place } = item
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || parent.dueAt <= item.dueAt) break
      this.#put(parent, place)
      place = above
    }
    this.#put(item, place)
  }

  #sink(item: T): void {
    let { place } = item
    for (;;) {
      const left = this.#heap[2 * place + 1]
      const right = this.#heap[2 * place + 2]
      const child = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left
      if (child === undefined || child.dueAt >= item.dueAt) break
      const below = child.place
      this.#put(child, place)
      place = below
    }
    this.#put(item, place)
  }
}
