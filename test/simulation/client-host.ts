// A simulated tab or process: the real client core behind the real driver, and a shell that does what client.ts does,
// over virtual time (host-clock.ts) and simulated wires (host-links.ts). What the application is told is written into the
// history (witness.ts). It has a life that a reload ends without a word.

import { type Code, DEFAULT_LIMITS, makeMessageId } from '@tautline/protocol/wire'
import { DEFAULT_BACKOFF } from '../../packages/client/src/core/backoff.ts'
import type { Effect } from '../../packages/client/src/core/context.ts'
import { createCore, type Input } from '../../packages/client/src/core/core.ts'
import { DEFAULT_HEARTBEAT } from '../../packages/client/src/core/heartbeat.ts'
import { DEFAULT_OUTBOX, type OutboxOptions } from '../../packages/client/src/core/outbox.ts'
import type { NewRow } from '../../packages/client/src/core/outbox-row.ts'
import type { RequestMessage } from '../../packages/client/src/core/requests.ts'
import { createDriver } from '../../packages/client/src/driver.ts'
import { durable } from '../../packages/client/src/durable.ts'
import type { Dice } from './dice.ts'
import { createSession, type History, type Sent, type Session } from './history.ts'
import { createHostClock } from './host-clock.ts'
import { createHostLinks } from './host-links.ts'
import type { ClientEnd, Wire } from './network.ts'
import { SHORTEST_LIMIT_CHARS } from './node-options.ts'
import type { DoorKind } from './server-host.ts'
import type { TabStorage } from './storage.ts'
import { UNIX_START } from './time.ts'
import { type Token, writeToken } from './tokens.ts'
import { utter } from './utterances.ts'
import { createWitness } from './witness.ts'
import type { World } from './world.ts'

export interface ClientHost {
  readonly session: Session
  readonly user: string
  isAlive(): boolean
  isAsleep(): boolean
  connect(): void
  disconnect(): void
  send(room: string, kind: Sent['kind'], replaces?: string): void
  /** Forgets a message that failed, or says it again under another id. */
  answerFailure(messageId: string, how: 'retry' | 'discard'): void
  /** Messages that failed, of this session and of others. */
  failed(): readonly string[]
  cancel(messageId: string): void
  request(message: RequestMessage, then?: (isDone: boolean, answer: unknown) => void): void
  follow(room: string): void
  unfollow(room: string): void
  typing(room: string, active: boolean): void
  nudge(event: 'wake' | 'online' | 'offline'): void
  /** Timers, frames and all else stand still for so long. */
  sleep(ms: number): void
  /** Timers are late until then, by up to a minute. */
  throttle(ms: number): void
  stepClock(ms: number): void
  wire(): Wire | undefined
  /** The page goes: nothing is said to anybody. */
  reload(): void
  close(): void
  /** Signs out; `keepOutbox`: what waits stays for the next time. */
  logout(keepOutbox: boolean, then: () => void): void
  /** What it holds at the end. */
  finish(): void
}

export interface ClientHostParts {
  readonly world: World
  readonly history: History
  readonly dice: Dice
  readonly door: DoorKind
  readonly count: (fault: string) => void
  readonly user: string
  readonly sid: string
  readonly outbox: Partial<OutboxOptions>
  /** What the tabs of a browser share; undefined: rows are in memory. */
  readonly tab: TabStorage | undefined
  readonly outboxName: string | undefined
  /** A message of whatever tab. */
  readonly sent: (messageId: string) => Sent | undefined
  readonly dial: (end: ClientEnd) => Wire
  /** What the application gives for a token; undefined: it fails. `inMs`: how long that takes. */
  readonly token: (refused: boolean) => { readonly token: Token | undefined; readonly inMs: number }
  /** The client has stopped: what the application does then. */
  readonly stopped: (host: ClientHost, reason: Code | undefined) => void
}

/** When it is over, whatever the server and the store do. */
const LOGOUT_MS = 11_000

export function createClientHost(parts: ClientHostParts): ClientHost {
  const { world, history, dice, door, count, user, sid } = parts
  const clockRate = dice.chance(0.5) ? 1 : dice.between(0.99, 1.01)
  const clockStopsInSleep = dice.chance(0.5)
  const name = `${user}#${history.sessions.length}`
  const session = createSession({
    id: name,
    user,
    sid,
    outbox: parts.outboxName ?? name,
    startedAt: world.now,
    clockRate,
  })
  history.sessions.push(session)
  const witness = createWitness(world, session, count)
  const outbox = parts.tab && durable(parts.tab.storage)
  const core = createCore(
    {
      userId: user,
      sid,
      limits: DEFAULT_LIMITS,
      backoff: DEFAULT_BACKOFF,
      heartbeat: DEFAULT_HEARTBEAT,
      outbox: { ...DEFAULT_OUTBOX, ...parts.outbox },
      connectTimeoutMs: 10_000,
      authenticationTimeoutMs: 10_000,
      ackTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      suspendedAfterMs: 120_000,
      checkIntervalMs: 60_000,
      keeper: outbox?.keeper,
      followOwnLog: true,
      tellDeliveries: true,
    },
    dice.below(2 ** 32),
  )
  const replies = new Map<number, (isDone: boolean, answer: unknown) => void>()
  let isAlive = true
  let nextRequest = 1
  const clock = createHostClock({
    world,
    dice,
    session,
    stopsInSleep: clockStopsInSleep,
    origin: dice.between(0, 100_000),
    count,
    isAlive: () => isAlive,
    wakes: () => host.nudge('wake'),
    spins() {
      const what = `the timer of ${session.id} spins: it is ${core.status()}, its deadline ${core.nextDeadline() - clock.now()} ms away`
      history.broken.push({ at: world.now, what })
    },
  })
  const { now, unixTime, whenAwake } = clock
  const links = createHostLinks({ world, history, session, door, count, dial: parts.dial, whenAwake, step })

  const driver = createDriver({
    core,
    scheduler: {
      now,
      unixTime,
      after: (ms, callback) => clock.after(ms, () => unbroken('a timer', callback)),
    },
    endOfTurn(task) {
      world.settleSoon()
      queueMicrotask(() => isAlive && unbroken('the end of a turn', task))
    },
    perform,
    settled: () => {},
  })

  function step(input: Input): void {
    if (isAlive) unbroken(input.type, () => driver.step(input))
  }

  /** An exception out of the core is a broken promise, and no end of the run. */
  function unbroken(what: string, task: () => void): void {
    try {
      task()
    } catch (error) {
      history.broken.push({ at: world.now, what: `${session.id} on ${what}: ${String(error)}` })
    }
  }

  function perform(effect: Effect): void {
    unbroken(effect.type, () => act(effect))
  }

  const runner = outbox?.start(
    { url: 'the server', userId: user },
    (input) => whenAwake(() => step(input)),
    // Nobody here waits for a store to close.
    { now, unixTime, after: () => () => {} },
    (rows) => history.broken.push({ at: world.now, what: `${session.id} cannot read ${rows} rows` }),
  )

  // ── What the core wants done ──────────────────────────────────────────────────────────────────────────────────

  function act(effect: Effect): void {
    switch (effect.type) {
      case 'get_token':
        return getToken(effect.link, effect.refused)
      case 'dial':
        return links.dial(effect.link)
      case 'transmit':
        return links.transmit(effect.link, effect.messages)
      case 'hang_up':
        return links.hangUp(effect.link, effect.reason)
      case 'reply': {
        const then = replies.get(effect.id)
        replies.delete(effect.id)
        then?.(effect.reply.ok, effect.reply.ok ? effect.reply.payload : undefined)
        return
      }
      case 'store':
        world.settleSoon()
        return runner?.run(effect.id, effect.call)
      case 'status':
        witness.told(effect)
        if (effect.status === 'stopped') parts.stopped(host, effect.reason)
        return
      default:
        return witness.told(effect)
    }
  }

  function getToken(link: number, refused: boolean): void {
    const asked = { at: world.now, link, answeredAt: Number.POSITIVE_INFINITY }
    session.tokens.push(asked)
    const { token, inMs } = parts.token(refused)
    world.after(inMs, () =>
      whenAwake(() => {
        asked.answeredAt = world.now
        if (!token) return step({ type: 'token_failed', link, detail: 'the application has none' })
        watchExpiry(token)
        step({ type: 'token', link, token: writeToken(token) })
      }),
    )
  }

  /** Counts in which state a token meets its end. */
  function watchExpiry({ expiresAt, kind }: Token): void {
    const lifeMs = expiresAt - UNIX_START - world.now
    if (kind !== 'good' || lifeMs > 60_000) return
    world.after(Math.max(0, lifeMs), () => {
      if (isAlive) count(`token_expired_${core.status()}`)
    })
  }

  function end(by: Session['endedBy']): void {
    isAlive = false
    session.endedAt = world.now
    session.endedBy = by
    session.status = core.status()
    session.queued = core.queued().rows
    parts.tab?.die()
  }

  const host: ClientHost = {
    session,
    user,
    isAlive: () => isAlive,
    isAsleep: clock.isAsleep,
    connect() {
      session.connects.push(world.now)
      step({ type: 'connect' })
    },
    disconnect: () => step({ type: 'disconnect' }),

    send(room, kind, replaces) {
      const messageId = makeMessageId(unixTime(), dice.letters(12))
      const utterance = utter(kind, room, session, dice)
      if (!utterance) return
      const { type, payload, chars } = utterance
      witness.said({
        messageId,
        room,
        at: world.now,
        kind,
        isLong: chars > SHORTEST_LIMIT_CHARS,
        undecided: core.queued().rows,
        queuedAt: Number.POSITIVE_INFINITY,
        cancelledAt: Number.POSITIVE_INFINITY,
        outcomes: [],
      })
      const row: NewRow = { room, type, payload, messageId, bytes: chars + 14, createdAt: unixTime() }
      step({ type: 'send', row, replaces })
    },
    failed: witness.failed,
    answerFailure(messageId, how) {
      const message = witness.message(messageId)
      if (!message) return
      world.note(() => `${session.id}: ${messageId} is to be forgotten (${how})`)
      // The new one first: a crash between the two must not lose what was said.
      if (how === 'retry') host.send(message.room, 'plain', messageId)
      witness.forget(messageId)
      step({ type: 'discard', messageId })
    },
    cancel(messageId) {
      const sent = parts.sent(messageId)
      if (sent) sent.cancelledAt = Math.min(sent.cancelledAt, world.now)
      world.note(() => `${session.id}: cancels ${messageId}`)
      step({ type: 'cancel', messageId })
    },
    request(message, then) {
      const id = nextRequest++
      if (then) replies.set(id, then)
      step({ type: 'request', id, message })
    },
    follow: (room) => step({ type: 'follow', room }),
    unfollow: (room) => step({ type: 'unfollow', room }),
    typing: (room, active) => step({ type: 'typing', room, active }),
    nudge(event) {
      session.nudges.push(world.now)
      step({ type: 'lifecycle', event })
    },

    sleep: clock.sleep,
    throttle: clock.throttle,
    stepClock: clock.step,
    wire: links.wire,

    reload() {
      if (!isAlive) return
      world.note(() => `${session.id}: the page goes`)
      end('reload')
      links.drop()
    },
    logout(keepOutbox, then) {
      const from = world.now
      // Whoever is frozen signs out later; some clocks stood still meanwhile.
      const look = () => {
        if (!isAlive) return then()
        if (core.status() !== 'closed' && clock.isLate(LOGOUT_MS)) return world.after(1_000, look)
        if (core.status() !== 'closed')
          history.broken.push({ at: world.now, what: `${session.id} signs out for ever` })
        const isEmptied = !keepOutbox && session.storageLostAt === Number.POSITIVE_INFINITY
        if (isEmptied) history.emptied.push({ outbox: session.outbox, from, at: world.now })
        driver.stop()
        session.leftAfterClose = links.open() + clock.timers()
        end('close')
        then()
      }
      world.note(() => `${session.id}: signs out, and keeps ${keepOutbox ? 'what waits' : 'nothing'}`)
      step({ type: keepOutbox ? 'close' : 'logout' })
      world.after(LOGOUT_MS, look)
    },
    close() {
      if (!isAlive || core.status() === 'closed') return
      step({ type: 'close' })
      driver.stop()
      // What waits is written before the page goes.
      world.after(2_000, () => {
        if (!isAlive) return
        session.leftAfterClose = links.open() + clock.timers()
        end('close')
      })
    },
    finish() {
      if (isAlive) end('end')
    },
  }
  return host
}
