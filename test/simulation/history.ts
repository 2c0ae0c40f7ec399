// What happened in a run, as plain data: what the store decided, what each client was asked, said, heard and told its
// application. It is written down where it happens and looked at when all is over (checker.ts); nothing acts on it.

import type { ClientMessage, Code, Entry, MessageBody, Role, ServerMessage } from '@tautline/protocol/wire'

export interface History {
  /** The lines of the store's history. A restored snapshot begins another; the last is in force. */
  readonly lines: Line[]
  readonly decisions: Decision[]
  readonly sessions: Session[]
  /** What the application's own code said. */
  readonly spoken: Spoken[]
  /** When the faults ended. */
  quietFrom: number
  endedAt: number
  /** Whether nodes heard of each other's commits; else clients find them by themselves. */
  hintsWereLost: boolean
  /** Whether a user's devices put each other out; else nobody has a rival. */
  hasRivals: boolean
  /** Outboxes of which the browser threw away what was in them. */
  readonly evicted: Set<string>
  /** At the end: what each node holds. */
  nodes: { readonly connections: number; readonly open: number; readonly queuedOps: number }[]
  /** At the end: the logs as the store reads them. */
  stored: ReadonlyMap<
    string,
    readonly { readonly seq: number; readonly sender: string; readonly messageId: string }[]
  >
  /** At the end: the messages of each room as the store says that they stand, by position. */
  stood: ReadonlyMap<string, ReadonlyMap<number, MessageBody>>
  /** At the end: who belongs to each room, as the store says. */
  belonging: ReadonlyMap<string, Belonging>
  /** At the end: what those who are there are told of the members of a room, and of the rooms that are theirs. */
  readonly lists: {
    readonly session: string
    readonly room: string
    /** When it was asked for. */
    readonly at: number
    readonly members: ReadonlyMap<string, Role>
  }[]
  readonly ownRooms: {
    readonly session: string
    readonly user: string
    readonly at: number
    readonly rooms: ReadonlyMap<string, Role>
  }[]
  /** Who signed out and kept nothing: when, and until when they went on giving up what other tabs wrote. */
  readonly departures: { readonly outbox: string; readonly from: number; until: number }[]
  /** Outboxes of which everything was to go, and went: when it was asked for, and when it was done. */
  readonly emptied: { readonly outbox: string; readonly from: number; readonly at: number }[]
  /** Whether the application has hooks, and what they let pass. */
  hasHooks: boolean
  readonly reviewed: Set<string>
  /** Tokens that a server was told to let nobody in with: how many connections had it right after. */
  readonly revocations: {
    readonly at: number
    readonly life: string
    readonly tokenId: string
    readonly left: number
  }[]
  /** Who a server let in, and with which token. `life`: from one start of the server to its end. */
  readonly admissions: { readonly at: number; readonly life: string; readonly tokenId: string }[]
  /** Exceptions out of a core, and what else must not be. */
  readonly broken: { readonly at: number; readonly what: string }[]
}

export interface Belonging {
  readonly roles: ReadonlyMap<string, Role>
  readonly invited: ReadonlyMap<string, Role>
  readonly banned: ReadonlySet<string>
}

export interface Line {
  readonly epoch: string
  readonly from: number
  /** By room; the entry of seq 1 stands first. */
  readonly logs: Map<string, Logged[]>
}

export interface Logged {
  readonly at: number
  readonly entry: Entry
}

/** What a commit made of one operation. */
export interface Decision {
  readonly at: number
  readonly line: number
  readonly op: string
  readonly user: string
  readonly room: string
  readonly messageId: string | undefined
  readonly outcome: string
  readonly code: Code | undefined
  /** Of an ack its position, of a read position that. */
  readonly seq: number | undefined
}

/** One load of a page: a core from its making to its end. */
export interface Session {
  readonly id: string
  readonly user: string
  readonly sid: string
  /** Whose rows it shares; one of its own where they are in memory. */
  readonly outbox: string
  /** When its store was given up; from then on its rows are in memory. Infinity: it was not, or there was none. */
  storageLostAt: number
  readonly startedAt: number
  endedAt: number
  endedBy: 'reload' | 'close' | 'end'
  readonly sends: Sent[]
  /** Rows that it found in the store: said before it, or in another tab. */
  readonly restored: Restored[]
  readonly streams: Stream[]
  readonly links: Link[]
  /** When the application called connect(). */
  readonly connects: number[]
  readonly statuses: { readonly at: number; readonly status: string; readonly reason: Code | undefined }[]
  /** Tokens that were asked for; `answeredAt` Infinity: not yet. */
  readonly tokens: { readonly at: number; readonly link: number; answeredAt: number }[]
  /** The most that was there at a time, and what was left after close(). */
  mostSockets: number
  mostTimers: number
  leftAfterClose: number
  /** The clock's rate: 1 is right. */
  readonly clockRate: number
  /** Milliseconds by which the device's date is wrong at most. */
  clockErrorMs: number
  /** Wakes and signals of the network: each may hurry a connection on. */
  readonly nudges: number[]
  /** Spans in which no timer fires in time: [from, to]. */
  readonly late: [number, number][]
  queued: number
  status: string
  readonly phases: Map<string, string>
  /** Rooms that were told to be live: on which link, and when. */
  readonly lives: { readonly at: number; readonly room: string; readonly link: number }[]
  /** By room: since when it has been live, for the first time since it is followed or was reset. */
  readonly liveSince: Map<string, number>
}

export interface Sent {
  readonly messageId: string
  readonly room: string
  readonly at: number
  readonly kind: 'plain' | 'poison' | 'too_long' | 'invalid' | 'change' | 'forbidden' | 'censored' | 'delayed'
  /** Longer than some server takes. */
  readonly isLong: boolean
  /** Undecided rows of the session when it was sent. */
  readonly undecided: number
  /** When it was first told to be queued. */
  queuedAt: number
  cancelledAt: number
  readonly outcomes: Outcome[]
}

/** Of the application, which may ask again after it was answered: an outcome for each answer. */
export interface Spoken {
  readonly messageId: string
  readonly user: string
  readonly room: string
  readonly at: number
  readonly outcomes: Outcome[]
}

export interface Outcome {
  readonly at: number
  readonly status: 'acknowledged' | 'failed'
  readonly code: Code | undefined
  readonly seq: number | undefined
}

export interface Restored {
  readonly messageId: string
  readonly room: string
  readonly outcomes: Outcome[]
}

/** What a session was told of a room's log, from where it began to follow to a reset, or its end. */
export interface Stream {
  readonly room: string
  readonly from: number
  to: number
  readonly events: StreamEvent[]
}

export type StreamEvent =
  | { readonly at: number; readonly type: 'entries'; readonly entries: readonly Entry[] }
  | { readonly at: number; readonly type: 'gap'; readonly from: number; readonly to: number }

/** One attempt to be connected. */
export interface Link {
  readonly id: number
  readonly dialledAt: number
  openedAt: number
  /** When `connected` came. */
  readyAt: number
  overAt: number
  overBy: 'client' | 'peer' | undefined
  code: Code | undefined
  /** What the server asked for when it closed. */
  retryAfterMs: number | undefined
  readonly up: Word<ClientMessage>[]
  readonly down: Word<ServerMessage>[]
}

export interface Word<M> {
  readonly at: number
  /** Of all that was said and heard on the link: much falls on one moment. */
  readonly order: number
  readonly message: M
}

export function createHistory(epoch: string): History {
  return {
    lines: [{ epoch, from: 0, logs: new Map() }],
    decisions: [],
    sessions: [],
    spoken: [],
    quietFrom: Number.POSITIVE_INFINITY,
    endedAt: Number.POSITIVE_INFINITY,
    hintsWereLost: false,
    hasRivals: false,
    evicted: new Set(),
    nodes: [],
    stored: new Map(),
    stood: new Map(),
    departures: [],
    emptied: [],
    hasHooks: false,
    reviewed: new Set(),
    belonging: new Map(),
    lists: [],
    ownRooms: [],
    revocations: [],
    admissions: [],
    broken: [],
  }
}

export function createSession(
  who: Pick<Session, 'id' | 'user' | 'sid' | 'outbox' | 'startedAt' | 'clockRate'>,
): Session {
  return {
    ...who,
    storageLostAt: Number.POSITIVE_INFINITY,
    endedAt: Number.POSITIVE_INFINITY,
    endedBy: 'end',
    sends: [],
    restored: [],
    streams: [],
    links: [],
    connects: [],
    statuses: [],
    tokens: [],
    mostSockets: 0,
    mostTimers: 0,
    leftAfterClose: 0,
    clockErrorMs: 0,
    nudges: [],
    late: [],
    queued: 0,
    status: 'idle',
    phases: new Map(),
    lives: [],
    liveSince: new Map(),
  }
}
