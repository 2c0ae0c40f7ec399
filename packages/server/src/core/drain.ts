/**
 * The end of a node in good order: everybody is told when to come back, each at a time of their own, so that the next
 * server is not run over; what is being committed is finished and acknowledged; then all are closed with RESTART.
 */
import type { ClientMessage } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, refuseInRoom, refuseRun, send } from './context.ts'
import type { NotifyMessage } from './contract.ts'
import { NOTICE_REQUESTS } from './notice-requests.ts'
import { ROOM_REQUESTS } from './room-requests.ts'

/** Nobody comes back sooner than this. */
const MIN_RETURN_MS = 500

/** What would need another commit, or an answer of the application. */
const CHANGES = [
  'commands',
  'join_rooms',
  'send_signal',
  'send_request',
  ...ROOM_REQUESTS,
  ...NOTICE_REQUESTS,
] as const
export type Change = Extract<ClientMessage, { type: (typeof CHANGES)[number] }>

export interface Drain {
  hasBegun(): boolean
  begin(): void
  /** Closes everybody once nothing is left to commit. Called after each commit. */
  finish(): void
  /** Too late: the client sends it again to the next server. */
  refuseChange(connection: Connection, change: Change | NotifyMessage): void
}

/** What is under way: when it is done, and how to let nothing more begin. */
export interface Work {
  isIdle(): boolean
  stop(): void
}

export function createDrain(context: Context, work: Work): Drain {
  /** The wait that each connection was told. */
  const goodbyes = new Map<Connection, number>()
  let state: 'open' | 'draining' | 'drained' = 'open'

  function finish(): void {
    if (state !== 'draining' || !work.isIdle()) return
    state = 'drained'
    for (const [connection, retryAfterMs] of goodbyes) context.hangUp(connection, 'RESTART', retryAfterMs)
    goodbyes.clear()
    context.effects.push({ do: 'drained' })
  }

  return {
    hasBegun: () => state !== 'open',

    begin() {
      if (state !== 'open') return
      state = 'draining'
      const { connections, options, random } = context
      const spreadMs = (connections.size / options.admissionsPerSecond) * 1_000
      for (const connection of connections.values()) {
        const reconnectAfterMs = Math.round(MIN_RETURN_MS + random() * spreadMs)
        goodbyes.set(connection, reconnectAfterMs)
        if (connection.phase === 'ready')
          send(context, connection, { type: 'going_away', payload: { reconnectAfterMs } })
      }
      work.stop()
      finish()
    },

    finish,

    refuseChange(connection, change) {
      const { ref } = change.payload
      if (change.type === 'join_rooms') {
        for (const room of change.payload.rooms) refuseInRoom(context, connection, ref, 'UNAVAILABLE', room)
        return
      }
      const count = change.type === 'commands' ? change.payload.commands.length : 1
      const retryAfterMs = goodbyes.get(connection) ?? MIN_RETURN_MS
      refuseRun(context, connection, ref, 'UNAVAILABLE', count, retryAfterMs)
    },
  }
}

export function isChange(message: ClientMessage): message is Change {
  return (CHANGES as readonly string[]).includes(message.type)
}
