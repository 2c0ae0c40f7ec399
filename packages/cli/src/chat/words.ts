/** What states and codes mean, in words for somebody who sits at a terminal. */
import type { Code, Status } from '@tautline/client'
import { MEANINGS } from '@tautline/protocol/wire'

export const STATUS_WORDS: { readonly [S in Status]: string } = {
  idle: 'not connected',
  connecting: 'connecting …',
  authenticating: 'signing in …',
  connected: 'connected',
  waiting: 'no connection',
  suspended: 'no connection for long',
  stopped: 'stopped',
  closed: 'closed',
}

/** Why there is no connection. */
export function lossWords(reason: Code | undefined): string {
  if (reason === undefined || reason === 'GOING_AWAY') return 'the server does not answer'
  return MEANINGS[reason]
}

export function secondsWords(ms: number | undefined): string {
  return ms === undefined ? 'soon' : `in ${(ms / 1_000).toFixed(1)} s`
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
