/**
 * The port for what the host notices about itself: that the page is looked at again, that the network came or went.
 * In a browser this listens to the events; React Native and others hand in a `Lifecycle` of their own.
 */
import { hostPage, listenToHost } from './host-events.ts'

export type LifecycleEvent = 'wake' | 'online' | 'offline'

/** Calls `notice` for each event until the returned function is called. */
export type Lifecycle = (notice: (event: LifecycleEvent) => void) => () => void

/** What browsers and workers tell; nothing where there is nobody to tell it (Node). */
export const browserLifecycle: Lifecycle = (notice) => {
  const page = hostPage()
  const wake = () => {
    if (page === undefined || page.visibilityState === 'visible') notice('wake')
  }
  return listenToHost([
    { target: page, type: 'visibilitychange', listener: wake },
    { target: page, type: 'resume', listener: wake },
    { target: globalThis, type: 'pageshow', listener: wake },
    { target: globalThis, type: 'online', listener: () => notice('online') },
    { target: globalThis, type: 'offline', listener: () => notice('offline') },
  ])
}
