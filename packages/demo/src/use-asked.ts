/**
 * What the server answers, and answers again when it may have changed: one question at a time, and one more for all that
 * changed while it was on its way, however much that is.
 */
import type { Room } from '@tautline/client'
import { useEffect, useMemo, useState } from 'react'

/** About the same thing for as long as the component stands; another object asks anew. */
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

/** Calls back where the room is live, and each time that it is so again: what changed until then may not have been told. */
export function whenLive(room: Room, callback: () => void): () => void {
  if (room.getSnapshot().phase === 'live') callback()
  return room.on('phase', (phase) => phase === 'live' && callback())
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
