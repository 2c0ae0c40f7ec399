/** Who belongs to the room and how they are; a way to write to them, to invite others, and to leave. */
import type { Room } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { useClient, useConnection, usePresence } from '@tautline/react'
import { type ReactNode, type SyntheticEvent, useState } from 'react'
import { errorWords } from './connection-words.ts'
import { NameField } from './name-field.tsx'
import { PresenceAvatar, presenceWords } from './presence.tsx'
import { SidePanel } from './side-panel.tsx'
import { useMembers } from './use-members.ts'
import { useNow } from './use-now.ts'

export interface PeopleProps {
  readonly room: Room
  readonly onShow: (room: string) => void
  readonly onLeft: () => void
  readonly onClose: () => void
}

const ORDER = ['online', 'busy', 'away', 'offline']

export function People({ room, onShow, onLeft, onClose }: PeopleProps): ReactNode {
  const client = useClient()
  const me = useConnection(({ userId }) => userId)
  const { about, members, hasMore } = useMembers(room)
  const ids = members.map(({ userId }) => userId)
  const users = usePresence(ids)
  const rank = (id: string) => ORDER.indexOf(users.get(id)?.status ?? 'offline')
  const sorted = [...ids].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  const [problem, setProblem] = useState<string>()
  const now = useNow()

  function leave(): void {
    room.leave().then(onLeft, (error: unknown) => setProblem(errorWords(error)))
  }

  return (
    <SidePanel title="People" onClose={onClose}>
      <ul className="people-list">
        {sorted.map((id) => (
          <li key={id}>
            <PresenceAvatar name={id} isExplained />
            <span className="person">
              <strong>{id}</strong>
              <small>{id === me ? 'you' : presenceWords(users.get(id), now)}</small>
            </span>
            {id !== me && (
              <button type="button" className="quiet" onClick={() => onShow(client.directRoom(id).id)}>
                Write<span className="hidden"> to {id}</span>
              </button>
            )}
          </li>
        ))}
        {members.length === 0 && <li className="empty">Who is here is not known now.</li>}
        {hasMore && about && <li className="empty">and {about.memberCount - members.length} more</li>}
      </ul>
      {about?.rights?.includes('invite') && about.visibility !== 'direct' && (
        <InviteForm room={room} onProblem={setProblem} />
      )}
      {about?.role !== undefined && about.visibility !== 'direct' && (
        <button type="button" className="secondary" onClick={leave}>
          Leave the room
        </button>
      )}
      {problem !== undefined && (
        <p className="bad-words" role="alert">
          {problem}
        </p>
      )}
    </SidePanel>
  )
}

interface InviteFormProps {
  readonly room: Room
  readonly onProblem: (problem: string | undefined) => void
}

function InviteForm({ room, onProblem }: InviteFormProps): ReactNode {
  const [name, setName] = useState('')
  const [invited, setInvited] = useState<string>()

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    onProblem(undefined)
    admin(room)
      .invite(name)
      .then(
        () => {
          setInvited(name)
          setName('')
        },
        (error: unknown) => onProblem(errorWords(error)),
      )
  }

  return (
    <form className="invite" onSubmit={submit}>
      <label htmlFor="invite">Invite somebody</label>
      <div className="field-row">
        <NameField id="invite" value={name} onValue={setName} placeholder="Name" />
        <button type="submit" className="secondary">
          Invite
        </button>
      </div>
      <p role="status" className="empty">
        {invited !== undefined && `${invited} was invited.`}
      </p>
    </form>
  )
}
