/**
 * The port for what the host notices about itself: that the page is looked at again, that the network came or went.
 * In a browser this listens to the events; React Native and others hand in a `Lifecycle` of their own.
 */
export type LifecycleEvent = 'wake' | 'online' | 'offline'

/** Calls `notice` for each event until the returned function is called. */
export type Lifecycle = (notice: (event: LifecycleEvent) => void) => () => void

interface EventSource {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

function isEventSource(value: unknown): value is EventSource {
  return typeof value === 'object' && value !== null && 'addEventListener' in value
}

/** What browsers and workers tell; nothing where there is nobody to tell it (Node). */
export const browserLifecycle: Lifecycle = (notice) => {
  const wake = () => {
    if (typeof document === 'undefined' || document.visibilityState === 'visible') notice('wake')
  }
  const online = () => notice('online')
  const offline = () => notice('offline')
  const page: unknown = typeof document === 'undefined' ? undefined : document
  const listeners: [unknown, string, () => void][] = [
    [page, 'visibilitychange', wake],
    [page, 'resume', wake],
    [globalThis, 'pageshow', wake],
    [globalThis, 'online', online],
    [globalThis, 'offline', offline],
  ]
  const active = listeners.filter(([target]) => isEventSource(target)) as [EventSource, string, () => void][]
  for (const [target, type, listener] of active) target.addEventListener(type, listener)
  return () => {
    for (const [target, type, listener] of active) target.removeEventListener(type, listener)
  }
}
