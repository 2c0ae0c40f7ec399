/** The rooms, a way into another one, and who we are. */
import { type ReactNode, type SyntheticEvent, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { Logo } from './logo.tsx'
import { ROOM_PATTERN } from './remembered.ts'

export interface SidebarProps {
  readonly name: string
  readonly rooms: readonly string[]
  readonly current: string
  readonly unread: ReadonlyMap<string, number>
  readonly onOpen: (room: string) => void
  readonly onLeave: () => void
}

export function Sidebar({ name, rooms, current, unread, onOpen, onLeave }: SidebarProps): ReactNode {
  return (
    <aside className="sidebar">
      <Logo />
      <nav aria-label="Rooms">
        <ul className="rooms">
          {rooms.map((room) => (
            <li key={room}>
              <RoomButton
                room={room}
                isCurrent={room === current}
                unread={unread.get(room) ?? 0}
                onOpen={onOpen}
              />
            </li>
          ))}
        </ul>
      </nav>
      <JoinForm onOpen={onOpen} />
      <div className="me">
        <Avatar name={name} />
        <span className="me-name">
          <strong>{name}</strong>
          <small>in this window</small>
        </span>
        <button type="button" className="quiet" onClick={onLeave}>
          Change<span className="hidden"> the name</span>
        </button>
      </div>
    </aside>
  )
}

interface RoomButtonProps extends Pick<SidebarProps, 'onOpen'> {
  readonly room: string
  readonly isCurrent: boolean
  readonly unread: number
}

function RoomButton({ room, isCurrent, unread, onOpen }: RoomButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="room-button"
      aria-current={isCurrent ? 'page' : undefined}
      onClick={() => onOpen(room)}
    >
      <span className="room-name">{room}</span>
      {unread > 0 && (
        <span className="badge">
          {unread}
          <span className="hidden"> unread</span>
        </span>
      )}
    </button>
  )
}

function JoinForm({ onOpen }: Pick<SidebarProps, 'onOpen'>): ReactNode {
  const [room, setRoom] = useState('')

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    onOpen(room)
    setRoom('')
  }

  return (
    <form className="join" onSubmit={submit}>
      <label className="hidden" htmlFor="join">
        Join another room by its name
      </label>
      <input
        id="join"
        value={room}
        onChange={(event) => setRoom(event.target.value.replaceAll(' ', '-').toLowerCase())}
        placeholder="another room"
        pattern={ROOM_PATTERN}
        title="Up to 48 letters of a to z, digits, dots, dashes and underscores"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <button type="submit" className="quiet">
        Join
      </button>
    </form>
  )
}
