/** Listening to what the host tells, where there is one that does: in Node there is neither page nor window. */

interface EventSource {
  addEventListener(type: string, listener: (event: Event) => void): void
  removeEventListener(type: string, listener: (event: Event) => void): void
}

export interface HostListener {
  /** Passed over where it is nothing that tells events. */
  readonly target: unknown
  readonly type: string
  readonly listener: (event: Event) => void
}

/** Undefined in a worker and in Node. */
export function hostPage(): Document | undefined {
  return typeof document === 'undefined' ? undefined : document
}

/** Returns how to end it. */
export function listenToHost(listeners: readonly HostListener[]): () => void {
  for (const { target, type, listener } of listeners)
    if (isEventSource(target)) target.addEventListener(type, listener)
  return () => {
    for (const { target, type, listener } of listeners)
      if (isEventSource(target)) target.removeEventListener(type, listener)
  }
}

function isEventSource(value: unknown): value is EventSource {
  return typeof value === 'object' && value !== null && 'addEventListener' in value
}
