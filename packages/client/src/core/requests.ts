/**
 * The application's requests: asked once they can be, asked again on the next connection where the answer was lost (all
 * of them are idempotent), failed with TIMEOUT when their time is over. Requests are not durable: only commands are. A
 * signal is of the moment: it is never kept for another connection.
 */
import type { ClientMessage, ServerMessage, ServerMessageType } from '@tautline/protocol/wire'
import type { Context, Failure } from './context.ts'

/** A request without its ref, which the core gives anew for each attempt. */
export type RequestMessage = {
  [K in RequestType]: {
    readonly type: K
    readonly payload: Omit<Extract<ClientMessage, { type: K }>['payload'], 'ref'>
  }
}[RequestType]

/** Whatever carries a ref, but what the core says by itself, in its own way, or without an answer. */
type RequestType = Exclude<
  Extract<ClientMessage, { readonly payload: { readonly ref: number } }>['type'],
  | 'authenticate'
  | 'renew_token'
  | 'ping'
  | 'pong'
  | 'commands'
  | 'subscribe'
  | 'unsubscribe'
  | 'check'
  | 'join_rooms'
  | 'mark_delivered'
>

/** Of the requests of the rooms themselves. Whoever asks otherwise says which answer it means. */
const ANSWERS: { readonly [T in RequestType]?: ServerMessageType } = {
  create_room: 'room_info',
  list_rooms: 'room_list',
  accept_invitation: 'room_joined',
  join_room: 'room_joined',
  leave_room: 'room_left',
  // Or `reset`, where the log is another one.
  get_page: 'page',
  mark_read: 'messages_read',
}

interface Request {
  readonly id: number
  readonly message: RequestMessage
  /** The type that answers; any where it is not said. */
  readonly answer: ServerMessageType | undefined
  readonly deadline: number
}

export interface Requests {
  add(id: number, message: RequestMessage, answer?: ServerMessageType): void
  /** The connection is ready: ask everything that has no answer yet. */
  start(): void
  /** The connection is gone: what was of the moment has failed. */
  stop(): void
  /** An answer to another kind of request is none: it has failed. */
  resolve(id: number, message: ServerMessage): void
  reject(id: number, failure: Failure): void
  rejectAll(failure: Failure): void
  tick(): void
  deadline(): number
}

export function createRequests(context: Context): Requests {
  const open = new Map<number, Request>()

  function ask(request: Request): void {
    const ref = context.takeRefs(1)
    const { type, payload } = request.message
    context.pending.set(ref, { for: 'request', id: request.id, sentAt: context.now })
    context.send({ type, payload: { ...payload, ref } } as ClientMessage)
  }

  const requests: Requests = {
    add(id, message, answer = ANSWERS[message.type]) {
      const request = { id, message, answer, deadline: context.now + context.options.requestTimeoutMs }
      open.set(id, request)
      if (context.ready) ask(request)
      else requests.stop()
    },
    start() {
      for (const request of open.values()) ask(request)
    },
    stop() {
      for (const { id, message } of Array.from(open.values()))
        if (message.type === 'send_signal') requests.reject(id, { code: 'DISCONNECTED' })
    },
    resolve(id, { type, payload }) {
      const request = open.get(id)
      const answer = request?.answer
      if (answer && answer !== (type === 'reset' ? 'page' : type))
        return requests.reject(id, { code: 'UNAVAILABLE' })
      if (open.delete(id)) context.emit({ type: 'reply', id, reply: { ok: true, payload } })
    },
    reject(id, failure) {
      if (open.delete(id)) context.emit({ type: 'reply', id, reply: { ok: false, failure } })
    },
    rejectAll(failure) {
      for (const id of Array.from(open.keys())) requests.reject(id, failure)
    },
    tick() {
      for (const request of open.values()) {
        // In the order of asking, so in the order of the deadlines.
        if (request.deadline > context.now) return
        requests.reject(request.id, { code: 'TIMEOUT' })
      }
    },
    deadline() {
      for (const request of open.values()) return request.deadline
      return Number.POSITIVE_INFINITY
    },
  }
  return requests
}
