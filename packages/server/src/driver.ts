/**
 * Drives a node: hands it what happens, one input after the other, and does what it asks for. The clock, the one timer,
 * the store's promises and the sockets are here; decisions are not.
 *
 * A turn is one round of the event loop. What was sent in it is written once at its end, then the commit of what it
 * brought begins: so acks of one commit do not wait for the next.
 */
import { encodeCloseReason, type ServerMessage, SYSTEM_USER_ID, TautlineError } from '@tautline/protocol/wire'
import { type Application, createApplication } from './application.ts'
import type { Verifier } from './auth.ts'
import { APPLICATION } from './core/connection.ts'
import type {
  Asked,
  Effect,
  Input,
  Question,
  ReadAnswer,
  ReadQuery,
  Recipient,
  Verdict,
} from './core/contract.ts'
import { createNode, type NodeFigures } from './core/node.ts'
import type { NodeOptions } from './core/options.ts'
import type { Seen, Store, StoreOp } from './core/store.ts'
import type { HookRunner } from './hooks.ts'
import { describeError, type Logger } from './log.ts'
import { type ConnectionInfo, Meter, type Metrics } from './metrics.ts'
import { createPusher, NO_PUSHES } from './pusher.ts'
import { ask, askAllowed } from './queries.ts'
import { createCloseLog } from './refusal-log.ts'
import {
  closeCodeOf,
  Listener,
  Outgoing,
  type ServerSocket,
  type SocketEvents,
  type SocketListener,
} from './socket.ts'
import type { UserDirectory } from './user-directory.ts'

export interface DriverOptions {
  readonly node: Omit<NodeOptions, 'epoch' | 'unixOffsetMs'>
  readonly store: Store
  readonly verify: Verifier
  /** Undefined: the application has none. */
  readonly hooks: HookRunner | undefined
  /** Undefined: nothing is said of users. */
  readonly users: UserDirectory | undefined
  readonly logger: Logger
  readonly seed: number
}

export interface Driver {
  /** A socket has opened. `token`: that of its upgrade request. `address`: see addresses.ts. */
  accept(socket: ServerSocket, token?: string, address?: string): SocketListener
  /** See ServerNode. */
  knock(address: string | undefined): number
  /** No token with this id counts any more, until no token of that id can be valid. */
  revoke(tokenId: string, untilUnixMs: number): void
  /** The application's own words. */
  readonly application: Application
  /** Ends the connections of the user. */
  disconnect(userId: string): void
  /** A message of the application's own, to whoever is there. False: nobody is. */
  tell(to: Recipient, type: string, payload: Record<string, unknown>): boolean
  figures(): NodeFigures
  metrics(): Metrics
  followersOf(room: string): number
  /** `id`: as its client was told it. */
  connectionInfo(id: string): ConnectionInfo | undefined
  /** Tells the clients to go, finishes the commits, closes. Resolves when the node is done, or after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Hands the last notifications on. Resolves when none is left, or after `timeoutMs`. */
  finishPushes(timeoutMs: number): Promise<void>
  /** Ends what is still open. */
  stop(): void
  /** Resolves when no socket is open, or after `timeoutMs`. */
  whenEmpty(timeoutMs: number): Promise<void>
}

/** The longest wait that Node's timers know; an earlier call does nothing. */
const MAX_TIMER_MS = 2_147_483_647
/** The wall clock may differ by this from what is reckoned before the node is told. */
const CLOCK_TOLERANCE_MS = 100

export function createDriver(options: DriverOptions): Driver {
  const { node: nodeOptions, store, verify, hooks, users, logger, seed } = options
  let unixOffsetMs = Date.now() - performance.now()
  const node = createNode({ ...nodeOptions, epoch: store.epoch, unixOffsetMs }, seed)
  const { relievedBytes } = nodeOptions
  const logClose = createCloseLog(logger, () => performance.now())
  /** Those that the node knows. */
  const sockets = new Map<number, Outgoing>()
  /** Those that have not closed yet. */
  const open = new Set<Outgoing>()
  let dirty: Outgoing[] = []
  const inputs: Input[] = []
  let isStepping = false
  let isTurnScheduled = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  let timerDueAt = Number.POSITIVE_INFINITY
  let lastId = APPLICATION
  const meter = new Meter()
  const pusher = hooks && createPusher({ store, mayRead, push: hooks.push, logger })
  const onWrite = (text: string) => meter.wrote(text)
  let onDrained: (() => void) | undefined
  let onEmpty: (() => void) | undefined
  const application = createApplication({
    maxFrameBytes: nodeOptions.limits.maxFrameBytes,
    ask: (user, message) => tell({ type: 'asked', user, message }),
  })

  // --- in ----------------------------------------------------------------------------------------------------------

  /** One input, then all its effects, then the next: what an effect sets off at once waits for its turn. */
  function tell(input: Input): void {
    inputs.push(input)
    if (isStepping || isStopped) return
    isStepping = true
    try {
      for (let next = inputs.shift(); next; next = inputs.shift()) {
        step(next)
      }
    } finally {
      isStepping = false
    }
    armTimer()
    if (!isTurnScheduled && input.type !== 'turn_ended') scheduleTurn()
  }

  function step(input: Input): void {
    const now = performance.now()
    watchClock(now)
    try {
      for (const effect of node.step(input, now)) perform(effect)
    } catch (error) {
      // A fault of our own: it ends the connection that met it, not the server.
      logger.error({ input: input.type, ...describeError(error) }, 'a step failed')
      if ('connection' in input && input.type !== 'faulted')
        inputs.push({ type: 'faulted', connection: input.connection, code: 'SERVER_ERROR' })
    }
  }

  function watchClock(now: number): void {
    const unixMs = Date.now()
    if (Math.abs(unixMs - now - unixOffsetMs) < CLOCK_TOLERANCE_MS) return
    unixOffsetMs = unixMs - now
    node.step({ type: 'clock_set', unixMs }, now)
  }

  function scheduleTurn(): void {
    isTurnScheduled = true
    setImmediate(endTurn)
  }

  function endTurn(): void {
    isTurnScheduled = false
    const written = dirty
    dirty = []
    for (const outgoing of written) flush(outgoing)
    tell({ type: 'turn_ended' })
  }

  function armTimer(): void {
    const dueAt = node.nextDeadline()
    if (dueAt === undefined || dueAt >= timerDueAt || isStopped) return
    clearTimeout(timer)
    timerDueAt = dueAt
    const waitMs = Math.min(Math.max(Math.ceil(dueAt - performance.now()), 0), MAX_TIMER_MS)
    timer = setTimeout(onTimer, waitMs)
  }

  function onTimer(): void {
    timerDueAt = Number.POSITIVE_INFINITY
    tell({ type: 'timer' })
  }

  // --- out ---------------------------------------------------------------------------------------------------------

  function perform(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        meter.said(effect.message)
        if (effect.connection === APPLICATION) application.hear(effect.message)
        else write(effect.connection, JSON.stringify(effect.message))
        break
      case 'broadcast':
        writeAll(effect.connections, effect.message)
        break
      case 'ping':
        guard(sockets.get(effect.connection), (socket) => socket.ping())
        break
      case 'close':
        close(effect)
        break
      case 'verify':
        verifyToken(effect.connection, effect.token)
        break
      case 'identified':
        identified(effect)
        break
      case 'commit':
        commit(effect.ops, effect.unixMs)
        break
      case 'preview':
        preview(effect.ops, effect.unixMs)
        break
      case 'review':
        review(effect.review, effect.question)
        break
      case 'review_expired':
        logger.error({ review: effect.review }, 'a hook gave no answer in time')
        break
      case 'ask':
        askApplication(effect.ask, effect.asked)
        break
      case 'ask_expired':
        logger.error({ ask: effect.ask }, 'a handler gave no answer in time')
        break
      case 'read':
        read(effect)
        break
      case 'push':
        pusher?.take(effect.push)
        break
      case 'leave_out_pushes':
        pusher?.leaveOut(effect.count)
        break
      case 'mark_seen':
        markSeen(effect.seen)
        break
      case 'drained':
        onDrained?.()
        break
      default:
        unreachable(effect)
    }
  }

  function writeAll(connections: readonly number[], message: ServerMessage): void {
    const text = JSON.stringify(message)
    for (const id of connections) write(id, text)
  }

  function write(id: number, text: string): void {
    const outgoing = sockets.get(id)
    if (outgoing?.add(text)) dirty.push(outgoing)
  }

  function flush(outgoing: Outgoing): void {
    try {
      outgoing.flush()
    } catch (error) {
      endBroken(outgoing, error)
    }
    notePressure(outgoing)
  }

  function notePressure(outgoing: Outgoing): void {
    const bytes = outgoing.socket.bufferedBytes()
    const isUnderPressure = bytes > relievedBytes
    if (!isUnderPressure && !outgoing.isUnderPressure) return
    if (!sockets.has(outgoing.id)) return
    outgoing.isUnderPressure = isUnderPressure
    tell({ type: 'buffered', connection: outgoing.id, bytes })
  }

  function identified({
    connection,
    connectionId,
    userId,
    session,
  }: Extract<Effect, { do: 'identified' }>): void {
    logger.info({ connection, user: userId }, 'authenticated')
    const outgoing = sockets.get(connection)
    if (!outgoing) return
    outgoing.owner = { connection: connectionId, userId, session, connectedAt: Date.now() }
    hooks?.connected({ connection: connectionId, userId })
    hooks?.session({ session, userId, isConnected: true })
  }

  /** The node knows its connection no more. */
  function tellAway({ owner }: Outgoing): void {
    if (owner) hooks?.session({ session: owner.session, userId: owner.userId, isConnected: false })
  }

  function disconnected({ owner, closedWith: code }: Outgoing): void {
    if (owner) hooks?.disconnected({ connection: owner.connection, userId: owner.userId, code })
  }

  function close({ connection, code, retryAfterMs }: Extract<Effect, { do: 'close' }>): void {
    const outgoing = sockets.get(connection)
    if (!outgoing) return
    logClose(connection, code)
    meter.closed(code)
    sockets.delete(connection)
    tellAway(outgoing)
    outgoing.closedWith = code
    guard(outgoing, (socket) => {
      outgoing.flush()
      socket.close(closeCodeOf(code), encodeCloseReason(code, retryAfterMs))
    })
  }

  /** A socket that throws is ended; the others are not its concern. */
  function guard(outgoing: Outgoing | undefined, act: (socket: ServerSocket) => void): void {
    if (!outgoing) return
    try {
      act(outgoing.socket)
    } catch (error) {
      endBroken(outgoing, error)
    }
  }

  function endBroken({ id: connection, socket }: Outgoing, error: unknown): void {
    logger.warn({ connection, ...describeError(error) }, 'a socket failed')
    socket.terminate()
  }

  // --- what takes time ---------------------------------------------------------------------------------------------

  function verifyToken(connection: number, token: string): void {
    verify(token).then(
      (verification) => tell({ type: 'verified', connection, verification }),
      (error: unknown) => {
        const code = 'SERVER_ERROR'
        logger.error({ connection, code, ...describeError(error) }, 'a token could not be verified')
        tell({ type: 'verified', connection, verification: { ok: false, code } })
      },
    )
  }

  function commit(ops: readonly StoreOp[], unixMs: number): void {
    store.commit(ops, unixMs).then(
      (result) => {
        meter.committed(result)
        tell({ type: 'committed', result })
      },
      (error: unknown) => {
        logger.error({ ops: ops.length, code: 'UNAVAILABLE', ...describeError(error) }, 'a commit failed')
        meter.commitFailed()
        tell({ type: 'commit_failed' })
      },
    )
  }

  function markSeen(seen: readonly Seen[]): void {
    store.markSeen(seen).then(
      () => tell({ type: 'seen_marked', isDone: true }),
      (error: unknown) => {
        logger.error(
          { users: seen.length, ...describeError(error) },
          'when users were last seen was not written',
        )
        tell({ type: 'seen_marked', isDone: false })
      },
    )
  }

  function preview(ops: readonly StoreOp[], unixMs: number): void {
    store.preview(ops, unixMs).then(
      (outcomes) => tell({ type: 'previewed', outcomes }),
      (error: unknown) => {
        logger.error({ ops: ops.length, ...describeError(error) }, 'a preview failed')
        tell({ type: 'preview_failed' })
      },
    )
  }

  function review(id: number, question: Question): void {
    if (!hooks) throw new Error('a question is open, and nobody to ask')
    const { action, userId: user, room } = question
    logger.debug({ review: id, action, user, room }, 'the application is asked')
    void hooks.review(question).then((verdict) => tell({ type: 'reviewed', review: id, verdict }))
  }

  function askApplication(id: number, asked: Asked): void {
    if (!hooks) throw new Error('something is asked, and nobody is there')
    logger.debug({ ask: id, type: asked.type, session: asked.session }, 'the application is asked')
    void decide(hooks, asked).then((verdict) => tell({ type: 'answered', ask: id, verdict }))
  }

  async function decide(runner: HookRunner, asked: Asked): Promise<Verdict> {
    if (asked.kind === 'request') return await runner.ask(asked)
    try {
      const [outcome] = await store.preview([asked.probe], asked.unixMs)
      if (outcome?.outcome === 'failed') return { ok: false, code: outcome.code }
    } catch (error) {
      logger.error({ type: asked.type, ...describeError(error) }, 'a preview failed')
      return { ok: false, code: 'UNAVAILABLE' }
    }
    return await runner.ask(asked)
  }

  function read({ connection, queue, query }: Extract<Effect, { do: 'read' }>): void {
    const answer = query.of === 'users' ? describeUsers(query) : look(query)
    answer.then(
      (result) => tell({ type: 'read_done', connection, queue, answer: result }),
      (error: unknown) => {
        const code = error instanceof TautlineError ? error.code : 'FETCH_ERROR'
        logger.error({ connection, of: query.of, code, ...describeError(error) }, 'a read failed')
        tell({ type: 'read_done', connection, queue, answer: { of: 'failure', code } })
      },
    )
  }

  async function mayRead(user: string, room: string): Promise<boolean> {
    const answer = await look({ of: 'heads', user, rooms: [room] })
    if (answer.of === 'failure') throw new TautlineError(answer.code)
    return answer.of === 'heads' && answer.heads.has(room)
  }

  function look(query: ReadQuery): Promise<ReadAnswer> {
    return hooks ? askAllowed(store, query, hooks) : ask(store, query)
  }

  /** The system is known to everybody. */
  async function describeUsers({
    user,
    users: asked,
  }: Extract<ReadQuery, { of: 'users' }>): Promise<ReadAnswer> {
    if (!users) return { of: 'users', users: [] }
    const others = asked.filter((userId) => userId !== SYSTEM_USER_ID)
    const seen = await look({ of: 'visible', user, users: others })
    if (seen.of !== 'visible') return seen
    const known = seen.users.map(({ userId }) => userId)
    return {
      of: 'users',
      users: await users.describe(asked.filter((id) => id === SYSTEM_USER_ID || known.includes(id))),
    }
  }

  const events: SocketEvents = {
    text({ id: connection }, text) {
      meter.heard(text)
      tell({ type: 'received', connection, text })
    },
    binary: ({ id: connection }) => tell({ type: 'faulted', connection, code: 'UNSUPPORTED_DATA' }),
    pong: ({ id: connection }) => tell({ type: 'ponged', connection }),
    drained(outgoing) {
      if (outgoing.isUnderPressure) notePressure(outgoing)
    },
    closed(outgoing) {
      const { id: connection } = outgoing
      const wasKnown = sockets.delete(connection)
      open.delete(outgoing)
      disconnected(outgoing)
      logger.debug({ connection }, 'socket closed')
      tell({ type: 'closed', connection })
      if (wasKnown) tellAway(outgoing)
      if (open.size === 0) onEmpty?.()
    },
  }

  return {
    knock: (address) => node.knock(address, performance.now()),

    accept(socket, token, address) {
      const outgoing = new Outgoing(++lastId, socket, address, onWrite)
      sockets.set(outgoing.id, outgoing)
      open.add(outgoing)
      if (isStopped) close({ do: 'close', connection: outgoing.id, code: 'RESTART', retryAfterMs: undefined })
      else tell({ type: 'opened', connection: outgoing.id, token, address })
      return new Listener(events, outgoing)
    },

    revoke: (tokenId, untilUnixMs) => tell({ type: 'revoked', tokenId, untilUnixMs }),
    application,
    disconnect: (userId) => tell({ type: 'disconnected', userId }),
    tell(to, name, payload) {
      const isThere = !isStopped && node.isThere(to)
      if (isThere) tell({ type: 'told', to, name, payload })
      return isThere
    },
    figures: () => node.figures(),
    metrics: () => meter.read({ ...node.figures(), ...(pusher?.figures() ?? NO_PUSHES) }),
    followersOf: (room) => node.followersOf(room),

    connectionInfo(id) {
      const outgoing = sockets.get(Number(id.slice(id.lastIndexOf('-') + 1)))
      if (outgoing?.owner?.connection !== id) return undefined
      const { userId, connectedAt } = outgoing.owner
      const bufferedBytes = outgoing.socket.bufferedBytes()
      const rooms = node.roomsOf(outgoing.id)
      return { id, userId, address: outgoing.address, connectedAt, rooms, bufferedBytes }
    },

    async drain(timeoutMs) {
      const isDone = await within(timeoutMs, (done) => {
        onDrained = done
        tell({ type: 'drain' })
      })
      if (isDone) return
      // The store hangs: what it has not answered is sent again to the next server.
      logger.error({ timeoutMs, ...node.figures() }, 'the last commit did not end in time')
      for (const connection of sockets.keys())
        close({ do: 'close', connection, code: 'RESTART', retryAfterMs: 0 })
    },

    async finishPushes(timeoutMs) {
      await pusher?.finish(timeoutMs)
    },

    async whenEmpty(timeoutMs) {
      await within(timeoutMs, (done) => {
        onEmpty = done
        if (open.size === 0) done()
      })
    },

    stop() {
      isStopped = true
      meter.stop()
      application.stop()
      clearTimeout(timer)
      for (const outgoing of open) outgoing.socket.terminate()
    },
  }
}

/** Resolves with true when `begin` calls back, or with false after the time. */
function within(timeoutMs: number, begin: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timeout = setTimeout(() => resolve(false), timeoutMs)
    begin(() => {
      clearTimeout(timeout)
      resolve(true)
    })
  })
}

function unreachable(never: never): never {
  throw new Error(`a case that cannot be: ${JSON.stringify(never)}`)
}
