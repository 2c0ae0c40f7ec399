/** One message: what it answers, what it says and what came of it; for an own one how far it is. */
import type { Room } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { memo, type ReactNode, useRef, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { ActionBar, type MessageActions, Reactions } from './message-actions.tsx'
import { MessageText } from './message-text.tsx'
import { Remedies, Way } from './message-way.tsx'
import { dayOf, isoOf, timeOf } from './times.ts'
import { useKeptFocus } from './use-kept-focus.ts'
import { type Quoted, useQuoted } from './use-quoted.ts'

/** How it stands among the others. */
export interface MessagePosition {
  /** A new day begins with it. */
  readonly beginsDay: boolean
  /** It is the first that had not been read when the room was opened. */
  readonly beginsNew: boolean
  /** It goes on from the one before: same sender, soon after. */
  readonly continues: boolean
}

export interface MessageItemProps extends MessagePosition {
  readonly item: TimelineItem
  /** The message that it answers, where the timeline has it. */
  readonly answered: TimelineItem | undefined
  readonly room: Room
  readonly isOwn: boolean
  readonly isNewestOwn: boolean
  /** Where the keyboard is, or would come to. */
  readonly isActive: boolean
  readonly isWanted: boolean
  /** Who has read it, where that is shown. */
  readonly readers?: string | undefined
  readonly actions: MessageActions
  readonly onFocus: (key: string) => void
}

export const MessageItem = memo(function MessageItem(props: MessageItemProps): ReactNode {
  const { item, answered, room, isOwn, isNewestOwn, isActive, isWanted, readers, actions, onFocus } = props
  const { beginsDay, beginsNew, continues } = props
  const { sender, kind, content, body, timestamp, status } = item
  const [isHovered, setIsHovered] = useState(false)
  const [isFocused, setIsFocused] = useState(false)
  const article = useRef<HTMLElement>(null)
  useKeptFocus(article, isFocused)
  const quoted = useQuoted(room, answered, body.replyTo)
  const isDeleted = kind === 'deleted'
  const canAct = status === 'acknowledged' && !isDeleted
  const who = isOwn ? 'You' : sender

  return (
    <article
      ref={article}
      className="message"
      data-own={isOwn}
      data-continues={continues}
      data-status={status}
      data-cancelled={item.sent?.error?.code === 'CANCELLED'}
      data-wanted={isWanted}
      tabIndex={isActive ? 0 : -1}
      aria-label={`${who}, ${timeOf(timestamp)}: ${isDeleted ? 'deleted' : content.slice(0, 300)}`}
      onPointerEnter={() => setIsHovered(true)}
      onPointerLeave={() => setIsHovered(false)}
      onFocus={() => {
        setIsFocused(true)
        onFocus(item.key)
      }}
      onBlur={({ currentTarget, relatedTarget }) => setIsFocused(currentTarget.contains(relatedTarget))}
    >
      {beginsDay && <p className="day">{dayOf(timestamp)}</p>}
      {beginsNew && <p className="new">New</p>}
      {!continues && !isOwn && <Avatar name={sender} />}
      <div className="bubble">
        {!continues && !isOwn && <p className="sender">{sender}</p>}
        {body.replyTo && <Quote quoted={quoted} onShow={() => body.replyTo && actions.show(body.replyTo)} />}
        {isDeleted ? (
          <p className="content deleted">This message was deleted.</p>
        ) : (
          <MessageText content={content} mentions={'mentions' in body ? body.mentions : undefined} />
        )}
        <p className="meta">
          {body.editedAt !== undefined && <span>edited</span>}
          <time dateTime={isoOf(timestamp)}>{timeOf(timestamp)}</time>
          {isOwn && <Way item={item} isDetailed={isNewestOwn || status !== 'acknowledged'} />}
        </p>
        {canAct && (isHovered || isFocused) && <ActionBar item={item} isOwn={isOwn} actions={actions} />}
      </div>
      {isOwn && <Remedies item={item} actions={actions} />}
      {(body.replyCount ?? 0) > 0 && (
        <button type="button" className="quiet answers" onClick={() => actions.openThread(item)}>
          {body.replyCount === 1 ? '1 answer' : `${body.replyCount} answers`}
        </button>
      )}
      {!isDeleted && <Reactions item={item} actions={actions} />}
      {readers !== undefined && <p className="readers">Seen by {readers}</p>}
    </article>
  )
})

function Quote({
  quoted,
  onShow,
}: {
  readonly quoted: Quoted | undefined
  readonly onShow: () => void
}): ReactNode {
  const said = quoted?.kind === 'deleted' ? 'deleted' : quoted?.content
  return (
    <button type="button" className="quote" onClick={onShow}>
      <span className="hidden">In answer to </span>
      <strong>{quoted?.sender ?? 'An earlier message'}</strong>
      <span className="quote-words" dir="auto">
        {said}
      </span>
    </button>
  )
}
