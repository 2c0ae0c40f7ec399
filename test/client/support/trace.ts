// Effects as lines that a person can read: what the golden traces are made of.

import type { Effect } from '../../../packages/client/src/core/context.ts'

export function trace(effects: readonly Effect[]): string[] {
  return effects.flatMap(linesOf)
}

function linesOf(effect: Effect): string[] {
  switch (effect.type) {
    case 'get_token':
      return [`get_token ${effect.link}${effect.refused ? ' refused' : ''}`]
    case 'dial':
      return [`dial ${effect.link}`]
    case 'hang_up':
      return [`hang_up ${effect.link} ${effect.closeCode} ${effect.reason}`]
    case 'status':
      return [
        `status ${effect.status}${effect.reason ? ` ${effect.reason}` : ''}${
          effect.retryInMs === undefined ? '' : ' retry'
        }`,
      ]
    case 'transmit':
      return effect.messages.map(({ type, payload }) => `> ${type} ${JSON.stringify(payload)}`)
    case 'settled':
      return [
        `settled ${effect.messageId} ${
          effect.outcome.status === 'acknowledged' ? effect.outcome.seq : effect.outcome.code
        }`,
      ]
    case 'progress':
      return [`progress ${effect.messageId} ${effect.status}`]
    case 'room':
      return [`room ${effect.room} ${effect.phase}${effect.failure ? ` ${effect.failure.code}` : ''}`]
    case 'entries':
      return [`entries ${effect.room} ${effect.entries.map(({ seq }) => seq).join(' ')}`]
    case 'gap':
      return [`gap ${effect.room} ${effect.gap.from}-${effect.gap.to} ${effect.gap.reason}`]
    case 'reset':
      return [`reset ${effect.room} ${effect.reason}`]
    case 'problem':
      return [`problem ${effect.failure.code}`]
    case 'reply':
      return [`reply ${effect.id} ${effect.reply.ok ? 'ok' : effect.reply.failure.code}`]
    case 'latency':
    case 'left':
    case 'presence':
    case 'read':
    case 'ready':
    case 'typing':
      return [effect.type]
    default:
      return effect satisfies never
  }
}
