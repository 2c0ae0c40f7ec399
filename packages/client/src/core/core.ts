/**
 * The client without its clock, dice, timer, socket and storage: `step(input, now)` takes one thing that happened and
 * returns what to do about it, in order; `nextDeadline()` says when to call with `tick` again. The shell (client.ts)
 * and the simulation drive the same core.
 *
 * This file joins the parts: it hands every input and every frame to the part it concerns, and ends each step by
 * draining the outbox, but for a `send`: what is said in one turn of the host goes out together, with the next input, or
 * with the `tick` that is then due at once. `now` is monotonic milliseconds. Who waits for which answer is in answers.ts.
 */
import {
  type ClientMessage,
  ownLogId,
  type PayloadOf,
  type ServerMessage,
  type ServerMessageType,
} from '@tautline/protocol/wire'
import { createAlarms, NEVER } from './alarms.ts'
import { acknowledged, answered, refused } from './answers.ts'
import { createConnection } from './connection.ts'
import type { Context, CoreOptions, Effect } from './context.ts'
import { createDeliveries } from './deliveries.ts'
import { createJoins } from './joins.ts'
import type { KeeperInput, StorageStatus } from './keeper.ts'
import { createLiveness } from './liveness.ts'
import { createOutbox } from './outbox.ts'
import type { NewRow } from './outbox-row.ts'
import { createPresence } from './presence.ts'
import { createRandom } from './random.ts'
import { createRequests, type RequestMessage } from './requests.ts'
import { createRooms } from './rooms.ts'
import type { Status } from './status.ts'

/** `link` numbers the attempts to be connected; what an old one still says is ignored. */
export type Input =
  | KeeperInput
  | { readonly type: 'disconnect' }
  | { readonly type: 'token'; readonly link: number; readonly token: string }
  /** The application could not give a token. */
  | { readonly type: 'token_failed'; readonly link: number; readonly detail: string }
  | { readonly type: 'opened'; readonly link: number }
  | { readonly type: 'received'; readonly link: number; readonly messages: readonly ServerMessage[] }
  /** A frame that is not of the protocol. */
  | { readonly type: 'garbled'; readonly link: number }
  | { readonly type: 'lost'; readonly link: number; readonly closeCode: number; readonly reason: string }
  /** `replaces`: the failed message that is tried again by it. */
  | { readonly type: 'send'; readonly row: NewRow; readonly replaces?: string | undefined }
  | { readonly type: 'cancel'; readonly messageId: string }
  /** `answer`: the type of message that answers it. */
  | {
      readonly type: 'request'
      readonly id: number
      readonly message: RequestMessage
      readonly answer?: ServerMessageType | undefined
    }
  | { readonly type: 'follow'; readonly room: string }
  | { readonly type: 'unfollow'; readonly room: string }
  | { readonly type: 'typing'; readonly room: string; readonly active: boolean }
  /** Said where we are connected, else lost. */
  | { readonly type: 'tell'; readonly message: ClientMessage }
  /** What the host noticed: `wake` (visible again, resumed, the clock jumped), the network came or went. */
  | { readonly type: 'lifecycle'; readonly event: 'wake' | 'online' | 'offline' }
  /** How the user is, for the next hello. */
  | { readonly type: 'greet'; readonly presence: PayloadOf<'update_presence'> }
  | { readonly type: 'tick' }

export interface Core {
  step(input: Input, now: number): Effect[]
  /** When to call with `tick`, in the time of `now`; Infinity: not needed. */
  nextDeadline(): number
  status(): Status
  /** Undecided messages, and how full the outbox is with them, from 0 to 1. */
  queued(): { readonly rows: number; readonly bytes: number; readonly pressure: number }
  storage(): StorageStatus
}

/** A logout waits for answers for so long. */
const LEAVE_MS = 5_000

export function createCore(options: CoreOptions, seed: number): Core {
  let effects: Effect[] = []
  let outgoing: ClientMessage[] = []
  let nextRef = 1
  let ownLog: string | undefined
  let ownId = options.userId
  /** Whether the application knows that this connection is ready. */
  let toldReady = false
  let checkAt = NEVER
  /** When we close, whatever the server has said by then of what was given up at the logout. */
  let leaveBy = NEVER
  /** When what was said since the outbox was drained goes out. */
  let drainAt = NEVER

  const alarms = createAlarms()
  const context: Context = {
    options,
    random: createRandom(seed),
    now: 0,
    limits: options.limits,
    online: true,
    greeting: undefined,
    ready: false,
    pending: new Map(),
    alarm: alarms.set,
    emit: (effect) => {
      effects.push(effect)
      if (effect.type !== 'entries') return
      deliveries.heard(effect.room, effect.entries, ownId)
      presence.heard(effect.room, effect.entries, ownId)
    },
    send: (message) => {
      outgoing.push(message)
    },
    ask({ type, payload }, waiting) {
      const ref = context.takeRefs(1)
      context.pending.set(ref, { ...waiting, sentAt: context.now })
      context.send({ type, payload: { ref, ...payload } } as ClientMessage)
      return ref
    },
    takeRefs(count) {
      nextRef += count
      return nextRef - count
    },
  }
  const joins = createJoins(context)
  const outbox = createOutbox(context, joins)
  const requests = createRequests(context)
  const rooms = createRooms(context)
  const presence = createPresence(context)
  const deliveries = createDeliveries(context)
  const liveness = createLiveness(context)
  const connection = createConnection(context, {
    detached() {
      liveness.stop()
      context.pending.clear()
      outgoing = []
      toldReady = false
      checkAt = NEVER
      if (!context.ready) return
      context.ready = false
      outbox.stop()
      rooms.stop()
      requests.stop()
      presence.stop()
    },
    up(payload, serverTime) {
      scheduleCheck()
      liveness.start()
      rooms.start(payload.epoch)
      ownId = payload.userId
      followOwnLog(payload.userId)
      deliveries.start()
      joins.start()
      requests.start()
      outbox.start(payload.limits, serverTime)
    },
    over(code) {
      joins.rejectAll({ code })
      requests.rejectAll({ code })
    },
  })

  /** Nobody but its user may follow it: another user's is given up. */
  function followOwnLog(userId: string): void {
    const log = ownLogId(userId)
    if (!options.followOwnLog) return
    if (ownLog !== undefined && ownLog !== log) rooms.unfollow(ownLog)
    ownLog = log
    if (!rooms.isFollowed(log)) rooms.follow(log)
  }

  /** Every room is live, refused, or known to be behind. */
  function tellReady(): void {
    if (toldReady || !context.ready || rooms.isSyncing()) return
    toldReady = true
    // Measured once the rush of the beginning is over.
    liveness.measure()
    context.emit({ type: 'ready' })
  }

  function scheduleCheck(): void {
    checkAt = context.now + options.checkIntervalMs * (0.8 + 0.4 * context.random())
  }

  // ── What the server says ──────────────────────────────────────────────────────────────────────────────────────

  /** Before we are known to the server, nothing but the connection is spoken of. */
  function isTimely(type: ServerMessage['type']): boolean {
    return context.ready || type === 'connected' || type === 'error' || type === 'going_away'
  }

  /** What a room says beyond its log may still come after it was left. */
  function isFollowed(payload: { readonly room: string }): boolean {
    return rooms.isFollowed(payload.room)
  }

  function receive(message: ServerMessage): void {
    if (!isTimely(message.type)) return
    switch (message.type) {
      case 'connected':
        return connection.connected(message.payload, message.timestamp)
      case 'ping':
        context.send({ type: 'pong', payload: { ref: message.payload.ref } })
        return liveness.measure()
      case 'ack':
        return acknowledged(context, message.payload, message.timestamp ?? 0)
      case 'error':
        return refused(context, message.payload)
      case 'going_away':
        return connection.goingAway(message.payload.reconnectAfterMs)
      case 'entries':
        return rooms.entries(message.payload)
      case 'token_renewed':
      case 'pong':
      case 'page':
      case 'reset':
      case 'checked':
      case 'unsubscribed':
      case 'room_joined':
        return answered(context, message)
      case 'room_left':
        answered(context, message)
        return onLeft(message.payload)
      case 'typing_started':
        if (isFollowed(message.payload)) presence.typing(message.payload.room, message.payload.userId, true)
        return
      case 'typing_stopped':
        if (isFollowed(message.payload)) presence.typing(message.payload.room, message.payload.userId, false)
        return
      case 'room_presence':
        if (isFollowed(message.payload)) presence.arrived(message.payload)
        return
      case 'presence_changed':
        if (isFollowed(message.payload)) presence.changed(message.payload)
        return
      default:
        context.emit({ type: 'message', message })
        return answered(context, message)
    }
  }

  function onLeft({ room, reason }: PayloadOf<'room_left'>): void {
    rooms.left(room)
    presence.leave(room)
    deliveries.leave(room)
    context.emit({ type: 'left', room, reason })
  }

  // ── What happens ──────────────────────────────────────────────────────────────────────────────────────────────

  function isLeaving(): boolean {
    return leaveBy < NEVER
  }

  function close(): void {
    connection.leave('close')
    outbox.keeper.take({ type: 'close', isEmptied: isLeaving() })
    leaveBy = NEVER
    rooms.close()
    alarms.clear()
  }

  function take(input: Input): void {
    switch (input.type) {
      case 'connect':
        outbox.keeper.take(input)
        return connection.connect()
      case 'disconnect':
        return connection.leave('disconnect')
      case 'close':
        return close()
      case 'logout':
        if (connection.status() === 'closed' || isLeaving()) return
        leaveBy = context.now + LEAVE_MS
        return outbox.cancelAll()
      case 'token':
        return connection.token(input.link, input.token)
      case 'token_failed':
        return connection.tokenFailed(input.link, input.detail)
      case 'opened':
      case 'received':
      case 'garbled':
      case 'lost':
        return connection.isCurrent(input.link) ? takeFromLink(input) : undefined
      case 'send':
        return send(input.row, input.replaces)
      case 'cancel':
        return outbox.cancel(input.messageId)
      case 'discard':
      case 'stored':
      case 'store_lost':
      case 'held':
      case 'told':
        return outbox.keeper.take(input)
      case 'request':
        return onRequest(input.id, input.message, input.answer)
      case 'follow':
        return connection.status() === 'closed' ? undefined : rooms.follow(input.room)
      case 'unfollow':
        presence.leave(input.room)
        deliveries.leave(input.room)
        return rooms.unfollow(input.room)
      case 'typing':
        return presence.type(input.room, input.active)
      case 'tell':
        return context.ready ? context.send(input.message) : undefined
      case 'lifecycle':
        return onLifecycle(input.event)
      case 'greet':
        context.greeting = input.presence
        return
      case 'tick':
        return tick()
      default:
        return input satisfies never
    }
  }

  function takeFromLink(input: Extract<Input, { type: 'opened' | 'received' | 'garbled' | 'lost' }>): void {
    switch (input.type) {
      case 'opened':
        return connection.opened()
      case 'received':
        liveness.feed()
        // A message may end the link; what stands behind it in the frame is then of the past.
        for (const message of input.messages) {
          if (connection.isCurrent(input.link)) receive(message)
        }
        return
      case 'garbled':
        return connection.giveUp('PARSE_ERROR')
      case 'lost':
        return connection.lost(input.closeCode, input.reason)
      default:
        return input satisfies never
    }
  }

  function send(row: NewRow, replaces: string | undefined): void {
    if (connection.status() !== 'closed' && !isLeaving()) return outbox.add(row, replaces)
    const { room, messageId } = row
    context.emit({ type: 'settled', room, messageId, outcome: { status: 'failed', code: 'CLOSED' } })
  }

  function onRequest(id: number, message: RequestMessage, answer: ServerMessageType | undefined): void {
    const status = connection.status()
    // Joining may be asked for before connecting; everything else needs somebody to ask.
    if (message.type === 'join_room' && status !== 'closed' && status !== 'stopped') {
      return joins.add(id, message.payload.room)
    }
    requests.add(id, message, answer)
    if (status === 'closed') requests.reject(id, { code: 'CLOSED' })
    if (status === 'idle' || status === 'stopped') requests.reject(id, { code: 'DISCONNECTED' })
  }

  function onLifecycle(event: 'wake' | 'online' | 'offline'): void {
    if (event !== 'wake') context.online = event === 'online'
    if (context.ready) {
      liveness.probe()
      if (event === 'wake') rooms.check()
    } else if (event !== 'offline') {
      connection.hurry()
    }
  }

  function tick(): void {
    connection.tick()
    if (liveness.tick() === 'dead') connection.giveUp('TIMEOUT')
    if (context.now >= checkAt) {
      scheduleCheck()
      rooms.check()
    }
    alarms.tick(context.now)
    outbox.keeper.tick()
  }

  function drain(): void {
    drainAt = NEVER
    outbox.drain()
  }

  function transmit(): void {
    if (outgoing.length === 0) return
    effects.push({ type: 'transmit', link: connection.link(), messages: outgoing })
    outgoing = []
  }

  return {
    step(input, now) {
      context.now = now
      effects = []
      if (input.type !== 'send' && drainAt <= now) {
        // What was said before something else happened goes out before it, too.
        drain()
        transmit()
      }
      take(input)
      if (isLeaving() && (!context.ready || now >= leaveBy || outbox.size().rows === 0)) close()
      if (input.type !== 'send') drain()
      else if (context.ready) drainAt = now
      outbox.keeper.flush()
      tellReady()
      liveness.watchAnswers()
      transmit()
      return effects
    },
    nextDeadline: () =>
      Math.min(
        checkAt,
        leaveBy,
        drainAt,
        connection.deadline(),
        liveness.deadline(),
        outbox.deadline(),
        alarms.deadline(),
      ),
    status: () => connection.status(),
    queued: () => outbox.size(),
    storage: () => outbox.keeper.status(),
  }
}
