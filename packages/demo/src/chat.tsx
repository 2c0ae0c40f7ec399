/** The page for one user: header, rooms, and the room that is looked at with what stands beside it. */
import type { Code, MessageName } from '@tautline/client'
import { useClient, useConnection, useUnreadRooms } from '@tautline/react'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { Header } from './header.tsx'
import { OfflineBanner } from './offline-banner.tsx'
import { titleOf } from './room-names.ts'
import { RoomView } from './room-view.tsx'
import { Sidebar } from './sidebar.tsx'
import { FIRST_ROOM, useRooms } from './use-rooms.ts'
import { useRoute } from './use-route.ts'
import { useIsWide } from './wide.ts'

/** A message that somebody wants to see. Each wish is an object of its own. */
export interface Wanted {
  readonly room: string
  readonly message: MessageName
}

export function Chat({ onSignedOut }: { readonly onSignedOut: () => void }): ReactNode {
  const userId = useConnection(({ userId: me }) => me)
  const rooms = useRooms()
  const { room: chosen, go } = useRoute()
  const [wanted, setWanted] = useState<Wanted>()
  const id = chosen ?? FIRST_ROOM
  const known = rooms.find((room) => room.id === id) ?? { id, about: undefined }
  const title = titleOf(known, userId)
  const isInRooms = !useIsWide() && chosen === undefined
  useTitle(title)
  useWarningBeforeLoss()

  const show = useCallback(
    (room: string, message?: MessageName) => {
      // An object of its own: who asks twice wants to be brought there twice.
      setWanted(message && { room, message: { ...message } })
      go(room)
    },
    [go],
  )

  return (
    <div className="chat" data-view={chosen === undefined ? 'rooms' : 'room'}>
      <Header onShow={show} />
      <OfflineBanner />
      <main className="places">
        <Sidebar rooms={rooms} current={id} isAlone={isInRooms} onOpen={show} onSignedOut={onSignedOut} />
        <RoomView
          key={id}
          id={id}
          title={title}
          about={known.about}
          isOpen={chosen !== undefined}
          wanted={wanted?.room === id ? wanted.message : undefined}
          onShow={show}
          onBack={() => go(undefined)}
        />
      </main>
    </div>
  )
}

function useTitle(room: string): void {
  const unread = useUnreadRooms(({ total }) => total)
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${room} · Tautline`
  }, [room, unread])
}

/** Where the browser keeps nothing for us, closing the window would lose what is queued; everywhere it would lose what was not taken. */
function useWarningBeforeLoss(): void {
  const hasRefused = useHasRefused()
  const isOnlyHere = useConnection(({ queued, storage }) => queued > 0 && storage !== 'durable')
  const wouldLose = hasRefused || isOnlyHere
  useEffect(() => {
    if (!wouldLose) return undefined
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [wouldLose])
}

/** Whether there is a message that failed before it was queued: the outbox never had it, and only the window knows it. */
function useHasRefused(): boolean {
  const client = useClient()
  const [hasRefused, setHasRefused] = useState(false)
  useEffect(() => {
    const look = () => setHasRefused(client.outbox.list().some(({ error }) => isRefusal(error?.code)))
    const stops = [client.on('failed', look), client.on('discarded', look)]
    return () => {
      for (const stop of stops) stop()
    }
  }, [client])
  return hasRefused
}

const isRefusal = (code: Code | undefined): boolean => code === 'MESSAGE_TOO_LONG' || code === 'OUTBOX_FULL'
