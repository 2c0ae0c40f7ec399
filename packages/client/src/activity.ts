/**
 * The port for whether somebody uses this device: what the host knows, and presence makes `away` of. In a browser it is
 * the page's being shown, and input of any kind; others hand in an `Activity` of their own.
 */
import { hostPage, listenToHost } from './host-events.ts'

/**
 * - `used`: somebody did something just now
 * - `hidden`: nobody can see us any more, until it is `used`
 */
export type ActivityEvent = 'used' | 'hidden'

/** Calls `notice` for each event until the returned function is called. */
export type Activity = (notice: (event: ActivityEvent) => void) => () => void

const INPUTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus']

/** What pages tell; nothing where there is none. */
export const browserActivity: Activity = (notice) => {
  const page = hostPage()
  const used = () => notice('used')
  const look = () => notice(page?.visibilityState === 'hidden' ? 'hidden' : 'used')
  if (page?.visibilityState === 'hidden') notice('hidden')
  return listenToHost([
    { target: page, type: 'visibilitychange', listener: look },
    ...INPUTS.map((type) => ({ target: globalThis, type, listener: used })),
  ])
}
