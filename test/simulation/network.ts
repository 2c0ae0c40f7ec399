// The wires: one link for each attempt to be connected, with a queue each way that keeps its order. Links are slow, stall,
// break with or without a word, and deliver what was under way long after one end has given them up.
//
// A link knows nothing of what it carries. Frames are lists of messages, or their text where the run goes through the
// JSON doors.

import type { Dice } from './dice.ts'
import type { World } from './world.ts'

/** What the ends of a link are told. `lost` and `closed` come at most once, and perhaps never. */
export interface ClientEnd {
  opened(): void
  received(frame: unknown): void
  lost(closeCode: number, reason: string): void
}
export interface ServerEnd {
  received(frame: unknown): void
  closed(): void
  /** What waits on the link to be carried to the client changed by a stall or its end. */
  buffered(): void
}

export interface Wire {
  /** From the client to the server. */
  up(frame: unknown): void
  /** From the server to the client. */
  down(frame: unknown): void
  closeByClient(): void
  closeByServer(closeCode: number, reason: string): void
  /** The frames that the link has been given for the client and that wait. */
  waiting(): number
  /** Both ends hear of it soon; what is under way is gone. */
  cut(): void
  /** Nobody hears of it; nothing comes through any more. */
  silence(): void
  /** The client hears of it at once; what it sent before still arrives, late. */
  halfOpen(): void
  /** Nothing comes through for so long, then all of it. */
  stall(ms: number): void
  isOpen(): boolean
}

const ABNORMAL = 1006

interface Pipe {
  readonly queue: (() => void)[]
  lastAt: number
}

export function createWire(
  world: World,
  dice: Dice,
  latencyMs: number,
  client: ClientEnd,
  accept: (wire: Wire) => ServerEnd | undefined,
): Wire {
  let server: ServerEnd | undefined
  /** What each end believes. */
  let clientIs: 'dialling' | 'open' | 'closing' | 'closed' = 'dialling'
  let serverIs: 'none' | 'open' | 'ending' | 'closed' = 'none'
  /** Nothing goes through any more. */
  let isDead = false
  let isHalfOpen = false
  let stalledUntil = 0
  const upward: Pipe = { queue: [], lastAt: 0 }
  const downward: Pipe = { queue: [], lastAt: 0 }
  let waiting = 0

  function delay(): number {
    return latencyMs * dice.between(0.5, 1.5)
  }

  function carry(pipe: Pipe, deliver: () => void): void {
    pipe.lastAt = Math.max(pipe.lastAt, world.now + delay(), stalledUntil)
    pipe.queue.push(deliver)
    world.after(pipe.lastAt - world.now, () => pump(pipe))
  }

  /** One call for each that was put in, and each gives out the first: so the order stays, whatever falls together. */
  function pump(pipe: Pipe): void {
    if (world.now < stalledUntil) world.after(stalledUntil - world.now + 0.001, () => pump(pipe))
    else pipe.queue.shift()?.()
  }

  function tellClient(closeCode: number, reason: string): void {
    if (clientIs === 'closed') return
    clientIs = 'closed'
    client.lost(closeCode, reason)
  }

  function tellServer(): void {
    if (serverIs !== 'open') return
    serverIs = 'closed'
    server?.closed()
  }

  const wire: Wire = {
    up(frame) {
      if (clientIs !== 'open' || isDead) return
      carry(upward, () => {
        if (serverIs === 'open' && !isDead) server?.received(frame)
      })
    },
    down(frame) {
      if (serverIs !== 'open' || isDead || isHalfOpen) return
      waiting++
      carry(downward, () => {
        waiting--
        if (clientIs === 'open' && !isDead && !isHalfOpen) client.received(frame)
      })
    },
    closeByClient() {
      if (clientIs !== 'open' && clientIs !== 'dialling') return
      clientIs = 'closing'
      // A dead peer answers no closing handshake: the client's end has a time for it.
      world.after(2_000, () => tellClient(ABNORMAL, ''))
      if (isDead) return
      carry(upward, () => {
        if (isDead) return
        tellServer()
        carry(downward, () => tellClient(1000, ''))
      })
    },
    closeByServer(closeCode, reason) {
      if (serverIs !== 'open') return
      serverIs = 'closed'
      if (!isDead && !isHalfOpen) carry(downward, () => tellClient(closeCode, reason))
    },
    waiting: () => waiting,
    cut() {
      if (dice.chance(0.5)) {
        // What was handed to the network before still comes through to the client.
        carry(downward, () => tellClient(ABNORMAL, ''))
        serverIs = serverIs === 'open' ? 'ending' : serverIs
      } else {
        isDead = true
        world.after(dice.between(0, 1_500), () => tellClient(ABNORMAL, ''))
      }
      world.after(dice.between(0, 1_500), tellServer)
    },
    silence() {
      isDead = true
    },
    halfOpen() {
      if (clientIs !== 'open') return wire.cut()
      isHalfOpen = true
      const lateMs = dice.between(200, 40_000)
      stalledUntil = Math.max(stalledUntil, world.now + lateMs)
      world.after(0, () => tellClient(ABNORMAL, ''))
      world.after(lateMs + dice.between(1, 2_000), tellServer)
    },
    stall(ms) {
      stalledUntil = Math.max(stalledUntil, world.now + ms)
      world.after(ms + 1, () => server?.buffered())
    },
    isOpen: () => clientIs === 'open' && serverIs === 'open' && !isDead && !isHalfOpen,
  }

  world.after(delay(), () => {
    if (clientIs === 'closing' || isDead) return
    // The client hears first that the link is open, then what the server said at once, such as a goodbye.
    serverIs = 'open'
    carry(downward, () => {
      if (clientIs !== 'dialling' || isDead || !server) return
      clientIs = 'open'
      client.opened()
    })
    server = accept(wire)
    if (server) return
    serverIs = 'none'
    carry(downward, () => tellClient(ABNORMAL, ''))
  })
  return wire
}
