// Effects as lines that a person can read: what the golden traces are made of.

import type { Effect } from '../../../packages/client/src/core/context.ts'
import type { EffectOf } from './drive.ts'

type Lines = { readonly [T in Effect['type']]?: (effect: EffectOf<T>) => string | readonly string[] }

/** Effects without a row here are their type alone. */
const LINES: Lines = {
  get_token: ({ link, refused }) => `get_token ${link}${refused ? ' refused' : ''}`,
  dial: ({ link }) => `dial ${link}`,
  hang_up: ({ link, closeCode, reason }) => `hang_up ${link} ${closeCode} ${reason}`,
  status: ({ status, reason, retryInMs }) =>
    `status ${status}${reason ? ` ${reason}` : ''}${retryInMs === undefined ? '' : ' retry'}`,
  transmit: ({ messages }) => messages.map(({ type, payload }) => `> ${type} ${JSON.stringify(payload)}`),
  settled: ({ messageId, outcome }) =>
    `settled ${messageId} ${outcome.status === 'acknowledged' ? outcome.seq : outcome.code}`,
  progress: ({ messageId, status }) => `progress ${messageId} ${status}`,
  room: ({ room, phase, failure }) => `room ${room} ${phase}${failure ? ` ${failure.code}` : ''}`,
  entries: ({ room, entries }) => `entries ${room} ${entries.map(({ seq }) => seq).join(' ')}`,
  gap: ({ room, gap }) => `gap ${room} ${gap.from}-${gap.to} ${gap.reason}`,
  reset: ({ room, reason }) => `reset ${room} ${reason}`,
  problem: ({ failure }) => `problem ${failure.code}`,
  reply: ({ id, reply }) => `reply ${id} ${reply.ok ? 'ok' : reply.failure.code}`,
}

export function trace(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    const lines = LINES[effect.type] as ((effect: Effect) => string | readonly string[]) | undefined
    return lines ? lines(effect) : effect.type
  })
}
