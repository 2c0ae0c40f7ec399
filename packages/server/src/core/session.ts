/**
 * Who a connection belongs to: hello → verifying → ready, and the end of all that. Before `ready` only `authenticate`
 * and `ping` are heard; a token that runs out or is revoked ends the connection; a second connection of the same lane id (user, sid)
 * replaces the first, which is told so and does not come back.
 */
import { CODES, type PayloadOf, SYSTEM_USER_ID } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { type Context, refuse, send, unixMs } from './context.ts'
import type { Verification } from './contract.ts'
import { startHeartbeat } from './heartbeat.ts'

/** The wait asked of a client whose authentication could not be decided. */
const UNDECIDED_RETRY_MS = 2_000

export interface Sessions {
  authenticate(connection: Connection, payload: PayloadOf<'authenticate'>): void
  renewToken(connection: Connection, payload: PayloadOf<'renew_token'>): void
  verified(connection: Connection, verification: Verification): void
  /** Ends the connections of the token, and lets no other come with it. */
  revoke(tokenId: string, untilUnixMs: number): void
  /** Ends the connections of the user, who may come again. */
  disconnect(userId: string): void
  forget(connection: Connection): void
  /** Whether the user has a connection. */
  isThere(userId: string): boolean
  /** When the user's last connection ended, where that is not longer ago than the grace of presence. */
  leftAt(userId: string): number | undefined
  /** How many are authenticated. */
  size(): number
  ofUser(userId: string): Iterable<Connection>
  /** One at most. */
  ofSession(session: string): Iterable<Connection>
}

export function createSessions(context: Context, connectionPrefix: string): Sessions {
  const { options } = context
  const ready = new Map<string, Connection>()
  /** Those of each user, the oldest first: one, mostly, and a short list costs a third of a set. */
  const byUser = new Map<string, readonly Connection[]>()
  /** Those who left of late, the earliest first. */
  const left = new Map<string, number>()
  /** Until when, in Unix milliseconds, by token id. */
  const revoked = new Map<string, number>()

  function verify(connection: Connection, ref: number, token: string): void {
    connection.verifyingRef = ref
    context.effects.push({ do: 'verify', connection: connection.id, token })
  }

  /** False: the user has as many connections as they may, and keeps them. */
  function makePlace(userId: string): boolean {
    const own = byUser.get(userId)
    const [oldest] = own ?? []
    if (!own || !oldest || own.length < options.maxConnectionsPerUser) return true
    if (options.connections === 'allow') return false
    context.hangUp(oldest, 'REPLACED')
    return true
  }

  function welcome(connection: Connection, userId: string, expiresAt: number | undefined): void {
    connection.userId = userId
    const key = sessionOf(connection)
    const older = ready.get(key)
    // A network may deliver late what a client sent before it gave that connection up: the later attempt counts, not the
    // later arrival.
    if (older && older.helloRef > connection.helloRef) {
      context.hangUp(connection, 'REPLACED')
      return
    }
    if (older) context.hangUp(older, 'REPLACED')
    if (!makePlace(userId)) {
      context.hangUp(connection, 'TOO_MANY_CONNECTIONS')
      return
    }
    connection.phase = 'ready'
    connection.helloDeadline = Number.POSITIVE_INFINITY
    ready.set(key, connection)
    byUser.set(userId, [...(byUser.get(userId) ?? []), connection])
    connection.usedAt = context.now
    startHeartbeat(context, connection)
    const connectionId = `${connectionPrefix}-${connection.id}`
    context.effects.push({ do: 'identified', connection: connection.id, connectionId, userId, session: key })
    const payload: PayloadOf<'connected'> = {
      ref: connection.verifyingRef,
      connectionId,
      userId,
      epoch: options.epoch,
      limits: options.limits,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
    }
    if (expiresAt !== undefined) payload.tokenExpiresAt = expiresAt
    send(context, connection, { type: 'connected', payload, timestamp: unixMs(context) })
  }

  function noteLeft(userId: string): void {
    byUser.delete(userId)
    for (const [user, at] of left) {
      if (at + options.presenceGraceMs > context.now) break
      left.delete(user)
    }
    left.delete(userId)
    left.set(userId, context.now)
  }

  function renewed(connection: Connection, expiresAt: number | undefined): void {
    const payload: PayloadOf<'token_renewed'> = { ref: connection.verifyingRef }
    if (expiresAt !== undefined) payload.tokenExpiresAt = expiresAt
    send(context, connection, { type: 'token_renewed', payload })
  }

  return {
    authenticate(connection, { ref, sid, token, userId, presence }) {
      if (connection.phase !== 'hello') {
        refuse(context, connection, ref, 'INVALID_MESSAGE', {
          message: 'this connection is authenticated already',
        })
        return
      }
      const offered = token ?? connection.headerToken
      connection.headerToken = undefined
      if (offered === undefined) {
        context.hangUp(connection, 'NO_TOKEN')
        return
      }
      connection.phase = 'verifying'
      connection.helloRef = ref
      connection.sid = sid
      connection.claimedUserId = userId
      connection.greeting = presence
      verify(connection, ref, offered)
    },

    renewToken(connection, { ref, token }) {
      if (connection.verifyingRef !== 0) {
        refuse(context, connection, ref, 'UNAVAILABLE', { message: 'another token is being verified' })
        return
      }
      verify(connection, ref, token)
    },

    verified(connection, verification) {
      const { phase, claimedUserId } = connection
      if (!verification.ok) {
        const { code } = verification
        // Whoever verifies may name any code; one that closes nothing says that it could not be decided.
        if (CODES[code].closeCode === null) context.hangUp(connection, 'TRY_AGAIN_LATER', UNDECIDED_RETRY_MS)
        else context.hangUp(connection, code)
        return
      }
      const { userId, expiresAt, tokenId } = verification
      const isRevoked = tokenId !== undefined && revoked.has(tokenId)
      // The system is the application itself, and never at the other end of a socket.
      if (isRevoked || userId === SYSTEM_USER_ID) {
        context.hangUp(connection, 'INVALID_TOKEN')
        return
      }
      const expected = phase === 'ready' ? connection.userId : (claimedUserId ?? userId)
      if (expected !== userId) {
        context.hangUp(connection, 'IDENTITY_MISMATCH')
        return
      }
      connection.tokenId = tokenId
      connection.tokenDeadline =
        expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - context.unixOffsetMs
      if (connection.tokenDeadline <= context.now) {
        context.hangUp(connection, 'TOKEN_EXPIRED')
        return
      }
      if (phase === 'ready') renewed(connection, expiresAt)
      else welcome(connection, userId, expiresAt)
      connection.verifyingRef = 0
    },

    revoke(tokenId, untilUnixMs) {
      for (const [id, until] of revoked) if (until <= unixMs(context)) revoked.delete(id)
      revoked.set(tokenId, untilUnixMs)
      for (const connection of context.connections.values())
        if (connection.tokenId === tokenId) context.hangUp(connection, 'INVALID_TOKEN')
    },

    disconnect(userId) {
      for (const connection of byUser.get(userId) ?? []) context.hangUp(connection, 'NORMAL')
    },

    forget(connection) {
      if (connection.phase !== 'ready') return
      ready.delete(sessionOf(connection))
      const others = byUser.get(connection.userId)?.filter((other) => other !== connection) ?? []
      if (others.length === 0) noteLeft(connection.userId)
      else byUser.set(connection.userId, others)
    },

    isThere: (userId) => byUser.has(userId),
    leftAt: (userId) => left.get(userId),

    size: () => ready.size,
    ofUser: (userId) => byUser.get(userId) ?? [],
    ofSession(session) {
      const connection = ready.get(session)
      return connection ? [connection] : []
    },
  }
}

/**
 * The session that speaks by this connection: one load of a page or one process, of one user; it outlives the connection.
 * A name for nobody else: no user id holds a slash, and nobody can take another's user id.
 */
export function sessionOf({ userId, sid }: Connection): string {
  return `${userId}/${sid}`
}
