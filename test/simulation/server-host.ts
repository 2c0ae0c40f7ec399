// A simulated server: the real node, and a shell that does what its driver does (packages/server/src/driver.ts) over
// virtual time. It dies and comes back; what it holds in memory goes with it.
//
// Frames go in as text, through the real door, or as the messages themselves (see object-door.ts).

import { encodeCloseReason, type ServerMessage } from '@tautline/protocol/wire'
import type { Effect, Input, Verification } from '../../packages/server/src/core/contract.ts'
import { createNode, type ServerNode } from '../../packages/server/src/core/node.ts'
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from '../../packages/server/src/core/options.ts'
import { closeCodeOf } from '../../packages/server/src/socket.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { ServerEnd, Wire } from './network.ts'
import type { StoreModel } from './store-model.ts'
import { UNIX_START } from './time.ts'
import { readToken } from './tokens.ts'
import type { World } from './world.ts'

export type DoorKind = 'json' | 'objects'

export interface ServerHost {
  readonly name: string
  isUp(): boolean
  accept(wire: Wire): ServerEnd | undefined
  /** The process or the machine ends at once; `silently`: no connection hears of it. */
  crash(silently: boolean): void
  start(): void
  /** The wall clock is set. */
  stepClock(ms: number): void
  /** Says goodbye, finishes, ends; then starts again. */
  restart(): void
  revoke(tokenId: string): void
  disconnect(user: string): void
  wires(): readonly Wire[]
  figures(): { readonly connections: number; readonly open: number; readonly queuedOps: number }
}

interface Socket {
  readonly connection: number
  readonly wire: Wire
  readonly outgoing: ServerMessage[]
  underPressure: boolean
}

/** Bytes that a frame stands for, where the pressure on a connection is reckoned. */
const FRAME_BYTES = 400
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
  readonly count: (fault: string) => void
}

export function createServerHost(name: string, parts: ServerHostParts): ServerHost {
  const { world, history, store, dice, door, count } = parts
  const options = { ...DEFAULT_NODE_OPTIONS, ...parts.options }
  let node: ServerNode | undefined
  /** Counts the starts: what an earlier life asked for is nobody's. */
  let life = 0
  let bootedAt = 0
  let clockErrorMs = 0
  let toldOffsetMs = 0
  let isTurnScheduled = false
  let wakeAt = Number.POSITIVE_INFINITY
  let lastConnection = 0
  const sockets = new Map<number, Socket>()
  let dirty: Socket[] = []

  const now = () => world.now - bootedAt
  const unixMs = () => UNIX_START + world.now + clockErrorMs

  function start(): void {
    life++
    bootedAt = world.now
    toldOffsetMs = unixMs() - now()
    node = createNode({ ...options, epoch: store.epoch(), unixOffsetMs: toldOffsetMs }, dice.below(2 ** 40))
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
        return write(effect.connection, effect.message)
      case 'broadcast':
        for (const connection of effect.connections) write(connection, effect.message)
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
      case 'preview':
      case 'review':
      case 'review_expired':
      case 'push':
      case 'ask':
      case 'ask_expired':
        throw new Error('nobody has a say here')
      default:
        effect satisfies never
    }
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
      if (mine === life) tell({ type: 'verified', connection, verification: verificationOf(token) })
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

  function read({ connection, query }: Extract<Effect, { do: 'read' }>): void {
    const mine = life
    store.read(query, (answer) => {
      if (mine === life) tell({ type: 'read_done', connection, answer })
    })
  }

  function die(silently: boolean): void {
    if (!node) return
    world.note(() => `${name}: dies${silently ? ' without a word' : ''}`)
    node = undefined
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

    accept(wire) {
      if (!node) return undefined
      const mine = life
      const connection = ++lastConnection
      sockets.set(connection, { connection, wire, outgoing: [], underPressure: false })
      tell({ type: 'opened', connection, token: undefined, address: undefined })
      const isMine = () => mine === life
      return {
        received(frame) {
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

    revoke(tokenId) {
      tell({ type: 'revoked', tokenId, untilUnixMs: Math.round(unixMs() + 3_600_000) })
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
