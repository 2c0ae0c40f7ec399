/** A message with its answers, and where we answer it. */
import type { Room } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Composer } from './composer.tsx'
import type { MessageActions } from './message-actions.tsx'
import { MessageItem } from './message-item.tsx'
import { stepOf } from './message-keys.ts'
import { placeAmong } from './message-places.ts'
import { SidePanel } from './side-panel.tsx'
import { useThread } from './use-thread.ts'
import { isWide } from './wide.ts'

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
  const list = useRef<HTMLElement>(null)
  const [activeKey, setActiveKey] = useState<string>()
  const newest = answers.at(-1)?.key
  const isThere = activeKey === root.key || answers.some(({ key }) => key === activeKey)
  /** One message is a stop of the Tab key; the arrows go from one to the next. */
  const active = isThere ? activeKey : (newest ?? root.key)

  useEffect(() => {
    if (newest !== undefined) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [newest])

  // Whoever opens a thread wants to write; on a phone its keyboard would cover what is there to be read.
  useEffect(() => {
    if (isWide()) composer.current?.focus()
  }, [])

  const messages = () => Array.from(list.current?.querySelectorAll('article') ?? [])

  function onKeyDown(event: KeyboardEvent): void {
    const all = messages()
    const at = event.target instanceof HTMLElement ? all.indexOf(event.target) : -1
    const step = at < 0 ? undefined : stepOf(event.key, at, all.length - 1)
    if (step === undefined) return
    event.preventDefault()
    ;(all[step] ?? composer.current)?.focus()
  }

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
      <section className="thread" ref={list} aria-label="The message and its answers" onKeyDown={onKeyDown}>
        <MessageItem
          {...shared}
          item={alone(root)}
          isOwn={root.sender === me}
          isNewestOwn={false}
          isActive={active === root.key}
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
                isActive={active === item.key}
                {...placeAmong(answers, index, undefined)}
                beginsDay={false}
              />
            </li>
          ))}
        </ol>
      </section>
      <Composer
        ref={composer}
        room={room}
        place={`thread-${root.messageId}`}
        title={`Answer ${root.sender === me ? 'yourself' : root.sender}`}
        isMember={isMember}
        replyTo={root}
        onDone={() => {}}
        onUp={() => messages().at(-1)?.focus()}
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
