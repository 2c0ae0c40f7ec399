/** One message, and for an own one its way: queued, sent, acknowledged at a position; or failed, with why and what now. */
import type { Code } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { MEANINGS } from '@tautline/protocol/wire'
import { useClient } from '@tautline/react'
import { memo, type ReactNode, useState } from 'react'
import { Avatar } from './avatar.tsx'

export interface MessageBubbleProps {
  readonly item: TimelineItem
  readonly isOwn: boolean
  readonly isNewestOwn: boolean
  readonly beginsDay: boolean
  readonly continues: boolean
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

export const MessageBubble = memo(function MessageBubble(props: MessageBubbleProps): ReactNode {
  const { item, isOwn, isNewestOwn, beginsDay, continues } = props
  const { sender, kind, content, timestamp, status } = item
  const date = new Date(timestamp)
  return (
    <li className="message" data-own={isOwn} data-continues={continues} data-status={status}>
      {beginsDay && <p className="day">{DAY.format(date)}</p>}
      {!continues && !isOwn && <Avatar name={sender} />}
      <article className="bubble" aria-label={`${isOwn ? 'You' : sender}, ${TIME.format(date)}`}>
        {!continues && !isOwn && <p className="sender">{sender}</p>}
        <p className="content">{kind === 'deleted' ? 'This message was deleted.' : content}</p>
        <p className="meta">
          <time dateTime={date.toISOString()}>{TIME.format(date)}</time>
          {isOwn && <Way item={item} isDetailed={isNewestOwn || status !== 'acknowledged'} />}
        </p>
      </article>
      {isOwn && <Remedies item={item} />}
    </li>
  )
})

/** How many of the three stations are behind it. */
const STATIONS = { saving: 0, queued: 1, sent: 2, acknowledged: 3, failed: 0 } as const

function Way({ item, isDetailed }: { readonly item: TimelineItem; readonly isDetailed: boolean }): ReactNode {
  const { status, seq } = item
  if (status === 'failed') return <span className="way">failed</span>
  return (
    <span className="way">
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

function Remedies({ item: { status, sent, messageId } }: { readonly item: TimelineItem }): ReactNode {
  const { outbox } = useClient()
  const [isTakenBack, setIsTakenBack] = useState(false)

  function takeBack(): void {
    // Who knows whether it is committed already is the server: until it has said so it stays queued.
    setIsTakenBack(true)
    outbox.cancel(messageId)
  }

  if (status === 'queued' || status === 'saving') {
    return (
      <p className="remedies">
        <button type="button" className="quiet" onClick={takeBack} disabled={isTakenBack}>
          {isTakenBack ? 'to be taken back' : 'Cancel'}
        </button>
      </p>
    )
  }
  if (status !== 'failed') return null
  return (
    <p className="remedies" role="alert">
      <span className="bad-words">Not sent: {failureWords(sent?.error?.code)}</span>
      <button type="button" className="quiet" onClick={() => void outbox.retry(messageId)}>
        Retry
      </button>
      <button type="button" className="quiet" onClick={() => outbox.discard(messageId)}>
        Discard
      </button>
    </p>
  )
}

function failureWords(code: Code | undefined): string {
  if (code === 'CANCELLED') return 'you took it back'
  return code === undefined ? 'nobody said why' : MEANINGS[code]
}
