/**
 * The application's requests: asked once they can be, asked again on the next connection where the answer was lost (all
 * of them are idempotent), failed with TIMEOUT when their time is over. Requests are not durable: only commands are. A
 * signal is of the moment: it is never kept for another connection.
 */
import type { ServerMessageType } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context, Failure, Question, QuestionType, Reply } from './context.ts'

/** A request without its ref, which the core gives anew for each attempt. */
export type RequestMessage = Extract<Question, { readonly type: RequestType }>

/** But what the core says by itself, in its own way, or without an answer. */
type RequestType = Exclude<
  QuestionType,
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
  readonly timeOut: () => void
}

export interface Requests {
  add(id: number, message: RequestMessage, answer?: ServerMessageType): void
  /** The connection is ready: ask everything that has no answer yet. */
  start(): void
  /** The connection is gone: what was of the moment has failed. */
  stop(): void
  reject(id: number, failure: Failure): void
  rejectAll(failure: Failure): void
}

export function createRequests(context: Context): Requests {
  const open = new Map<number, Request>()

  function ask(request: Request): void {
    const { id, message, answer } = request
    context.ask(message, {
      answer,
      answered: ({ payload }) => settle(id, { ok: true, payload }),
      refused: (failure) => requests.reject(id, failure),
    })
  }

  function settle(id: number, reply: Reply): void {
    const request = open.get(id)
    if (!request) return
    open.delete(id)
    context.alarm(request.timeOut, NEVER)
    context.emit({ type: 'reply', id, reply })
  }

  const requests: Requests = {
    add(id, message, answer = ANSWERS[message.type]) {
      const timeOut = (): void => requests.reject(id, { code: 'TIMEOUT' })
      const request = { id, message, answer, timeOut }
      open.set(id, request)
      context.alarm(timeOut, context.now + context.options.requestTimeoutMs)
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
    reject: (id, failure) => settle(id, { ok: false, failure }),
    rejectAll(failure) {
      for (const id of Array.from(open.keys())) requests.reject(id, failure)
    },
  }
  return requests
}
