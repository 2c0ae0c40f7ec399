/** Where we are, who is here now, and the ways to the list of rooms and of people. */
import type { Room, RoomDescription } from '@tautline/client'
import { useRoom, useUnreadRooms } from '@tautline/react'
import type { ReactNode } from 'react'
import { Avatar } from './avatar.tsx'

export interface RoomHeaderProps {
  readonly room: Room
  readonly title: string
  readonly about: RoomDescription | undefined
  readonly isPeopleShown: boolean
  readonly onPeople: () => void
  readonly onBack: () => void
}

const SHOWN_PEOPLE = 5

export function RoomHeader(props: RoomHeaderProps): ReactNode {
  const { room, title, about, isPeopleShown, onPeople, onBack } = props
  const elsewhere = useUnreadRooms(({ total, rooms }) => total - (rooms.get(room.id) ?? 0))
  const names = useRoom(room.id, ({ users }) => [...users.keys()].sort())
  const count = useRoom(room.id, ({ userCount }) => userCount)

  return (
    <header className="room-header">
      <button type="button" className="quiet back" onClick={onBack}>
        <span aria-hidden="true">‹ </span>Rooms
        {elsewhere > 0 && (
          <span className="badge">
            {elsewhere}
            <span className="hidden"> unread elsewhere</span>
          </span>
        )}
      </button>
      <div className="room-title">
        <h2 tabIndex={-1}>{title}</h2>
        {about?.topic && <p>{about.topic}</p>}
      </div>
      <button type="button" className="people-button" aria-expanded={isPeopleShown} onClick={onPeople}>
        <span className="faces" aria-hidden="true">
          {names.slice(0, SHOWN_PEOPLE).map((name) => (
            <Avatar key={name} name={name} />
          ))}
        </span>
        {count === 0 ? 'People' : `${count} here`}
      </button>
    </header>
  )
}
