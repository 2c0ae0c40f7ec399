/** What goes into the registry of calls and what comes out of it. One input, then all its effects in order. */
import type { Call, CallMedia, CallSignal } from '@tautline/protocol/calls'

/** A device of a user that asks for something. `ask` is the shell's number for the question. */
interface Asking {
  readonly ask: number
  readonly user: string
  readonly session: string
}

export type CallInput =
  /** Whom it shall ring; undefined: all other members of the room. */
  | (Asking & {
      readonly type: 'start'
      readonly callId: string
      readonly peerId: string
      readonly room: string
      readonly media: CallMedia
      readonly to: readonly string[] | undefined
    })
  | (Asking & { readonly type: 'answer'; readonly callId: string; readonly peerId: string })
  | (Asking & { readonly type: 'reject'; readonly callId: string })
  /** Hang up: this peer, or the call that it started. */
  | (Asking & { readonly type: 'end'; readonly callId: string; readonly peerId: string })
  /** Back after a lost connection, perhaps to a server that does not know the call. */
  | (Asking & {
      readonly type: 'resume'
      readonly callId: string
      readonly peerId: string
      readonly room: string
      readonly seq: number
      readonly answeredAt: number | undefined
      readonly others: number
    })
  | (Asking & { readonly type: 'list' })
  | (Asking & {
      readonly type: 'signal'
      readonly callId: string
      readonly from: string
      readonly to: string
      readonly signal: CallSignal
    })
  /** The answer to `announce`: `call_started` is in the log, and these are to be called. */
  | {
      readonly type: 'announced'
      readonly callId: string
      readonly seq: number
      readonly startedAt: number
      readonly to: readonly string[]
    }
  | { readonly type: 'not_announced'; readonly callId: string; readonly error: unknown }
  /** The answer to `check`. */
  | { readonly type: 'checked'; readonly ask: number; readonly isMember: boolean }
  /** The answer to `find`; undefined: there is no such call in the log, it is over, or its room is not the user's. */
  | {
      readonly type: 'found'
      readonly ask: number
      readonly started:
        | { readonly media: CallMedia; readonly startedBy: string; readonly at: number }
        | undefined
    }
  /** The answer to `announce`, `check` or `find` could not be had. */
  | { readonly type: 'unanswered'; readonly ask: number; readonly error: unknown }
  /** A device has no connection any more. */
  | { readonly type: 'gone'; readonly user: string; readonly session: string }
  /** A user is a member of the room no more. */
  | { readonly type: 'removed'; readonly user: string; readonly room: string }
  | { readonly type: 'timer' }

export type CallRefusal =
  | 'CALL_NOT_FOUND'
  | 'CALL_ENDED'
  | 'ANSWERED_ELSEWHERE'
  | 'IN_CALL'
  | 'CALL_FULL'
  | 'PEER_UNAVAILABLE'
  | 'FORBIDDEN'
  | 'RATE_LIMIT'
  | 'UNAVAILABLE'

export type CallEffect =
  | { readonly do: 'reply'; readonly ask: number; readonly call: Call }
  | { readonly do: 'list'; readonly ask: number; readonly calls: readonly Call[] }
  | { readonly do: 'done'; readonly ask: number }
  | {
      readonly do: 'refuse'
      readonly ask: number
      readonly code: CallRefusal
      readonly retryAfterMs?: number
    }
  /** For a reason that the registry does not know. */
  | { readonly do: 'fail'; readonly ask: number; readonly error: unknown }
  /** Put `call_started` into the log, as its user, and find out whom it rings. */
  | {
      readonly do: 'announce'
      readonly callId: string
      readonly room: string
      readonly media: CallMedia
      readonly startedBy: string
      readonly to: readonly string[] | undefined
    }
  /** Whether the user is a member of the room. */
  | { readonly do: 'check'; readonly ask: number; readonly user: string; readonly room: string }
  /** Look for `call_started` at its place in the log. */
  | {
      readonly do: 'find'
      readonly ask: number
      readonly user: string
      readonly callId: string
      readonly room: string
      readonly seq: number
    }
  /** To all devices of these users. */
  | { readonly do: 'tell'; readonly users: readonly string[]; readonly call: Call }
  | {
      readonly do: 'signal'
      readonly session: string
      readonly callId: string
      readonly from: string
      readonly to: string
      readonly signal: CallSignal
    }
  /** Put `call_ended` into the log. */
  | { readonly do: 'record'; readonly call: Call }
  /** Put `missed_call` into the user's own log. */
  | { readonly do: 'missed'; readonly user: string; readonly call: Call }
