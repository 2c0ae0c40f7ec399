/**
 * Who may come in, decided when a socket opens and before anything is done for it: connections of an address at the same
 * time, those of them that have not authenticated, and how many come in a second, of one address and in all.
 *
 * Who comes too fast is given a time to come back, each a later one, as far apart as the rate allows: so a herd returns
 * at the pace at which it is let in, and does not knock in between. Beyond MAX_WAIT_MS the time is a random one before
 * that. The shell says what counts as one address (addresses.ts); whoever has none is bound by the rate of all alone.
 */
import type { Code } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { type Bucket, fullBucket, isFull, msUntilTokens, type Rate } from './limiter.ts'

/** Nobody is sent away for longer than this. */
const MAX_WAIT_MS = 60_000
/** Who finds everything taken is asked to stay away for this, and as much again at random. */
const FULL_WAIT_MS = 2_000
/** Places of connections that do not authenticate are free again soon. */
const PENDING_WAIT_MS = 1_000
/** Addresses that may be known beside those of the connections; further ones share one account. */
const SPARE_ACCOUNTS = 65_536
const SWEEP_INTERVAL_MS = 1_000

interface Gate {
  readonly bucket: Bucket
  /** When the next who is sent away may come back, in monotonic milliseconds. */
  nextSlotAt: number
}

/** What is known of an address. Forgotten when it is as good as new. */
export interface Account extends Gate {
  connections: number
  /** Of them, those that have not authenticated. */
  pending: number
}

export interface Refusal {
  readonly code: Code
  readonly retryAfterMs: number
}

export interface Admission {
  /** Counts the connection; or says why it cannot come in, and counts nothing. */
  enter(connection: Connection, address: string | undefined): Refusal | undefined
  authenticated(connection: Connection): void
  leave(connection: Connection): void
  /** A request that costs as much as an upgrade. 0: it was counted and may be; else the milliseconds to wait. */
  knock(address: string | undefined, now: number): number
}

export function createAdmission(context: Context): Admission {
  const { options, random, connections } = context
  const rate: Rate = { perSecond: options.admissionsPerSecond, burst: options.admissionBurst }
  const addressRate: Rate = {
    perSecond: options.addressAdmissionsPerSecond,
    burst: options.addressAdmissionBurst,
  }
  const maxAccounts = options.maxConnections + SPARE_ACCOUNTS
  const accounts = new Map<string, Account>()
  const all: Gate = { bucket: fullBucket(rate, 0), nextSlotAt: 0 }
  /** Of those that found no account of their own. */
  const rest = newAccount(0)
  let sweepSize = 1_024
  let sweepAt = 0

  function accountOf(address: string, now: number): Account {
    const known = accounts.get(address)
    if (known) return known
    if (accounts.size >= Math.min(sweepSize, maxAccounts) && now >= sweepAt) sweep(now)
    if (accounts.size >= maxAccounts) return rest
    const account = newAccount(now)
    accounts.set(address, account)
    return account
  }

  function newAccount(now: number): Account {
    return { bucket: fullBucket(addressRate, now), nextSlotAt: 0, connections: 0, pending: 0 }
  }

  function sweep(now: number): void {
    for (const [address, { connections: own, bucket, nextSlotAt }] of accounts)
      if (own === 0 && nextSlotAt <= now && isFull(bucket, addressRate, now)) accounts.delete(address)
    sweepSize = 1_024 + 2 * accounts.size
    sweepAt = now + SWEEP_INTERVAL_MS
  }

  /** The wait of who is sent away now: at least `minMs`, and until their turn. */
  function giveSlot(gate: Gate, { perSecond }: Rate, minMs: number, now: number): number {
    const at = Math.max(gate.nextSlotAt, now + minMs)
    if (at > now + MAX_WAIT_MS) return (MAX_WAIT_MS * (1 + random())) / 2
    gate.nextSlotAt = at + 1_000 / perSecond
    return at - now
  }

  function fullWaitMs(): number {
    return FULL_WAIT_MS * (1 + random())
  }

  function refusalBy(account: Account, now: number): Refusal | undefined {
    if (account.connections >= options.maxConnectionsPerAddress)
      return {
        code: 'TOO_MANY_CONNECTIONS',
        retryAfterMs: giveSlot(account, addressRate, fullWaitMs(), now),
      }
    const isCrowded = account.pending >= options.maxPendingPerAddress
    const waitMs = Math.max(
      isCrowded ? PENDING_WAIT_MS : 0,
      msUntilTokens(account.bucket, addressRate, 1, now),
    )
    if (waitMs === 0) return undefined
    return { code: 'TRY_AGAIN_LATER', retryAfterMs: giveSlot(account, addressRate, waitMs, now) }
  }

  function refusalByAll(now: number): Refusal | undefined {
    const isFullHouse = connections.size >= options.maxConnections
    const waitMs = Math.max(isFullHouse ? fullWaitMs() : 0, msUntilTokens(all.bucket, rate, 1, now))
    if (waitMs === 0) return undefined
    return { code: 'TRY_AGAIN_LATER', retryAfterMs: giveSlot(all, rate, waitMs, now) }
  }

  /** An address that is only sent away for the sake of all costs no memory. */
  function peek(address: string): Account {
    return accounts.get(address) ?? (accounts.size >= maxAccounts ? rest : newAccount(context.now))
  }

  return {
    enter(connection, address) {
      const { now } = context
      const refusal = (address === undefined ? undefined : refusalBy(peek(address), now)) ?? refusalByAll(now)
      if (refusal) return refusal
      all.bucket.tokens--
      if (address === undefined) return undefined
      const account = accountOf(address, now)
      account.bucket.tokens--
      account.connections++
      account.pending++
      connection.account = account
      connection.isPending = true
      return undefined
    },

    authenticated(connection) {
      if (connection.account && connection.isPending) connection.account.pending--
      connection.isPending = false
    },

    leave(connection) {
      if (!connection.account) return
      if (connection.isPending) connection.account.pending--
      connection.account.connections--
      connection.account = undefined
    },

    knock(address, now) {
      if (address === undefined) return 0
      const account = accountOf(address, now)
      const waitMs = msUntilTokens(account.bucket, addressRate, 1, now)
      if (waitMs > 0) return Math.ceil(giveSlot(account, addressRate, waitMs, now))
      account.bucket.tokens--
      return 0
    },
  }
}
