/** What the state of the connection means, in words for somebody who looks at a chat. */
import type { ClientSnapshot, Code, Status } from '@tautline/client'
import { MEANINGS } from '@tautline/protocol/wire'

export type Mood = 'good' | 'busy' | 'bad' | 'off'

export const MOODS: { readonly [S in Status]: Mood } = {
  idle: 'off',
  connecting: 'busy',
  authenticating: 'busy',
  connected: 'good',
  waiting: 'bad',
  suspended: 'bad',
  stopped: 'bad',
  closed: 'off',
}

export function connectionWords({ status, reason }: Pick<ClientSnapshot, 'status' | 'reason'>): string {
  switch (status) {
    case 'idle':
      return 'Disconnected, as you asked'
    case 'connecting':
      return 'Connecting …'
    case 'authenticating':
      return 'Signing in …'
    case 'connected':
      return 'Connected'
    case 'waiting':
      return `No connection: ${reasonWords(reason)}`
    case 'suspended':
      return `No connection for two minutes, still trying: ${reasonWords(reason)}`
    case 'stopped':
      return `Stopped: ${reasonWords(reason)}`
    case 'closed':
      return 'Closed'
    default:
      return status satisfies never
  }
}

function reasonWords(reason: Code | undefined): string {
  if (reason === undefined) return 'nobody said why'
  // The same server signs the demo's tokens, so without one it is not there.
  if (reason === 'NO_TOKEN' || reason === 'GOING_AWAY') return 'the server does not answer'
  return MEANINGS[reason]
}

export function queuedWords(queued: number, storage: ClientSnapshot['storage']): string {
  if (queued === 0) return 'nothing queued'
  return storage === 'lost' ? `${queued} queued, in this window only` : `${queued} queued`
}
