/** Making a room, or joining one that is there: by its name, or out of the list of the public ones. */
import { type RoomDescription, TautlineError } from '@tautline/client'
import { useClient } from '@tautline/react'
import { type ReactNode, type RefObject, type SyntheticEvent, useState } from 'react'
import { errorWords } from './connection-words.ts'
import { joinOrAccept } from './join-or-accept.ts'
import { NameField } from './name-field.tsx'
import { ROOM_PATTERN } from './remembered.ts'
import type { KnownRoom } from './use-rooms.ts'

export interface NewRoomProps {
  readonly dialog: RefObject<HTMLDialogElement | null>
  readonly known: readonly KnownRoom[]
  readonly onOpen: (room: string) => void
}

export function NewRoom({ dialog, known, onOpen }: NewRoomProps): ReactNode {
  const client = useClient()
  const [id, setId] = useState('')
  const [isPrivate, setIsPrivate] = useState(false)
  const [publicRooms, setPublicRooms] = useState<readonly RoomDescription[]>([])
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const others = publicRooms.filter(({ room }) => known.every((own) => own.id !== room))

  function look(): void {
    setProblem(undefined)
    client.rooms.list({ which: 'public' }).then(
      ({ rooms }) => setPublicRooms(rooms),
      () => setPublicRooms([]),
    )
  }

  async function enter(room: string, makesPrivate: boolean): Promise<void> {
    setIsBusy(true)
    setProblem(undefined)
    try {
      // A public room that nobody made yet is made by joining it.
      await (makesPrivate
        ? client.rooms.create({ id: room, visibility: 'private' })
        : joinOrAccept(client.room(room)))
      setId('')
      setIsPrivate(false)
      dialog.current?.close()
      onOpen(room)
    } catch (error) {
      setProblem(problemOf(room, makesPrivate, error))
    } finally {
      setIsBusy(false)
    }
  }

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    void enter(id, isPrivate)
  }

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="new-room-title"
      onToggle={({ newState }) => newState === 'open' && look()}
    >
      <h2 id="new-room-title">Make a room, or join one</h2>
      <form onSubmit={submit}>
        <label htmlFor="new-room">Name</label>
        <NameField
          id="new-room"
          value={id}
          onValue={(value) => setId(value.replaceAll(' ', '-').toLowerCase())}
          pattern={ROOM_PATTERN}
          title="Up to 48 letters of a to z, digits, dots, dashes and underscores"
        />
        <label className="check">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={({ target }) => setIsPrivate(target.checked)}
          />
          Private: only who is invited gets in
        </label>
        {problem !== undefined && (
          <p className="bad-words" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="secondary" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={isBusy}>
            Enter
          </button>
        </div>
      </form>
      {others.length > 0 && (
        <section aria-label="Public rooms">
          <h3>Open to everybody</h3>
          <ul className="rooms">
            {others.map(({ room, memberCount }) => (
              <li key={room}>
                <button type="button" className="room-button" onClick={() => void enter(room, false)}>
                  <span className="room-sign" aria-hidden="true">
                    #
                  </span>
                  <span className="room-name">{room}</span>
                  <small>{memberCount === 1 ? '1 member' : `${memberCount} members`}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </dialog>
  )
}

function problemOf(room: string, makesPrivate: boolean, error: unknown): string {
  const code = error instanceof TautlineError ? error.code : undefined
  if (code === 'FORBIDDEN' && makesPrivate) return `The name ${room} is taken.`
  // The server does not tell strangers which private rooms there are.
  if (code === 'FORBIDDEN') return `${room} is not open to you. Who is in it can invite you.`
  return `That did not work: ${errorWords(error)}`
}
