/** A message with its answers, and where we answer it. */
import type { Room } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Composer } from './composer.tsx'
import type { MessageActions } from './message-actions.tsx'
import { MessageItem } from './message-item.tsx'
import { placeAmong } from './message-places.ts'
import { SidePanel } from './side-panel.tsx'
import { useThread } from './use-thread.ts'
import { WIDE } from './wide.ts'

export interface ThreadViewProps {
  readonly room: Room
  readonly root: TimelineItem
  readonly items: readonly TimelineItem[]
  readonly me: string | undefined
  readonly isMember: boolean
  readonly actions: MessageActions
  readonly onClose: () => void
}

export function ThreadView(props: ThreadViewProps): ReactNode {
  const { room, root, items, me, isMember, actions, onClose } = props
  const { answers, isFollowed, error, follow } = useThread(room, root, items)
  const composer = useRef<HTMLTextAreaElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [activeKey, setActiveKey] = useState<string>()
  const newest = answers.at(-1)?.key

  useEffect(() => {
    if (newest !== undefined) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [newest])

  // Whoever opens a thread wants to write; on a phone its keyboard would cover what is there to be read.
  useEffect(() => {
    if (matchMedia(WIDE).matches) composer.current?.focus()
  }, [])

  const shared = { room, actions, answered: undefined, isWanted: false, onFocus: setActiveKey }
  return (
    <SidePanel
      title="Thread"
      onClose={onClose}
      action={
        isFollowed !== undefined && (
          <button
            type="button"
            className="quiet"
            aria-pressed={isFollowed}
            onClick={() => follow(!isFollowed)}
          >
            {isFollowed ? 'Following' : 'Follow'}
          </button>
        )
      }
    >
      <div className="thread" ref={list}>
        <MessageItem
          {...shared}
          item={alone(root)}
          isOwn={root.sender === me}
          isNewestOwn={false}
          isActive={activeKey === root.key}
          beginsDay
          beginsNew={false}
          continues={false}
        />
        <p className="older">{answersWords(root.body.replyCount ?? answers.length)}</p>
        {error && (
          <p className="bad-words" role="alert">
            That did not work: {error.message}
          </p>
        )}
        <ol aria-label="Answers">
          {answers.map((item, index) => (
            <li key={item.key}>
              <MessageItem
                {...shared}
                item={alone(item)}
                isOwn={item.sender === me}
                isNewestOwn={false}
                isActive={activeKey === item.key}
                {...placeAmong(answers, index, undefined)}
                beginsDay={false}
              />
            </li>
          ))}
        </ol>
      </div>
      <Composer
        ref={composer}
        room={room}
        place={`thread-${root.messageId}`}
        title={`Answer ${root.sender === me ? 'yourself' : root.sender}`}
        isMember={isMember}
        replyTo={root}
        onDone={() => {}}
      />
    </SidePanel>
  )
}

/** What it answers and how it was answered stands around it already. */
function alone(item: TimelineItem): TimelineItem {
  const { replyTo: _replyTo, replyCount: _replyCount, ...body } = item.body
  return { ...item, body }
}

function answersWords(count: number): string {
  if (count === 0) return 'No answers yet'
  return count === 1 ? '1 answer' : `${count} answers`
}
