// What goes wrong (faults.ts), done to the world: whom it hits and for how long is left to the dice. When each of it
// happens, and that all of it ends, is the run's (simulate.ts).

import type { Speaker } from './application.ts'
import type { Dice } from './dice.ts'
import type { Fault } from './faults.ts'
import type { History } from './history.ts'
import type { Wire } from './network.ts'
import { type Device, type Place, type Population, USERS } from './population.ts'
import type { Reviewer } from './reviewer.ts'
import type { Route } from './route.ts'
import type { ServerHost } from './server-host.ts'
import type { BrowserStorage } from './storage.ts'
import type { StoreModel } from './store-model.ts'
import type { BadGift, TokenGiver } from './token-giver.ts'
import { changeRoom, flipMember, intrude, letApplicationAct, say } from './workload.ts'
import type { World } from './world.ts'

export interface Strikes {
  /** Whether it could happen. */
  strike(fault: Fault): boolean
  /** When the last of it is over: a night ends later than all else. */
  endAt(): number
  /** Messages that were said on which the store fails. */
  poisonings(): number
  /** Nothing happens any more. */
  calm(): void
}

export interface StrikeParts {
  readonly world: World
  readonly history: History
  readonly dice: Dice
  /** For what somebody says before they go. */
  readonly workload: Dice
  /** Nothing but a night lasts any longer. */
  readonly activeMs: number
  readonly store: StoreModel
  /** Sets the store back, and ends the servers with it. False: there is no backup. */
  readonly restore: (newEpoch: boolean) => boolean
  readonly nodes: readonly ServerHost[]
  readonly route: Route
  readonly tokens: TokenGiver
  readonly population: Population
  readonly speaker: Speaker
  /** Undefined: the application has no hooks. */
  readonly reviewer: Reviewer | undefined
}

export function createStrikes(parts: StrikeParts): Strikes {
  const { world, history, dice, workload, activeMs, store, restore, nodes } = parts
  const { route, tokens, population, speaker, reviewer } = parts
  let isQuiet = false
  let endAt = activeMs
  let poisonings = 0

  /** So long, and not beyond the end of all faults. */
  function within(low: number, high: number): number {
    return Math.min(dice.between(low, high), Math.max(0, activeMs - world.now))
  }

  /** One of them, or nothing happens. */
  function some<T>(list: readonly T[], then: (one: T) => void): boolean {
    if (list.length === 0) return false
    then(dice.pick(list))
    return true
  }

  function someNode(then: (host: ServerHost) => void): boolean {
    const up = nodes.filter((host) => host.isUp())
    return some(up, then)
  }

  /** A device of whom something may be asked. */
  function someone(then: (device: Device) => void): boolean {
    return some(population.living(), then)
  }

  function someMessage(then: (device: Device, messageId: string) => void): boolean {
    return someone((device) => {
      const undecided = device.host.session.sends.filter(({ outcomes }) => outcomes.length === 0)
      some(undecided, ({ messageId }) => then(device, messageId))
    })
  }

  function someWire(then: (wire: Wire) => void): boolean {
    const wires = population.devices.flatMap(({ host }) => host.wire() ?? [])
    return some(wires, then)
  }

  function someStorage(then: (storage: BrowserStorage, place: Place) => void): boolean {
    const durable = population.places.filter(({ storage }) => storage !== undefined)
    return some(durable, (place) => place.storage && then(place.storage, place))
  }

  /** The application ends a token's life: all servers are told, and whoever came with it is out. */
  function revoke(): boolean {
    let tokenId: string | undefined
    someNode((host) => {
      tokenId = host.someToken()
    })
    if (tokenId === undefined) return false
    for (const host of nodes) host.revoke(tokenId)
    return true
  }

  /**
   * Two messages are said, the second by somebody who hears no more of it; then both are taken back, somebody says a third,
   * and the second is said again.
   */
  function comeToTheSameEnd(): boolean {
    const [first, second, third] = population.living()
    if (!first || !second || !third) return false
    store.takeSnapshot()
    first.host.send('den', 'plain')
    world.after(400, () => !second.isClosed && second.host.isAlive() && second.host.send('den', 'plain'))
    world.after(400 + second.place.latencyMs * 1.6, () => second.host.wire()?.silence())
    world.after(2_000, () => {
      if (isQuiet) return
      restore(false)
      if (!third.isClosed && third.host.isAlive()) third.host.send('den', 'plain')
    })
    return true
  }

  function strike(fault: Fault): boolean {
    switch (fault) {
      case 'node_crash':
        return someNode((host) => host.crash(false))
      case 'node_power_cut':
        return someNode((host) => host.crash(true))
      case 'node_restart':
        return someNode((host) => host.restart())
      case 'crash_before_commit':
      case 'crash_after_commit':
      case 'unknown_and_kept':
      case 'unknown_and_lost':
      case 'commit_failed':
      case 'slow_commit':
      case 'restore_after_commit':
        store.arm(fault)
        // Counted where it happens.
        return false
      case 'store_outage':
        store.fail(within(5_000, 80_000))
        return true
      case 'snapshot':
        store.takeSnapshot()
        return true
      case 'restore':
        return restore(false)
      case 'same_end':
        return comeToTheSameEnd()
      case 'new_epoch':
        return restore(true)
      case 'node_clock_step':
        return someNode((host) => host.stepClock(dice.between(-120_000, 120_000)))
      case 'revoked':
        return revoke()
      case 'disconnected':
        return someNode((host) => host.disconnect(dice.pick(USERS)))
      case 'link_cut':
        return someWire((wire) => wire.cut())
      case 'link_silent':
        return someWire((wire) => wire.silence())
      case 'link_half_open':
        return someWire((wire) => wire.halfOpen())
      case 'link_stall':
        return someWire((wire) => wire.stall(within(500, 45_000)))
      case 'dial_refused':
        route.refuse(within(2_000, 30_000))
        return true
      case 'dial_silent':
        route.silence(within(2_000, 30_000))
        return true
      case 'proxy_drop':
        route.drop(within(20_000, 90_000))
        return true
      case 'reload':
        return someone(population.reload)
      case 'tab':
        return someone(({ place }) => population.openTab(place))
      case 'browser_crash':
        return someone(({ place }) => population.crash(place))
      case 'storage_evicted':
        return someStorage((storage, { name }) => {
          history.evicted.add(name)
          storage.evict()
        })
      case 'storage_blocked':
        return someStorage((storage) => storage.block(within(1_000, 20_000)))
      case 'storage_full':
        return someStorage((storage) => storage.fill())
      case 'storage_slow':
        return someStorage((storage) => storage.slow(within(3_000, 30_000)))
      case 'subscription_lost':
        someNode((host) => host.armLoss())
        // Counted where it happens.
        return false
      case 'pushes_lost':
        history.hintsWereLost = true
        return someNode((host) => host.disturb('lost', within(5_000, 60_000)))
      case 'pushes_repeated':
        return someNode((host) => host.disturb('repeated', within(5_000, 60_000)))
      case 'notices_repeated':
        return someStorage((storage) => storage.repeat(within(5_000, 60_000)))
      case 'notices_muted':
        return someStorage((storage) => storage.mute(within(5_000, 60_000)))
      case 'lock_doubled': {
        let isDone = false
        someStorage((storage) => {
          isDone = storage.doubleLock()
        })
        return isDone
      }
      case 'sleep':
        return someone(({ host }) => host.sleep(within(20_000, 400_000)))
      case 'night': {
        const ms = dice.between(1, 8) * 3_600_000
        population.sleep(ms)
        endAt = Math.max(endAt, world.now + ms + dice.between(5_000, 20_000))
        return true
      }
      case 'throttle':
        return someone(({ host }) => host.throttle(within(60_000, 200_000)))
      case 'client_clock_step':
        return someone(({ host }) => host.stepClock(dice.between(-86_400_000, 86_400_000)))
      case 'nudge':
        return someone(({ host }) => host.nudge(dice.pick(['wake', 'online', 'offline'])))
      case 'hang_up':
        return someone(({ host }) => {
          host.disconnect()
          world.after(dice.between(10, 5_000), () => host.isAlive() && host.connect())
        })
      case 'close':
        return someone((device) => {
          if (dice.chance(0.5)) say(device, dice.pick([...device.rooms]), workload)
          device.isClosed = true
          device.host.close()
        })
      case 'token_bad':
      case 'token_undecided':
      case 'token_failed':
      case 'token_late':
      case 'token_expired':
      case 'token_other':
        tokens.spoil(fault.slice('token_'.length) as BadGift)
        return true
      case 'token_short':
        tokens.shorten(within(10_000, 40_000))
        return true
      case 'cancel':
        return someMessage(({ host }, messageId) => host.cancel(messageId))
      case 'member_flip':
        return someone((device) => flipMember(device, dice))
      case 'stranger':
        return someone((device) => intrude(device, dice, world))
      case 'burst':
        return someone(({ host, rooms }) => {
          const room = dice.pick([...rooms])
          for (let i = 0; i < 25; i++) host.send(room, 'plain')
        })
      case 'flood':
        return someone((device) => {
          const times = 110 + dice.below(60)
          for (let i = 0; i < times; i++) device.host.send('den', 'plain')
        })
      case 'poison':
        return someone(({ host, rooms }) => {
          poisonings++
          host.send(dice.pick([...rooms]), 'poison')
        })
      case 'invalid':
        return someone(({ host, rooms }) => host.send(dice.pick([...rooms]), 'invalid'))
      case 'too_long':
        return someone(({ host, rooms }) => host.send(dice.pick([...rooms]), 'too_long'))
      case 'change':
        return someone(({ host, rooms }) => {
          const room = dice.pick([...rooms])
          const times = 1 + dice.below(4)
          for (let i = 0; i < times; i++) host.send(room, 'change')
        })
      case 'room_change':
        return someone((device) => changeRoom(device, dice))
      case 'hook_slow':
      case 'hook_failing':
        reviewer?.disturb(fault === 'hook_slow' ? 'slow' : 'failing', within(5_000, 40_000))
        return reviewer !== undefined
      case 'reviewed':
        return someone(({ host, rooms }) =>
          host.send(dice.pick([...rooms]), dice.pick(['forbidden', 'censored', 'delayed'])),
        )
      case 'logout':
        return someone(population.signOut)
      case 'application':
        letApplicationAct(speaker, dice)
        return true
      case 'unfollow':
        return someone(({ host, rooms }) => {
          const room = dice.pick([...rooms])
          host.unfollow(room)
          world.after(dice.between(0, 3_000), () => host.follow(room))
        })
      default:
        return fault satisfies never
    }
  }

  return {
    strike: (fault) => !isQuiet && strike(fault),
    endAt: () => endAt,
    poisonings: () => poisonings,
    calm() {
      isQuiet = true
    },
  }
}
