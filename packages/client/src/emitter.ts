/**
 * Events for the application. A listener that throws stops neither the other listeners nor the client: its error is
 * raised where no one is hurt.
 */
import { EventEmitter } from 'eventemitter3'

type Listener<A extends unknown[]> = (...args: A) => void

export interface Emitter<E extends { [K in keyof E]: unknown[] }> {
  /** Returns how to stop listening. */
  on<K extends keyof E & string>(event: K, listener: Listener<E[K]>): () => void
  once<K extends keyof E & string>(event: K, listener: Listener<E[K]>): () => void
  off<K extends keyof E & string>(event: K, listener: Listener<E[K]>): void
  emit<K extends keyof E & string>(event: K, ...args: E[K]): void
}

export function createEmitter<E extends { [K in keyof E]: unknown[] }>(): Emitter<E> {
  const events = new EventEmitter()
  return {
    on(event, listener) {
      events.on(event, listener)
      return () => events.off(event, listener)
    },
    once(event, listener) {
      events.once(event, listener)
      return () => events.off(event, listener)
    },
    off(event, listener) {
      events.off(event, listener)
    },
    emit(event, ...args) {
      // One by one: the emitter's own loop ends at the first listener that throws.
      for (const listener of events.listeners(event)) {
        events.off(event, listener, undefined, true)
        guarded(() => listener(...args))
      }
    },
  }
}

/** Runs what the application gave us; an error of it becomes an uncaught one, later. */
export function guarded(task: () => void): void {
  try {
    task()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
