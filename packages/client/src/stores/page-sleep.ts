/**
 * When a page is put away, and when it comes back: into the back-forward cache (`pagehide`, `pageshow`), or frozen where
 * it stands (`freeze`, `resume`; Chromium alone). No code of it runs in between, so whatever it holds then nobody else gets.
 * A page that ends tells `pagehide` as well, and nothing after it; Chromium freezes what it caches, too.
 */
import { hostPage, listenToHost } from '../host-events.ts'

/**
 * `leave`: the page is left, and what it began is still finished. `freeze`: it stops where it is; what is to be done must
 * be done now. Each may be told more than once. Returns how to end it. Nothing is ever told in a worker or in Node.
 */
export function watchPageSleep(leave: () => void, freeze: () => void, wake: () => void): () => void {
  const page = hostPage()
  return listenToHost([
    { target: globalThis, type: 'pagehide', listener: leave },
    { target: page, type: 'freeze', listener: freeze },
    { target: globalThis, type: 'pageshow', listener: wake },
    { target: page, type: 'resume', listener: wake },
  ])
}
