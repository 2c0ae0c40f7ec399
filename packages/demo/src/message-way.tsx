/** How far an own message is: queued, sent, acknowledged at a position; or failed, with why and what can be done. */
import type { TimelineItem } from '@tautline/client/timeline'
import { useClient } from '@tautline/react'
import { type ReactNode, useState } from 'react'
import { adviceOf, failureWords } from './connection-words.ts'
import type { MessageActions } from './message-actions.tsx'
import { goToRest } from './resting-place.ts'

/** How many of the three stations are behind it. */
const STATIONS = { saving: 0, queued: 1, sent: 2, acknowledged: 3, failed: 0 } as const

export interface WayProps {
  readonly item: TimelineItem
  /** Whether the station is named, too. */
  readonly isDetailed: boolean
}

export function Way({ item: { status, seq, changes, sent }, isDetailed }: WayProps): ReactNode {
  if (status === 'failed')
    return <span className="way">{sent?.error?.code === 'CANCELLED' ? 'taken back' : 'failed'}</span>
  const isChanging = changes.some((change) => change.status !== 'acknowledged')
  return (
    <span className="way">
      {isChanging && <span>change on its way</span>}
      <span className="track" data-reached={STATIONS[status]} aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {isDetailed && <span>{status} </span>}
      {seq !== undefined && (
        <span title={`Acknowledged: it has position ${seq} in the room, for everybody`}>
          {!isDetailed && <span className="hidden">acknowledged </span>}#{seq}
        </span>
      )}
    </span>
  )
}

export interface RemediesProps extends Pick<WayProps, 'item'> {
  readonly actions: MessageActions
}

export function Remedies({ item, actions }: RemediesProps): ReactNode {
  const { status, sent, messageId } = item
  const { outbox } = useClient()
  const [isTakenBack, setIsTakenBack] = useState(false)

  function takeBack(): void {
    if (isTakenBack) return
    // Who knows whether it is committed already is the server: until it has said so it stays queued.
    setIsTakenBack(true)
    outbox.cancel(messageId)
  }

  if (status === 'queued' || status === 'saving') {
    return (
      <p className="remedies">
        <button type="button" className="quiet" onClick={takeBack} aria-disabled={isTakenBack}>
          {isTakenBack ? 'to be taken back' : 'Cancel'}
        </button>
      </p>
    )
  }
  if (status !== 'failed') return null
  const code = sent?.error?.code
  const isCancelled = code === 'CANCELLED'
  return (
    <p className="remedies" data-failed="true">
      <span className={isCancelled ? undefined : 'bad-words'}>
        Not sent: {failureWords(code)}. {adviceOf(code)}
      </span>
      {/* As it is it would be too long again. */}
      {code !== 'MESSAGE_TOO_LONG' && (
        <button
          type="button"
          className="quiet"
          onClick={({ currentTarget }) => {
            // What is said again is another message, at the end.
            goToRest(currentTarget)
            void outbox.retry(messageId)
          }}
        >
          Retry
        </button>
      )}
      <button type="button" className="quiet" onClick={() => actions.writeAnew(item)}>
        Edit
      </button>
      <button
        type="button"
        className="quiet"
        onClick={({ currentTarget }) => {
          goToRest(currentTarget)
          outbox.discard(messageId)
        }}
      >
        Discard
      </button>
    </p>
  )
}
