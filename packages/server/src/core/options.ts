/**
 * What may be set about a node, with the defaults. Every number has its unit in the name; 0 is 0. The shell checks
 * them (config.ts); the core takes them as they are.
 */
import {
  DEFAULT_LIMITS,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TIMEOUT_MS,
  HELLO_TIMEOUT_MS,
  type Limits,
  MAX_REPLAY_ENTRIES,
  PRESENCE_GRACE_MS,
} from '@tautline/protocol/wire'
import { NO_MESSAGES, type OwnMessages } from './extensions.ts'
import { DEFAULT_USAGE, type UsageQuotas } from './usage.ts'

export interface NodeOptions {
  /** Of the store: names the logs that cursors belong to. */
  readonly epoch: string
  /** Unix milliseconds when the monotonic clock showed 0. */
  readonly unixOffsetMs: number
  /** What binds the clients, and is told to them. */
  readonly limits: Limits
  /** Connections at the same time; beyond them a new one is told to come again. Default 10,000. */
  readonly maxConnections: number
  /** Of one user at the same time. Default 50. */
  readonly maxConnectionsPerUser: number
  /** Of one address at the same time. Default 1,000. */
  readonly maxConnectionsPerAddress: number
  /** Of one address, those that have not authenticated. Default 100. */
  readonly maxPendingPerAddress: number
  /** Beyond them the newest is refused with TOO_MANY_CONNECTIONS (`allow`), or takes the place of the oldest, which gets REPLACED. */
  readonly connections: 'allow' | 'replace'
  /** Time from the opening of a connection to its authentication. Default 5,000 ms. */
  readonly helloTimeoutMs: number
  /** Between two pings (± 10 %). Default 25,000 ms. */
  readonly heartbeatIntervalMs: number
  /** Silence after which a connection is given up. Default 60,000 ms. */
  readonly heartbeatTimeoutMs: number
  /** A connection that follows nothing and asks for nothing for so long is closed. Default 30 min; Infinity: never. */
  readonly idleTimeoutMs: number
  /** Messages of any kind that one connection may send: refill of its bucket. Default 200 a second, and messagesPerSecond. */
  readonly framesPerSecond: number
  /** … and its size. Default 1,000, and messageBurst. */
  readonly frameBurst: number
  /** How much of each kind a user may ask for. Default DEFAULT_USAGE. */
  readonly usage: UsageQuotas
  /** A subscription further behind than this gets the newest page and a gap. Default 1,000; Infinity: never. */
  readonly maxReplayEntries: number
  /** How long a user stays online after the last connection went. Default 15,000 ms. */
  readonly presenceGraceMs: number
  /** Whether one may react with this short name, which is without its colons here. Default: with none. */
  readonly isReactionName: (name: string) => boolean
  /** Whether one may ask what a message said before it was edited. Default true. */
  readonly messageVersions: boolean
  /** Whether joining a public room that does not exist makes it. Default true. */
  readonly createRooms: boolean
  /** What the application has a say in: what is said, and whatever users do in rooms. Default: neither. */
  readonly reviews: { readonly messages: boolean; readonly actions: boolean }
  /** Whether the application hands notifications on to who is away. Default: not. */
  readonly pushes: boolean
  /** Messages of the application's own. Default: none. */
  readonly own: OwnMessages
  /** How long a hook may take; then the answer is UNAVAILABLE. Default 5,000 ms. */
  readonly hookTimeoutMs: number
  /** Above so many buffered bytes nothing more is pushed to a connection. Default 262,144. */
  readonly congestedBytes: number
  /** Below so many it is caught up; above, what is ephemeral is left out. Default 65,536. */
  readonly relievedBytes: number
  /** Above so many it is closed as a slow consumer. Default 1,048,576. */
  readonly overflowBytes: number
  /** Congested for longer than this, it is closed too. Default 30,000 ms. */
  readonly congestedTimeoutMs: number
  /** Connections that come in; at a drain the clients' return is spread so that no more come. Default 500 a second. */
  readonly admissionsPerSecond: number
  /**
   * Characters of what may wait for a commit, and as many of what waits for a hook; beyond them the answer is
   * UNAVAILABLE, but one operation may always wait. Default 67,108,864.
   */
  readonly maxQueuedChars: number
  /** … and at once. Default 1,000. */
  readonly admissionBurst: number
  /** The same of one address, requests for tickets included. Default 50 a second. */
  readonly addressAdmissionsPerSecond: number
  /** Default 100. */
  readonly addressAdmissionBurst: number
}

export const DEFAULT_NODE_OPTIONS: Omit<NodeOptions, 'epoch' | 'unixOffsetMs'> = {
  limits: DEFAULT_LIMITS,
  maxConnections: 10_000,
  maxConnectionsPerUser: 50,
  maxConnectionsPerAddress: 1_000,
  maxPendingPerAddress: 100,
  connections: 'allow',
  helloTimeoutMs: HELLO_TIMEOUT_MS,
  heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
  heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
  idleTimeoutMs: 1_800_000,
  framesPerSecond: 200,
  frameBurst: 1_000,
  usage: DEFAULT_USAGE,
  maxReplayEntries: MAX_REPLAY_ENTRIES,
  presenceGraceMs: PRESENCE_GRACE_MS,
  isReactionName: () => false,
  messageVersions: true,
  createRooms: true,
  reviews: { messages: false, actions: false },
  pushes: false,
  own: NO_MESSAGES,
  hookTimeoutMs: 5_000,
  congestedBytes: 262_144,
  relievedBytes: 65_536,
  overflowBytes: 1_048_576,
  congestedTimeoutMs: 30_000,
  admissionsPerSecond: 500,
  maxQueuedChars: 67_108_864,
  admissionBurst: 1_000,
  addressAdmissionsPerSecond: 50,
  addressAdmissionBurst: 100,
}
