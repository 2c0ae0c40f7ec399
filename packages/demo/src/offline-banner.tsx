/**
 * What somebody should know while there is no connection: why, that nothing is lost, and when it is tried again. Only the
 * words are announced; a countdown that is read out every second helps nobody.
 */
import type { Status } from '@tautline/client'
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useEffect, useState } from 'react'
import { keptWords, lossWords } from './connection-words.ts'

export function OfflineBanner(): ReactNode {
  const client = useClient()
  const { status, reason, retryAt, storage } = useConnection()
  const isLost = useIsLost(status)
  const seconds = useSecondsUntil(retryAt)
  const connect = () => void client.connect().catch(() => {})
  const isOff = status === 'idle' || status === 'stopped'

  return (
    <section className="offline" data-shown={isLost} aria-label="Without a connection">
      <p role="status" className="offline-words">
        {isLost && lossWords({ status, reason })} {isLost && <span>{keptWords({ status, storage })}</span>}
      </p>
      {isLost && (
        <p className="offline-figures">
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

/** From a loss until it is connected again; the first connect and the attempts between are no news of their own. */
function useIsLost(status: Status): boolean {
  const [isLost, setIsLost] = useState(false)
  const isTrying = status === 'connecting' || status === 'authenticating'
  const next = isTrying ? isLost : status !== 'connected' && status !== 'closed'
  if (next !== isLost) setIsLost(next)
  return next
}

/** Whole seconds until this time of the clock, counted down; undefined without one. */
function useSecondsUntil(time: number | undefined): number | undefined {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (time === undefined) return undefined
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [time])
  return time === undefined ? undefined : Math.max(0, Math.ceil((time - now) / 1_000))
}
