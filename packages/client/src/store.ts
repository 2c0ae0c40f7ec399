/**
 * A value that can be watched, in the shape that React, Vue, Svelte and Solid bind to without glue: `getSnapshot`
 * returns the same object until something in it changed, and `subscribe` tells when it did.
 */
import { createListeners } from './listeners.ts'

export interface Readable<T> {
  getSnapshot(): T
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void
}

export interface Writable<T> extends Readable<T> {
  /** Changes these fields; nothing happens where all of them are what they were. */
  update(change: Partial<T>): void
}

export function createStore<T extends object>(initial: T): Writable<T> {
  let snapshot = initial
  const listeners = createListeners<[]>()
  return {
    getSnapshot: () => snapshot,
    subscribe: (listener) => listeners.add(listener),
    update(change) {
      const keys = Object.keys(change) as (keyof T)[]
      if (keys.every((key) => Object.is(snapshot[key], change[key]))) return
      snapshot = { ...snapshot, ...change }
      listeners.tell()
    },
  }
}
