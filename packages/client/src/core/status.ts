/**
 * The statuses of the connection and the moves between them, as a table. A move that the table does not have is a
 * mistake of ours and throws; nothing that a peer sends can cause one.
 */

export const STATUSES = {
  idle: 'not connected, and not trying to be',
  connecting: 'getting a token and opening the transport',
  authenticating: 'the transport is open, the server has not said yet who we are',
  connected: 'authenticated: rooms are followed, the outbox is drained',
  waiting: 'the connection was lost or refused; the next attempt has its time',
  suspended: 'as waiting, after two minutes without a connection',
  stopped: 'trying again would not help: the reason says why; connect() starts anew',
  closed: 'closed by the application, for good',
} as const

export type Status = keyof typeof STATUSES

export type Move =
  | 'connect'
  | 'opened'
  | 'accepted'
  | 'lost'
  | 'tired'
  | 'retry'
  | 'refused'
  | 'disconnect'
  | 'close'

const leave = { disconnect: 'idle', close: 'closed' } as const

export const MOVES: { readonly [S in Status]: { readonly [M in Move]?: Status } } = {
  idle: { connect: 'connecting', close: 'closed' },
  connecting: { opened: 'authenticating', lost: 'waiting', tired: 'suspended', refused: 'stopped', ...leave },
  authenticating: {
    accepted: 'connected',
    lost: 'waiting',
    tired: 'suspended',
    refused: 'stopped',
    ...leave,
  },
  connected: { lost: 'waiting', refused: 'stopped', ...leave },
  waiting: { retry: 'connecting', tired: 'suspended', ...leave },
  suspended: { retry: 'connecting', ...leave },
  stopped: { connect: 'connecting', ...leave },
  closed: {},
}

export function canMove(status: Status, move: Move): boolean {
  return MOVES[status][move] !== undefined
}

export function nextStatus(status: Status, move: Move): Status {
  const next = MOVES[status][move]
  if (next === undefined) throw new Error(`illegal move of the connection: ${move} in ${status}`)
  return next
}
