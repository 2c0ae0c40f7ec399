/** How the connection is, in a word; behind it what else is known, and a way to break it on purpose. */
import { useClient, useConnection } from '@tautline/react'
import type { ReactNode } from 'react'
import { MOODS, queuedWords, STORAGE_WORDS, statusWords } from './connection-words.ts'

export function Connection(): ReactNode {
  const client = useClient()
  const { status, queued, storage, latencyMs } = useConnection()
  const isOff = status === 'idle' || status === 'stopped' || status === 'closed'
  // Where it rejects the banner says why.
  const connect = () => void client.connect().catch(() => {})
  const disconnect = () => void client.disconnect()

  return (
    <div className="connection" data-mood={MOODS[status]}>
      <button type="button" className="header-button" popoverTarget="connection">
        <span className="lamp" aria-hidden="true" />
        {statusWords(status)}
        {queued > 0 && <span className="queued">{queuedWords(queued)}</span>}
      </button>
      <section id="connection" popover="auto" className="popover" aria-label="Connection">
        <dl className="facts">
          <dt>Last round trip</dt>
          <dd>{latencyMs === undefined ? 'not measured yet' : `${Math.max(1, Math.round(latencyMs))} ms`}</dd>
          <dt>On their way</dt>
          <dd>{queued === 0 ? 'nothing' : queuedWords(queued)}</dd>
          <dt>What waits is kept</dt>
          <dd>{STORAGE_WORDS[storage]}</dd>
        </dl>
        <button type="button" className="secondary" onClick={isOff ? connect : disconnect}>
          {isOff ? 'Connect' : 'Disconnect'}
        </button>
      </section>
    </div>
  )
}
