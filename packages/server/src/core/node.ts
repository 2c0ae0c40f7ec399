/**
 * One server node without its input and output: `step` takes what happened and gives what is to be done about it. No
 * clock, no dice, no socket; the same inputs give the same effects. Whatever a client sends becomes an effect, never
 * an exception.
 *
 * This file only dispatches, by input and by deadline; by message does inbox.ts. What is decided stands in the file that
 * is named for it.
 */
import type { Code } from '@tautline/protocol/wire'
import { createAdmission } from './admission.ts'
import { createApplication } from './application.ts'
import { createCommands } from './commands.ts'
import { createCommitter } from './commit.ts'
import { type Connection, createConnection } from './connection.ts'
import { type Alarm, type Context, unreachable } from './context.ts'
import type { Effect, Input, Recipient, Verification } from './contract.ts'
import { createDrain } from './drain.ts'
import { createExtensions } from './extensions.ts'
import { beat, heartbeatDeadline } from './heartbeat.ts'
import { idleDeadline } from './idle.ts'
import { createInbox } from './inbox.ts'
import type { NodeOptions } from './options.ts'
import { createPeople } from './people.ts'
import { createPresence } from './presence.ts'
import { notePressure, pressureDeadline } from './pressure.ts'
import { flushBeating } from './pulse.ts'
import { createPushes } from './pushes.ts'
import { createRandom, randomText } from './random.ts'
import { createReviews } from './reviews.ts'
import { Rooms } from './rooms.ts'
import { Schedule } from './schedule.ts'
import { createSessions } from './session.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createUsage } from './usage.ts'
import { createWatching } from './watching.ts'

/** How long a client that finds the server going is asked to stay away (plus as much again at random). */
const GOING_RETRY_MS = 2_000

export interface NodeFigures {
  readonly connections: number
  /** Of the connections, those that are authenticated. */
  readonly sessions: number
  /** Rooms that somebody follows or was online in a moment ago. */
  readonly rooms: number
  /** Operations that wait for a hook or a commit. */
  readonly queuedOps: number
}

export interface ServerNode {
  /** `now`: monotonic milliseconds, never less than before. */
  step(input: Input, now: number): Effect[]
  /** When to call with `timer` at the latest; undefined: no need. Earlier calls do nothing. */
  nextDeadline(): number | undefined
  figures(): NodeFigures
  /** The rooms that the connection follows, in the order in which it began to. */
  roomsOf(connection: number): readonly string[]
  /** How many connections follow the room. */
  followersOf(room: string): number
  /** Whether anybody would hear what is told to them. */
  isThere(to: Recipient): boolean
  /**
   * A request from there that costs as much as an upgrade. 0: it was counted and may be; else the milliseconds to wait.
   */
  knock(address: string | undefined, now: number): number
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
    beating: new Set(),
    hangUp,
  }
  const rooms = new Rooms()
  const sessions = createSessions(context, randomText(random, 8))
  const people = createPeople(context, (person, was) => {
    presence.changed(person, was)
    watching.changed(person)
  })
  const presence = createPresence(context, rooms, people)
  const watching = createWatching(context, people)
  const subscriptions = createSubscriptions(context, rooms, presence, watching)
  const usage = createUsage(context)
  const committer = createCommitter(context, rooms, subscriptions, watching, usage)
  const pushes = createPushes(context, sessions)
  const admission = createAdmission(context)
  const reviews = createReviews(context, committer)
  const commands = createCommands(context, reviews, usage)
  const extensions = createExtensions(context, rooms, sessions)
  const drain = createDrain(context, {
    isIdle: () => committer.isIdle() && reviews.isIdle() && extensions.isIdle(),
    stop: reviews.stop,
  })
  const takeAsked = createApplication(context, commands, drain)
  const receive = createInbox(context, {
    sessions,
    subscriptions,
    commands,
    extensions,
    drain,
    usage,
    people,
    watching,
  })

  function hangUp(connection: Connection, code: Code, retryAfterMs?: number): void {
    if (connection.phase === 'closed') return
    context.effects.push({ do: 'close', connection: connection.id, code, retryAfterMs })
    forget(connection)
  }

  function forget(connection: Connection): void {
    connections.delete(connection.id)
    schedule.remove(connection)
    admission.leave(connection)
    sessions.forget(connection)
    connection.phase = 'closed'
    subscriptions.forget(connection)
    extensions.forget(connection)
    watching.forget(connection)
    people.leave(connection)
  }

  // --- by input ----------------------------------------------------------------------------------------------------

  function handle(input: Input): void {
    switch (input.type) {
      case 'opened':
        opened(input)
        break
      case 'turn_ended':
        reviews.start()
        committer.start()
        break
      case 'previewed':
        reviews.previewed(input.outcomes)
        drain.finish()
        break
      case 'preview_failed':
        reviews.previewFailed()
        drain.finish()
        break
      case 'reviewed':
        reviews.reviewed(input.review, input.verdict)
        drain.finish()
        break
      case 'committed':
        committer.committed(input.result)
        pushes.committed(input.result)
        drain.finish()
        break
      case 'commit_failed':
        committer.failed()
        drain.finish()
        break
      case 'answered':
        extensions.answered(input.ask, input.verdict)
        drain.finish()
        break
      case 'told':
        extensions.tell(input.to, input.name, input.payload)
        break
      case 'asked':
        takeAsked(input.user, input.message)
        break
      case 'revoked':
        sessions.revoke(input.tokenId, input.untilUnixMs)
        break
      case 'disconnected':
        sessions.disconnect(input.userId)
        break
      case 'timer':
        ring()
        break
      case 'clock_set':
        context.unixOffsetMs = input.unixMs - context.now
        break
      case 'seen_marked':
        people.written(input.isDone)
        break
      case 'drain':
        pushes.flush()
        people.stop()
        drain.begin()
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
        receive(connection, input.text)
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
        verified(connection, input.verification)
        arm(connection)
        break
      case 'read_done':
        subscriptions.readDone(connection, input.queue, input.answer)
        break
      case 'opened':
        break
      default:
        unreachable(input)
    }
  }

  function verified(connection: Connection, verification: Verification): void {
    const wasReady = connection.phase === 'ready'
    sessions.verified(connection, verification)
    if (connection.phase !== 'ready') return
    admission.authenticated(connection)
    if (!wasReady) people.join(connection)
  }

  /** Who cannot come in is told so before any work is done for it; a browser would hide a refusal of the upgrade. */
  function opened({ connection: id, token, address }: Extract<Input, { type: 'opened' }>): void {
    const connection = createConnection(id, token, options, context.now)
    if (drain.hasBegun()) {
      hangUp(connection, 'RESTART', GOING_RETRY_MS * (1 + random()))
      return
    }
    const refusal = admission.enter(connection, address)
    if (refusal) {
      hangUp(connection, refusal.code, refusal.retryAfterMs)
      return
    }
    connections.set(id, connection)
    arm(connection)
  }

  function buffered(connection: Connection, bytes: number): void {
    const relieved = notePressure(context, connection, bytes)
    if (connection.phase === 'closed') return
    if (relieved) {
      subscriptions.relieve(connection)
      watching.relieve(connection)
    }
    arm(connection)
  }

  // --- by deadline -------------------------------------------------------------------------------------------------

  function arm(connection: Connection): void {
    if (connection.phase === 'closed') return
    const first = Math.min(
      connection.helloDeadline,
      connection.tokenDeadline,
      pressureDeadline(context, connection),
      idleDeadline(context, connection),
      connection.phase === 'ready' ? heartbeatDeadline(context, connection) : Number.POSITIVE_INFINITY,
    )
    schedule.set(connection, first)
  }

  function ring(): void {
    for (let alarm = schedule.take(context.now); alarm; alarm = schedule.take(context.now)) {
      if (alarm.kind === 'absence') presence.vanish(alarm)
      else if (alarm.kind === 'push') pushes.ring(alarm)
      else if (alarm.kind === 'person') people.ring(alarm)
      else if (alarm.kind === 'pulse') context.beating.add(alarm)
      else if (alarm.kind === 'review') reviews.expire(alarm)
      else if (alarm.kind === 'ask') extensions.expire(alarm)
      else ringFor(alarm)
    }
    drain.finish()
  }

  function ringFor(connection: Connection): void {
    const { now } = context
    if (now >= connection.helloDeadline) hangUp(connection, 'HELLO_TIMEOUT')
    else if (now >= connection.tokenDeadline) hangUp(connection, 'TOKEN_EXPIRED')
    else if (now >= pressureDeadline(context, connection)) hangUp(connection, 'SLOW_CONSUMER')
    else if (now >= idleDeadline(context, connection)) hangUp(connection, 'IDLE')
    else if (connection.phase === 'ready' && !beat(context, connection)) hangUp(connection, 'IDLE')
    else arm(connection)
  }

  return {
    step(input, now) {
      context.now = now
      handle(input)
      flushBeating(context)
      const { effects } = context
      context.effects = []
      return effects
    },
    nextDeadline: () => schedule.next(),
    knock: admission.knock,
    roomsOf: (id) => [...(connections.get(id)?.subscriptions.keys() ?? [])],
    followersOf: (room) => rooms.get(room)?.followers.size ?? 0,
    isThere: extensions.isThere,
    figures: () => ({
      connections: connections.size,
      sessions: sessions.size(),
      rooms: rooms.size,
      queuedOps: reviews.waiting() + committer.queued(),
    }),
  }
}
