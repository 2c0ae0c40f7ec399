/**
 * What the server answers, and answers again when it may have changed: one question at a time, and one more for all that
 * changed while it was on its way, however much that is.
 */
import { useEffect, useMemo, useState } from 'react'

/** The same object for as long as the component stands. */
export interface Source<T> {
  ask(): Promise<T>
  /** Calls back when it shall be asked, the first time too; returns how to end that. */
  watch(askAgain: () => void): () => void
}

/** The last answer: where a question fails it stays, and `watch` says when to ask again. Undefined until there is one. */
export function useAsked<T>(source: Source<T>): readonly [answer: T | undefined, askAgain: () => void] {
  const [answer, setAnswer] = useState<T>()
  const askAgain = useMemo(() => oneAtATime(() => source.ask().then(setAnswer, () => {})), [source])
  useEffect(() => source.watch(askAgain), [source, askAgain])
  return [answer, askAgain]
}

function oneAtATime(work: () => Promise<void>): () => void {
  let status: 'idle' | 'working' | 'again' = 'idle'
  const start = (): void => {
    status = 'working'
    void work().then(() => {
      if (status === 'again') start()
      else status = 'idle'
    })
  }
  return () => {
    if (status === 'idle') start()
    else status = 'again'
  }
}
