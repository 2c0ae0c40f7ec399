/** Typed events for the application, by name. */
import { createListeners, type Listeners } from './listeners.ts'

type Listener<A extends unknown[]> = (...args: A) => void

export interface Emitter<E extends { [K in keyof E]: unknown[] }> {
  /** Returns how to stop listening. */
  on<K extends keyof E & string>(event: K, listener: Listener<E[K]>): () => void
  once<K extends keyof E & string>(event: K, listener: Listener<E[K]>): () => void
  /** Ends all that `on` and `once` began for this listener. */
  off<K extends keyof E & string>(event: K, listener: Listener<E[K]>): void
  emit<K extends keyof E & string>(event: K, ...args: E[K]): void
}

export function createEmitter<E extends { [K in keyof E]: unknown[] }>(): Emitter<E> {
  const events = Object.create(null) as { [K in keyof E]?: Listeners<E[K]> }
  const of = <K extends keyof E>(event: K): Listeners<E[K]> => (events[event] ??= createListeners<E[K]>())
  return {
    on: (event, listener) => of(event).add(listener),
    once: (event, listener) => of(event).add(listener, true),
    off: (event, listener) => of(event).remove(listener),
    emit: (event, ...args) => of(event).tell(...args),
  }
}
