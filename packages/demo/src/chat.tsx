/** The page for one user: the state of the connection, the rooms, and the room that is looked at. */
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useEffect, useState } from 'react'
import { ConnectionBar } from './connection-bar.tsx'
import { rememberedRooms, rememberRooms } from './remembered.ts'
import { RoomView } from './room-view.tsx'
import { Sidebar } from './sidebar.tsx'
import { useMemberships } from './use-memberships.ts'
import { useUnread } from './use-unread.ts'

export function Chat({ name, onLeave }: { readonly name: string; readonly onLeave: () => void }): ReactNode {
  const client = useClient()
  const [rooms, setRooms] = useState(() => rememberedRooms(name))
  const [current, setCurrent] = useState('general')
  const refusals = useMemberships(client, rooms)
  const unread = useUnread(client, rooms, current)
  useTitle(
    current,
    [...unread.values()].reduce((sum, count) => sum + count, 0),
  )
  useWarningBeforeLoss()

  function open(room: string): void {
    if (!rooms.includes(room)) {
      setRooms([...rooms, room])
      rememberRooms(name, [...rooms, room])
    }
    setCurrent(room)
  }

  return (
    <div className="chat">
      <ConnectionBar />
      <Sidebar name={name} rooms={rooms} current={current} unread={unread} onOpen={open} onLeave={onLeave} />
      <RoomView key={current} id={current} refusal={refusals.get(current)} />
    </div>
  )
}

function useTitle(room: string, unread: number): void {
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}#${room} · Tautline`
  }, [room, unread])
}

/** Where the browser keeps nothing for us, closing the window would lose what is queued. */
function useWarningBeforeLoss(): void {
  const { queued, storage } = useConnection()
  const wouldLose = queued > 0 && storage !== 'durable'
  useEffect(() => {
    if (!wouldLose) return undefined
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [wouldLose])
}
