/**
 * Waiting for something with patience: as long as things go on it waits, and when nothing has gone on for a while it
 * gives up. For scripts, which nobody watches.
 */
export interface Progress {
  /** Something changed; `isStep`: and it is one step nearer to the end. */
  changed(isStep?: boolean): void
  /** From now on nothing will come: whoever waits gives up. */
  stop(): void
  /** Resolves with true when `isDone()`, with false after `patienceMs` without a step, or when stopped. */
  until(isDone: () => boolean, patienceMs: number): Promise<boolean>
}

export function createProgress(): Progress {
  const waiting = new Set<(isStep: boolean) => void>()
  let isStopped = false
  const tell = (isStep: boolean) => {
    for (const check of Array.from(waiting)) check(isStep)
  }
  return {
    changed: (isStep = false) => tell(isStep),
    stop() {
      isStopped = true
      tell(false)
    },
    until: (isDone, patienceMs) =>
      new Promise((resolve) => {
        const giveUp = () => settle(false)
        let timer = setTimeout(giveUp, patienceMs)
        const settle = (result: boolean) => {
          clearTimeout(timer)
          waiting.delete(check)
          resolve(result)
        }
        const check = (isStep: boolean) => {
          if (isDone()) return settle(true)
          if (isStopped) return settle(false)
          if (!isStep) return
          clearTimeout(timer)
          timer = setTimeout(giveUp, patienceMs)
        }
        waiting.add(check)
        check(false)
      }),
  }
}
