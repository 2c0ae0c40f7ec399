/**
 * The options of a server, checked when it starts: what is wrong is said with the name of the option, what was given
 * and what is allowed. 0 is 0 and never "the default". A secret is never repeated.
 */
import { DEFAULT_LIMITS, type Limits, MAX_FRAME_BYTES } from '@tautline/protocol/wire'
import { isLoopback, type SourceOptions } from './addresses.ts'
import {
  ALGORITHMS,
  type AuthOptions,
  KEY_ALGORITHMS,
  type KeySetOptions,
  objectionToKeySet,
  objectionToSecret,
  type TokenWays,
} from './auth.ts'
import { checkNames, fault, flag, OptionError, text, whole } from './checks.ts'
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from './core/options.ts'
import type { StoreFactory } from './core/store.ts'
import { type Extension, ownMessagesOf, readExtensions } from './extensions.ts'
import type { Hooks } from './hooks.ts'
import type { RequestHandler } from './http.ts'
import type { Logger } from './log.ts'
import { DEFAULT_TICKET_LIFETIME_MS } from './tickets.ts'
import { readUsage, type Usage } from './usage.ts'

export interface ServerOptions {
  /** Where to listen; 0 takes any free port. Left out: the server listens nowhere by itself (see `attach`). */
  readonly port?: number | undefined
  /** The address to listen on. Default 127.0.0.1: this machine alone. */
  readonly host?: string | undefined
  /** The path of the WebSocket. Default /ws. */
  readonly path?: string | undefined
  readonly auth: AuthOptions
  /** `sqlite(file)`, `memory()` or one of your own. The server opens it and closes it. */
  readonly store: StoreFactory
  /**
   * The origins whose pages may connect, exactly: `https://chat.example`. Requests without an origin do not come from
   * pages and are always allowed. Default: pages of this machine (localhost) where `host` is a loopback address, else none.
   */
  readonly origins?: readonly string[] | undefined
  /** What binds the clients and is told to them; see Limits. */
  readonly limits?: Partial<Limits> | undefined
  readonly heartbeat?:
    | {
        /** Between two pings. Default 25,000 ms. */
        readonly intervalMs?: number | undefined
        /** Silence after which a connection is given up. Default 60,000 ms. */
        readonly timeoutMs?: number | undefined
      }
    | undefined
  /** Time from the opening of a connection to its authentication. Default 5,000 ms. */
  readonly helloTimeoutMs?: number | undefined
  /**
   * A connection that follows no room, not even its user's own log, and asks for nothing but keepalive for so long is
   * closed (4411 IDLE). Who only reads follows something, and stays. Default 1,800,000 ms (30 min); Infinity: never.
   */
  readonly idleTimeoutMs?: number | undefined
  /** Connections at the same time. Default 10,000. */
  readonly maxConnections?: number | undefined
  /** Connections of one user at the same time. Default 50; 1 where `connections` is `replace`. */
  readonly maxConnectionsPerUser?: number | undefined
  /**
   * Connections from one address at the same time; beyond them a new one is refused (4409 TOO_MANY_CONNECTIONS). One
   * address is an IPv4 address or an IPv6 /64. This machine is not bound by the limits of an address, unless one of them
   * is set. Default 1,000.
   */
  readonly maxConnectionsPerAddress?: number | undefined
  /** Of one address, those that have not authenticated yet; beyond them 1013 TRY_AGAIN_LATER. Default 100. */
  readonly maxPendingPerAddress?: number | undefined
  /**
   * How many connections come in. Who comes too fast is closed with 1013 and a time to come back, each a later one, up
   * to a minute, before anything is done for it. Requests for tickets count for their address, and get 429.
   */
  readonly upgrades?:
    | {
        /** Default 500. */
        readonly perSecond?: number | undefined
        /** At once. Default 1,000. */
        readonly burst?: number | undefined
        /** From one address. Default 50. */
        readonly perSecondPerAddress?: number | undefined
        /** At once, from one address. Default 100. */
        readonly burstPerAddress?: number | undefined
      }
    | undefined
  /**
   * How many proxies of one's own stand between the clients and the server, each of which adds the address that it sees
   * to X-Forwarded-For: the address of the client is then taken from there. Default false: the header is not believed.
   */
  readonly trustProxy?: number | false | undefined
  /**
   * What becomes of a user's connection beyond those: `allow` refuses it (4409 TOO_MANY_CONNECTIONS), `replace` ends the
   * user's oldest in its favour (4410 REPLACED, after which that client stops). Default allow.
   */
  readonly connections?: 'allow' | 'replace' | undefined
  /** How long a user stays online after the last connection went. Default 15,000 ms. */
  readonly presenceGraceMs?: number | undefined
  /**
   * What a user may do of each kind, over all of their connections, beside limits.messagesPerSecond: `messenger` is a
   * profile for people who write by hand; see Usage for its figures, and to set one's own. What is too much is refused
   * with RATE_LIMIT and a time (typing is left out in silence). Default none: only what
   * makes lasting rows, costs much or goes to the application's own code is bound (rooms, invites, joins, threads, lookups, signals, requests).
   */
  readonly usage?: 'none' | 'messenger' | Usage | undefined
  /** A subscription further behind than this many entries gets the newest page and a gap. Default 1,000; Infinity: never. */
  readonly maxReplayEntries?: number | undefined
  /** Whether joining a public room that does not exist makes it. Default true. */
  readonly createRooms?: boolean | undefined
  /**
   * Whether who may read a message may also ask what it said before it was edited (`versions`, of `@tautline/client/history`). Default true; false:
   * they get UNKNOWN_TYPE.
   */
  readonly messageVersions?: boolean | undefined
  /**
   * The short names with which one may react beside emojis: `['party_parrot']` for `:party_parrot:`. Each is 1 to 32
   * characters of a-z 0-9 _ + and -. Or a function that says of each whether it is one, quickly: one that throws says no.
   * A reaction can always be taken back. Default: none.
   */
  readonly reactionNames?: readonly string[] | ((name: string) => boolean) | undefined
  /** Messages of the application's own: `[handle(protocol, handlers)]`. Default: none. */
  readonly extensions?: readonly Extension[] | undefined
  /** What the application has a say in, and what it is told; see Hooks. Default: nothing. */
  readonly hooks?: Hooks | undefined
  /**
   * How long `authorize` and `onMessage`, or the handler of an extension, may take, both together. Then whoever asked gets UNAVAILABLE and tries again; what
   * the hook answers later counts for nothing. Default 5,000 ms.
   */
  readonly hookTimeoutMs?: number | undefined
  /** How long what `hooks.describeUsers` said of a user is believed. Default 60,000 ms; 0: it is asked each time. */
  readonly userCacheMs?: number | undefined
  /** Time that `close()` gives to what is being committed. Default 10,000 ms. */
  readonly drainTimeoutMs?: number | undefined
  /** Anything with the four functions of Logger; false: silence. Default: pino, JSON lines on the standard output. */
  readonly logger?: Logger | false | undefined
  /** Answers the HTTP requests that are not the server's own. Default: 404. */
  readonly onRequest?: RequestHandler | undefined
}

export interface ServerConfig {
  readonly port: number | undefined
  readonly host: string
  readonly path: string
  readonly auth: AuthOptions
  readonly store: StoreFactory
  readonly isOriginAllowed: (origin: string) => boolean
  readonly sources: SourceOptions
  readonly node: Omit<NodeOptions, 'epoch' | 'unixOffsetMs'>
  readonly hooks: Hooks | undefined
  readonly extensions: readonly Extension[]
  readonly userCacheMs: number
  readonly drainTimeoutMs: number
  readonly logger: Logger | false | undefined
  readonly onRequest: RequestHandler | undefined
}

export const OPTION_NAMES = [
  'port',
  'host',
  'path',
  'auth',
  'store',
  'origins',
  'limits',
  'heartbeat',
  'helloTimeoutMs',
  'idleTimeoutMs',
  'maxConnections',
  'maxConnectionsPerUser',
  'maxConnectionsPerAddress',
  'maxPendingPerAddress',
  'upgrades',
  'trustProxy',
  'connections',
  'presenceGraceMs',
  'usage',
  'maxReplayEntries',
  'createRooms',
  'messageVersions',
  'reactionNames',
  'extensions',
  'hooks',
  'hookTimeoutMs',
  'userCacheMs',
  'drainTimeoutMs',
  'logger',
  'onRequest',
] as const satisfies readonly (keyof ServerOptions)[]

const TOKEN_WAYS = ['ticketLifetimeMs', 'allowQuery'] as const satisfies readonly (keyof TokenWays)[]

const HOUR_MS = 3_600_000

export function readConfig(options: ServerOptions): ServerConfig {
  checkNames('', options, OPTION_NAMES)
  const host = text('host', options.host, '127.0.0.1')
  return {
    port: options.port === undefined ? undefined : whole('port', options.port, 0, 65_535, 0),
    host,
    path: readPath(options.path),
    auth: readAuth(options.auth),
    store: readStore(options.store),
    isOriginAllowed: readOrigins(options, host),
    sources: readSources(options),
    hooks: readHooks(options.hooks),
    extensions: readExtensions(options.extensions),
    node: readNodeOptions(options),
    userCacheMs: whole('userCacheMs', options.userCacheMs, 0, 24 * HOUR_MS, 60_000),
    drainTimeoutMs: whole('drainTimeoutMs', options.drainTimeoutMs, 0, HOUR_MS, 10_000),
    logger: options.logger,
    onRequest: options.onRequest,
  }
}

function readNodeOptions(options: ServerOptions): ServerConfig['node'] {
  const defaults = DEFAULT_NODE_OPTIONS
  const { heartbeat = {} } = options
  checkNames('heartbeat.', heartbeat, ['intervalMs', 'timeoutMs'])
  const heartbeatIntervalMs = whole(
    'heartbeat.intervalMs',
    heartbeat.intervalMs,
    10,
    HOUR_MS,
    defaults.heartbeatIntervalMs,
  )
  const heartbeatTimeoutMs = whole(
    'heartbeat.timeoutMs',
    heartbeat.timeoutMs,
    // Ten per cent of jitter: a ping must have been sent before its answer can be missed.
    Math.ceil(heartbeatIntervalMs * 1.1) + 1,
    24 * HOUR_MS,
    Math.max(defaults.heartbeatTimeoutMs, Math.ceil(heartbeatIntervalMs * 2.4)),
  )
  const { connections = defaults.connections } = options
  if (connections !== 'allow' && connections !== 'replace')
    throw fault('connections', connections, '"allow" or "replace"')
  const limits = readLimits(options.limits)
  return {
    ...defaults,
    limits,
    // Each command may travel in a frame of its own, beside all the rest.
    framesPerSecond: defaults.framesPerSecond + limits.messagesPerSecond,
    frameBurst: defaults.frameBurst + limits.messageBurst,
    heartbeatIntervalMs,
    heartbeatTimeoutMs,
    helloTimeoutMs: whole('helloTimeoutMs', options.helloTimeoutMs, 10, HOUR_MS, defaults.helloTimeoutMs),
    maxConnections: whole('maxConnections', options.maxConnections, 0, 10_000_000, defaults.maxConnections),
    maxConnectionsPerUser: whole(
      'maxConnectionsPerUser',
      options.maxConnectionsPerUser,
      1,
      1_000_000,
      connections === 'replace' ? 1 : defaults.maxConnectionsPerUser,
    ),
    ...readAdmission(options),
    connections,
    presenceGraceMs: whole('presenceGraceMs', options.presenceGraceMs, 0, HOUR_MS, defaults.presenceGraceMs),
    idleTimeoutMs: wholeOrNever('idleTimeoutMs', options.idleTimeoutMs, 1_000, defaults.idleTimeoutMs),
    usage: readUsage(options.usage),
    maxReplayEntries: wholeOrNever(
      'maxReplayEntries',
      options.maxReplayEntries,
      0,
      defaults.maxReplayEntries,
    ),
    reviews: {
      messages: options.hooks?.onMessage !== undefined,
      actions: options.hooks?.authorize !== undefined,
    },
    pushes: options.hooks?.onNotification !== undefined,
    own: ownMessagesOf(options.extensions ?? []),
    hookTimeoutMs: whole('hookTimeoutMs', options.hookTimeoutMs, 10, HOUR_MS, defaults.hookTimeoutMs),
    createRooms: flag('createRooms', options.createRooms, defaults.createRooms),
    messageVersions: flag('messageVersions', options.messageVersions, defaults.messageVersions),
    isReactionName: readReactionNames(options.reactionNames),
  }
}

const REACTION_NAME = /^[a-z0-9_+-]{1,32}$/

function readReactionNames(given: ServerOptions['reactionNames'] = []): (name: string) => boolean {
  if (typeof given === 'function')
    return (name) => {
      try {
        const answer: unknown = given(name)
        return answer === true
      } catch {
        return false // as the option says
      }
    }
  const isList = Array.isArray(given) && given.every((name) => REACTION_NAME.test(String(name)))
  if (!isList)
    throw fault(
      'reactionNames',
      given,
      'a function, or a list of names of 1 to 32 characters of a-z 0-9 _ + -',
    )
  const names: ReadonlySet<string> = new Set(given)
  return (name) => names.has(name)
}

const UPGRADE_NAMES = ['perSecond', 'burst', 'perSecondPerAddress', 'burstPerAddress'] as const

function readAdmission(options: ServerOptions) {
  const defaults = DEFAULT_NODE_OPTIONS
  const { upgrades = {} } = options
  checkNames('upgrades.', upgrades, UPGRADE_NAMES)
  const upgrade = (name: (typeof UPGRADE_NAMES)[number], fallback: number) =>
    whole(`upgrades.${name}`, upgrades[name], 1, 1_000_000, fallback)
  const perAddress = (name: 'maxConnectionsPerAddress' | 'maxPendingPerAddress') =>
    whole(name, options[name], 1, 10_000_000, defaults[name])
  return {
    maxConnectionsPerAddress: perAddress('maxConnectionsPerAddress'),
    maxPendingPerAddress: perAddress('maxPendingPerAddress'),
    admissionsPerSecond: upgrade('perSecond', defaults.admissionsPerSecond),
    admissionBurst: upgrade('burst', defaults.admissionBurst),
    addressAdmissionsPerSecond: upgrade('perSecondPerAddress', defaults.addressAdmissionsPerSecond),
    addressAdmissionBurst: upgrade('burstPerAddress', defaults.addressAdmissionBurst),
  }
}

function readSources(options: ServerOptions): SourceOptions {
  const { trustProxy = false, maxConnectionsPerAddress, maxPendingPerAddress, upgrades } = options
  if (trustProxy !== false && !(Number.isSafeInteger(trustProxy) && trustProxy >= 0 && trustProxy <= 100))
    throw fault('trustProxy', trustProxy, 'false or the number of your own proxies, up to 100')
  const set = [
    maxConnectionsPerAddress,
    maxPendingPerAddress,
    upgrades?.perSecondPerAddress,
    upgrades?.burstPerAddress,
  ]
  return { trustedProxies: Number(trustProxy), countsLoopback: set.some((each) => each !== undefined) }
}

function wholeOrNever(name: string, given: number | undefined, min: number, fallback: number): number {
  if (given === Number.POSITIVE_INFINITY) return given
  return whole(name, given, min, Number.MAX_SAFE_INTEGER, fallback)
}

function readLimits(given: Partial<Limits> = {}): Limits {
  checkNames('limits.', given, Object.keys(DEFAULT_LIMITS))
  const limit = (name: keyof Limits, min: number, max: number) =>
    whole(`limits.${name}`, given[name], min, max, DEFAULT_LIMITS[name])
  return {
    maxMessageChars: limit('maxMessageChars', 1, MAX_FRAME_BYTES),
    maxFrameBytes: limit('maxFrameBytes', 1_024, MAX_FRAME_BYTES),
    windowPerRoom: limit('windowPerRoom', 1, 1_000_000),
    windowPerConnection: limit('windowPerConnection', 1, 1_000_000),
    windowBytes: limit('windowBytes', 1_024, 1_073_741_824),
    messagesPerSecond: limit('messagesPerSecond', 1, 1_000_000_000),
    messageBurst: limit('messageBurst', 1, 1_000_000_000),
    maxSubscriptions: limit('maxSubscriptions', 1, 1_000_000),
  }
}

function readAuth(auth: AuthOptions | undefined): AuthOptions {
  if (typeof auth !== 'object' || auth === null)
    throw fault('auth', auth, 'an object with a secret, with jwks, or with a function verify')
  whole('auth.ticketLifetimeMs', auth.ticketLifetimeMs, 1_000, HOUR_MS, DEFAULT_TICKET_LIFETIME_MS)
  flag('auth.allowQuery', auth.allowQuery, false)
  if ('verify' in auth) {
    checkNames('auth.', auth, ['verify', ...TOKEN_WAYS])
    if (typeof auth.verify !== 'function') throw fault('auth.verify', auth.verify, 'a function')
    return auth
  }
  const rules = ['issuer', 'audience', 'tokenType', 'maxTokenAgeMs', ...TOKEN_WAYS]
  checkNames('auth.', auth, ['secret', 'algorithm', 'jwks', 'jwksAlgorithms', ...rules])
  const { secret, algorithm = 'HS256' } = auth
  if (!ALGORITHMS.includes(algorithm))
    throw fault('auth.algorithm', algorithm, `one of ${ALGORITHMS.join(', ')}`)
  const objection = 'jwks' in auth && secret === undefined ? undefined : objectionToSecret(secret, algorithm)
  if (objection !== undefined) throw new OptionError('auth.secret', objection)
  if ('jwks' in auth) checkKeySet(auth)
  for (const name of ['issuer', 'audience', 'tokenType'] as const) text(`auth.${name}`, auth[name], '-')
  whole('auth.maxTokenAgeMs', auth.maxTokenAgeMs, 1_000, Number.MAX_SAFE_INTEGER, HOUR_MS)
  return auth
}

function checkKeySet({ jwks, jwksAlgorithms = ['RS256'] }: KeySetOptions): void {
  const objection = objectionToKeySet(jwks)
  if (objection !== undefined) throw new OptionError('auth.jwks', objection)
  const known: readonly string[] = KEY_ALGORITHMS
  const isKnown =
    Array.isArray(jwksAlgorithms) && jwksAlgorithms.every((name: string) => known.includes(name))
  if (!isKnown || jwksAlgorithms.length === 0)
    throw fault('auth.jwksAlgorithms', jwksAlgorithms, `a list of some of ${known.join(', ')}`)
}

const HOOK_NAMES = [
  'authorize',
  'onMessage',
  'onNotification',
  'maySee',
  'describeUsers',
  'onConnect',
  'onDisconnect',
] as const satisfies readonly (keyof Hooks)[]

function readHooks(hooks: Hooks | undefined): Hooks | undefined {
  if (hooks === undefined) return undefined
  if (typeof hooks !== 'object' || hooks === null) throw fault('hooks', hooks, 'an object of functions')
  // A class may bring them on its prototype, beside functions of its own.
  if (Object.getPrototypeOf(hooks) === Object.prototype) checkNames('hooks.', hooks, HOOK_NAMES)
  for (const name of HOOK_NAMES)
    if (hooks[name] !== undefined && typeof hooks[name] !== 'function')
      throw fault(`hooks.${name}`, hooks[name], 'a function')
  return hooks
}

function readStore(store: StoreFactory | undefined): StoreFactory {
  if (typeof store?.open === 'function') return store
  throw fault('store', typeof store, 'a store such as sqlite("chat.db") or memory()')
}

function readPath(given: string | undefined): string {
  const path = text('path', given, '/ws')
  if (/^\/[^?#\s]*$/.test(path)) return path
  throw fault('path', path, 'a path that begins with / and has no query')
}

function readOrigins({ origins, port }: ServerOptions, host: string): (origin: string) => boolean {
  if (origins === undefined) return port !== undefined && isLoopback(host) ? isLoopbackOrigin : () => false
  if (!Array.isArray(origins))
    throw fault('origins', origins, 'a list of origins such as https://chat.example')
  for (const origin of origins) {
    if (typeof origin !== 'string' || originOf(origin) !== origin)
      throw fault(
        'origins',
        origin,
        'origins as browsers write them, such as https://chat.example, without a path',
      )
  }
  const allowed = new Set<string>(origins)
  return (origin) => allowed.has(origin)
}

function isLoopbackOrigin(origin: string): boolean {
  try {
    return originOf(origin) === origin && isLoopback(new URL(origin).hostname)
  } catch {
    return false // not the URL of anything
  }
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url).origin
  } catch {
    return undefined // not the URL of anything
  }
}
