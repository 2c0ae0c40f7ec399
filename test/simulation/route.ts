// What stands between the clients and the servers: it leads whoever dials to one of them, mostly to one that is up. For a
// while it refuses, is silent, or lets in and drops.

import type { Dice } from './dice.ts'
import { type ClientEnd, createWire, type Wire } from './network.ts'
import type { ServerHost } from './server-host.ts'
import type { World } from './world.ts'

export interface Route {
  dial(latencyMs: number, end: ClientEnd): Wire
  /** Connections are refused for so long. */
  refuse(ms: number): void
  /** Attempts are not answered for so long. */
  silence(ms: number): void
  /** Connections are accepted and dropped for so long. */
  drop(ms: number): void
  /** From now on it leads to servers that are up. */
  calm(): void
}

export function createRoute(world: World, dice: Dice, nodes: readonly ServerHost[]): Route {
  let isQuiet = false
  let refusedUntil = 0
  let silentUntil = 0
  let droppedUntil = 0

  return {
    dial(latencyMs, end) {
      if (world.now < refusedUntil) return createWire(world, dice, latencyMs, end, () => undefined)
      const up = nodes.filter((node) => node.isUp())
      const target = up.length > 0 && (isQuiet || dice.chance(0.9)) ? dice.pick(up) : dice.pick(nodes)
      const wire = createWire(world, dice, latencyMs, end, (made) => target.accept(made))
      if (world.now < silentUntil) wire.silence()
      if (world.now < droppedUntil) world.after(latencyMs * 3 + 10, () => wire.cut())
      return wire
    },
    refuse(ms) {
      refusedUntil = world.now + ms
    },
    silence(ms) {
      silentUntil = world.now + ms
    },
    drop(ms) {
      droppedUntil = world.now + ms
    },
    calm() {
      isQuiet = true
    },
  }
}
