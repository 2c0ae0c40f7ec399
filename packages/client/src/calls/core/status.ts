/**
 * The statuses of a call on this device and the moves between them, as a table. A move that the table does not have is a
 * mistake of ours and throws; nothing that a peer or the server sends can cause one.
 */

export const CALL_STATUSES = {
  starting: 'the server is asked; it rings nowhere yet',
  calling: 'we are in, and it rings at the others',
  ringing: 'it rings here',
  answering: 'taken here; the server has not said yet that it is ours',
  connecting: 'in the call with others; no media flows yet',
  connected: 'media flows between us and at least one other',
  interrupted: 'in the call; media flowed and does not, and is being repaired',
  ended: 'over on this device, for good: the reason says why',
} as const

export type CallStatus = keyof typeof CALL_STATUSES

export type CallMove = 'rings' | 'answer' | 'unanswered' | 'joined' | 'flows' | 'stalls' | 'alone' | 'end'

const end = { end: 'ended' } as const

const MOVES: { readonly [S in CallStatus]: { readonly [M in CallMove]?: CallStatus } } = {
  starting: { rings: 'calling', joined: 'connecting', ...end },
  calling: { joined: 'connecting', ...end },
  ringing: { answer: 'answering', ...end },
  // In a call whose others went while we answered we wait for those whom it still rings.
  answering: { unanswered: 'ringing', joined: 'connecting', alone: 'calling', ...end },
  connecting: { flows: 'connected', alone: 'calling', ...end },
  connected: { stalls: 'interrupted', alone: 'calling', ...end },
  interrupted: { flows: 'connected', alone: 'calling', ...end },
  ended: {},
}

export function canCallMove(status: CallStatus, move: CallMove): boolean {
  return MOVES[status][move] !== undefined
}

export function nextCallStatus(status: CallStatus, move: CallMove): CallStatus {
  const next = MOVES[status][move]
  if (next === undefined) throw new Error(`illegal move of a call: ${move} in ${status}`)
  return next
}
