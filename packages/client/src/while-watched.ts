/**
 * For bindings: what costs something is there only while somebody looks at it. A binding must not open anything while it
 * renders (a render may be thrown away, or run on a server), so it watches one of these, which opens with its first
 * listener.
 */
import type { Readable } from './store.ts'

export interface WhileWatched<T, R> extends Readable<T> {
  /** What is open now; undefined while nobody watches. */
  current(): R | undefined
}

/** Opened by the first listener, closed after the last; `initial` is shown meanwhile. */
export function whileWatched<T, R extends Readable<T> & { close(): void }>(
  open: () => R,
  initial: T,
): WhileWatched<T, R> {
  let opened: R | undefined
  let listeners = 0
  return {
    current: () => opened,
    getSnapshot: () => opened?.getSnapshot() ?? initial,
    subscribe(listener) {
      opened ??= open()
      const watched = opened
      const stop = watched.subscribe(listener)
      let isWatching = true
      listeners++
      return () => {
        if (!isWatching) return
        isWatching = false
        stop()
        if (--listeners > 0) return
        opened = undefined
        watched.close()
      }
    },
  }
}

/** Which subjects of an owner were watched before. */
const begun = new WeakMap<object, Set<unknown>>()

/**
 * A subject that an owner has once, such as `notifications` of a client: had from the first listener on, and never
 * closed, for the application may use it too. `initial` is shown before.
 */
export function onceWatched<O extends object, T>(
  owner: O,
  subjectOf: (owner: O) => Readable<T>,
  initial: T,
): Readable<T> {
  const subjects = begun.get(owner) ?? new Set()
  begun.set(owner, subjects)
  return {
    getSnapshot: () => (subjects.has(subjectOf) ? subjectOf(owner).getSnapshot() : initial),
    subscribe(listener) {
      subjects.add(subjectOf)
      return subjectOf(owner).subscribe(listener)
    },
  }
}
