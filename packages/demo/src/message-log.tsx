/**
 * The messages, newest at the bottom. It stays at the end while the reader is there, stays where it is while the reader
 * is elsewhere, and does not jump when older messages come in above.
 */
import type { TimelineItem } from '@tautline/client/timeline'
import type { Messages } from '@tautline/react'
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { MessageBubble } from './message-bubble.tsx'

export interface MessageLogProps {
  readonly messages: Messages
  readonly label: string
  readonly me: string | undefined
}

/** What scrolls must be; not every browser sees to it by itself. */
const REACHABLE_BY_KEYBOARD = { tabIndex: 0 } as const
/** Nearer than this to an end counts as being there. */
const NEAR_PX = 96
/** Messages of one sender that follow each other within this time stand together. */
const GROUP_MS = 4 * 60_000

export function MessageLog({ messages, label, me }: MessageLogProps): ReactNode {
  const { items, hasOlder, isLoading, error, loadOlder } = messages
  const scroller = useRef<HTMLDivElement>(null)
  const [isAtEnd, setIsAtEnd] = useState(true)
  useScrollPosition(scroller, items, isAtEnd)
  const newestOwn = items.findLast(({ sender }) => sender === me)?.key

  function onScroll(): void {
    const box = scroller.current
    if (!box) return
    setIsAtEnd(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX)
    if (box.scrollTop < NEAR_PX && hasOlder && !isLoading && !error) void loadOlder()
  }

  function jumpToEnd(): void {
    // The list goes to the end by itself while it counts as being there.
    setIsAtEnd(true)
  }

  return (
    <div className="log-frame">
      <div
        className="log"
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label={label}
        aria-busy={isLoading}
        {...REACHABLE_BY_KEYBOARD}
      >
        <Beginning messages={messages} />
        <ol>
          {items.map((item, index) => (
            <MessageBubble
              key={item.key}
              item={item}
              isOwn={item.sender === me}
              isNewestOwn={item.key === newestOwn}
              {...placeAmong(items, index)}
            />
          ))}
        </ol>
      </div>
      {!isAtEnd && (
        <button type="button" className="jump" onClick={jumpToEnd}>
          Newest ↓
        </button>
      )}
    </div>
  )
}

/** What stands above the first message: a way to older ones, or that there are none. */
function Beginning({
  messages: { items, hasOlder, isLoading, error, loadOlder },
}: Pick<MessageLogProps, 'messages'>): ReactNode {
  if (!hasOlder) {
    return (
      <p className="older">
        {items.length === 0 ? 'Nobody has written here yet.' : 'This is where it began.'}
      </p>
    )
  }
  // The first page is read by itself as soon as the room is there.
  if (items.length === 0 && !error) return <p className="older">Reading …</p>
  return (
    <p className="older">
      {error && <span className="bad-words">Older messages could not be read: {error.message}. </span>}
      <button type="button" className="quiet" onClick={() => void loadOlder()} disabled={isLoading}>
        {isLoading ? 'Loading …' : error ? 'Try again' : 'Load older messages'}
      </button>
    </p>
  )
}

/** Whether a new day begins with this message, and whether it goes on from the one before. */
function placeAmong(
  items: readonly TimelineItem[],
  index: number,
): { readonly beginsDay: boolean; readonly continues: boolean } {
  const item = items[index]
  const before = items[index - 1]
  if (!item || !before) return { beginsDay: true, continues: false }
  const beginsDay = new Date(item.timestamp).toDateString() !== new Date(before.timestamp).toDateString()
  const isSoon = item.timestamp - before.timestamp < GROUP_MS
  return { beginsDay, continues: !beginsDay && isSoon && item.sender === before.sender }
}

function useScrollPosition(
  scroller: RefObject<HTMLDivElement | null>,
  items: readonly TimelineItem[],
  isAtEnd: boolean,
): void {
  const before = useRef({ height: 0, firstKey: '' })

  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    const firstKey = items[0]?.key ?? ''
    const { height, firstKey: oldFirstKey } = before.current
    if (isAtEnd) box.scrollTop = box.scrollHeight
    else if (firstKey !== oldFirstKey) box.scrollTop += box.scrollHeight - height
    before.current = { height: box.scrollHeight, firstKey }
  }, [scroller, items, isAtEnd])

  // The window, the composer and the keyboard of a phone change the height too.
  useEffect(() => {
    const box = scroller.current
    if (!box || !isAtEnd) return undefined
    const observer = new ResizeObserver(() => {
      box.scrollTop = box.scrollHeight
    })
    observer.observe(box)
    return () => observer.disconnect()
  }, [scroller, isAtEnd])
}
