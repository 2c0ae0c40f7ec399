/** How users are: a dot at their avatar, and the words for it. */
import type { WatchedUser } from '@tautline/client/presence'
import { usePresence } from '@tautline/react'
import type { ReactNode } from 'react'
import { Avatar } from './avatar.tsx'
import { ago } from './times.ts'
import { useNow } from './use-now.ts'

const WORDS = { online: 'here', away: 'away', busy: 'busy', offline: 'not here' } as const

export interface PresenceAvatarProps {
  readonly name: string
  /** The words stand beside it. */
  readonly isExplained?: boolean
}

/** Of who shares a room with us; of others nothing is told. */
export function PresenceAvatar({ name, isExplained = false }: PresenceAvatarProps): ReactNode {
  const user = usePresence([name], (users) => users.get(name))
  const words = presenceWords(user, useNow())
  return (
    <span className="presence" data-status={user?.status ?? 'unknown'} title={words}>
      <Avatar name={name} />
      {!isExplained && <span className="hidden">{words}: </span>}
    </span>
  )
}

export function presenceWords(user: WatchedUser | undefined, now: number): string {
  if (!user) return 'not known now'
  const { status, text, lastSeenAt } = user
  if (status === 'offline' && lastSeenAt !== undefined) return `last seen ${ago(lastSeenAt, now)}`
  return text ? `${WORDS[status]}, ${text}` : WORDS[status]
}
