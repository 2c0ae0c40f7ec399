// A simulated server: the real node, and a shell that does what its driver does (packages/server/src/driver.ts) over
// virtual time. It dies and comes back; what it holds in memory goes with it.
//
// Frames go in as text, through the real door, or as the messages themselves (see object-door.ts).

import { type ClientMessage, encodeCloseReason, type ServerMessage } from '@tautline/protocol/wire'
import { type Application, createApplication } from '../../packages/server/src/application.ts'
import { APPLICATION } from '../../packages/server/src/core/connection.ts'
import type { Effect, Input, Verification } from '../../packages/server/src/core/contract.ts'
import { createNode, type ServerNode } from '../../packages/server/src/core/node.ts'
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from '../../packages/server/src/core/options.ts'
import { closeCodeOf } from '../../packages/server/src/socket.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { ServerEnd, Wire } from './network.ts'
import type { Reviewer } from './reviewer.ts'
import type { StoreModel } from './store-model.ts'
import { UNIX_START } from './time.ts'
import { readToken } from './tokens.ts'
import type { World } from './world.ts'

export type DoorKind = 'json' | 'objects'

export interface ServerHost {
  readonly name: string
  isUp(): boolean
  /** The application's own way to speak, where the server is up. */
  application(): Application | undefined
  accept(wire: Wire): ServerEnd | undefined
  /** The process or the machine ends at once; `silently`: no connection hears of it. */
  crash(silently: boolean): void
  start(): void
  /** The wall clock is set. */
  stepClock(ms: number): void
  /** Says goodbye, finishes, ends; then starts again. */
  restart(): void
  /** One of the tokens with which somebody is connected. */
  someToken(): string | undefined
  revoke(tokenId: string): void
  /** The next who reads a room on is not followed any more. */
  armLoss(): void
  /** What is pushed to followers is lost, or comes again, now and then for so long. */
  disturb(how: 'lost' | 'repeated', ms: number): void
  disconnect(user: string): void
  wires(): readonly Wire[]
  figures(): { readonly connections: number; readonly open: number; readonly queuedOps: number }
}

interface Socket {
  readonly connection: number
  readonly wire: Wire
  readonly outgoing: ServerMessage[]
  underPressure: boolean
  /** With which it was let in. */
  tokenId: string | undefined
}

/** Bytes that a frame stands for, where the pressure on a connection is reckoned. */
const FRAME_BYTES = 400
/** No client waits for what is answered to it. */
const NOBODYS_REF = 2 ** 40
/** As in the driver. */
const CLOCK_TOLERANCE_MS = 100
const MAX_BATCH = 256

export interface ServerHostParts {
  readonly world: World
  readonly history: History
  readonly store: StoreModel
  readonly dice: Dice
  readonly door: DoorKind
  readonly options: Partial<NodeOptions>
  /** Undefined: the application has no hooks. */
  readonly reviewer: Reviewer | undefined
  readonly count: (fault: string) => void
}

export function createServerHost(name: string, parts: ServerHostParts): ServerHost {
  const { world, history, store, dice, door, count } = parts
  const options = { ...DEFAULT_NODE_OPTIONS, ...parts.options }
  let node: ServerNode | undefined
  let application: Application | undefined
  /** Counts the starts: what an earlier life asked for is nobody's. */
  let life = 0
  let bootedAt = 0
  let clockErrorMs = 0
  let toldOffsetMs = 0
  let isTurnScheduled = false
  let wakeAt = Number.POSITIVE_INFINITY
  let lastConnection = APPLICATION
  const sockets = new Map<number, Socket>()
  let dirty: Socket[] = []
  let losses = 0
  let disturbance: { readonly how: 'lost' | 'repeated'; readonly until: number } | undefined

  const now = () => world.now - bootedAt
  const unixMs = () => UNIX_START + world.now + clockErrorMs

  function start(): void {
    life++
    bootedAt = world.now
    toldOffsetMs = unixMs() - now()
    node = createNode({ ...options, epoch: store.epoch(), unixOffsetMs: toldOffsetMs }, dice.below(2 ** 40))
    application = createApplication({
      maxFrameBytes: options.limits.maxFrameBytes,
      ask: (user, message) => tell({ type: 'asked', user, message }),
      randomId: (length) => dice.letters(length),
      unixTime: () => Math.round(unixMs()),
    })
    isTurnScheduled = false
    wakeAt = Number.POSITIVE_INFINITY
    world.note(() => `${name}: starts`)
  }

  function step(input: Input): readonly Effect[] {
    try {
      return node?.step(input, now()) ?? []
    } catch (error) {
      history.broken.push({ at: world.now, what: `${name} threw on ${input.type}: ${String(error)}` })
      return []
    }
  }

  function tell(input: Input): void {
    if (!node) return
    const offset = unixMs() - now()
    if (Math.abs(offset - toldOffsetMs) >= CLOCK_TOLERANCE_MS) {
      toldOffsetMs = offset
      step({ type: 'clock_set', unixMs: unixMs() })
    }
    for (const effect of step(input)) perform(effect)
    arm()
    if (!isTurnScheduled && input.type !== 'turn_ended') scheduleTurn()
  }

  function scheduleTurn(): void {
    isTurnScheduled = true
    const mine = life
    world.after(dice.between(0, 1), () => {
      if (mine !== life || !node) return
      isTurnScheduled = false
      const written = dirty
      dirty = []
      for (const socket of written) {
        flush(socket)
        notePressure(socket)
      }
      tell({ type: 'turn_ended' })
    })
  }

  function arm(): void {
    const deadline = node?.nextDeadline()
    if (deadline === undefined) return
    const at = deadline + bootedAt
    if (at >= wakeAt) return
    wakeAt = at
    const mine = life
    // As in the driver: in whole milliseconds, and never early.
    world.after(Math.max(1, Math.ceil(at - world.now)), () => {
      if (mine !== life || at !== wakeAt) return
      wakeAt = Number.POSITIVE_INFINITY
      tell({ type: 'timer' })
    })
  }

  function perform(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        if (effect.connection !== APPLICATION) return write(effect.connection, effect.message)
        world.settleSoon()
        return application?.hear(effect.message)
      case 'broadcast':
        for (const connection of effect.connections) push(connection, effect.message)
        return
      case 'ping':
        return ping(effect.connection)
      case 'close':
        return close(effect)
      case 'verify':
        return verify(effect.connection, effect.token)
      case 'identified':
        return
      case 'commit':
        return commit(effect)
      case 'read':
        return read(effect)
      case 'drained':
        return
      case 'mark_seen':
        return tell({ type: 'seen_marked', isDone: true })
      case 'push':
        // Notifications that leave the server: whoever carries them on is not here.
        return
      case 'preview':
        return preview(effect)
      case 'review':
        return review(effect)
      case 'review_expired':
        count('hook_expired')
        return
      case 'leave_out_pushes':
      case 'ask':
      case 'ask_expired':
        throw new Error('nobody has a say here')
      default:
        effect satisfies never
    }
  }

  function push(connection: number, message: ServerMessage): void {
    const isDisturbed = disturbance !== undefined && world.now < disturbance.until && dice.chance(0.5)
    if (!isDisturbed || disturbance === undefined) return write(connection, message)
    count(`push_${disturbance.how}`)
    if (disturbance.how === 'lost') return
    write(connection, message)
    const mine = life
    world.after(dice.between(1, 5_000), () => {
      if (mine !== life) return
      write(connection, message)
      if (!isTurnScheduled) scheduleTurn()
    })
  }

  function write(connection: number, message: ServerMessage): void {
    const socket = sockets.get(connection)
    if (socket && socket.outgoing.push(message) === 1) dirty.push(socket)
  }

  function flush(socket: Socket): void {
    const messages = socket.outgoing.splice(0)
    for (let i = 0; i < messages.length; i += MAX_BATCH) {
      const frame = messages.length > MAX_BATCH ? messages.slice(i, i + MAX_BATCH) : messages
      socket.wire.down(door === 'objects' ? frame : JSON.stringify(frame.length === 1 ? frame[0] : frame))
    }
  }

  function notePressure(socket: Socket): void {
    const { connection } = socket
    if (!sockets.has(connection)) return
    const bytes = socket.wire.waiting() * FRAME_BYTES
    const isUnderPressure = bytes > options.relievedBytes
    if (!isUnderPressure && !socket.underPressure) return
    if (isUnderPressure && !socket.underPressure) count('pressure')
    socket.underPressure = isUnderPressure
    tell({ type: 'buffered', connection, bytes })
  }

  /** The peer's WebSocket answers by itself. */
  function ping(connection: number): void {
    const mine = life
    const wire = sockets.get(connection)?.wire
    world.after(dice.between(1, 200), () => {
      if (mine === life && wire?.isOpen()) tell({ type: 'ponged', connection })
    })
  }

  function close({ connection, code, retryAfterMs }: Extract<Effect, { do: 'close' }>): void {
    const socket = sockets.get(connection)
    if (!socket) return
    count(`closed_${code}`)
    world.note(() => `${name}: closes ${connection} with ${code}`)
    sockets.delete(connection)
    flush(socket)
    socket.wire.closeByServer(closeCodeOf(code), encodeCloseReason(code, retryAfterMs))
  }

  function verify(connection: number, token: string): void {
    const mine = life
    world.after(dice.chance(0.03) ? dice.between(500, 8_000) : dice.between(0.1, 5), () => {
      if (mine !== life) return
      const verification = verificationOf(token)
      tell({ type: 'verified', connection, verification })
      const socket = sockets.get(connection)
      if (!socket || !verification.ok || verification.tokenId === undefined) return
      socket.tokenId = verification.tokenId
      history.admissions.push({ at: world.now, life: `${name}/${life}`, tokenId: verification.tokenId })
    })
  }

  function verificationOf(text: string): Verification {
    const token = readToken(text)
    if (token.kind === 'bad') return { ok: false, code: 'INVALID_TOKEN' }
    if (token.kind === 'undecided') return { ok: false, code: 'UNAVAILABLE' }
    if (token.expiresAt <= unixMs()) return { ok: false, code: 'TOKEN_EXPIRED' }
    return { ok: true, userId: token.user, expiresAt: Math.round(token.expiresAt), tokenId: token.id }
  }

  function commit({ ops, unixMs: at }: Extract<Effect, { do: 'commit' }>): void {
    const mine = life
    store.commit({ crash: () => mine === life && die(false) }, ops, at, (result) => {
      if (mine === life) tell(result ? { type: 'committed', result } : { type: 'commit_failed' })
    })
  }

  function preview({ ops, unixMs: at }: Extract<Effect, { do: 'preview' }>): void {
    const mine = life
    store.preview(ops, at, (outcomes) => {
      if (mine === life) tell(outcomes ? { type: 'previewed', outcomes } : { type: 'preview_failed' })
    })
  }

  function review({ review: id, question }: Extract<Effect, { do: 'review' }>): void {
    const mine = life
    if (!parts.reviewer) throw new Error('nobody has a say here')
    parts.reviewer.review(question, (verdict) => {
      if (mine === life) tell({ type: 'reviewed', review: id, verdict })
    })
  }

  function read({ connection, queue, query }: Extract<Effect, { do: 'read' }>): void {
    const mine = life
    store.read(query, parts.reviewer, (answer) => {
      if (mine === life) tell({ type: 'read_done', connection, queue, answer })
    })
  }

  /** As if the client had said so, right before it reads on. */
  function loseFollower(connection: number, frame: unknown): void {
    const said = typeof frame === 'string' ? (JSON.parse(frame) as unknown) : frame
    const messages = (Array.isArray(said) ? said : [said]) as readonly ClientMessage[]
    const page = messages.find(({ type }) => type === 'get_page')
    if (page?.type !== 'get_page') return
    losses--
    count('subscription_lost')
    const { room } = page.payload
    const lost: ClientMessage = { type: 'unsubscribe', payload: { ref: NOBODYS_REF, rooms: [room] } }
    const text = door === 'objects' ? ([lost] as unknown as string) : JSON.stringify(lost)
    tell({ type: 'received', connection, text })
  }

  function die(silently: boolean): void {
    if (!node) return
    world.note(() => `${name}: dies${silently ? ' without a word' : ''}`)
    node = undefined
    world.settleSoon()
    application?.stop()
    application = undefined
    life++
    dirty = []
    for (const { wire } of sockets.values()) {
      if (silently) wire.silence()
      else wire.cut()
    }
    sockets.clear()
    world.after(dice.between(100, 8_000), () => {
      if (!node) start()
    })
  }

  start()
  return {
    name,
    isUp: () => node !== undefined,
    application: () => application,

    accept(wire) {
      if (!node) return undefined
      const mine = life
      const connection = ++lastConnection
      sockets.set(connection, { connection, wire, outgoing: [], underPressure: false, tokenId: undefined })
      tell({ type: 'opened', connection, token: undefined, address: undefined })
      const isMine = () => mine === life
      return {
        received(frame) {
          if (isMine() && losses > 0) loseFollower(connection, frame)
          // In a run without JSON the messages take the place of their text: object-door.ts lets them in.
          if (isMine()) tell({ type: 'received', connection, text: frame as string })
        },
        closed() {
          if (!isMine()) return
          sockets.delete(connection)
          tell({ type: 'closed', connection })
        },
        buffered() {
          const socket = sockets.get(connection)
          if (isMine() && socket) notePressure(socket)
        },
      }
    },

    crash: die,
    start() {
      if (!node) start()
    },

    stepClock(ms) {
      clockErrorMs += ms
    },

    restart() {
      if (!node) return
      world.note(() => `${name}: drains`)
      tell({ type: 'drain' })
      world.after(dice.between(500, 3_000), () => die(false))
    },

    someToken() {
      const tokens = [...sockets.values()].flatMap(({ tokenId }) => tokenId ?? [])
      return tokens.length > 0 ? dice.pick(tokens) : undefined
    },

    revoke(tokenId) {
      if (!node) return
      tell({ type: 'revoked', tokenId, untilUnixMs: Math.round(unixMs() + 3_600_000) })
      const left = [...sockets.values()].filter((socket) => socket.tokenId === tokenId).length
      history.revocations.push({ at: world.now, life: `${name}/${life}`, tokenId, left })
    },

    armLoss() {
      losses++
    },

    disturb(how, ms) {
      disturbance = { how, until: world.now + ms }
    },

    disconnect(userId) {
      tell({ type: 'disconnected', userId })
    },

    wires: () => [...sockets.values()].map(({ wire }) => wire),

    figures() {
      const { connections, queuedOps } = node?.figures() ?? { connections: 0, queuedOps: 0 }
      return { connections, open: sockets.size, queuedOps }
    },
  }
}
