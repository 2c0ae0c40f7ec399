/** The rooms with what is unread in them, a way to another one, and who we are. */
import { useConnection, useUnreadRooms } from '@tautline/react'
import { type ReactNode, useEffect, useRef } from 'react'
import { Me } from './me.tsx'
import { NewRoom } from './new-room.tsx'
import { PresenceAvatar } from './presence.tsx'
import { partnerIn, titleOf } from './room-names.ts'
import type { KnownRoom } from './use-rooms.ts'

export interface SidebarProps {
  readonly rooms: readonly KnownRoom[]
  readonly current: string
  /** It is all of the page, as on a narrow screen. */
  readonly isAlone: boolean
  readonly onOpen: (room: string) => void
  readonly onSignedOut: () => void
}

export function Sidebar({ rooms, current, isAlone, onOpen, onSignedOut }: SidebarProps): ReactNode {
  const me = useConnection(({ userId }) => userId)
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  // Whatever had the keyboard is hidden by now.
  useEffect(() => {
    if (isAlone) heading.current?.focus()
  }, [isAlone])
  const direct = rooms.filter(({ id }) => partnerIn(id, me) !== undefined)
  const others = rooms.filter((room) => !direct.includes(room))

  return (
    <div className="sidebar">
      <nav aria-label="Rooms">
        <div className="sidebar-head">
          <h2 ref={heading} tabIndex={-1}>
            Rooms
          </h2>
          <button type="button" className="quiet" onClick={() => dialog.current?.showModal()}>
            New<span className="hidden"> room, or join one</span>
          </button>
        </div>
        <ul className="rooms">
          {others.map((room) => (
            <RoomButton key={room.id} room={room} me={me} isCurrent={room.id === current} onOpen={onOpen} />
          ))}
        </ul>
        {direct.length > 0 && (
          <>
            <div className="sidebar-head">
              <h2>Direct messages</h2>
            </div>
            <ul className="rooms">
              {direct.map((room) => (
                <RoomButton
                  key={room.id}
                  room={room}
                  me={me}
                  isCurrent={room.id === current}
                  onOpen={onOpen}
                />
              ))}
            </ul>
          </>
        )}
      </nav>
      <NewRoom dialog={dialog} known={rooms} onOpen={onOpen} />
      <Me onSignedOut={onSignedOut} />
    </div>
  )
}

interface RoomButtonProps extends Pick<SidebarProps, 'onOpen'> {
  readonly room: KnownRoom
  readonly me: string | undefined
  readonly isCurrent: boolean
}

function RoomButton({ room, me, isCurrent, onOpen }: RoomButtonProps): ReactNode {
  const unread = useUnreadRooms(({ rooms }) => rooms.get(room.id) ?? 0)
  const partner = partnerIn(room.id, me)
  return (
    <li>
      <button
        type="button"
        className="room-button"
        aria-current={isCurrent ? 'page' : undefined}
        data-unread={unread > 0}
        onClick={() => onOpen(room.id)}
      >
        {partner === undefined ? (
          <span className="room-sign" aria-hidden="true">
            {room.about?.visibility === 'private' ? '◆' : '#'}
          </span>
        ) : (
          <PresenceAvatar name={partner} />
        )}
        <span className="room-name">{titleOf(room, me)}</span>
        {unread > 0 && (
          <span className="badge">
            {unread > 99 ? '99+' : unread}
            <span className="hidden"> unread</span>
          </span>
        )}
      </button>
    </li>
  )
}
