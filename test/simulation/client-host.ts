// A simulated tab or process: the real client core behind the real driver, and a shell that does what client.ts does,
// over virtual time and simulated wires. What the application is told is written into the history.
//
// A host has a clock that drifts, jumps and may stand still while it sleeps, timers that can be late, and a life that a
// reload ends without a word.

import {
  type ClientMessage,
  CODES,
  type Code,
  DEFAULT_LIMITS,
  MAX_BATCH,
  makeMessageId,
  type PayloadOf,
  readClose,
  type ServerMessage,
} from '@tautline/protocol/wire'
import { DEFAULT_BACKOFF } from '../../packages/client/src/core/backoff.ts'
import type { Effect } from '../../packages/client/src/core/context.ts'
import { createCore, type Input } from '../../packages/client/src/core/core.ts'
import { DEFAULT_HEARTBEAT } from '../../packages/client/src/core/heartbeat.ts'
import { DEFAULT_OUTBOX, type OutboxOptions } from '../../packages/client/src/core/outbox.ts'
import type { NewRow, SendOutcome } from '../../packages/client/src/core/outbox-row.ts'
import type { RequestMessage } from '../../packages/client/src/core/requests.ts'
import { createDriver } from '../../packages/client/src/driver.ts'
import { durable } from '../../packages/client/src/durable.ts'
import { wholeDoor } from '../support/whole-door.ts'
import type { Dice } from './dice.ts'
import type { History, Link, Outcome, Restored, Sent, Session, Stream } from './history.ts'
import type { ClientEnd, Wire } from './network.ts'
import { SHORTEST_LIMIT_CHARS } from './node-options.ts'
import { CENSORED_WORD, DELAYED_WORD, FORBIDDEN_WORD } from './reviewer.ts'
import type { DoorKind } from './server-host.ts'
import type { TabStorage } from './storage.ts'
import { UNIX_START } from './time.ts'
import { type Token, writeToken } from './tokens.ts'
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
  /** Asks who belongs to the rooms that it follows, and which are its own; the answers are for the history. */
  askWhoBelongs(): void
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
/** No timer fires early. */
const TIMER_GRAIN_MS = 0.001
/** Times that a timer may fire within a millisecond. */
const MOST_SPINS = 100
/** Timers of a page that is not looked at fire once a minute. */
const THROTTLE_MS = 60_000

export function createClientHost(parts: ClientHostParts): ClientHost {
  const { world, history, dice, door, count, user, sid } = parts
  const clockRate = dice.chance(0.5) ? 1 : dice.between(0.99, 1.01)
  const clockStopsInSleep = dice.chance(0.5)
  const session: Session = {
    id: `${user}#${history.sessions.length}`,
    user,
    sid,
    outbox: parts.outboxName ?? `${user}#${history.sessions.length}`,
    storageLostAt: Number.POSITIVE_INFINITY,
    startedAt: world.now,
    endedAt: Number.POSITIVE_INFINITY,
    endedBy: 'end',
    sends: [],
    restored: [],
    streams: [],
    links: [],
    connects: [],
    statuses: [],
    tokens: [],
    mostSockets: 0,
    mostTimers: 0,
    leftAfterClose: 0,
    clockRate,
    clockErrorMs: 0,
    nudges: [],
    late: [],
    queued: 0,
    status: 'idle',
    phases: new Map(),
    lives: [],
    liveSince: new Map(),
  }
  history.sessions.push(session)
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
  /** Those of its own, and those that it found in the store. */
  const sends = new Map<string, Sent>()
  const known = new Map<string, Sent | Restored>()
  const streams = new Map<string, Stream>()
  const links = new Map<number, { readonly link: Link; wire: Wire | undefined; isOpen: boolean }>()
  const replies = new Map<number, (isDone: boolean, answer: unknown) => void>()
  let isAlive = true
  /** What waits for its waking. */
  let asleep: (() => void)[] | undefined
  let asleepUntil = 0
  let fellAsleepAt = 0
  /** Time that the monotonic clock left out. */
  let frozenMs = 0
  let throttledUntil = 0
  let dateErrorMs = 0
  let current = 0
  let nextRequest = 1
  let openSockets = 0
  let words = 0
  let timers = 0
  let spinningSince = 0
  let spins = 0
  const origin = dice.between(0, 100_000)

  const clock = () => (world.now - frozenMs) * clockRate + origin
  const unixTime = () => Math.round(UNIX_START + world.now + dateErrorMs)

  /** Happens when the host is awake; not at all where its page is gone. */
  function whenAwake(action: () => void): void {
    if (!isAlive) return
    if (asleep) asleep.push(action)
    else action()
  }

  function wake(): void {
    if (world.now < asleepUntil) return world.after(asleepUntil - world.now + TIMER_GRAIN_MS, wake)
    const waiting = asleep ?? []
    asleep = undefined
    if (clockStopsInSleep) frozenMs += world.now - fellAsleepAt
    if (!isAlive) return
    world.note(() => `${session.id}: wakes`)
    // The page may hear of it before what waited, after it, or not at all.
    const isToldFirst = dice.chance(0.5)
    if (isToldFirst) host.nudge('wake')
    for (const action of waiting) whenAwake(action)
    if (!isToldFirst && dice.chance(0.5)) host.nudge('wake')
  }

  // ── The clock and its one timer ───────────────────────────────────────────────────────────────────────────────

  function after(ms: number, callback: () => void): () => void {
    const dueAt = clock() + Math.max(0, ms)
    let isArmed = true
    timers++
    session.mostTimers = Math.max(session.mostTimers, timers)
    const disarm = () => {
      if (isArmed) timers--
      isArmed = false
    }
    const look = () => {
      if (!isArmed || !isAlive) return
      if (asleep) {
        asleep.push(look)
        return
      }
      const leftMs = (dueAt - clock()) / clockRate
      if (leftMs > 0) return world.after(leftMs + TIMER_GRAIN_MS, look)
      if (world.now < throttledUntil) {
        const lateMs = dice.between(0, Math.min(THROTTLE_MS, throttledUntil - world.now))
        count('timer_late')
        return world.after(lateMs, ring)
      }
      ring()
    }
    const ring = () => {
      if (!isArmed || !isAlive) return
      if (asleep) {
        asleep.push(ring)
        return
      }
      disarm()
      watchSpinning()
      unbroken('a timer', callback)
    }
    world.after(Math.max(0, ms) / clockRate + TIMER_GRAIN_MS, look)
    return disarm
  }

  /** A deadline that stays in the past would keep a processor busy for nothing. */
  function watchSpinning(): void {
    if (world.now - spinningSince > 1) {
      spinningSince = world.now
      spins = 0
    }
    if (++spins !== MOST_SPINS) return
    const what = `the timer of ${session.id} spins: it is ${core.status()}, its deadline ${core.nextDeadline() - clock()} ms away`
    history.broken.push({ at: world.now, what })
  }

  const driver = createDriver({
    core,
    scheduler: { now: clock, unixTime, after },
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
    { now: clock, unixTime, after: () => () => {} },
    (rows) => history.broken.push({ at: world.now, what: `${session.id} cannot read ${rows} rows` }),
  )

  // ── What the core wants done ──────────────────────────────────────────────────────────────────────────────────

  function act(effect: Effect): void {
    switch (effect.type) {
      case 'get_token':
        return getToken(effect.link, effect.refused)
      case 'dial':
        return dial(effect.link)
      case 'transmit':
        return transmit(effect.link, effect.messages)
      case 'hang_up':
        return hangUp(effect.link, effect.reason)
      case 'status':
        session.statuses.push({ at: world.now, status: effect.status, reason: effect.reason })
        world.note(() => `${session.id}: ${effect.status} ${effect.reason ?? ''}`)
        if (effect.status === 'stopped') parts.stopped(host, effect.reason)
        return
      case 'settled':
        return settled(effect)
      case 'entries': {
        const { entries } = effect
        world.note(
          () =>
            `${session.id}: ${effect.room} applies ${entries.map((e) => `${e.seq}:${e.messageId}`).join(' ')}`,
        )
        streamOf(effect.room).events.push({ at: world.now, type: 'entries', entries })
        return
      }
      case 'gap': {
        const { from, to } = effect.gap
        count(`gap_${effect.gap.reason}`)
        world.note(
          () => `${session.id}: ${effect.room} has a gap from ${from} to ${to} (${effect.gap.reason})`,
        )
        streamOf(effect.room).events.push({ at: world.now, type: 'gap', from, to })
        return
      }
      case 'reset':
        world.note(() => `${session.id}: ${effect.room} is reset (${effect.reason})`)
        count(`reset_${effect.reason}`)
        return endStream(effect.room)
      case 'left':
        world.note(() => `${session.id}: ${effect.room} is left (${effect.reason})`)
        return endStream(effect.room)
      case 'room':
        world.note(() => `${session.id}: ${effect.room} is ${effect.phase}`)
        session.phases.set(effect.room, effect.phase)
        if (effect.phase === 'idle') endStream(effect.room)
        if (effect.phase === 'live') session.lives.push({ at: world.now, room: effect.room, link: current })
        if (effect.phase === 'live' && !session.liveSince.has(effect.room))
          session.liveSince.set(effect.room, world.now)
        return
      case 'reply': {
        const then = replies.get(effect.id)
        replies.delete(effect.id)
        then?.(effect.reply.ok, effect.reply.ok ? effect.reply.payload : undefined)
        return
      }
      case 'store':
        world.settleSoon()
        return runner?.run(effect.id, effect.call)
      case 'storage':
        world.note(() => `${session.id}: its outbox is ${effect.status} ${effect.detail ?? ''}`)
        count(`storage_${effect.status}`)
        if (effect.status === 'lost') session.storageLostAt = world.now
        return
      case 'restored':
        return restored(effect)
      case 'progress': {
        const sent = sends.get(effect.messageId)
        if (sent && effect.status === 'queued') sent.queuedAt = Math.min(sent.queuedAt, world.now)
        return
      }
      case 'discarded':
      case 'identified':
      case 'ready':
      case 'latency':
      case 'presence':
      case 'typing':
      case 'message':
      case 'problem':
        return
      default:
        effect satisfies never
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

  function dial(number: number): void {
    const link: Link = {
      id: number,
      dialledAt: world.now,
      openedAt: Number.POSITIVE_INFINITY,
      readyAt: Number.POSITIVE_INFINITY,
      overAt: Number.POSITIVE_INFINITY,
      overBy: undefined,
      code: undefined,
      retryAfterMs: undefined,
      up: [],
      down: [],
    }
    session.links.push(link)
    current = number
    const entry = { link, wire: undefined as Wire | undefined, isOpen: true }
    links.set(number, entry)
    session.mostSockets = Math.max(session.mostSockets, ++openSockets)
    entry.wire = parts.dial({
      opened: () =>
        whenAwake(() => {
          link.openedAt = world.now
          step({ type: 'opened', link: number })
        }),
      received: (frame) => whenAwake(() => received(number, link, frame)),
      lost: (closeCode, reason) =>
        whenAwake(() => {
          world.note(() => `${session.id}: link ${number} closed ${closeCode} ${reason}`)
          const meaning = readClose(closeCode, reason)
          over(number, 'peer', meaning.code, meaning.retryAfterMs)
          if (current !== number) count('late_close')
          step({ type: 'lost', link: number, closeCode, reason })
        }),
    })
  }

  function received(number: number, link: Link, frame: unknown): void {
    const messages = door === 'objects' ? (frame as readonly ServerMessage[]) : wholeDoor(frame)
    if (!messages) {
      history.broken.push({ at: world.now, what: `${session.id} cannot read ${String(frame)}` })
      return step({ type: 'garbled', link: number })
    }
    if (link.overAt !== Number.POSITIVE_INFINITY) count('late_frame')
    for (const message of messages) {
      world.note(() => `${session.id}: hears ${JSON.stringify(message)}`)
      if (message.type === 'connected' && link.overAt === Number.POSITIVE_INFINITY) link.readyAt = world.now
      if (message.type === 'error') count(`told_${message.payload.code}`)
      link.down.push({ at: world.now, order: words++, message })
    }
    step({ type: 'received', link: number, messages })
  }

  function transmit(number: number, messages: readonly ClientMessage[]): void {
    const entry = links.get(number)
    for (const message of messages) {
      world.note(() => `${session.id}: says ${JSON.stringify(message)}`)
      entry?.link.up.push({ at: world.now, order: words++, message })
    }
    for (let i = 0; i < messages.length; i += MAX_BATCH) {
      const frame = messages.length > MAX_BATCH ? messages.slice(i, i + MAX_BATCH) : messages
      entry?.wire?.up(door === 'objects' ? frame : JSON.stringify(frame.length === 1 ? frame[0] : frame))
    }
  }

  function hangUp(number: number, reason: string): void {
    const code = reason.split(' ')[0] as Code
    world.note(() => `${session.id}: hangs up with ${code}`)
    over(number, 'client', code in CODES ? code : 'NORMAL', undefined)
    links.get(number)?.wire?.closeByClient()
  }

  function over(number: number, by: 'client' | 'peer', code: Code, retryAfterMs: number | undefined): void {
    const entry = links.get(number)
    if (!entry?.isOpen) return
    entry.isOpen = false
    openSockets--
    const { link } = entry
    link.overAt = world.now
    link.overBy = by
    link.code = code
    link.retryAfterMs = retryAfterMs
  }

  function settled({ messageId, outcome }: Extract<Effect, { type: 'settled' }>): void {
    world.note(
      () =>
        `${session.id}: ${messageId} is ${outcome.status} ${'seq' in outcome ? outcome.seq : outcome.code}`,
    )
    known.get(messageId)?.outcomes.push(outcomeOf(outcome))
    if (outcome.status === 'failed') count(`failed_${outcome.code}`)
  }

  function outcomeOf(outcome: SendOutcome): Outcome {
    return {
      at: world.now,
      status: outcome.status,
      code: outcome.status === 'failed' ? outcome.code : undefined,
      seq: outcome.status === 'acknowledged' ? outcome.seq : undefined,
    }
  }

  function restored({ row: { messageId, room }, outcome }: Extract<Effect, { type: 'restored' }>): void {
    if (known.has(messageId)) return
    world.note(() => `${session.id}: finds ${messageId} ${outcome?.status ?? ''}`)
    const found: Restored = { messageId, room, outcomes: outcome ? [outcomeOf(outcome)] : [] }
    known.set(messageId, found)
    session.restored.push(found)
    count('restored')
  }

  // ── What it is told of rooms ──────────────────────────────────────────────────────────────────────────────────

  function streamOf(room: string): Stream {
    const found = streams.get(room)
    if (found) return found
    const stream: Stream = { room, from: world.now, to: Number.POSITIVE_INFINITY, events: [] }
    streams.set(room, stream)
    session.streams.push(stream)
    return stream
  }

  function endStream(room: string): void {
    const stream = streams.get(room)
    if (stream) stream.to = world.now
    streams.delete(room)
    session.liveSince.delete(room)
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
    isAsleep: () => asleep !== undefined,
    connect() {
      session.connects.push(world.now)
      step({ type: 'connect' })
    },
    disconnect: () => step({ type: 'disconnect' }),

    send(room, kind, replaces) {
      const messageId = makeMessageId(unixTime(), dice.letters(12))
      const change = kind === 'change' ? changeIn(session, room, dice) : undefined
      if (kind === 'change' && !change) return
      const content = contentOf(kind, dice)
      const sent: Sent = {
        messageId,
        room,
        at: world.now,
        kind,
        isLong: content.length > SHORTEST_LIMIT_CHARS,
        undecided: core.queued().rows,
        queuedAt: Number.POSITIVE_INFINITY,
        cancelledAt: Number.POSITIVE_INFINITY,
        outcomes: [],
      }
      sends.set(messageId, sent)
      known.set(messageId, sent)
      session.sends.push(sent)
      world.note(() => `${session.id}: sends ${messageId} to ${room} (${kind})`)
      const payload = change?.payload ?? { content }
      const row: NewRow = {
        room,
        type: change?.type ?? 'send_message',
        payload,
        messageId,
        bytes: content.length + 14,
        createdAt: unixTime(),
      }
      step({ type: 'send', row, replaces })
    },
    failed: () =>
      [...known.values()]
        .filter(({ outcomes }) => outcomes[0]?.status === 'failed')
        .map(({ messageId }) => messageId),
    answerFailure(messageId, how) {
      const row = known.get(messageId)
      if (!row) return
      world.note(() => `${session.id}: ${messageId} is to be forgotten (${how})`)
      // The new one first: a crash between the two must not lose what was said.
      if (how === 'retry') host.send(row.room, 'plain', messageId)
      known.delete(messageId)
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
    askWhoBelongs() {
      const at = world.now
      for (const [room, phase] of session.phases) {
        if (phase !== 'live' || room.startsWith('~')) continue
        host.request({ type: 'list_members', payload: { room } }, (isDone, answer) => {
          if (!isDone) return
          const { members } = answer as PayloadOf<'member_list'>
          const roles = new Map(members.map(({ userId, role }) => [userId, role]))
          history.lists.push({ session: session.id, room, at, members: roles })
        })
      }
      host.request({ type: 'list_rooms', payload: { which: 'own' } }, (isDone, answer) => {
        if (!isDone) return
        const { rooms } = answer as PayloadOf<'room_list'>
        const own = new Map(rooms.flatMap(({ room, role }) => (role ? [[room, role] as const] : [])))
        history.ownRooms.push({ session: session.id, user, at, rooms: own })
      })
    },
    follow: (room) => step({ type: 'follow', room }),
    unfollow: (room) => step({ type: 'unfollow', room }),
    typing: (room, active) => step({ type: 'typing', room, active }),
    nudge(event) {
      session.nudges.push(world.now)
      step({ type: 'lifecycle', event })
    },

    sleep(ms) {
      if (!isAlive) return
      asleepUntil = Math.max(asleepUntil, world.now + ms)
      session.late.push([world.now, asleepUntil + 1])
      if (asleep) return
      world.note(() => `${session.id}: sleeps for ${Math.round(ms / 1_000)} s`)
      asleep = []
      fellAsleepAt = world.now
      world.after(ms, wake)
    },
    throttle(ms) {
      throttledUntil = Math.max(throttledUntil, world.now + ms)
      session.late.push([world.now, throttledUntil + 1])
    },
    stepClock(ms) {
      dateErrorMs += ms
      session.clockErrorMs = Math.max(session.clockErrorMs, Math.abs(dateErrorMs))
    },
    wire: () => (links.get(current)?.isOpen ? links.get(current)?.wire : undefined),

    reload() {
      if (!isAlive) return
      world.note(() => `${session.id}: the page goes`)
      end('reload')
      for (const { wire, isOpen } of links.values()) if (isOpen) wire?.closeByClient()
    },
    logout(keepOutbox, then) {
      const from = world.now
      // Whoever is frozen signs out later; some clocks stood still meanwhile.
      const isLate = () =>
        asleep !== undefined || world.now < Math.max(throttledUntil, asleepUntil) + LOGOUT_MS
      const look = () => {
        if (!isAlive) return then()
        if (core.status() !== 'closed' && isLate()) return world.after(1_000, look)
        if (core.status() !== 'closed')
          history.broken.push({ at: world.now, what: `${session.id} signs out for ever` })
        const isEmptied = !keepOutbox && session.storageLostAt === Number.POSITIVE_INFINITY
        if (isEmptied) history.emptied.push({ outbox: session.outbox, from, at: world.now })
        driver.stop()
        session.leftAfterClose = openSockets + timers
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
        session.leftAfterClose = openSockets + timers
        end('close')
      })
    },
    finish() {
      if (isAlive) end('end')
    },
  }
  return host
}

/** Something to do with a message that the session saw: mostly with a late one, so that several do it at once. */
function changeIn(
  { user, streams }: Session,
  room: string,
  dice: Dice,
): Pick<NewRow, 'type' | 'payload'> | undefined {
  const events = streams.filter((stream) => stream.room === room).flatMap((stream) => stream.events)
  const seen = events.flatMap((event) => (event.type === 'entries' ? event.entries : []))
  const messages = seen.filter(({ type }) => type === 'new_message').slice(-5)
  if (messages.length === 0) return undefined
  const { sender, messageId } = dice.pick(messages)
  const target = { sender, messageId }
  const emoji = dice.pick(['👍', '🎉'])
  const deed = dice.below(10)
  if (deed < 3) return { type: 'add_reaction', payload: { target, emoji } }
  if (deed < 5) return { type: 'remove_reaction', payload: { target, emoji } }
  const content = `again ${dice.letters(6)}`
  if (deed < 7 || sender !== user) return { type: 'send_message', payload: { content, replyTo: target } }
  return deed < 9
    ? { type: 'edit_message', payload: { target, content } }
    : { type: 'delete_message', payload: { target } }
}

function contentOf(kind: Sent['kind'], dice: Dice): string {
  switch (kind) {
    case 'plain':
      return dice.chance(0.02) ? `long ${'x'.repeat(dice.below(4_000))}` : `hello ${dice.letters(6)}`
    case 'poison':
      return `poison ${dice.letters(6)}`
    case 'too_long':
      return 'x'.repeat(5_001 + dice.below(100))
    case 'forbidden':
      return `${FORBIDDEN_WORD} ${dice.letters(6)}`
    case 'censored':
      return `${CENSORED_WORD} ${dice.letters(6)}`
    case 'delayed':
      return `${DELAYED_WORD} ${dice.letters(6)}`
    case 'change':
    case 'invalid':
      return ''
    default:
      return kind satisfies never
  }
}
