/** What happened to the user, wherever: mentions, answers, invitations, removals. The bell says how much of it is new. */

import type { MessageName } from '@tautline/client'
import type { Notification } from '@tautline/client/notifications'
import { useClient, useConnection, useNotifications } from '@tautline/react'
import { type ReactNode, useRef, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { errorWords } from './connection-words.ts'
import { partnerIn } from './room-names.ts'
import { ago, isoOf } from './times.ts'
import { useNow } from './use-now.ts'

export interface NotificationsProps {
  /** Goes to a room, and to a message in it. */
  readonly onShow: (room: string, message?: MessageName) => void
}

export function NotificationsMenu({ onShow }: NotificationsProps): ReactNode {
  const client = useClient()
  const { items, unread, hasOlder, isLoaded, loadOlder, read, readAll } = useNotifications()
  const popover = useRef<HTMLElement>(null)
  const [problem, setProblem] = useState<string>()
  const now = useNow()

  /** What the server cannot be asked now is said here, and can be asked again. */
  function attempt(action: Promise<unknown>): void {
    setProblem(undefined)
    action.catch((error: unknown) => setProblem(errorWords(error)))
  }

  function open({ seq, room, message, type }: Notification): void {
    attempt(read([seq]))
    if (room === undefined || type === 'removal') return
    popover.current?.hidePopover()
    if (type === 'invitation') attempt(client.room(room).accept())
    onShow(room, message)
  }

  return (
    <div>
      <button type="button" className="header-button" popoverTarget="notifications">
        <Bell />
        <span className="hidden">Notifications</span>
        {unread > 0 && (
          <span className="badge">
            {unread > 99 ? '99+' : unread}
            <span className="hidden"> new</span>
          </span>
        )}
      </button>
      <section
        id="notifications"
        ref={popover}
        popover="auto"
        className="popover notifications"
        aria-label="Notifications"
      >
        <div className="popover-head">
          <h2>Notifications</h2>
          {unread > 0 && (
            <button type="button" className="quiet" onClick={() => attempt(readAll())}>
              Mark all as read
            </button>
          )}
        </div>
        {problem !== undefined && (
          <p className="bad-words" role="alert">
            {problem}
          </p>
        )}
        {items.length === 0 && (
          <p className="empty">
            {isLoaded ? 'Nothing yet. Who names you with @ or answers you is told of here.' : 'Reading …'}
          </p>
        )}
        <ul>
          {items.map((item) => (
            <NotificationRow key={item.seq} item={item} now={now} onOpen={open} />
          ))}
        </ul>
        {hasOlder && (
          <button type="button" className="quiet" onClick={() => attempt(loadOlder())}>
            Show older ones
          </button>
        )}
      </section>
    </div>
  )
}

function NotificationRow({
  item,
  now,
  onOpen,
}: {
  readonly item: Notification
  readonly now: number
  readonly onOpen: (item: Notification) => void
}): ReactNode {
  const me = useConnection(({ userId }) => userId)
  return (
    <li>
      <button type="button" className="notification" data-read={item.isRead} onClick={() => onOpen(item)}>
        <Avatar name={item.sender} />
        <span>
          {!item.isRead && <span className="hidden">New: </span>}
          {wordsOf(item, me)}
          <time dateTime={isoOf(item.timestamp)}>{ago(item.timestamp, now)}</time>
        </span>
      </button>
    </li>
  )
}

function wordsOf({ type, sender, room = '', payload }: Notification, me: string | undefined): string {
  const where = partnerIn(room, me) === undefined ? `in ${room}` : 'in your direct messages'
  switch (type) {
    case 'mention':
      return `${sender} named you ${where}`
    case 'reply':
      return `${sender} answered ${where}`
    case 'invitation':
      return `${sender} invites you to ${room}: open it to accept`
    case 'admission':
      return partnerIn(room, me) === undefined
        ? `${sender} let you into ${room}`
        : `${sender} wrote to you for the first time`
    case 'removal':
      return `You are not in ${room} any more`
    case 'appointment':
      return `You have another role in ${room}`
    case 'missed_call':
      return `You missed a call of ${sender}`
    default:
      return typeof payload['title'] === 'string' ? payload['title'] : `Something of ${sender}`
  }
}

function Bell(): ReactNode {
  return (
    <svg className="bell" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d="M4.5 13.5c1-1 1-2.5 1-4.5a4.5 4.5 0 0 1 9 0c0 2 0 3.5 1 4.5zM8.5 16a1.6 1.6 0 0 0 3 0" />
    </svg>
  )
}
