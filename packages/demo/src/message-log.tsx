/**
 * The messages, newest at the bottom, of which only those are in the page that can be seen. It stays at the end while the
 * reader is there, stays where it is while the reader is elsewhere, and does not jump when older messages come in above.
 *
 * One message is a stop of the Tab key; the arrows go from one to the next. What is new is announced by announcer.tsx, and
 * not by this list, in which scrolling makes messages come and go.
 */
import type { MessageName, Room } from '@tautline/client'
import { type Messages, useRoom } from '@tautline/react'
import { type KeyboardEvent, type ReactNode, type Ref, useImperativeHandle, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { indexOfMessage } from './find-message.ts'
import type { MessageActions } from './message-actions.tsx'
import { MessageItem } from './message-item.tsx'
import { stepOf } from './message-keys.ts'
import { placeAmong, useNewFrom } from './message-places.ts'
import { useEnd } from './use-end.ts'
import { usePrepended } from './use-prepended.ts'
import { useWanted } from './use-wanted.ts'

export interface MessageLogHandle {
  /** Puts the keyboard on the newest message. */
  focusNewest(): void
}

export interface MessageLogProps {
  readonly room: Room
  readonly messages: Messages
  readonly label: string
  readonly me: string | undefined
  readonly isMember: boolean
  /** A message to be shown, however old. */
  readonly wanted: MessageName | undefined
  readonly actions: MessageActions
  /** The keyboard goes back to where one writes. */
  readonly onEscape: () => void
  readonly ref: Ref<MessageLogHandle>
}

/** Nearer than this to the beginning of what is there, older messages are read. */
const READ_AHEAD_PX = 1_500
/** The height of what stands above the first message; that of `.older` in the styles. */
const BEGINNING_PX = 56
/** About that of a message: only the first guess for those that were never seen. */
const TYPICAL_PX = 64

export function MessageLog(props: MessageLogProps): ReactNode {
  const { room, messages, label, me, isMember, wanted, actions, onEscape, ref } = props
  const { hasOlder, isLoading, error, loadOlder } = messages
  const scroller = useRef<HTMLElement>(null)
  const virtualizer = useRef<VirtualizerHandle>(null)
  const { items, isPrepended } = usePrepended(messages.items)
  const [activeKey, setActiveKey] = useState<string>()
  const newest = items.length - 1
  const found = activeKey === undefined ? newest : items.findIndex(({ key }) => key === activeKey)
  const active = found < 0 ? newest : found
  const newestOwn = items.findLast(({ sender }) => sender === me)
  const readers = useRoom(room.id, ({ read }) => readersOf(read, newestOwn?.seq, me))
  const newFrom = useNewFrom(room, me)
  const { isAtEnd, goToEnd, goTo, onScroll, onResize } = useEnd(scroller, virtualizer, items)
  const wantedIndex = useWanted(messages, wanted, (index) => {
    goTo(index, 'center')
    setActiveKey(items[index]?.key)
  })

  useImperativeHandle(ref, () => ({ focusNewest: () => focusAt(newest) }))

  function focusAt(index: number): void {
    const item = items[Math.max(0, Math.min(index, newest))]
    if (!item) return
    goTo(items.indexOf(item), 'nearest')
    // It must be in the page before it can have the keyboard.
    flushSync(() => setActiveKey(item.key))
    scroller.current?.querySelector<HTMLElement>('article[tabindex="0"]')?.focus({ preventScroll: true })
  }

  /** The button that was pressed goes away at the end. */
  function goToNewest(): void {
    focusAt(newest)
    goToEnd()
  }

  function readOn(offset: number): void {
    onScroll()
    if (offset < READ_AHEAD_PX && hasOlder && !isLoading && !error) void loadOlder()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') return onEscape()
    const isOnMessage = event.target instanceof HTMLElement && event.target.tagName === 'ARTICLE'
    const act = isOnMessage ? keysOf(event.key) : undefined
    if (!act) return
    event.preventDefault()
    act()
  }

  function keysOf(key: string): (() => void) | undefined {
    const item = items[active]
    const step = stepOf(key, active, newest)
    if (step !== undefined) return () => (step > newest ? onEscape() : focusAt(step))
    return key === 'Enter' && item?.status === 'acknowledged' ? () => actions.reply(item) : undefined
  }

  return (
    <div className="log-frame">
      <section className="log" ref={scroller} aria-label={label} aria-busy={isLoading} onKeyDown={onKeyDown}>
        <p className="hidden">
          The arrow keys go from message to message, Tab to what can be done with one, Escape back to writing.
        </p>
        <Beginning messages={messages} isMember={isMember} />
        <Virtualizer
          ref={virtualizer}
          scrollRef={scroller}
          as="ol"
          item="li"
          data={items}
          itemSize={TYPICAL_PX}
          shift={isPrepended}
          startMargin={BEGINNING_PX}
          keepMounted={active < 0 ? [] : [active]}
          onScroll={readOn}
          onResize={onResize}
        >
          {(item, index) => (
            <MessageItem
              key={item.key}
              item={item}
              answered={item.body.replyTo && items[indexOfMessage(items, item.body.replyTo)]}
              room={room}
              isOwn={item.sender === me}
              isNewestOwn={item === newestOwn}
              isActive={index === active}
              isWanted={index === wantedIndex}
              readers={item === newestOwn ? readers : undefined}
              actions={actions}
              onFocus={setActiveKey}
              {...placeAmong(items, index, newFrom)}
            />
          )}
        </Virtualizer>
      </section>
      {!isAtEnd && (
        <button type="button" className="jump" onClick={goToNewest}>
          Newest ↓
        </button>
      )}
    </div>
  )
}

/** What stands above the first message: a way to older ones, or that there are none. */
function Beginning({
  isMember,
  messages: { items, hasOlder, isLoading, error, loadOlder },
}: Pick<MessageLogProps, 'messages' | 'isMember'>): ReactNode {
  if (!hasOlder) {
    return (
      <p className="older">
        {items.length === 0 ? 'Nobody has written here yet.' : 'This is where it began.'}
      </p>
    )
  }
  // The first page is read by itself as soon as the room is there; to who is not in it nothing is told.
  if (!isMember) return <p className="older" />
  if (items.length === 0 && !error) return <p className="older">Reading …</p>
  return (
    <p className="older">
      {error && <span className="bad-words">Older messages could not be read: {error.message}. </span>}
      <button type="button" className="quiet" onClick={() => void loadOlder()} aria-disabled={isLoading}>
        {isLoading ? 'Reading …' : error ? 'Try again' : 'Read older messages'}
      </button>
    </p>
  )
}

const SHOWN_READERS = 3

/** Who has read up to this position, in words. */
function readersOf(
  read: ReadonlyMap<string, number>,
  seq: number | undefined,
  me: string | undefined,
): string | undefined {
  if (seq === undefined) return undefined
  const names = Array.from(read).flatMap(([name, upTo]) => (upTo >= seq && name !== me ? [name] : []))
  if (names.length === 0) return undefined
  const more = names.length - SHOWN_READERS
  return `${names.slice(0, SHOWN_READERS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
