/**
 * What somebody should know while there is no connection: why, that nothing is lost, and when it is tried again. Only the
 * words are announced, and stay while it is tried; attempts and a countdown that are read out help nobody.
 */
import type { ClientSnapshot } from '@tautline/client'
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useLayoutEffect, useState } from 'react'
import { keptWords, lossWords } from './connection-words.ts'

export function OfflineBanner(): ReactNode {
  const client = useClient()
  const snapshot = useConnection()
  const { status, retryAt } = snapshot
  const told = useBeforeAttempt(snapshot)
  const isLost = told.status !== 'connected' && told.status !== 'closed' && !isTrying(told)
  const seconds = useSecondsUntil(retryAt)
  const connect = () => void client.connect().catch(() => {})
  const isOff = status === 'idle' || status === 'stopped'

  return (
    <section className="offline" data-shown={isLost} aria-label="Without a connection">
      <p role="status" className="offline-words">
        {isLost && lossWords(told)} {isLost && <span>{keptWords(told)}</span>}
      </p>
      {isLost && (
        <p className="offline-figures">
          {isTrying(snapshot) && <span>trying to connect …</span>}
          {seconds !== undefined && <span>next attempt {seconds > 0 ? `in ${seconds} s` : 'now'}</span>}
          {seconds !== undefined && (
            <button type="button" className="quiet" onClick={connect}>
              Try now
            </button>
          )}
          {isOff && (
            <button type="button" className="quiet" onClick={connect}>
              Connect
            </button>
          )}
        </p>
      )}
    </section>
  )
}

const isTrying = ({ status }: ClientSnapshot): boolean =>
  status === 'connecting' || status === 'authenticating'

/** The first connect and the attempts after a loss are no news of their own: what was so before them is still told. */
function useBeforeAttempt(now: ClientSnapshot): ClientSnapshot {
  const [before, setBefore] = useState(now)
  const told = isTrying(now) ? before : now
  if (told !== before) setBefore(told)
  return told
}

/** Whole seconds until this time of the clock, counted down; undefined without one. */
function useSecondsUntil(time: number | undefined): number | undefined {
  const [now, setNow] = useState(() => Date.now())
  // Before it is painted: `now` is that of the last countdown.
  useLayoutEffect(() => {
    if (time === undefined) return undefined
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [time])
  return time === undefined ? undefined : Math.max(0, Math.ceil((time - now) / 1_000))
}
