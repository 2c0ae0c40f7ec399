/**
 * The state of the connection in words, and a way to break it on purpose. The words alone are announced; a countdown
 * that is read out every second helps nobody.
 */
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useEffect, useState } from 'react'
import { connectionWords, MOODS, queuedWords } from './connection-words.ts'

export function ConnectionBar(): ReactNode {
  const client = useClient()
  const { status, reason, retryAt, queued, storage, latencyMs } = useConnection()
  const seconds = useSecondsUntil(retryAt)
  const isOff = status === 'idle' || status === 'stopped' || status === 'closed'
  const connect = () => void client.connect().catch(() => {}) // the bar says why not
  const disconnect = () => void client.disconnect()

  return (
    <header className="connection" data-mood={MOODS[status]}>
      <p className="connection-words" role="status">
        <span className="lamp" aria-hidden="true" />
        {connectionWords({ status, reason })}
      </p>
      <p className="connection-figures">
        {seconds !== undefined && <span>next attempt {seconds > 0 ? `in ${seconds} s` : 'now'}</span>}
        {status === 'connected' && latencyMs !== undefined && (
          <span title="The last round trip to the server">{Math.max(1, Math.round(latencyMs))} ms</span>
        )}
        <span className={queued > 0 ? 'queued' : undefined}>{queuedWords(queued, storage)}</span>
      </p>
      <p className="connection-actions">
        {retryAt !== undefined && (
          <button type="button" className="quiet" onClick={connect}>
            Try now
          </button>
        )}
        <button type="button" className="quiet" onClick={isOff ? connect : disconnect}>
          {isOff ? 'Connect' : 'Disconnect'}
        </button>
      </p>
    </header>
  )
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
