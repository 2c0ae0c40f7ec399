/**
 * `createServer`: puts the parts together. The store is opened, the node is driven, the WebSockets are joined to it and
 * the HTTP server listens; `close` takes it all down in the opposite order.
 */
import { randomInt } from 'node:crypto'
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Protocol } from '@tautline/protocol/extension'
import { createSources } from './addresses.ts'
import type {
  ActingUser,
  MessageEdit,
  MessageTarget,
  NewMessage,
  NewNotification,
  SentMessage,
  ServerRooms,
} from './application.ts'
import { createVerifier, maxTokenLifeMs } from './auth.ts'
import { readConfig, type ServerConfig, type ServerOptions } from './config.ts'
import type { NodeFigures } from './core/node.ts'
import type { Store } from './core/store.ts'
import { createDriver, type Driver } from './driver.ts'
import { createExtensionRunner, type ExtensionRunner, type ServerExtension } from './extensions.ts'
import { createHookRunner } from './hooks.ts'
import { createHttpServer, listen } from './http.ts'
import { describeError, type Logger, loggerOf } from './log.ts'
import type { ConnectionInfo, Metrics, RoomInfo } from './metrics.ts'
import { createRoomReads, type RoomReads } from './room-reads.ts'
import { detachable, type ServerSocket, type SocketListener } from './socket.ts'
import { createTickets, DEFAULT_TICKET_LIFETIME_MS } from './tickets.ts'
import { createUserDirectory } from './user-directory.ts'
import { createUpgrader, type Upgrader } from './websocket.ts'

export interface Server extends RoomReads {
  /** The port that it listens on, or undefined where it does not listen by itself. */
  readonly port: number | undefined
  /** Where clients connect, such as ws://127.0.0.1:8080/ws, or undefined as above. */
  readonly url: string | undefined
  /**
   * Serves the WebSockets of another HTTP server, at `path`. Its other upgrades and its requests stay its own, and so
   * does its end: `close` only stops taking upgrades from it.
   */
  attach(server: HttpServer): void
  /**
   * Serves any socket that offers five functions. `token`: that of its upgrade request, where it had one. `address`: the
   * IP address that it comes from; left out, the limits of an address do not bind it.
   */
  accept(socket: ServerSocket, token?: string, address?: string): SocketListener
  /**
   * Answers `POST /ticket` for an HTTP server that is not this one's (see `attach`); its own does so by itself. The
   * response is ended in any case.
   */
  handleTicket(request: IncomingMessage, response: ServerResponse): void
  /**
   * Says something in a room, as a user or as the system. Resolves when it is committed, and so seen by nobody before.
   * What one sender says in one room is stored in the order of the calls. It goes the way of every message but for the
   * rate of its user, which does not bind it.
   *
   * Rejects with a TautlineError: FORBIDDEN where there is no such room or the sender is no member, VALIDATION_ERROR and
   * MESSAGE_TOO_LONG where no client could say it either, ID_CONFLICT where the sender used the `messageId` for
   * something else. Those are final. UNAVAILABLE and INTERNAL_ERROR (the store failed, or the server is closing) may be
   * tried again, with the same `messageId`; what was sent after it in the same room and was not decided yet fails
   * likewise.
   */
  send(message: NewMessage): Promise<SentMessage>
  /**
   * Says something else in a message, all of it, in the name of who said it: they must be a member of the room still.
   * Rejects as `send` does, with FORBIDDEN where there is no such message, MESSAGE_DELETED where it is deleted.
   */
  edit(change: MessageEdit): Promise<SentMessage>
  /** Blanks what a message said, for everybody and for good. As the system any; as a user, what they may delete. */
  delete(target: MessageTarget, by?: ActingUser): Promise<SentMessage>
  /** Rejects as `edit` does, with TOO_MANY_REACTIONS beyond 20 different ones. */
  react(target: MessageTarget, emoji: string, by?: ActingUser): Promise<SentMessage>
  unreact(target: MessageTarget, emoji: string, by?: ActingUser): Promise<SentMessage>
  /**
   * Tells a user something, among their notifications: a `notice` of the application's own, or a missed call. Resolves
   * when it is committed; who is away is told by `hooks.onNotification`. Whether the user exists is not asked. Rejects
   * with a TautlineError: VALIDATION_ERROR for what is not of its form, ID_CONFLICT where the sender used the
   * `messageId` for something else, UNAVAILABLE and INTERNAL_ERROR as `send`.
   */
  notify(userId: string, notification: NewNotification): Promise<SentMessage>
  /** Makes rooms, and members of them. */
  readonly rooms: ServerRooms
  /** Speaks a protocol of the application's own. Throws a TypeError where it is not among the option `extensions`. */
  extension<P extends Protocol>(protocol: P): ServerExtension<P>
  /**
   * Ends the connections of the token with this id (`jti`) at once, and refuses it, and what tickets it was given, from
   * now on. `expiresAt`: until when it would have been valid, in Unix milliseconds; a revocation is remembered so long.
   * Default: maxTokenAgeMs from now, which no JWT outlives; for tokens that the application verifies, a day.
   */
  revoke(tokenId: string, expiresAt?: number): void
  /**
   * Ends the connections of the user (1000 NORMAL) at once. Their clients come back by themselves; to keep somebody
   * out, revoke their token first.
   */
  disconnect(userId: string): void
  /** What `hooks.describeUsers` said of these users is not so any more: it is asked again. */
  forgetUsers(userIds: readonly string[]): void
  health(): Health
  /** What the server counted since its start, and how it is now. Cheap enough for every few seconds. */
  getMetrics(): Metrics
  /** The connection of this `connectionId`, which hooks and clients are told; undefined: it is not there (any more). */
  getConnectionInfo(id: string): ConnectionInfo | undefined
  /**
   * What a room is, whoever may see it; undefined: there is none, and it is in no direct room before its first message.
   * Rejects with TautlineError FETCH_ERROR where the store cannot read.
   */
  getRoomInfo(room: string): Promise<RoomInfo | undefined>
  /** Tells the clients to go, finishes the commits, closes sockets and store. Idempotent. */
  close(): Promise<void>
}

export interface Health extends NodeFigures {
  readonly status: 'ok' | 'closing'
  readonly uptimeSeconds: number
  /** ISO 8601. */
  readonly timestamp: string
}

/** Time for the clients to answer their close frames. */
const CLOSE_TIMEOUT_MS = 2_000

/** Rejects with an Error whose message says what is wrong with the options, the port or the store, and what to do. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const config = readConfig(options)
  const logger = loggerOf(config.logger)
  const store = await config.store.open((error) =>
    logger.error({ code: 'INTERNAL_ERROR', ...describeError(error) }, 'the store could not write one row'),
  )
  try {
    return await startServer(config, store, logger)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function startServer(config: ServerConfig, store: Store, logger: Logger): Promise<Server> {
  const startedAt = performance.now()
  let closing: Promise<void> | undefined
  const { auth, isOriginAllowed } = config
  const sources = createSources(config.sources, {
    onUnbelieved: () =>
      logger.warn({}, 'X-Forwarded-For is not believed, and a proxy counts as one address: see trustProxy'),
  })
  const tickets = createTickets({
    verify: createVerifier(auth, (error) => logger.error(describeError(error), 'a token was not decided')),
    lifetimeMs: auth.ticketLifetimeMs ?? DEFAULT_TICKET_LIFETIME_MS,
    isOriginAllowed,
    admit: (request) => driver.knock(sources.ofRequest(request)),
    onRefused: (code) => logger.debug({ code }, 'a ticket was refused'),
    now: () => performance.now(),
  })
  const ready: { server?: Server } = {}
  const extensions = createExtensionRunner(config.extensions, {
    server() {
      if (!ready.server) throw new TypeError('the server is not there yet')
      return ready.server
    },
    command: (...said) => driver.application.command(...said),
    objectionTo: (request) => hookRunner.objectionTo(request),
    tell: (to, type, payload) => driver.tell(to, type, payload),
  })
  const hookRunner = createHookRunner({
    hooks: config.hooks ?? {},
    extensions,
    hookTimeoutMs: config.node.hookTimeoutMs,
    maxMessageChars: config.node.limits.maxMessageChars,
    logger,
  })
  const { describeUsers } = config.hooks ?? {}
  const users =
    describeUsers &&
    createUserDirectory({
      describeUsers: (userIds) => describeUsers.call(config.hooks, userIds),
      cacheMs: config.userCacheMs,
      timeoutMs: config.node.hookTimeoutMs,
      logger,
    })
  const driver = createDriver({
    users,
    node: config.node,
    store,
    hooks: config.hooks || config.extensions.length > 0 ? hookRunner : undefined,
    verify: tickets.verify,
    logger,
    seed: randomInt(2 ** 48 - 1),
  })
  const upgrader = createUpgrader({
    path: config.path,
    maxFrameBytes: config.node.limits.maxFrameBytes,
    isOriginAllowed,
    logger,
    allowQuery: auth.allowQuery === true,
    addressOf: sources.ofRequest,
    accept: driver.accept,
  })
  const health = (): Health => ({
    status: closing ? 'closing' : 'ok',
    ...driver.figures(),
    uptimeSeconds: Math.floor((performance.now() - startedAt) / 1_000),
    timestamp: new Date().toISOString(),
  })

  let http: HttpServer | undefined
  let address: AddressInfo | undefined
  if (config.port !== undefined) {
    http = createHttpServer({
      health,
      onTicketRequest: tickets.handle,
      onRequest: config.onRequest,
      logger,
    })
    upgrader.listenTo(http, true)
    address = await listen(http, config.port, config.host, logger).catch((error: unknown) => {
      driver.stop()
      throw error
    })
  }
  const url = address && `ws://${hostOf(address)}:${address.port}${config.path}`
  logger.info({ url, epoch: store.epoch }, 'the server is ready')

  const server: Server = {
    port: address?.port,
    url,
    attach: (other) => upgrader.listenTo(other, false),
    accept: (socket, token, from) => detachable(driver.accept(socket, token, sources.ofAddress(from))),
    handleTicket: tickets.handle,
    revoke: (tokenId, expiresAt = Date.now() + maxTokenLifeMs(auth)) => driver.revoke(tokenId, expiresAt),
    send: driver.application.send,
    edit: driver.application.edit,
    delete: driver.application.delete,
    react: driver.application.react,
    unreact: driver.application.unreact,
    notify: driver.application.notify,
    rooms: driver.application.rooms,
    extension: extensions.speak,
    forgetUsers: (userIds) => users?.forget(userIds),
    disconnect: driver.disconnect,
    health,
    getMetrics: driver.metrics,
    getConnectionInfo: driver.connectionInfo,
    ...createRoomReads(store),
    async getRoomInfo(id) {
      const found = await store.readRoom(id)
      if (!found) return undefined
      const { room, visibility, memberCount, head, about } = found
      const words = JSON.parse(about) as Pick<RoomInfo, 'name' | 'topic' | 'metadata'>
      return { room, visibility, ...words, memberCount, head, followers: driver.followersOf(id) }
    },
    close() {
      closing ??= closeAll({ config, store, driver, upgrader, http, logger, extensions })
      return closing
    },
  }
  ready.server = server
  return server
}

async function closeAll(parts: {
  readonly config: ServerConfig
  readonly store: Store
  readonly driver: Driver
  readonly upgrader: Upgrader
  readonly http: HttpServer | undefined
  readonly logger: Logger
  readonly extensions: ExtensionRunner
}): Promise<void> {
  const { config, store, driver, upgrader, http, logger, extensions } = parts
  logger.info({}, 'the server is closing')
  upgrader.close()
  const httpClosed = http && new Promise<void>((resolve) => http.close(() => resolve()))
  http?.closeIdleConnections()
  await driver.drain(config.drainTimeoutMs)
  await Promise.all([driver.whenEmpty(CLOSE_TIMEOUT_MS), driver.finishPushes(CLOSE_TIMEOUT_MS)])
  extensions.close((error) => logger.error({ hook: 'onClose', ...describeError(error) }, 'a hook failed'))
  driver.stop()
  http?.closeAllConnections()
  await httpClosed
  await store.close()
  logger.info({}, 'the server is closed')
}

function hostOf({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return family === 'IPv6' ? `[${address}]` : address
}
