/**
 * Being connected: from a token over a transport to `connected`, and what follows a loss. A link is one attempt; its
 * number goes out with every effect and comes back with every input, so that what an old transport or an old token
 * still has to say is ignored. The statuses and their moves are the table in status.ts.
 */

import {
  boundedWait,
  CODES,
  type Code,
  encodeCloseReason,
  type PayloadOf,
  readClose,
  type ServerMessage,
} from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import { backoffMs } from './backoff.ts'
import type { Context, Failure } from './context.ts'
import { canMove, type Move, nextStatus, type Status } from './status.ts'

/** What the other parts of the core must do when the connection comes and goes. */
export interface ConnectionHooks {
  /** The transport is gone. */
  detached(): void
  /** Authenticated; `serverTime` is the server's clock in Unix milliseconds, where it told. */
  up(payload: PayloadOf<'connected'>, serverTime: number | undefined): void
  /** Nothing will be sent any more until the application connects again. */
  over(code: Code): void
}

export interface Connection {
  status(): Status
  link(): number
  /** Whether this is the link of now, and its transport is (being) opened: else whatever comes from it is ignored. */
  isCurrent(link: number): boolean
  connect(): void
  leave(move: 'disconnect' | 'close'): void
  token(link: number, token: string): void
  tokenFailed(link: number, detail: string): void
  opened(): void
  connected(payload: PayloadOf<'connected'>, serverTime: number | undefined): void
  /** The server will close, and wants us to stay away for so long. */
  goingAway(forMs: number): void
  /** The transport closed. */
  lost(closeCode: number, text: string): void
  /** We found the connection dead or broken. */
  giveUp(code: Code, more?: string): void
  /** Try at once, where we are waiting and the server did not ask us to stay away. */
  hurry(): void
  tick(): void
  deadline(): number
}

/** A second refusal of a token in a row stops the client. */
const MAX_TOKEN_REFUSALS = 2
/** A connection that held for so long was a good one: the backoff starts from the beginning again. */
const STABLE_MS = 10_000
/** A token is renewed at this part of its life, give or take half the jitter. */
const RENEW_AT = 0.8
const RENEW_JITTER = 0.1
const RENEW_RETRY_MS = 5_000
/** … but not sooner than this, whatever life the server gives it. */
const RENEW_SOONEST_MS = 1_000

export function createConnection(context: Context, hooks: ConnectionHooks): Connection {
  const { options, random } = context
  let status: Status = 'idle'
  /** Why it has this status, and what was said of it. */
  let reason: Code | undefined
  let detail: string | undefined
  /** Who we are: what the application said, else the first user that the server took us for. */
  let userId = options.userId
  let link = 0
  /** Whether the link has a transport: opening, open, or to be hung up. */
  let dialled = false
  let token = ''
  let losses = 0
  let tokenRefusals = 0
  /** When we were last connected, while we are not. */
  let lostAt = NEVER
  let attemptedAt = Number.NEGATIVE_INFINITY
  let stayAwayUntil = Number.NEGATIVE_INFINITY
  /** The server's Unix time minus our monotonic one; undefined until it told us. */
  let serverClock: number | undefined

  let attemptEndsAt = NEVER
  let retryAt = NEVER
  let suspendAt = NEVER
  let stableAt = NEVER
  let renewAt = NEVER

  function move(event: Move, code?: Code, more?: string): void {
    status = nextStatus(status, event)
    reason = code
    detail = more
    tell()
  }

  function tell(): void {
    const retryInMs = retryAt === NEVER ? undefined : Math.max(0, retryAt - context.now)
    context.emit({ type: 'status', status, reason, detail, retryInMs })
  }

  function attempt(event: 'connect' | 'retry'): void {
    link++
    retryAt = NEVER
    attemptedAt = context.now
    attemptEndsAt = context.now + options.connectTimeoutMs
    move(event)
    askForToken()
  }

  function askForToken(): void {
    context.emit({ type: 'get_token', link, refused: tokenRefusals > 0 })
  }

  function detach(): void {
    dialled = false
    token = ''
    attemptEndsAt = stableAt = renewAt = NEVER
    hooks.detached()
  }

  function hangUp(code: Code): void {
    if (dialled) {
      const closeCode = CODES[code].closeCode ?? 1000
      context.emit({ type: 'hang_up', link, closeCode, reason: encodeCloseReason(code) })
    }
    detach()
  }

  function wait(code: Code, more?: string): void {
    if (lostAt === NEVER) lostAt = context.now
    const slowly = CODES[code].action === 'retry_slowly'
    const { backoff } = options
    let until = context.now + backoffMs(backoff, slowly ? NEVER : losses, random)
    // A time that the server gave is one's own already, as far from others' as it lets them in: no draw puts it off much.
    if (stayAwayUntil > context.now && !slowly)
      until = Math.min(until, stayAwayUntil + backoffMs(backoff, losses, () => 0))
    losses++
    // `offline` is a hint: it makes us slower, it does not make us stop.
    const offlineUntil = context.online ? 0 : context.now + backoff.capMs
    retryAt = Math.max(until, stayAwayUntil, offlineUntil)
    const tiredAt = lostAt + options.suspendedAfterMs
    const tired = context.now >= tiredAt
    suspendAt = tired ? NEVER : tiredAt
    move(tired && canMove(status, 'tired') ? 'tired' : 'lost', code, more)
  }

  function stop(code: Code): void {
    suspendAt = NEVER
    move('refused', code)
    hooks.over(code)
  }

  function scheduleRenewal(tokenExpiresAt: number | undefined, serverTime: number | undefined): void {
    if (serverTime !== undefined) serverClock = serverTime - context.now
    if (tokenExpiresAt === undefined || serverClock === undefined) return
    const part = RENEW_AT + RENEW_JITTER * (random() - 0.5)
    const lifeMs = tokenExpiresAt - serverClock - context.now
    renewAt = context.now + Math.max(lifeMs * part, RENEW_SOONEST_MS)
  }

  function giveUp(code: Code, more?: string): void {
    hangUp(code)
    wait(code, more)
  }

  function hurry(): void {
    if (status !== 'waiting' && status !== 'suspended') return
    // However often it is asked: an application that answers each loss by connect() must not make us spin.
    const soonest = Math.max(stayAwayUntil, attemptedAt + options.backoff.minMs)
    if (context.now >= soonest) attempt('retry')
    else if (soonest < retryAt) {
      retryAt = soonest
      tell()
    }
  }

  return {
    status: () => status,
    link: () => link,
    isCurrent: (other) => other === link && dialled,

    connect() {
      if (!canMove(status, 'connect')) return hurry()
      tokenRefusals = 0
      losses = 0
      lostAt = NEVER
      attempt('connect')
    },

    leave(event) {
      if (!canMove(status, event)) return
      hangUp('NORMAL')
      retryAt = suspendAt = lostAt = NEVER
      move(event)
      hooks.over(event === 'close' ? 'CLOSED' : 'DISCONNECTED')
    },

    token(of, value) {
      if (of !== link) return
      if (status === 'connecting' && !dialled) {
        token = value
        dialled = true
        context.emit({ type: 'dial', link })
      } else if (context.ready) {
        const answered = ({ payload, timestamp }: Extract<ServerMessage, { type: 'token_renewed' }>) => {
          tokenRefusals = 0
          scheduleRenewal(payload.tokenExpiresAt, timestamp)
        }
        // Whether it was the token that was refused, or just could not be looked at.
        const refused = ({ code }: Failure) => {
          if (CODES[code].action === 'reauthenticate') tokenRefusals = 1
          renewAt = context.now + RENEW_RETRY_MS
        }
        context.ask(
          { type: 'renew_token', payload: { token: value } },
          { answer: 'token_renewed', answered, refused },
        )
      }
    },

    tokenFailed(of, more) {
      if (of !== link) return
      const isConnecting = status === 'connecting' && !dialled
      if (!isConnecting && !context.ready) return
      context.emit({ type: 'problem', failure: { code: 'NO_TOKEN', detail: more } })
      if (isConnecting) giveUp('NO_TOKEN', more)
      else renewAt = context.now + RENEW_RETRY_MS
    },

    opened() {
      if (status !== 'connecting') return
      attemptEndsAt = context.now + options.authenticationTimeoutMs
      move('opened')
      const ref = context.takeRefs(1)
      context.send({
        type: 'authenticate',
        payload: { ref, sid: options.sid, token, userId, presence: context.greeting },
      })
      token = ''
    },

    connected(payload, serverTime) {
      if (status !== 'authenticating') return
      userId ??= payload.userId
      if (payload.userId !== userId) {
        hangUp('IDENTITY_MISMATCH')
        return stop('IDENTITY_MISMATCH')
      }
      attemptEndsAt = suspendAt = lostAt = NEVER
      tokenRefusals = 0
      // Whatever the host believes: a server has just answered.
      context.online = true
      stayAwayUntil = Number.NEGATIVE_INFINITY
      stableAt = context.now + STABLE_MS
      scheduleRenewal(payload.tokenExpiresAt, serverTime)
      context.limits = payload.limits
      context.ready = true
      context.emit({ type: 'identified', userId, limits: payload.limits })
      move('accepted')
      hooks.up(payload, serverTime)
    },

    goingAway(forMs) {
      stayAwayUntil = Math.max(stayAwayUntil, context.now + boundedWait(forMs))
    },

    lost(closeCode, text) {
      const { code, action, retryAfterMs } = readClose(closeCode, text)
      if (retryAfterMs !== undefined) stayAwayUntil = Math.max(stayAwayUntil, context.now + retryAfterMs)
      detach()
      if (action === 'stop') return stop(code)
      if (action === 'reauthenticate' && ++tokenRefusals >= MAX_TOKEN_REFUSALS) return stop(code)
      wait(code)
    },

    giveUp,
    hurry,

    tick() {
      const { now } = context
      if (now >= stableAt) {
        stableAt = NEVER
        losses = 0
      }
      if (now >= suspendAt) {
        suspendAt = NEVER
        if (status === 'waiting') move('tired', reason, detail)
      }
      if (now >= attemptEndsAt) giveUp('TIMEOUT')
      else if (now >= retryAt) attempt('retry')
      if (now >= renewAt) {
        renewAt = NEVER
        askForToken()
      }
    },

    deadline: () => Math.min(attemptEndsAt, retryAt, suspendAt, stableAt, renewAt),
  }
}
