/**
 * One server node without its input and output: `step` takes what happened and gives what is to be done about it. No
 * clock, no dice, no socket; the same inputs give the same effects. Whatever a client sends becomes an effect, never
 * an exception.
 *
 * This file only dispatches: by input, by message, by deadline. What is decided stands in the file named for it.
 */
import { decodeClientFrame } from '@tautline/protocol'
import { type ClientMessage, CODES, type Code } from '@tautline/protocol/wire'
import { createCommands } from './commands.ts'
import { createCommitter } from './commit.ts'
import { type Connection, createConnection, REFUSALS } from './connection.ts'
import { type Alarm, type Context, refuse, send, unreachable } from './context.ts'
import type { Effect, Input } from './contract.ts'
import { beat, heartbeatDeadline } from './heartbeat.ts'
import { msUntilToken, takeToken } from './limiter.ts'
import type { NodeOptions } from './options.ts'
import { vanish } from './presence.ts'
import { notePressure, pressureDeadline } from './pressure.ts'
import { createRandom, randomText } from './random.ts'
import { Rooms } from './rooms.ts'
import { Schedule } from './schedule.ts'
import { createSessions } from './session.ts'
import { createSubscriptions } from './subscriptions.ts'
import { startTyping, stopTyping } from './typing.ts'

/** How long an abuser is asked to stay away, and a client that finds the server full (plus as much again at random). */
const ABUSE_RETRY_MS = 30_000
const FULL_RETRY_MS = 2_000
/** At a drain nobody comes back sooner than this. */
const MIN_RETURN_MS = 500

export interface NodeFigures {
  readonly connections: number
  /** Of the connections, those that are authenticated. */
  readonly sessions: number
  /** Rooms that somebody follows or was online in a moment ago. */
  readonly rooms: number
  /** Operations that wait for a commit. */
  readonly queuedOps: number
}

export interface ServerNode {
  /** `now`: monotonic milliseconds, never less than before. */
  step(input: Input, now: number): Effect[]
  /** When to call with `timer` at the latest; undefined: no need. Earlier calls do nothing. */
  nextDeadline(): number | undefined
  figures(): NodeFigures
}

/** `seed`: any safe integer; it should differ from run to run, for ids are made of it. */
export function createNode(options: NodeOptions, seed: number): ServerNode {
  const random = createRandom(seed)
  const schedule = new Schedule<Alarm>()
  const connections = new Map<number, Connection>()
  const context: Context = {
    options,
    random,
    schedule,
    connections,
    now: 0,
    unixOffsetMs: options.unixOffsetMs,
    effects: [],
    hangUp,
  }
  const rooms = new Rooms()
  const sessions = createSessions(context, randomText(random, 8))
  const subscriptions = createSubscriptions(context, rooms)
  const committer = createCommitter(context, rooms, subscriptions)
  const commands = createCommands(context, committer)
  const frameRate = { perSecond: options.framesPerSecond, burst: options.frameBurst }
  /** Draining: the wait that each connection was told. */
  let goodbyes: Map<Connection, number> | undefined

  function hangUp(connection: Connection, code: Code, retryAfterMs?: number): void {
    if (connection.phase === 'closed') return
    context.effects.push({ do: 'close', connection: connection.id, code, retryAfterMs })
    forget(connection)
  }

  function forget(connection: Connection): void {
    connections.delete(connection.id)
    schedule.remove(connection)
    sessions.forget(connection)
    connection.phase = 'closed'
    subscriptions.forget(connection)
  }

  // --- by input ----------------------------------------------------------------------------------------------------

  function handle(input: Input): void {
    switch (input.type) {
      case 'opened':
        opened(input.connection, input.token)
        break
      case 'turn_ended':
        committer.start()
        break
      case 'committed':
        committer.committed(input.result)
        finishDrain()
        break
      case 'commit_failed':
        committer.failed()
        finishDrain()
        break
      case 'timer':
        ring()
        break
      case 'clock_set':
        context.unixOffsetMs = input.unixMs - context.now
        break
      case 'drain':
        drain()
        break
      case 'received':
      case 'ponged':
      case 'faulted':
      case 'buffered':
      case 'closed':
      case 'verified':
      case 'read_done': {
        const connection = connections.get(input.connection)
        if (connection) handleFor(connection, input)
        break
      }
      default:
        unreachable(input)
    }
  }

  function handleFor(connection: Connection, input: Extract<Input, { connection: number }>): void {
    switch (input.type) {
      case 'received':
        connection.heardAt = context.now
        received(connection, input.text)
        break
      case 'ponged':
        connection.heardAt = context.now
        break
      case 'faulted':
        hangUp(connection, input.code)
        break
      case 'buffered':
        buffered(connection, input.bytes)
        break
      case 'closed':
        forget(connection)
        break
      case 'verified':
        sessions.verified(connection, input.verification)
        arm(connection)
        break
      case 'read_done':
        subscriptions.readDone(connection, input.answer)
        break
      case 'opened':
        break
      default:
        unreachable(input)
    }
  }

  function opened(id: number, token: string | undefined): void {
    const connection = createConnection(id, token, options, context.now)
    if (goodbyes || connections.size >= options.maxConnections) {
      // Before any work is done for it; a browser would hide a refusal of the upgrade.
      hangUp(connection, goodbyes ? 'RESTART' : 'TRY_AGAIN_LATER', FULL_RETRY_MS * (1 + random()))
      return
    }
    connections.set(id, connection)
    arm(connection)
  }

  function buffered(connection: Connection, bytes: number): void {
    const relieved = notePressure(context, connection, bytes)
    if (connection.phase === 'closed') return
    if (relieved) subscriptions.relieve(connection)
    arm(connection)
  }

  // --- by message --------------------------------------------------------------------------------------------------

  function received(connection: Connection, text: string): void {
    const { maxFrameBytes } = options.limits
    for (const decoded of decodeClientFrame(text, { maxFrameBytes })) {
      if (connection.phase === 'closed') return
      if (!takeToken(connection.frames, frameRate, context.now)) refuseFrame(connection, decoded)
      else if (decoded.ok) receivedMessage(connection, decoded.message)
      else objected(connection, decoded.code, decoded.ref, decoded.detail)
    }
  }

  function objected(connection: Connection, code: Code, ref: number | undefined, detail: string): void {
    if (CODES[code].closeCode !== null) {
      hangUp(connection, code)
      return
    }
    refuse(context, connection, ref, code, { message: detail })
    if (connection.phase !== 'ready') hangUp(connection, 'NO_TOKEN')
  }

  function refuseFrame(connection: Connection, decoded: ReturnType<typeof decodeClientFrame>[number]): void {
    const ref = decoded.ok ? refOf(decoded.message) : decoded.ref
    const retryAfterMs = msUntilToken(connection.frames, frameRate)
    if (ref !== undefined) refuseWhole(connection, decoded, ref, retryAfterMs)
    countRefusal(connection)
  }

  /** A `commands` frame has a ref for each command, a `subscribe` a room for each answer. */
  function refuseWhole(
    connection: Connection,
    decoded: ReturnType<typeof decodeClientFrame>[number],
    ref: number,
    retryAfterMs: number,
  ): void {
    const message = decoded.ok ? decoded.message : undefined
    if (message?.type === 'commands') {
      for (let i = 0; i < message.payload.commands.length; i++)
        refuse(context, connection, ref + i, 'RATE_LIMIT', { retryAfterMs })
    } else if (message?.type === 'subscribe') {
      for (const { room } of message.payload.rooms)
        refuse(context, connection, ref, 'RATE_LIMIT', { room, retryAfterMs })
    } else refuse(context, connection, ref, 'RATE_LIMIT', { retryAfterMs })
  }

  /** Being refused now and then is nothing; for a long time it is abuse. */
  function countRefusal(connection: Connection): void {
    if (!takeToken(connection.refusals, REFUSALS, context.now)) hangUp(connection, 'ABUSE', ABUSE_RETRY_MS)
  }

  function receivedMessage(connection: Connection, message: ClientMessage): void {
    if (connection.phase !== 'ready') receivedEarly(connection, message)
    else if (goodbyes && isChange(message)) refuseLate(connection, message)
    else dispatch(connection, message)
  }

  function dispatch(connection: Connection, message: ClientMessage): void {
    switch (message.type) {
      case 'commands':
        if (!commands.take(connection, message.payload)) countRefusal(connection)
        break
      case 'subscribe':
        subscriptions.subscribe(connection, message.payload)
        break
      case 'unsubscribe':
        subscriptions.unsubscribe(connection, message.payload)
        break
      case 'get_page':
        subscriptions.ask(connection, { why: 'page', ask: message.payload })
        break
      case 'get_history':
        subscriptions.ask(connection, { why: 'history', ask: message.payload })
        break
      case 'list_members':
        subscriptions.ask(connection, { why: 'members', ask: message.payload })
        break
      case 'check':
        subscriptions.ask(connection, { why: 'check', ask: message.payload })
        break
      case 'mark_read':
        commands.markRead(connection, message.payload)
        break
      case 'join_room':
        commands.join(connection, message.payload)
        break
      case 'leave_room':
        commands.leave(connection, message.payload)
        break
      case 'start_typing':
        startTyping(context, connection, message.payload.room)
        break
      case 'stop_typing':
        stopTyping(context, connection.subscriptions.get(message.payload.room))
        break
      case 'renew_token':
        sessions.renewToken(connection, message.payload)
        break
      case 'authenticate':
        sessions.authenticate(connection, message.payload)
        break
      case 'ping':
        send(context, connection, { type: 'pong', payload: message.payload })
        break
      case 'pong':
        break
      default:
        unreachable(message)
    }
  }

  function receivedEarly(connection: Connection, message: ClientMessage): void {
    if (message.type === 'ping') send(context, connection, { type: 'pong', payload: message.payload })
    else if (message.type === 'authenticate' && connection.phase === 'hello')
      sessions.authenticate(connection, message.payload)
    else hangUp(connection, 'NO_TOKEN')
  }

  // --- by deadline -------------------------------------------------------------------------------------------------

  function arm(connection: Connection): void {
    if (connection.phase === 'closed') return
    const first = Math.min(
      connection.helloDeadline,
      connection.tokenDeadline,
      pressureDeadline(context, connection),
      connection.phase === 'ready' ? heartbeatDeadline(context, connection) : Number.POSITIVE_INFINITY,
    )
    schedule.set(connection, first)
  }

  function ring(): void {
    for (let alarm = schedule.take(context.now); alarm; alarm = schedule.take(context.now)) {
      if (alarm.kind === 'absence') vanish(context, rooms, alarm)
      else ringFor(alarm)
    }
  }

  function ringFor(connection: Connection): void {
    const { now } = context
    if (now >= connection.helloDeadline) hangUp(connection, 'HELLO_TIMEOUT')
    else if (now >= connection.tokenDeadline) hangUp(connection, 'TOKEN_EXPIRED')
    else if (now >= pressureDeadline(context, connection)) hangUp(connection, 'SLOW_CONSUMER')
    else if (connection.phase === 'ready' && !beat(context, connection)) hangUp(connection, 'IDLE')
    else arm(connection)
  }

  // --- the end -----------------------------------------------------------------------------------------------------

  function drain(): void {
    if (goodbyes) return
    goodbyes = new Map()
    const spreadMs = (connections.size / options.admissionsPerSecond) * 1_000
    for (const connection of connections.values()) {
      const reconnectAfterMs = Math.round(MIN_RETURN_MS + random() * spreadMs)
      goodbyes.set(connection, reconnectAfterMs)
      if (connection.phase === 'ready')
        send(context, connection, { type: 'going_away', payload: { reconnectAfterMs } })
    }
    finishDrain()
  }

  function finishDrain(): void {
    if (!goodbyes || !committer.isIdle()) return
    for (const [connection, retryAfterMs] of goodbyes) hangUp(connection, 'RESTART', retryAfterMs)
    goodbyes.clear()
    context.effects.push({ do: 'drained' })
  }

  /** What would need another commit: the client sends it again elsewhere. */
  function refuseLate(connection: Connection, message: Change): void {
    const { ref } = message.payload
    const count = message.type === 'commands' ? message.payload.commands.length : 1
    const retryAfterMs = goodbyes?.get(connection) ?? MIN_RETURN_MS
    for (let i = 0; i < count; i++) refuse(context, connection, ref + i, 'UNAVAILABLE', { retryAfterMs })
  }

  return {
    step(input, now) {
      context.now = now
      handle(input)
      const { effects } = context
      context.effects = []
      return effects
    },
    nextDeadline: () => schedule.next(),
    figures: () => ({
      connections: connections.size,
      sessions: sessions.size(),
      rooms: rooms.size,
      queuedOps: committer.queued(),
    }),
  }
}

type Change = Extract<ClientMessage, { type: 'commands' | 'join_room' | 'leave_room' | 'mark_read' }>

function isChange(message: ClientMessage): message is Change {
  return (
    message.type === 'commands' ||
    message.type === 'join_room' ||
    message.type === 'leave_room' ||
    message.type === 'mark_read'
  )
}

function refOf({ payload }: ClientMessage): number | undefined {
  return 'ref' in payload ? payload.ref : undefined
}
