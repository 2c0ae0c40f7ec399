/**
 * Who listens to one thing. Each registration stands for itself, so that the same function may be given twice, and ends by
 * itself. A listener that throws stops neither the others nor the client: its error is raised where no one is hurt.
 */
export interface Listeners<A extends unknown[]> {
  /** Returns how to stop listening. */
  add(listener: (...args: A) => void, isOnce?: boolean): () => void
  /** Ends every registration of this function. */
  remove(listener: (...args: A) => void): void
  /** Calls those who listen now, in the order in which they began to. */
  tell(...args: A): void
}

export function createListeners<A extends unknown[]>(): Listeners<A> {
  const all = new Set<{ readonly listener: (...args: A) => void; readonly isOnce: boolean }>()
  return {
    add(listener, isOnce = false) {
      const registration = { listener, isOnce }
      all.add(registration)
      return () => {
        all.delete(registration)
      }
    },
    remove(listener) {
      for (const registration of all) if (registration.listener === listener) all.delete(registration)
    },
    tell(...args) {
      for (const registration of Array.from(all)) {
        if (registration.isOnce) all.delete(registration)
        guarded(() => registration.listener(...args))
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
