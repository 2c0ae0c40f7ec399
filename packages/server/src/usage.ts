/** The option `usage`: how much of each kind a user may ask for. What binds whom by it is in core/usage.ts. */
import { checkNames, fault, whole } from './checks.ts'
import { DEFAULT_USAGE, MESSENGER_USAGE, type Quota, USAGE_KINDS, type UsageQuotas } from './core/usage.ts'

/**
 * `count` at once, and as many again, evenly spread, in each further `perMs`; false: no limit of this kind. A kind that
 * is left out has the default.
 */
export interface Usage {
  /** Messages sent, edited and forwarded. Default: no limit; messenger: 30 a minute. */
  readonly sends?: Quota | false | undefined
  /** Reactions added and taken back. Default: no limit; messenger: 50 a minute. */
  readonly reactions?: Quota | false | undefined
  /** Read positions, deliveries, and notifications read, cleared and set. Default: no limit; messenger: 100 a minute. */
  readonly receipts?: Quota | false | undefined
  /** Beginnings of typing. Default: no limit; messenger: 10 in 10 s. */
  readonly typing?: Quota | false | undefined
  /** Changes of one's own presence. Default: no limit; messenger: 20 a minute. */
  readonly presence?: Quota | false | undefined
  /** Rooms made and changed, and direct rooms opened by what is said there first. Default 60 a minute. */
  readonly rooms?: Quota | false | undefined
  /** Invitations, changes of roles, bans and mutes. Default 60 a minute. */
  readonly invites?: Quota | false | undefined
  /** Joins, which may make rooms (see createRooms). Default 600 a minute. */
  readonly joins?: Quota | false | undefined
  /** Threads that one begins to follow. Default 60 a minute. */
  readonly threads?: Quota | false | undefined
  /** Users whose presence, or whose name, one asks for: each counts. Default 6,000 a minute. */
  readonly lookups?: Quota | false | undefined
  /** Signals of the application's own. Default 200 in 10 s. */
  readonly signals?: Quota | false | undefined
  /** Requests of the application's own. Default 200 in 10 s; messenger: 100 a minute. */
  readonly requests?: Quota | false | undefined
}

const DAY_MS = 86_400_000

export function readUsage(given: 'none' | 'messenger' | Usage = 'none'): UsageQuotas {
  if (given === 'none') return DEFAULT_USAGE
  if (given === 'messenger') return MESSENGER_USAGE
  if (typeof given !== 'object' || given === null)
    throw fault('usage', given, '"none", "messenger" or an object of quotas')
  checkNames('usage.', given, USAGE_KINDS)
  const quotas: { -readonly [K in keyof UsageQuotas]: Quota | undefined } = { ...DEFAULT_USAGE }
  for (const kind of USAGE_KINDS) {
    const quota = given[kind]
    if (quota === false) delete quotas[kind]
    else if (quota !== undefined) quotas[kind] = readQuota(`usage.${kind}`, quota)
  }
  return quotas
}

function readQuota(name: string, given: Quota): Quota {
  if (typeof given !== 'object' || given === null) throw fault(name, given, 'false or { count, perMs }')
  checkNames(`${name}.`, given, ['count', 'perMs'])
  return {
    // Neither has a default: what is left out is no number.
    count: whole(`${name}.count`, given.count ?? Number.NaN, 1, 1_000_000_000, 0),
    perMs: whole(`${name}.perMs`, given.perMs ?? Number.NaN, 1, DAY_MS, 0),
  }
}
