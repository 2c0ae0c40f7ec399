/**
 * What the server asks of a database: one atomic commit of many operations, and reads that are each checked against
 * the reader's rights. All of it is asynchronous, so that a database over a network fits. Types only: what is decided
 * inside a commit stands in transaction.ts, once for all stores; a store brings the rows and the atomicity.
 */
import type {
  Alert,
  Code,
  Cursor,
  Entry,
  NotificationLevel,
  PayloadOf,
  Role,
  RoomDescription,
} from '@tautline/protocol/wire'
import type { NoticeSetting } from './notice-changes.ts'

/** A durable command in its lane (user, sid, room). Without `entry` and `refusal` it is a `skip`. */
export interface CommandOp {
  readonly op: 'command'
  readonly user: string
  readonly room: string
  readonly sid: string
  readonly n: number
  readonly messageId: string
  /** digestOf the command as it was sent. */
  readonly digest: string
  /** What would be appended, as the user said it: what the server knows of it is added in the commit (changes.ts). */
  readonly entry: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> } | undefined
  /** The message that the entry shall repeat. */
  readonly forward?:
    | { readonly room: string; readonly sender: string; readonly messageId: string }
    | undefined
  /** The code with which the command fails (durably) if it is its turn. */
  readonly refusal: Code | undefined
  /** What the application says to it. Told with this decision, and not stored: a retry is answered without. */
  readonly refusalDetail?: string | undefined
  /** A code of the application's own, told in place of `refusal`. Not stored either. */
  readonly refusalCode?: string | undefined
  /** What the ids of entries begin with that the command makes in the own logs of users. Given where it may make some. */
  readonly noticeId?: string | undefined
  /** How loudly those are said. */
  readonly alert?: Alert | undefined
  /** The user may make no room for so many milliseconds: where this would open a direct one, it gets RATE_LIMIT. */
  readonly openWaitMs?: number | undefined
  /** The application was not asked about it, for it did not seem to be new: where it is, it gets UNAVAILABLE. */
  readonly isUnreviewed?: boolean | undefined
}

/** What changes a room or who belongs to it. Its entries get the ids that are given here; they are the server's. */
export interface RoomChange {
  readonly user: string
  readonly room: string
  readonly messageId: string
  /** What the ids of entries begin with that it makes in the own logs of users. */
  readonly noticeId: string
}

/** Make a room and own it (the system owns none); idempotent where a room of theirs is just so already. */
export interface CreateOp extends RoomChange {
  readonly op: 'create'
  readonly visibility: 'public' | 'private'
  /** What the room says of itself (name, topic, metadata): a JSON object. */
  readonly about: string
}

/** Become a member of a public room; idempotent. `create`: make one of this name where there is none. */
export interface JoinOp extends RoomChange {
  readonly op: 'join'
  readonly create: boolean
}

/** Be a member no longer; idempotent. A direct room cannot be left. */
export interface LeaveOp extends RoomChange {
  readonly op: 'leave'
}

/** Let somebody in, who may come by `accept`; idempotent, also where they are a member already. */
export interface InviteOp extends RoomChange {
  readonly op: 'invite'
  readonly target: string
  /** What they will be. */
  readonly role: Role
}

/** Become a member by an invitation; idempotent. */
export interface AcceptOp extends RoomChange {
  readonly op: 'accept'
}

/** Make somebody a member who need not ask nor accept; idempotent: a member stays what they are. For the system alone. */
export interface AdmitOp extends RoomChange {
  readonly op: 'admit'
  readonly target: string
  readonly role: Role
}

/** Put a member out, or take an invitation back; idempotent. */
export interface RemoveOp extends RoomChange {
  readonly op: 'remove'
  readonly target: string
}

/** Change what is given of the room; idempotent. */
export interface UpdateOp extends RoomChange {
  readonly op: 'update'
  readonly visibility: 'public' | 'private' | undefined
  /** What the room says of itself from now on, as far as it is named; an empty name or topic is none. A JSON object. */
  readonly about: string
}

/** Remove the room with all that was said in it, for ever: nobody can make one of this id again. Idempotent for who did it. */
export interface DeleteOp extends RoomChange {
  readonly op: 'delete'
}

/** Give a member another role; idempotent. Somebody who is an owner stays in the room. */
export interface SetRoleOp extends RoomChange {
  readonly op: 'set_role'
  readonly target: string
  readonly role: Role
}

/** Put a user out for good, or lift that; idempotent. */
export interface BanOp extends RoomChange {
  readonly op: 'ban'
  readonly target: string
  readonly lift: boolean
}

/** Let a member not write for a time; 0: let them. */
export interface MuteOp extends RoomChange {
  readonly op: 'mute'
  readonly target: string
  readonly durationMs: number
}

/** Raise the user's read position; never lowers it, never beyond the head. */
export interface MarkReadOp {
  readonly op: 'mark_read'
  readonly user: string
  readonly room: string
  readonly seq: number
}

/**
 * Raise how far the user's devices have the room; never lowers it, never beyond the head. Kept in rooms of up to
 * MAX_RECEIPT_MEMBERS, where others are told; else FORBIDDEN.
 */
export interface MarkDeliveredOp {
  readonly op: 'mark_delivered'
  readonly user: string
  readonly room: string
  readonly seq: number
}

/** Hear of the answers to a message, or do so no longer; idempotent. */
export interface FollowThreadOp {
  readonly op: 'follow_thread'
  readonly user: string
  readonly room: string
  /** The message at which the thread begins. */
  readonly target: { readonly sender: string; readonly messageId: string }
  readonly follow: boolean
}

/** Of the notifications of the user: those at these positions of their own log, or all up to one. */
export interface MarkNoticesOp {
  readonly op: 'mark_notices'
  readonly user: string
  /** The user's own log. */
  readonly room: string
  readonly change: 'read' | 'cleared'
  readonly seqs?: readonly number[] | undefined
  readonly upTo?: number | undefined
}

/** Of what in a room the user wants to hear, as far as it is named; idempotent. */
export interface SetNoticesOp {
  readonly op: 'set_notices'
  readonly user: string
  readonly room: string
  readonly level: NotificationLevel | undefined
  /** 0: no longer. */
  readonly silenceMs: number | undefined
}

/** An entry in a user's own log that the application makes. */
export interface NotifyOp {
  readonly op: 'notify'
  /** Who caused it, and whose ids these are. */
  readonly user: string
  /** The own log of who shall know. */
  readonly room: string
  readonly messageId: string
  readonly digest: string
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
}

export type StoreOp =
  | CommandOp
  | CreateOp
  | JoinOp
  | LeaveOp
  | InviteOp
  | AcceptOp
  | AdmitOp
  | RemoveOp
  | UpdateOp
  | DeleteOp
  | SetRoleOp
  | BanOp
  | MuteOp
  | MarkReadOp
  | MarkDeliveredOp
  | FollowThreadOp
  | MarkNoticesOp
  | SetNoticesOp
  | NotifyOp

export type Outcome =
  /** In the log. `appended`: by this operation (else it was there before). */
  | {
      readonly outcome: 'acknowledged'
      readonly seq: number
      readonly timestamp: number
      readonly appended: boolean
    }
  | { readonly outcome: 'created'; readonly is: ListedRoom }
  | { readonly outcome: 'joined'; readonly role: Role }
  | { readonly outcome: 'left' }
  | { readonly outcome: 'invited' }
  | { readonly outcome: 'removed' }
  | { readonly outcome: 'updated'; readonly is: ListedRoom }
  | { readonly outcome: 'deleted' }
  /** There is nothing more to say. */
  | { readonly outcome: 'done' }
  /** The read position now in force, and what is unread beyond it. */
  | ({ readonly outcome: 'read'; readonly timestamp: number } & Unread)
  /** How far it was delivered; what is read was. */
  | {
      readonly outcome: 'delivered'
      readonly seq: number
      readonly timestamp: number
      /** By this operation. */
      readonly moved: boolean
    }
  /** How many notifications are unread now, by this head of the own log. `moved`: by this operation. */
  | { readonly outcome: 'noticed'; readonly unread: number; readonly head: number; readonly moved: boolean }
  | {
      readonly outcome: 'notices_set'
      readonly level: NotificationLevel
      /** 0: not. */
      readonly silencedUntil: number
      readonly moved: boolean
    }
  /** Final and retryable codes alike; see the table of codes. */
  | { readonly outcome: 'failed'; readonly code: Code }

/** What a user has not read of a room: messages of others between two positions of its log. */
export interface Unread {
  /** Read up to here; 0: nothing. */
  readonly seq: number
  /** Counted up to here: the head. */
  readonly head: number
  readonly unread: number
}

/** What a commit added to one room: a run of entries without holes, and the fingerprint of the last. */
export interface Appended {
  readonly room: string
  readonly entries: readonly Entry[]
  readonly h: string
  /** After the commit. */
  readonly memberCount: number
  /** Of a direct room: whose first entry there (a message, a reaction, a call) is among these. */
  readonly spokeFirst?: readonly string[] | undefined
  /** Who wants to hear of every message, where there is one in it. */
  readonly listeners?: readonly string[] | undefined
}

export interface CommitResult {
  /** One for each operation, in order. */
  readonly outcomes: readonly Outcome[]
  /** One for each room that grew. */
  readonly appended: readonly Appended[]
}

export interface PageRequest {
  readonly user: string
  readonly room: string
  /** Undefined asks for the newest page. `h` undefined: the asker does not know it, nothing is compared. */
  readonly after: { readonly seq: number; readonly h?: string | undefined } | undefined
  readonly maxEntries: number
  readonly maxBytes: number
  /** More entries behind than this: the newest page instead, with a gap. Infinity: never. */
  readonly maxReplay: number
}

export type PageResult =
  | {
      readonly result: 'page'
      readonly after: Cursor
      readonly entries: readonly Entry[]
      readonly h: string
      readonly head: number
      readonly oldest: number
      readonly gap?:
        | {
            readonly from: number
            readonly to: number
            readonly reason: 'retention' | 'membership' | 'behind'
          }
        | undefined
    }
  | { readonly result: 'reset'; readonly reason: 'diverged' | 'ahead' }
  /** No such room, or not for this user: the same answer. */
  | { readonly result: 'forbidden' }

export interface HistoryRequest {
  readonly user: string
  readonly room: string
  /** The entries next below this position … */
  readonly before: number | undefined
  /** … or, without it, those next above this one. Neither: the newest. */
  readonly after: number | undefined
  /** At most so many entries; fewer where they would be larger than a page (MAX_PAGE_BYTES). */
  readonly limit: number
}

export type HistoryResult =
  | {
      readonly result: 'history'
      readonly entries: readonly Entry[]
      readonly at: number
      /** What was looked at; `from` beyond `to`: nothing. */
      readonly from: number
      readonly to: number
      readonly hasOlder: boolean
      readonly hasNewer: boolean
      /** Of a thread: whether the reader follows it. */
      readonly following?: boolean
    }
  | { readonly result: 'forbidden' }

export interface ThreadRequest {
  readonly user: string
  readonly room: string
  /** The message that is answered. */
  readonly target: { readonly sender: string; readonly messageId: string }
  /** The answers next below this position; undefined: the newest. */
  readonly before: number | undefined
  readonly limit: number
}

export interface VersionsRequest {
  readonly user: string
  readonly room: string
  readonly target: { readonly sender: string; readonly messageId: string }
  /** What it said next below this position; undefined: the newest. */
  readonly before: number | undefined
  readonly limit: number
}

export interface VersionsResult {
  /** The newest first; none where the message was deleted. */
  readonly versions: readonly MessageVersion[]
  readonly hasOlder: boolean
}

export type MessageVersion = PayloadOf<'version_list'>['versions'][number]

export interface ReactionsRequest {
  readonly user: string
  readonly room: string
  readonly target: { readonly sender: string; readonly messageId: string }
}

export interface Reactors {
  readonly emoji: string
  readonly count: number
  /** The first MAX_REACTORS of them, in the order in which they reacted. */
  readonly users: readonly string[]
}

/** Users that are named for one emoji. */
export const MAX_REACTORS = 100

export interface MembersRequest {
  readonly user: string
  readonly room: string
  /** Members whose ids sort after this one; undefined: from the first. */
  readonly after: string | undefined
  readonly limit: number
  /** Those of these users who are members, all of them. */
  readonly only?: readonly string[] | undefined
}

export interface MembersResult {
  /** By user id, in the order of its code units. */
  readonly members: readonly StoredMember[]
  readonly hasMore: boolean
}

export interface StoredMember {
  readonly userId: string
  readonly role: Role
  readonly joinedAt: number
}

export interface ReadPosition {
  readonly userId: string
  readonly seq: number
  readonly timestamp: number
}

export interface Receipts {
  readonly memberCount: number
  /** Those of the members who have one, by user id; none in a room of more than MAX_RECEIPT_MEMBERS. */
  readonly positions: readonly ReadPosition[]
  /** The same of deliveries, where they are as far as the read position. */
  readonly deliveries: readonly ReadPosition[]
  /** Of the asker. */
  readonly own: Unread
}

export type Visibility = 'public' | 'private' | 'direct'

/** A room as one user sees it. */
export interface ListedRoom {
  readonly room: string
  readonly visibility: Visibility
  /** A JSON object; see CreateOp. */
  readonly about: string
  readonly memberCount: number
  readonly head: number
  /** Undefined: not a member. */
  readonly member:
    | {
        readonly role: Role
        readonly read: number
        readonly unread: number
        /** Until when they may not write, also where that is over. */
        readonly mutedUntil?: number | undefined
        /** In lists: the newest message that they may read. */
        readonly last?: LastMessage | undefined
        /** Undefined: as by default. */
        readonly notifications?: NoticeSetting | undefined
      }
    | undefined
}

/** Of a room's newest message as much as a list shows. */
export type LastMessage = NonNullable<RoomDescription['last']>

export interface RoomsRequest {
  readonly user: string
  /** Those that the user is a member of, or all that are public. */
  readonly which: 'own' | 'public'
  /** This one alone, if they are a member of it or it is public; `which`, `after` and `limit` say nothing then. */
  readonly only?: string | undefined
  /** Rooms whose ids sort after this one; undefined: from the first. */
  readonly after: string | undefined
  readonly limit: number
}

export interface RoomsResult {
  /** By room id. */
  readonly rooms: readonly ListedRoom[]
  readonly hasMore: boolean
}

export interface UnreadRequest {
  readonly user: string
  /** Rooms whose ids sort after this one; undefined: from the first. */
  readonly after: string | undefined
}

/** Of the first MAX_UNREAD_LOOKS rooms of the user after that one. */
export interface UnreadResult {
  /** Those with something unread, by room id; at most MAX_UNREAD_ROOMS. */
  readonly rooms: readonly (Unread & { readonly room: string })[]
  /** The last room that was looked at, where there are more; undefined: these are all. */
  readonly next: string | undefined
}

export interface NoticesRequest {
  readonly user: string
  /** Those next below this position of the user's own log; undefined: the newest. */
  readonly before: number | undefined
  readonly limit: number
}

export interface NoticesResult {
  /** Those that are not cleared, in the order of the log. */
  readonly notices: readonly { readonly entry: Entry; readonly isRead: boolean }[]
  readonly hasOlder: boolean
  /** Of all of them. */
  readonly unread: number
  /** The last position of the user's own log. */
  readonly head: number
}

/** When a user was last there, in Unix milliseconds. */
export interface Seen {
  readonly userId: string
  readonly at: number
}

/** Another user, as one who asks about them knows them. */
export interface Acquaintance {
  readonly userId: string
  /**
   * Whether both are members of some room; so is everybody with themselves. Their direct room counts once this user has
   * said something in it, in whatever entry: nobody comes to know a stranger by writing to them.
   */
  readonly sharesRoom: boolean
  /** Undefined: never, as far as the store knows. */
  readonly lastSeenAt: number | undefined
}

/** Of a user that is asked about, so many rooms are looked at, beside their direct one: of two who share none of those, nobody finds that they do. */
export const MAX_SHARED_LOOKS = 1_000

/**
 * Every read takes the reader and answers `forbidden` (or undefined) where they may not: there is one such check in a
 * store, and no read without it.
 */
export interface Store {
  /** Random, made with the database, changed only by a deliberate reset: names the logs that cursors belong to. */
  readonly epoch: string
  /**
   * All operations in one transaction, in order. Resolves after the COMMIT is durable. One operation that fails by
   * itself gets INTERNAL_ERROR and does not sink the others. Rejects (TautlineError UNAVAILABLE) where the transaction
   * failed or its outcome is unknown: then every operation may be tried again.
   * Calls may overlap; they take effect in the order of the calls.
   */
  commit(ops: readonly StoreOp[], unixMs: number): Promise<CommitResult>
  /**
   * The outcomes that `commit` would give now. Changes nothing. Like the reads it sees every commit that resolved before,
   * and rejects with FETCH_ERROR.
   */
  preview(ops: readonly StoreOp[], unixMs: number): Promise<readonly Outcome[]>
  /** Reads see every commit that resolved before the call. They reject with TautlineError FETCH_ERROR. */
  readPage(request: PageRequest): Promise<PageResult>
  readHistory(request: HistoryRequest): Promise<HistoryResult>
  /** The answers to a message, as they stand. A message that is not there: forbidden. */
  readThread(request: ThreadRequest): Promise<HistoryResult>
  /** What a message said, each time; undefined: forbidden, or no such message. */
  readVersions(request: VersionsRequest): Promise<VersionsResult | undefined>
  /** Undefined: forbidden, or no such message. */
  readReactions(request: ReactionsRequest): Promise<readonly Reactors[] | undefined>
  /** The heads of those of the rooms that the user may read. */
  readHeads(user: string, rooms: readonly string[]): Promise<ReadonlyMap<string, Cursor>>
  /** Undefined: forbidden. */
  readMembers(request: MembersRequest): Promise<MembersResult | undefined>
  /** Everybody's read positions in the room; undefined: forbidden. */
  readReceipts(user: string, room: string): Promise<Receipts | undefined>
  /** The notifications of the user themselves. */
  readNotices(request: NoticesRequest): Promise<NoticesResult>
  /** For the application, with nobody's rights; undefined: there is no such room (nothing was ever said in a direct one). */
  readRoom(room: string): Promise<ListedRoom | undefined>
  /** The logs of users are no rooms. */
  readRooms(request: RoomsRequest): Promise<RoomsResult>
  /** What is left to read in the rooms of the user themselves. */
  readUnread(request: UnreadRequest): Promise<UnreadResult>
  /** One for each of the users, in order. What the asker may know of them is for others to say. */
  readAcquaintances(user: string, others: readonly string[]): Promise<readonly Acquaintance[]>
  /** Keeps when users were last seen, in one transaction; an earlier time than is kept changes nothing. */
  markSeen(seen: readonly Seen[]): Promise<void>
  /** Finishes what was called, then lets the database go. Idempotent. */
  close(): Promise<void>
}

/** What `createServer` takes as its `store`. It is opened when the server starts, so that a fault is told there. */
export interface StoreFactory {
  /** Rejects with an Error whose message says what is wrong and what to do. */
  /** `onRowError`: told why a single operation, which got INTERNAL_ERROR, could not be written. */
  open(onRowError?: (error: unknown) => void): Promise<Store>
}
