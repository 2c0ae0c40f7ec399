/**
 * When a page is put away, and when it comes back: into the back-forward cache (`pagehide`, `pageshow`), or frozen where
 * it stands (`freeze`, `resume`; Chromium alone). No code of it runs in between, so whatever it holds then nobody else gets.
 * A page that ends tells `pagehide` as well, and nothing after it.
 */
import { hostPage, listenToHost } from '../host-events.ts'

/** One may be told twice in a row. Returns how to end it. Nothing is ever told in a worker or in Node. */
export function watchPageSleep(sleep: () => void, wake: () => void): () => void {
  const page = hostPage()
  return listenToHost([
    { target: globalThis, type: 'pagehide', listener: sleep },
    { target: page, type: 'freeze', listener: sleep },
    { target: globalThis, type: 'pageshow', listener: wake },
    { target: page, type: 'resume', listener: wake },
  ])
}
