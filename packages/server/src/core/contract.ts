/**
 * What goes into a node and what comes out of it: all that happens to it, and all that it wants done. One input, then
 * all its effects in order, then the next input. Messages leave as objects, so that the shell writes the text of a
 * broadcast once.
 */
import type {
  Alert,
  ClientMessage,
  Code,
  Cursor,
  ServerMessage,
  UserDescription,
} from '@tautline/protocol/wire'
import type { Push } from './pushes.ts'
import type {
  CommandOp,
  CommitResult,
  HistoryRequest,
  HistoryResult,
  MembersRequest,
  MembersResult,
  NoticesRequest,
  NoticesResult,
  Outcome,
  PageRequest,
  PageResult,
  ReactionsRequest,
  Reactors,
  Receipts,
  RoomsRequest,
  RoomsResult,
  Seen,
  StoreOp,
  ThreadRequest,
  UnreadRequest,
  UnreadResult,
  VersionsRequest,
  VersionsResult,
} from './store.ts'

export type Input =
  /**
   * A socket is open. `connection` is the shell's number for it, never used again. `token`: that of the upgrade.
   * `address`: what counts as the place that it comes from; undefined: its place is not counted.
   */
  | {
      readonly type: 'opened'
      readonly connection: number
      readonly token: string | undefined
      readonly address: string | undefined
    }
  | { readonly type: 'received'; readonly connection: number; readonly text: string }
  /** The answer to a WebSocket ping. */
  | { readonly type: 'ponged'; readonly connection: number }
  /** The socket did what the protocol forbids below the level of text (a binary frame). */
  | { readonly type: 'faulted'; readonly connection: number; readonly code: Code }
  /** Bytes that were given to the socket and are not on their way; told when it matters and when it ceases to. */
  | { readonly type: 'buffered'; readonly connection: number; readonly bytes: number }
  | { readonly type: 'closed'; readonly connection: number }
  /** What a commit would have made of the operations of the preview. */
  | { readonly type: 'previewed'; readonly outcomes: readonly Outcome[] }
  | { readonly type: 'preview_failed' }
  /** What the application says to a question. One that was answered, or expired, is heard no more. */
  | { readonly type: 'reviewed'; readonly review: number; readonly verdict: Verdict }
  /** What the application says to something that was asked of it. One that was answered, or expired, is heard no more. */
  | { readonly type: 'answered'; readonly ask: number; readonly verdict: Verdict }
  /** The application says something of its own, to whoever is there. */
  | {
      readonly type: 'told'
      readonly to: Recipient
      /** Of the message, as the application calls it. */
      readonly name: string
      readonly payload: Record<string, unknown>
    }
  /** The application wants something done, as this user. Answered by `send` to the connection APPLICATION. */
  | { readonly type: 'asked'; readonly user: string; readonly message: ApplicationMessage }
  /** No token with this id is accepted any more, until `untilUnixMs`, when none of that id can be valid. */
  | { readonly type: 'revoked'; readonly tokenId: string; readonly untilUnixMs: number }
  /** The application wants the user's connections to end. */
  | { readonly type: 'disconnected'; readonly userId: string }
  | { readonly type: 'verified'; readonly connection: number; readonly verification: Verification }
  | { readonly type: 'committed'; readonly result: CommitResult }
  | { readonly type: 'commit_failed' }
  | {
      readonly type: 'read_done'
      readonly connection: number
      readonly queue: ReadQueue
      readonly answer: ReadAnswer
    }
  /** The last `mark_seen` was written, or could not be. */
  | { readonly type: 'seen_marked'; readonly isDone: boolean }
  /** All that had arrived has been told and all that was sent is written: time to commit. */
  | { readonly type: 'turn_ended' }
  | { readonly type: 'timer' }
  /** The wall clock was found to show something else than was reckoned. */
  | { readonly type: 'clock_set'; readonly unixMs: number }
  /** Tell everybody to go, finish what is being committed, close. Answered by `drained`. */
  | { readonly type: 'drain' }

/** An entry that the application makes in the user's own log, said by whoever asked. */
export interface NotifyMessage {
  readonly type: 'notify'
  readonly payload: {
    readonly ref: number
    readonly userId: string
    readonly messageId: string
    readonly entry: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }
  }
}

/** What the application asks for in the words of a client; a member that it invites need not accept. */
export type ApplicationRequest = Extract<
  ClientMessage,
  {
    type:
      | 'commands'
      | 'create_room'
      | 'update_room'
      | 'delete_room'
      | 'invite_member'
      | 'remove_member'
      | 'set_role'
      | 'ban_member'
      | 'unban_member'
      | 'mute_member'
      | 'unmute_member'
  }
>

/** What the application asks for. */
export type ApplicationMessage = ApplicationRequest | NotifyMessage

export type Verification =
  | {
      readonly ok: true
      readonly userId: string
      /** Unix milliseconds; undefined: never. */
      readonly expiresAt: number | undefined
      /** The token's own id, where it has one. */
      readonly tokenId?: string | undefined
    }
  | { readonly ok: false; readonly code: Code }

export type Effect =
  | { readonly do: 'send'; readonly connection: number; readonly message: ServerMessage }
  | { readonly do: 'broadcast'; readonly connections: readonly number[]; readonly message: ServerMessage }
  /** A WebSocket ping. */
  | { readonly do: 'ping'; readonly connection: number }
  /** After what was sent before. The node has forgotten the connection: nothing it still says is heard. */
  | {
      readonly do: 'close'
      readonly connection: number
      readonly code: Code
      readonly retryAfterMs: number | undefined
    }
  /** Answered by `verified`. */
  | { readonly do: 'verify'; readonly connection: number; readonly token: string }
  /** The connection is this user's. */
  | {
      readonly do: 'identified'
      readonly connection: number
      /** As the client was told it. */
      readonly connectionId: string
      readonly userId: string
      readonly session: string
    }
  /** Answered by `committed` or `commit_failed`; the next one comes after that. */
  | { readonly do: 'commit'; readonly ops: readonly StoreOp[]; readonly unixMs: number }
  /** Answered by `previewed` or `preview_failed`; the next one comes after that. */
  | { readonly do: 'preview'; readonly ops: readonly StoreOp[]; readonly unixMs: number }
  /** A question to the application. Answered by `reviewed`, or not at all: then it expires. */
  | { readonly do: 'review'; readonly review: number; readonly question: Question }
  | { readonly do: 'review_expired'; readonly review: number }
  /** Something that only the application knows. Answered by `answered`, or not at all: then it expires. */
  | { readonly do: 'ask'; readonly ask: number; readonly asked: Asked }
  | { readonly do: 'ask_expired'; readonly ask: number }
  /** When users were last seen, to be kept. Answered by `seen_marked`; the next one comes after that, but for the end. */
  | { readonly do: 'mark_seen'; readonly seen: readonly Seen[] }
  /** Answered by `read_done` of the same queue; one at a time in each queue of a connection. */
  | {
      readonly do: 'read'
      readonly connection: number
      readonly queue: ReadQueue
      readonly query: ReadQuery
    }
  /** A notification for somebody who is away. Answered by nothing. */
  | { readonly do: 'push'; readonly push: Push }
  /** So many more than can be kept were to be pushed, and are not. Answered by nothing. */
  | { readonly do: 'leave_out_pushes'; readonly count: number }
  /** Everything is committed, told and closed. */
  | { readonly do: 'drained' }

/** What a user wants to do in a room. `join` may make it, and is also to accept an invitation. */
export type Action =
  | 'read'
  | 'write'
  | 'create'
  | 'join'
  | 'invite'
  | 'remove'
  | 'update'
  | 'delete'
  | 'set_role'
  | 'ban'
  | 'mute'

export interface Question {
  readonly action: Exclude<Action, 'read'>
  readonly userId: string
  readonly room: string
  /** Whom `invite`, `remove`, `set_role`, `ban` and `mute` are about. */
  readonly target?: string | undefined
  /** The room from which `write` would repeat something, which the user must be allowed to read. */
  readonly from?: string | undefined
  /** What `write` would say, where it says something: the command as it was sent. */
  readonly command?:
    | {
        /** `send_message`, `edit_message`, or a type of the application's own. */
        readonly type: string
        readonly messageId: string
        readonly payload: Readonly<Record<string, unknown>>
      }
    | undefined
  /** Of the connection by which it came. */
  readonly session?: string | undefined
}

/** A message of the application's own that is no command; its payload satisfies its schema. */
export type Asked =
  | {
      readonly kind: 'signal'
      readonly session: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      /** The command by which the store says whether its user may say it; where, and who it is. Never committed. */
      readonly probe: CommandOp
      readonly unixMs: number
    }
  | {
      readonly kind: 'request'
      readonly session: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      readonly userId: string
    }

/** Who follows a room, the connections of a user, or the connection of one session. */
export type Recipient = { readonly room: string } | { readonly userId: string } | { readonly session: string }

/** `payload`: what shall be said instead; of a request the answer, of a signal what is passed on, if anything. A final code fails a command for good, another one for now. */
export type Verdict =
  | {
      readonly ok: true
      readonly payload?: Readonly<Record<string, unknown>> | undefined
      /** Of the notifications that it makes. */
      readonly alert?: Alert | undefined
    }
  | ({ readonly ok: false; readonly code: Code; readonly retryAfterMs?: number | undefined } & Said)

/** What the application says to whoever asked, in words of its own; undefined: nothing beyond the code. */
export interface Said {
  readonly detail?: string | undefined
  /** A code of its own, told in place of `code`. */
  readonly applicationCode?: string | undefined
}

/**
 * What of the application a read may have to wait for, and so which reads wait for each other; see reads.ts.
 *
 * - `own`: nothing, for nobody is asked about a user's own log
 * - `rooms`: `authorize`
 * - `presence`: `maySee`
 * - `names`: `describeUsers`
 */
export type ReadQueue = 'own' | 'rooms' | 'presence' | 'names'

/** One read of the store, with whose rights. */
export type ReadQuery =
  | { readonly of: 'page'; readonly request: PageRequest }
  | { readonly of: 'history'; readonly request: HistoryRequest }
  /** Answered as history is. */
  | { readonly of: 'thread'; readonly request: ThreadRequest }
  | { readonly of: 'versions'; readonly request: VersionsRequest }
  | { readonly of: 'reactions'; readonly request: ReactionsRequest }
  | { readonly of: 'heads'; readonly user: string; readonly rooms: readonly string[] }
  | { readonly of: 'members'; readonly request: MembersRequest }
  | { readonly of: 'receipts'; readonly user: string; readonly room: string }
  | { readonly of: 'rooms'; readonly request: RoomsRequest }
  | { readonly of: 'unread'; readonly request: UnreadRequest }
  | { readonly of: 'notices'; readonly request: NoticesRequest }
  /** Of which of these users the asker may know. */
  | { readonly of: 'visible'; readonly user: string; readonly users: readonly string[] }
  /** What the application says of those of them of whom the asker may know. */
  | { readonly of: 'users'; readonly user: string; readonly users: readonly string[] }

export type ReadAnswer =
  | { readonly of: 'page'; readonly result: PageResult }
  | { readonly of: 'history'; readonly result: HistoryResult }
  | { readonly of: 'versions'; readonly result: VersionsResult | undefined }
  | { readonly of: 'reactions'; readonly result: readonly Reactors[] | undefined }
  | { readonly of: 'heads'; readonly heads: ReadonlyMap<string, Cursor> }
  | { readonly of: 'members'; readonly result: MembersResult | undefined }
  | { readonly of: 'receipts'; readonly receipts: Receipts | undefined }
  | { readonly of: 'rooms'; readonly result: RoomsResult }
  | { readonly of: 'unread'; readonly result: UnreadResult }
  | { readonly of: 'notices'; readonly result: NoticesResult }
  /** Those of them, and when the store saw them last. */
  | {
      readonly of: 'visible'
      readonly users: readonly { readonly userId: string; readonly lastSeenAt: number | undefined }[]
    }
  | { readonly of: 'users'; readonly users: readonly UserDescription[] }
  /** The store refused. */
  | { readonly of: 'failure'; readonly code: Code }
