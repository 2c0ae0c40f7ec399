/** One room: who is there, its messages, who types, and where we write. */
import type { TautlineError } from '@tautline/client'
import { useConnection, useMessages, useRoom } from '@tautline/react'
import type { ReactNode } from 'react'
import { Avatar } from './avatar.tsx'
import { Composer } from './composer.tsx'
import { MessageLog } from './message-log.tsx'
import { useNotice } from './use-notice.ts'

const PAGE_SIZE = 40

export interface RoomViewProps {
  readonly id: string
  /** Why we could not become a member. */
  readonly refusal: TautlineError | undefined
}

export function RoomView({ id, refusal }: RoomViewProps): ReactNode {
  const { room, phase, users, typing } = useRoom(id)
  const { userId } = useConnection()
  const messages = useMessages(room, { pageSize: PAGE_SIZE })
  const [notice, dismiss] = useNotice(room)
  const isMember = phase === 'live' || phase === 'syncing'

  return (
    <main className="room">
      <header className="room-header">
        <h1>{id}</h1>
        <People names={[...users.keys()].sort()} me={userId} />
      </header>
      {refusal && !isMember && (
        <p className="notice bad" role="alert">
          You could not join this room: {refusal.message}
        </p>
      )}
      {notice !== undefined && (
        <p className="notice" role="alert">
          <span>{notice}</span>
          <button type="button" className="quiet" onClick={dismiss}>
            Good
          </button>
        </p>
      )}
      <MessageLog messages={messages} label={`Messages in ${id}`} me={userId} />
      <p className="typing" role="status">
        {typing.length > 0 && (
          <>
            <span className="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {typingWords(typing)}
          </>
        )}
      </p>
      <Composer room={room} isMember={isMember} />
    </main>
  )
}

const SHOWN_PEOPLE = 6

function People({
  names,
  me,
}: {
  readonly names: readonly string[]
  readonly me: string | undefined
}): ReactNode {
  if (names.length === 0) return <p className="people-unknown">Who is here is not known now</p>
  const more = names.length - SHOWN_PEOPLE
  return (
    <ul className="people" aria-label="Here now">
      {names.slice(0, SHOWN_PEOPLE).map((name) => (
        <li key={name}>
          <Avatar name={name} />
          {name}
          {name === me && <span className="you">you</span>}
        </li>
      ))}
      {more > 0 && <li>and {more} more</li>}
    </ul>
  )
}

function typingWords(names: readonly string[]): string {
  if (names.length > 3) return 'several people are typing'
  if (names.length === 1) return `${names[0]} is typing`
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are typing`
}
