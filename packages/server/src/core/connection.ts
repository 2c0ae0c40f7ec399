/**
 * One connection as the node knows it: plain mutable data, made when its socket opens and dropped when it closes. What
 * each part of the node keeps about a connection stands here, so that nothing has to look it up elsewhere. The rules
 * are in the files named beside the fields.
 */
import type { PayloadOf } from '@tautline/protocol/wire'
import type { Account } from './admission.ts'
import { type Bucket, fullBucket } from './limiter.ts'
import type { NodeOptions } from './options.ts'
import type { Said } from './people.ts'
import type { Read } from './reads.ts'
import type { Subscription } from './rooms.ts'
import type { Scheduled } from './schedule.ts'

/**
 * - `hello`: open, waiting for `authenticate`
 * - `verifying`: its token is being looked at
 * - `ready`: authenticated
 * - `closed`: forgotten; whoever still holds it must let it be
 */
export type Phase = 'hello' | 'verifying' | 'ready' | 'closed'

/** The id of the connection that the application itself is taken for; see application.ts. Sockets begin with 1. */
export const APPLICATION = 0

export interface Connection extends Scheduled {
  readonly kind: 'connection'
  readonly id: number

  // admission.ts
  /** Of its address; undefined: it is not counted. */
  account: Account | undefined
  /** Counted there as one that has not authenticated. */
  isPending: boolean

  // session.ts
  phase: Phase
  /** Of the upgrade request. */
  headerToken: string | undefined
  /** Empty until `ready`. */
  userId: string
  sid: string
  /** The ref of the `authenticate` or `renew_token` that is being verified; 0: none. */
  verifyingRef: number
  /** The ref of the `authenticate`: of two attempts of one client the later has the higher. */
  helloRef: number
  /** Who the client believes to be. */
  claimedUserId: string | undefined
  /** How its user is, as the `authenticate` said; see people.ts. */
  greeting: PayloadOf<'update_presence'> | undefined
  // people.ts
  /** What it says of how its user is; undefined before `ready`. */
  said: Said | undefined

  // session.ts, node.ts
  /** Monotonic milliseconds; Infinity once authenticated. */
  helloDeadline: number
  /** Monotonic milliseconds. */
  tokenDeadline: number
  /** The id of the token that is in force, where it has one. */
  tokenId: string | undefined

  // heartbeat.ts
  heardAt: number
  nextPingAt: number
  nextPingRef: number

  // idle.ts
  /** When its client last asked for something, or ceased to follow something. */
  usedAt: number

  // inbox.ts
  readonly frames: Bucket
  /** Undefined until the first. */
  refusals: Bucket | undefined

  // rooms.ts, reads.ts
  readonly subscriptions: Map<string, Subscription>
  readonly reads: Read[]
  /** Those in flight: one of a queue. */
  readonly reading: Read[]
  /** Joins and leaves that are not committed yet: reads wait for them, so that they see them. */
  pendingMemberships: number

  // pressure.ts
  bufferedBytes: number
  /** When pushing to it stopped; Infinity: it did not. */
  congestedSince: number

  // commit.ts
  /** The acks of the commit at hand. */
  acks: PayloadOf<'ack'>['acks'] | undefined
}

/** A refusal costs one; who is refused this often for this long is closed with ABUSE. */
export const REFUSALS = { perSecond: 5, burst: 300 } as const

export function createConnection(
  id: number,
  headerToken: string | undefined,
  options: NodeOptions,
  now: number,
): Connection {
  return {
    kind: 'connection',
    id,
    dueAt: Number.POSITIVE_INFINITY,
    place: -1,
    account: undefined,
    isPending: false,
    phase: 'hello',
    headerToken,
    userId: '',
    sid: '',
    verifyingRef: 0,
    helloRef: 0,
    claimedUserId: undefined,
    greeting: undefined,
    said: undefined,
    helloDeadline: now + options.helloTimeoutMs,
    tokenDeadline: Number.POSITIVE_INFINITY,
    tokenId: undefined,
    heardAt: now,
    nextPingAt: Number.POSITIVE_INFINITY,
    nextPingRef: 1,
    usedAt: now,
    frames: fullBucket({ perSecond: options.framesPerSecond, burst: options.frameBurst }, now),
    refusals: undefined,
    subscriptions: new Map(),
    reads: [],
    reading: [],
    pendingMemberships: 0,
    bufferedBytes: 0,
    congestedSince: Number.POSITIVE_INFINITY,
    acks: undefined,
  }
}
