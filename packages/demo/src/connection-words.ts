/** What the state of the connection means, in words for somebody who looks at a chat. */
import { type ClientSnapshot, type Code, type Status, TautlineError } from '@tautline/client'
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

const WORDS: { readonly [S in Status]: string } = {
  idle: 'Disconnected',
  connecting: 'Connecting',
  authenticating: 'Signing in',
  connected: 'Connected',
  waiting: 'Offline',
  suspended: 'Offline',
  stopped: 'Stopped',
  closed: 'Closed',
}

export const statusWords = (status: Status): string => WORDS[status]

/** Why there is no connection. */
export function lossWords({ status, reason }: Pick<ClientSnapshot, 'status' | 'reason'>): string {
  switch (status) {
    case 'idle':
      return 'Disconnected, as you asked.'
    case 'waiting':
      return `No connection: ${reasonWords(reason)}.`
    case 'suspended':
      return `No connection for two minutes, still trying: ${reasonWords(reason)}.`
    case 'stopped':
      return `Stopped: ${reasonWords(reason)}.`
    case 'connecting':
    case 'authenticating':
    case 'connected':
    case 'closed':
      return ''
    default:
      return status satisfies never
  }
}

/** What becomes of what is written meanwhile. */
export function keptWords({ status, storage }: Pick<ClientSnapshot, 'status' | 'storage'>): string {
  if (storage === 'lost') return 'What you write waits in this window only.'
  const isTried = status !== 'idle' && status !== 'stopped'
  return `What you write is kept and goes out ${isTried ? 'by itself' : 'when you connect'}.`
}

function reasonWords(reason: Code | undefined): string {
  if (reason === undefined) return 'nobody said why'
  // The same server signs the demo's tokens, so without one it is not there.
  if (reason === 'NO_TOKEN' || reason === 'GOING_AWAY') return 'the server does not answer'
  return MEANINGS[reason]
}

export const queuedWords = (queued: number): string => `${queued} queued`

export const STORAGE_WORDS: { readonly [S in ClientSnapshot['storage']]: string } = {
  opening: 'opening the store …',
  durable: 'in this browser, also over a reload',
  memory: 'in this window only',
  lost: 'in this window only: the browser keeps nothing for us',
}

/** Why what was asked of the server was not done. */
export const errorWords = (error: unknown): string =>
  error instanceof TautlineError ? error.message : String(error)

/** Why a message did not go out, or a change of one, and nothing of it ever will. */
export function failureWords(code: Code | undefined): string {
  if (code === 'CANCELLED') return 'you took it back'
  return code === undefined ? 'nobody said why' : MEANINGS[code]
}

/** What may help, where trying again as it is would not. */
export function adviceOf(code: Code | undefined): string | undefined {
  switch (code) {
    case 'MESSAGE_TOO_LONG':
      return 'Edit it, or say it in several.'
    case 'FORBIDDEN':
      return 'Join the room again, then retry.'
    case 'MUTED':
      return 'Retry it later.'
    case 'OUTBOX_FULL':
      return 'Retry it when some of the others are through.'
    default:
      return undefined
  }
}
