/**
 * What the parts of the core share: the options, the dice, the refs, and the two ways out (an effect for the shell, a
 * message for the server). `pending` holds every request that the server has not answered on this connection; it is
 * emptied when the connection goes, so a late answer finds nothing.
 */
import type {
  ClientMessage,
  Code,
  Entry,
  Limits,
  PayloadOf,
  ServerMessage,
  ServerMessageType,
} from '@tautline/protocol/wire'
import type { BackoffOptions } from './backoff.ts'
import type { HeartbeatOptions } from './heartbeat.ts'
import type { KeeperFactory, StorageStatus, StoreCall } from './keeper.ts'
import type { OutboxOptions } from './outbox.ts'
import type { NewRow, SendOutcome } from './outbox-row.ts'
import type { UserPresence } from './presence.ts'
import type { Random } from './random.ts'
import type { Status } from './status.ts'

export interface CoreOptions {
  readonly userId: string | undefined
  /** The lane id of this load of the page or process. */
  readonly sid: string
  readonly limits: Limits
  readonly backoff: BackoffOptions
  readonly heartbeat: HeartbeatOptions
  readonly outbox: OutboxOptions
  /** Token and transport must be there in this time. */
  readonly connectTimeoutMs: number
  readonly authenticationTimeoutMs: number
  /** An unanswered command or request makes us doubt the connection after this time. */
  readonly ackTimeoutMs: number
  /** The application's requests (join, history, …) fail with TIMEOUT after this time. */
  readonly requestTimeoutMs: number
  /** Without a connection for so long, `waiting` becomes `suspended`. */
  readonly suspendedAfterMs: number
  /** How often the cursors are compared with the server's heads (± 20 %). */
  readonly checkIntervalMs: number
  /** Keeps the outbox in a store; without one it is in memory. */
  readonly keeper: KeeperFactory | undefined
  /** Whether the user's own log is followed without being asked for. */
  readonly followOwnLog: boolean
  /** Whether the server is told how far this device has each room. */
  readonly tellDeliveries: boolean
}

/** How a room stands on this connection. */
export type RoomPhase =
  /** Not followed. */
  | 'idle'
  /** Followed, and the server has not confirmed it on this connection. */
  | 'syncing'
  | 'live'
  /** The server refused it; it is not tried again until it is followed anew. */
  | 'refused'

export interface Failure {
  readonly code: Code
  readonly detail?: string | undefined
  /** What the server called it, where that is no code of the table. */
  readonly applicationCode?: string | undefined
  readonly retryAfterMs?: number | undefined
}

export type Reply =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly failure: Failure }

export interface Gap {
  readonly from: number
  readonly to: number
  readonly reason: 'retention' | 'membership' | 'behind'
}

export type Effect =
  | { readonly type: 'get_token'; readonly link: number; readonly refused: boolean }
  | { readonly type: 'dial'; readonly link: number }
  | { readonly type: 'transmit'; readonly link: number; readonly messages: readonly ClientMessage[] }
  | { readonly type: 'hang_up'; readonly link: number; readonly closeCode: number; readonly reason: string }
  | {
      readonly type: 'status'
      readonly status: Status
      readonly reason: Code | undefined
      /** What was said beyond the code. */
      readonly detail: string | undefined
      /** In `waiting` and `suspended`: how long until the next attempt. */
      readonly retryInMs: number | undefined
    }
  /** Authenticated: who we are, and the limits in force. */
  | { readonly type: 'identified'; readonly userId: string; readonly limits: Limits }
  /** Every followed room is live, refused, or known to be behind. */
  | { readonly type: 'ready' }
  | { readonly type: 'latency'; readonly latencyMs: number }
  /** The outbox row of this message changed its status. */
  | { readonly type: 'progress'; readonly messageId: string; readonly status: 'queued' | 'sent' }
  | {
      readonly type: 'settled'
      readonly room: string
      readonly messageId: string
      readonly outcome: SendOutcome
    }
  /** Found in the store: said before this load or in another tab; `outcome` where it has failed and that was reported. */
  | { readonly type: 'restored'; readonly row: NewRow; readonly outcome: SendOutcome | undefined }
  /** A failed message was forgotten or tried again, by somebody who shares the store. */
  | { readonly type: 'discarded'; readonly messageId: string }
  /** Where the outbox is kept from now on. */
  | { readonly type: 'storage'; readonly status: StorageStatus; readonly detail: string | undefined }
  /** A call of the store: its result comes back under this id, after those of the calls before it. */
  | { readonly type: 'store'; readonly id: number; readonly call: StoreCall }
  | { readonly type: 'reply'; readonly id: number; readonly reply: Reply }
  | {
      readonly type: 'room'
      readonly room: string
      readonly phase: RoomPhase
      readonly failure: Failure | undefined
    }
  /** New entries of a followed room: each once, in order. */
  | { readonly type: 'entries'; readonly room: string; readonly entries: readonly Entry[] }
  | { readonly type: 'gap'; readonly room: string; readonly gap: Gap }
  | { readonly type: 'reset'; readonly room: string; readonly reason: 'epoch' | 'diverged' | 'ahead' }
  | {
      readonly type: 'left'
      readonly room: string
      readonly reason: 'left' | 'removed' | 'banned' | 'deleted'
    }
  /** `count`: how many are there, where `users` does not name all. */
  | {
      readonly type: 'presence'
      readonly room: string
      readonly users: ReadonlyMap<string, UserPresence>
      readonly count: number
    }
  | { readonly type: 'typing'; readonly room: string; readonly users: readonly string[] }
  /** What the server said and no part of the core acts on, answers included: for the rooms and the subjects. */
  | { readonly type: 'message'; readonly message: ServerMessage }
  /** The server said that something failed which no request of ours stands for. */
  | { readonly type: 'problem'; readonly failure: Failure }

/** Of one room, for whoever shows it. */
export type RoomEffect = Extract<
  Effect,
  { readonly type: 'room' | 'entries' | 'gap' | 'reset' | 'left' | 'presence' | 'typing' }
>

/** Whatever carries a ref by which it is answered, without it. */
export type Question = {
  [K in QuestionType]: { readonly type: K; readonly payload: Omit<PayloadOf<K>, 'ref'> }
}[QuestionType]

export type QuestionType = Extract<ClientMessage, { readonly payload: { readonly ref: number } }>['type']

/** Who waits for the answer to a ref. */
export interface Waiting {
  /** The type of message that answers it (`reset` stands for `page`); another is none, and it has failed. Undefined: any. */
  readonly answer?: ServerMessageType | undefined
  /** One answer for each of these is awaited, under the one ref. */
  readonly rooms?: Set<string>
  answered?(message: ServerMessage): void
  /** Of a command, which an `ack` answers. */
  acknowledged?(seq: number, timestamp: number): void
  /** `room`: the only one that it is about. */
  refused?(failure: Failure, room?: string): void
}

export interface Pending extends Waiting {
  readonly sentAt: number
}

export interface Context {
  readonly options: CoreOptions
  readonly random: Random
  /** Monotonic milliseconds of the input at hand. */
  now: number
  /** The limits in force: the defaults, then what the server told. */
  limits: Limits
  online: boolean
  /** How the user is, as the hello says it. */
  greeting: PayloadOf<'update_presence'> | undefined
  /** Whether frames other than `authenticate` may be sent. */
  ready: boolean
  readonly pending: Map<number, Pending>
  /** Calls `run` once at this time instead of any other; NEVER: not at all. */
  alarm(run: () => void, at: number): void
  /** Sends it under a ref of its own, which it returns. */
  ask(question: Question, waiting: Waiting): number
  emit(effect: Effect): void
  /** Queues a message for the frame that ends this step. Only while `ready`, or `authenticate`. */
  send(message: ClientMessage): void
  /** Takes `count` consecutive refs and returns the first. */
  takeRefs(count: number): number
}
