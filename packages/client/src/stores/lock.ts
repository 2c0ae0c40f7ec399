/**
 * One of the tabs that share something holds a Web Lock and is told so; when it ends, in whatever way, the browser gives
 * the lock to the next in the queue. Where there are no locks (an insecure page, an old browser) everybody holds: who
 * relies on this must be right without it, too.
 */

export interface HeldLock {
  /** Takes it from whoever has it, who then queues again. */
  steal(): void
  /** Lets go, or leaves the queue. Nothing is told any more. */
  release(): void
}

/** So often in a row no thief comes in between: a browser that says so has no locks for us. */
const MAX_ABORTED = 10

/** Told to `held` in a later turn: that we have it, and, when another took it, that we have it no longer. */
export function queueForLock(name: string, held: (isHeld: boolean) => void): HeldLock {
  const locks: LockManager | undefined = globalThis.navigator?.locks
  let place: Place | undefined
  /** How often in a row the lock was taken from us before we had it. */
  let aborted = 0

  function stand(isThief: boolean): void {
    const mine: Place = { isHolder: false, leave: new AbortController(), letGo: () => {} }
    place = mine
    // A signal only ends the wait, and a thief does not wait: the two are not allowed together.
    const options = isThief ? { steal: true } : { signal: mine.leave.signal }
    const begin = () => {
      if (place !== mine) return undefined
      mine.isHolder = true
      aborted = 0
      const untilLetGo = new Promise<void>((resolve) => {
        mine.letGo = resolve
      })
      held(true)
      return untilLetGo
    }
    // In a later turn even where there are no locks.
    const request = Promise.resolve().then(() => (locks ? locks.request(name, options, begin) : begin()))
    request.catch((error: unknown) => {
      if (place !== mine) return
      if (mine.isHolder) {
        // Stolen, since we did not let go.
        held(false)
        stand(false)
      } else if (isAbort(error) && ++aborted < MAX_ABORTED) {
        // Ours for a moment, and stolen before we heard of it.
        stand(false)
      } else void begin() // Locks are forbidden here.
    })
  }

  function leave(): void {
    place?.leave.abort()
    place?.letGo()
    place = undefined
  }

  stand(false)
  return {
    steal() {
      if (place === undefined || place.isHolder) return
      leave()
      stand(true)
    },
    release: leave,
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Our place in the queue; a new one for each time that we stand in it. */
interface Place {
  isHolder: boolean
  readonly leave: AbortController
  letGo(): void
}
