/** Who we are, how we say we are, and the way out. */
import type { PresenceStatus } from '@tautline/client'
import { presence } from '@tautline/client/presence'
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useState } from 'react'
import { Avatar } from './avatar.tsx'
import { SignOut } from './sign-out.tsx'

const CHOICES: readonly (readonly [PresenceStatus, string])[] = [
  ['online', 'Here'],
  ['away', 'Away'],
  ['busy', 'Busy'],
  ['offline', 'Hidden'],
]

export function Me({ onSignedOut }: { readonly onSignedOut: () => void }): ReactNode {
  const client = useClient()
  const name = useConnection(({ userId }) => userId) ?? ''
  const isConnected = useConnection(({ status: now }) => now === 'connected')
  const [status, setStatus] = useState<PresenceStatus>('online')

  function choose(next: PresenceStatus): void {
    setStatus(next)
    presence(client).set({ status: next })
  }

  return (
    <section className="me" aria-label="You">
      <span className="presence" data-status={isConnected ? status : 'offline'}>
        <Avatar name={name} />
      </span>
      <span className="me-name">
        <strong>{name}</strong>
        <select
          aria-label="How others see you"
          value={status}
          onChange={({ target }) => {
            const chosen = CHOICES.find(([value]) => value === target.value)
            if (chosen) choose(chosen[0])
          }}
        >
          {CHOICES.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </span>
      <SignOut onSignedOut={onSignedOut} />
    </section>
  )
}
