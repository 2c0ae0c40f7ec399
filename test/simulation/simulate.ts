// One run: a seed becomes a world, the world a history, the history a list of what was broken. For a while things go
// wrong; then nothing does any more, and everything must come right.

import { DEFAULT_LIMITS } from '@tautline/protocol/wire'
import type { NodeOptions } from '../../packages/server/src/core/options.ts'
import { createSpeaker } from './application.ts'
import type { Violation } from './checker/violation.ts'
import { check } from './checker.ts'
import { type ClientHost, createClientHost, SHORTEST_LIMIT_CHARS } from './client-host.ts'
import { createDice, type Dice } from './dice.ts'
import { FAULTS, type Fault, PROFILES, type Profile, type ProfileName } from './faults.ts'
import { createHistory, type History } from './history.ts'
import { type ClientEnd, createWire, type Wire } from './network.ts'
import { createReviewer } from './reviewer.ts'
import { createServerHost, type DoorKind, type ServerHost } from './server-host.ts'
import { type BrowserStorage, createBrowserStorage } from './storage.ts'
import { createStoreModel } from './store-model.ts'
import { UNIX_START } from './time.ts'
import type { Token } from './tokens.ts'
import { createWorld, TooManyEvents } from './world.ts'

export interface RunOptions {
  readonly seed: number
  readonly profile?: ProfileName | undefined
  readonly door?: DoorKind | undefined
  readonly trace?: ((line: string) => void) | undefined
}

export interface RunResult {
  readonly seed: number
  readonly profile: ProfileName
  readonly violations: readonly Violation[]
  readonly events: number
  readonly virtualMs: number
  /** How often each fault happened, and what came of them. */
  readonly faults: ReadonlyMap<string, number>
  readonly history: History
}

const MAX_EVENTS = 60_000
const USERS = ['ada', 'bob', 'cy'] as const
const PUBLIC_ROOMS = ['den', 'hall'] as const
const PRIVATE_ROOM = 'vault'
const DIRECT_ROOM = '~ada~bob'
/** There is none until somebody makes it. */
const NEW_ROOM = 'attic'

/** Of one browser. */
const MAX_TABS = 4

/** After the faults: this long until everybody says something once more … */
const SETTLE_MS = 60_000
/** … and this long until all of it must have arrived. */
const QUIESCENCE_MS = 120_000
/** What a question to a server takes at most, when nothing goes wrong. */
const ANSWER_MS = 5_000
/** What five failures of one row over a minute take at most, with the waits between them and after them. */
const POISON_MS = 110_000

/** A browser or a process of a user. */
interface Place {
  readonly name: string
  /** What goes off as one: each user of a browser has a storage of their own. */
  readonly machine: string
  readonly user: string
  readonly latencyMs: number
  /** Undefined: outboxes are in memory. */
  readonly storage: BrowserStorage | undefined
}

/** A tab in which the page is open. */
interface Device {
  place: Place
  user: string
  readonly rooms: Set<string>
  host: ClientHost
  isClosed: boolean
}

export async function simulate(options: RunOptions): Promise<RunResult> {
  const { seed } = options
  const choice = createDice(seed)
  const profileName = options.profile ?? chooseProfile(choice.fork())
  const profile: Profile = PROFILES[profileName]
  const faults = new Map<string, number>()
  const count = (fault: string) => faults.set(fault, (faults.get(fault) ?? 0) + 1)
  const world = createWorld({ seed, maxEvents: MAX_EVENTS, trace: options.trace })
  const history = createHistory('epoch-1')
  const store = await createStoreModel(world, history, world.dice(), count, () => restore(false))
  const door = options.door ?? 'json'
  const dice = world.dice()
  const workload = world.dice()
  const tokens = world.dice()
  const activeMs = (profile.activeMs ?? 100_000) * dice.between(0.7, 1.3)
  const nodeOptions: Partial<NodeOptions> = {
    ...(profile.tightLimits ? tightOptions(dice.fork()) : looseOptions(dice.fork())),
    ...(profile.fastLimits ? FAST_OPTIONS : {}),
    ...(profile.rivals ? { connections: 'replace', maxConnectionsPerUser: 1 } : {}),
  }
  history.hasHooks = profile.hooks ?? dice.chance(0.25)
  const reviewer = history.hasHooks ? createReviewer(world, history, world.dice(), count) : undefined
  const nodes: ServerHost[] = []
  for (let i = 0; i < (profile.nodes ?? 1 + Number(dice.chance(0.7))); i++) {
    nodes.push(
      createServerHost(`node${i + 1}`, {
        world,
        history,
        store,
        dice: world.dice(),
        door,
        options: reviewer ? { ...nodeOptions, reviews: { messages: true, actions: true } } : nodeOptions,
        reviewer,
        count,
      }),
    )
  }
  history.hintsWereLost = nodes.length > 1
  history.hasRivals = profile.rivals === true
  const speaker = createSpeaker({
    world,
    history,
    dice: world.dice(),
    application: () => nodes.find((host) => host.isUp())?.application(),
    count,
  })
  const places: Place[] = []
  const devices: Device[] = []
  let isQuiet = false
  let faultsEndAt = activeMs
  let nightUntil = 0
  let refusedUntil = 0
  let silentUntil = 0
  let droppedUntil = 0
  let shortTokensUntil = 0
  let poisonSent = 0
  /** By place: the last good one that was given there. */
  const lastTokens = new Map<string, Token>()
  const nextTokens: ('bad' | 'undecided' | 'failed' | 'late' | 'expired' | 'other')[] = []

  // ── Who is there ──────────────────────────────────────────────────────────────────────────────────────────────

  function dial(latencyMs: number, end: ClientEnd): Wire {
    if (world.now < refusedUntil) return createWire(world, dice, latencyMs, end, () => undefined)
    const up = nodes.filter((node) => node.isUp())
    const target = up.length > 0 && (isQuiet || dice.chance(0.9)) ? dice.pick(up) : dice.pick(nodes)
    const wire = createWire(world, dice, latencyMs, end, (made) => target.accept(made))
    if (world.now < silentUntil) wire.silence()
    if (world.now < droppedUntil) world.after(latencyMs * 3 + 10, () => wire.cut())
    return wire
  }

  function giveToken(
    { name, user }: Place,
    isRefused: boolean,
  ): { readonly token: Token | undefined; readonly inMs: number } {
    const how = isQuiet ? undefined : nextTokens.shift()
    if (how) count(`gave_${how}`)
    const lifeMs = world.now < shortTokensUntil && !isQuiet ? tokens.between(500, 20_000) : 900_000
    const good: Token = {
      user,
      expiresAt: UNIX_START + world.now + lifeMs,
      id: `token-${tokens.letters(6)}`,
      kind: 'good',
    }
    const inMs = tokens.between(0.1, 40)
    const last = lastTokens.get(name)
    // Many applications keep a token while it is good, and ask for another where it was refused.
    if (
      how === undefined &&
      !isRefused &&
      last &&
      last.expiresAt > UNIX_START + world.now &&
      tokens.chance(0.3)
    )
      return { token: last, inMs }
    if (how === undefined) lastTokens.set(name, good)
    switch (how) {
      case undefined:
        return { token: good, inMs }
      case 'failed':
        return { token: undefined, inMs }
      case 'late':
        return { token: good, inMs: tokens.between(3_000, 20_000) }
      case 'expired':
        return { token: { ...good, expiresAt: UNIX_START + world.now - 1_000 }, inMs }
      case 'other':
        return { token: { ...good, user: user === 'ada' ? 'bob' : 'ada' }, inMs }
      case 'bad':
      case 'undecided':
        return { token: { ...good, kind: how }, inMs }
      default:
        return how satisfies never
    }
  }

  function open(device: Omit<Device, 'host'> & { host?: ClientHost }, sid: string): Device {
    const { user, place } = device
    const host = createClientHost({
      world,
      history,
      dice: world.dice(),
      door,
      count,
      user,
      sid,
      outbox: profile.tightLimits ? { maxRows: 30 } : {},
      tab: place.storage?.tab(),
      outboxName: place.storage && place.name,
      sent: (messageId) =>
        history.sessions.flatMap(({ sends }) => sends).find((one) => one.messageId === messageId),
      dial: (end) => dial(place.latencyMs, end),
      token: (refused) => giveToken(place, refused),
      stopped: (stopped, reason) => onStopped(opened, stopped, reason),
    })
    const opened: Device = Object.assign(device, { host })
    if (world.now < nightUntil) host.sleep(nightUntil - world.now)
    for (const room of device.rooms) host.follow(room)
    host.connect()
    return opened
  }

  function onStopped(device: Device, host: ClientHost, reason: string | undefined): void {
    world.after(workload.between(1_000, 8_000), () => {
      if (device.host !== host || !host.isAlive()) return
      // Another of the user's devices has their place: connecting again would put that one out.
      if (reason !== 'REPLACED') host.connect()
    })
  }

  /** Once: who signed out while the machine went off has opened another page already. */
  function comeBack(device: Device): void {
    if (!device.isClosed && !device.host.isAlive()) open(device, dice.letters(16))
  }

  function reload(device: Device): void {
    device.host.reload()
    world.after(workload.between(50, 1_500), () => comeBack(device))
  }

  function enter(device: Device, room: string): void {
    device.rooms.add(room)
    device.host.request({ type: 'join_room', payload: { room } }, (isDone) => {
      if (isDone) device.host.follow(room)
    })
    device.host.follow(room)
  }

  function addPlace(user: string): void {
    const name = `${user}'s place ${places.length + 1}`
    const isDurable = profile.durable ?? dice.chance(0.5)
    const storage = isDurable ? createBrowserStorage(world, world.dice(), name, count) : undefined
    const place: Place = { name, machine: name, user, latencyMs: dice.between(5, 120), storage }
    places.push(place)
    addTab(place)
  }

  function addTab(place: Place): void {
    const { user } = place
    const device = open({ place, user, rooms: new Set(), isClosed: false }, dice.letters(16))
    devices.push(device)
    for (const room of PUBLIC_ROOMS) if (room === 'den' || dice.chance(0.6)) enter(device, room)
    if (user === 'ada') {
      device.host.request(
        { type: 'create_room', payload: { room: PRIVATE_ROOM, visibility: 'private' } },
        (isDone) => {
          if (!isDone) return
          device.host.follow(PRIVATE_ROOM)
          device.rooms.add(PRIVATE_ROOM)
          device.host.request({ type: 'invite_member', payload: { room: PRIVATE_ROOM, userId: 'bob' } })
        },
      )
    }
    if (user !== 'cy') {
      device.rooms.add(DIRECT_ROOM)
      device.host.follow(DIRECT_ROOM)
    }
  }

  /** The same browser, where this user is signed in. */
  function placeOf(user: string, place: Place): Place {
    const { machine, latencyMs } = place
    const known = places.find((one) => one.machine === machine && one.user === user)
    if (known) return known
    const name = `${machine} as ${user}`
    const storage = place.storage && createBrowserStorage(world, world.dice(), name, count)
    const made: Place = { name, machine, user, latencyMs, storage }
    places.push(made)
    return made
  }

  function signOut(device: Device): void {
    const { host, place } = device
    const keepOutbox = dice.chance(0.5)
    const departure = { outbox: host.session.outbox, from: world.now, until: Number.POSITIVE_INFINITY }
    if (!keepOutbox) {
      if (place.storage) history.evicted.add(place.name)
      history.departures.push(departure)
    }
    device.isClosed = true
    host.logout(keepOutbox, () => {
      departure.until = world.now
      const user = dice.pick(USERS)
      device.isClosed = false
      device.place = placeOf(user, place)
      device.user = user
      device.rooms.clear()
      device.rooms.add('den')
      if (user !== 'cy') device.rooms.add(DIRECT_ROOM)
      open(device, dice.letters(16))
    })
  }

  /** The machine goes off; after a while its tabs are there again. */
  function crashPlace(place: Place): void {
    const { machine } = place
    const tabs = devices.filter((device) => device.place.machine === machine && device.host.isAlive())
    for (const { host } of tabs) host.reload()
    for (const one of places) if (one.machine === machine) one.storage?.powerCut()
    for (const device of tabs) {
      world.after(workload.between(300, 5_000), () => comeBack(device))
    }
  }

  function someStorage(then: (storage: BrowserStorage, place: Place) => void): boolean {
    const durable = places.filter(({ storage }) => storage !== undefined)
    if (durable.length === 0) return false
    const place = dice.pick(durable)
    if (place.storage) then(place.storage, place)
    return true
  }

  function living(): Device[] {
    return devices.filter(({ host, isClosed }) => !isClosed && host.isAlive() && !host.isAsleep())
  }

  /** A device of whom something may be asked, or nothing happens. */
  function someone(then: (device: Device) => void): boolean {
    const all = living()
    if (all.length === 0) return false
    then(dice.pick(all))
    return true
  }

  function someWire(then: (wire: Wire) => void): boolean {
    const wires = devices.map(({ host }) => host.wire()).filter((wire) => wire !== undefined)
    if (wires.length === 0) return false
    then(dice.pick(wires))
    return true
  }

  // ── What they do ──────────────────────────────────────────────────────────────────────────────────────────────

  function say(device: Device, room: string): void {
    const times = workload.chance(0.3) ? 1 + workload.below(6) : 1
    for (let i = 0; i < times; i++) device.host.send(room, 'plain')
  }

  function talk(device: Device): void {
    if (device.isClosed || !device.host.isAlive() || device.host.isAsleep()) return
    const room = workload.pick([...device.rooms])
    const [failed] = device.host.failed()
    if (failed !== undefined && workload.chance(0.2)) {
      const how = workload.chance(0.5) ? 'retry' : 'discard'
      count(how)
      return device.host.answerFailure(failed, how)
    }
    const what = workload.next()
    if (what < 0.72) return say(device, room)
    if (what < 0.79) return device.host.typing(room, workload.chance(0.7))
    if (what < 0.88) {
      return device.host.request({ type: 'mark_read', payload: { room, seq: 1 + workload.below(20) } })
    }
    if (what < 0.97) return device.host.request({ type: 'get_history', payload: { room, limit: 30 } })
    device.host.request({ type: 'list_rooms', payload: { which: 'own' } })
  }

  function flipMember(device: Device): void {
    const { host } = device
    const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, NEW_ROOM])
    const userId = dice.pick(USERS.filter((user) => user !== device.user))
    switch (dice.below(5)) {
      case 0:
        return enter(device, room)
      case 1:
        return host.request({ type: 'leave_room', payload: { room } })
      case 2:
        return host.request({ type: 'invite_member', payload: { room, userId } })
      case 3:
        return host.request({ type: 'accept_invitation', payload: { room } }, (isDone) => {
          if (!isDone) return
          device.rooms.add(room)
          host.follow(room)
        })
      default:
        return host.request({ type: 'remove_member', payload: { room, userId } })
    }
  }

  /** What owners and moderators do; most of it is refused to who is none. */
  function changeRoom(device: Device): void {
    const { host } = device
    const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, NEW_ROOM])
    const userId = dice.pick(USERS.filter((user) => user !== device.user))
    switch (dice.below(8)) {
      case 0:
        return host.request(
          {
            type: 'create_room',
            payload: { room: NEW_ROOM, visibility: dice.chance(0.5) ? 'private' : 'public' },
          },
          (isDone) => {
            if (!isDone) return
            device.rooms.add(NEW_ROOM)
            host.follow(NEW_ROOM)
          },
        )
      case 1:
        return host.request({ type: 'update_room', payload: { room, topic: `topic ${dice.letters(4)}` } })
      case 2:
        return host.request({
          type: 'update_room',
          payload: { room: NEW_ROOM, visibility: dice.chance(0.5) ? 'private' : 'public' },
        })
      case 3:
        return host.request({ type: 'ban_member', payload: { room, userId } })
      case 4:
        return host.request({ type: 'unban_member', payload: { room, userId } })
      case 5:
        return host.request({
          type: 'mute_member',
          payload: { room, userId, durationMs: 1_000 + dice.below(40_000) },
        })
      case 6:
        return host.request({ type: 'unmute_member', payload: { room, userId } })
      default:
        return host.request({
          type: 'set_role',
          payload: { room, userId, role: dice.pick(['member', 'moderator', 'owner']) },
        })
    }
  }

  function letApplicationAct(): void {
    const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, DIRECT_ROOM])
    if (dice.chance(0.7)) speaker.say(room, dice.chance(0.5) ? dice.pick(USERS) : undefined)
    else speaker.change(room, dice.pick(USERS))
  }

  /** Reads and writes where they do not belong, or not yet. */
  function intrude(device: Device): void {
    const { host } = device
    const room = dice.pick(['nowhere', PRIVATE_ROOM, 'hall'])
    host.follow(room)
    host.send(room, 'plain')
    host.request({ type: 'get_history', payload: { room, limit: 30 } })
    if (dice.chance(0.5)) host.wire()?.halfOpen()
    if (dice.chance(0.5)) world.after(dice.between(100, 20_000), () => host.isAlive() && enter(device, room))
  }

  // ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────────

  /** So long, and not beyond the end of all faults. */
  function within(low: number, high: number): number {
    return Math.min(dice.between(low, high), Math.max(0, activeMs - world.now))
  }

  function someNode(then: (host: ServerHost) => void): boolean {
    const up = nodes.filter((one) => one.isUp())
    if (up.length === 0) return false
    then(dice.pick(up))
    return true
  }

  function someMessage(then: (device: Device, messageId: string) => void): boolean {
    return someone((device) => {
      const undecided = device.host.session.sends.filter(({ outcomes }) => outcomes.length === 0)
      const sent = undecided.length > 0 ? dice.pick(undecided) : undefined
      if (sent) then(device, sent.messageId)
    })
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

  function restore(newEpoch: boolean): boolean {
    if (!store.restore(newEpoch)) return false
    for (const host of nodes) host.crash(false)
    return true
  }

  /**
   * Two messages are said, the second by somebody who hears no more of it; then both are taken back, somebody says a third,
   * and the second is said again.
   */
  function comeToTheSameEnd(): boolean {
    const [first, second, third] = living()
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

  /** Whether it could happen. */
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
        refusedUntil = world.now + within(2_000, 30_000)
        return true
      case 'dial_silent':
        silentUntil = world.now + within(2_000, 30_000)
        return true
      case 'proxy_drop':
        droppedUntil = world.now + within(20_000, 90_000)
        return true
      case 'reload':
        return someone(reload)
      case 'tab':
        return someone(({ place }) => {
          const tabs = devices.filter((device) => device.place === place && !device.isClosed)
          if (tabs.length < MAX_TABS) addTab(place)
        })
      case 'browser_crash':
        return someone(({ place }) => crashPlace(place))
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
        for (const { host } of devices) host.sleep(ms)
        nightUntil = world.now + ms
        faultsEndAt = Math.max(faultsEndAt, nightUntil + dice.between(5_000, 20_000))
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
          if (dice.chance(0.5)) say(device, dice.pick([...device.rooms]))
          device.isClosed = true
          device.host.close()
        })
      case 'token_bad':
      case 'token_undecided':
      case 'token_failed':
      case 'token_late':
      case 'token_expired':
      case 'token_other':
        nextTokens.push(fault.slice('token_'.length) as (typeof nextTokens)[number])
        return true
      case 'token_short':
        shortTokensUntil = world.now + within(10_000, 40_000)
        return true
      case 'cancel':
        return someMessage(({ host }, messageId) => host.cancel(messageId))
      case 'member_flip':
        return someone(flipMember)
      case 'stranger':
        return someone(intrude)
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
          poisonSent++
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
        return someone(changeRoom)
      case 'hook_slow':
      case 'hook_failing':
        reviewer?.disturb(fault === 'hook_slow' ? 'slow' : 'failing', within(5_000, 40_000))
        return reviewer !== undefined
      case 'reviewed':
        return someone(({ host, rooms }) =>
          host.send(dice.pick([...rooms]), dice.pick(['forbidden', 'censored', 'delayed'])),
        )
      case 'logout':
        return someone(signOut)
      case 'application':
        letApplicationAct()
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

  function schedule(): void {
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      const times = poisson(dice, profile.rates[fault] ?? 0)
      for (let i = 0; i < times; i++) {
        world.after(dice.between(2_000, activeMs), () => {
          if (isQuiet || !strike(fault)) return
          count(fault)
          world.note(() => `fault: ${fault}`)
        })
      }
    }
    for (const device of devices) {
      const times = poisson(workload, profile.sends ?? 8)
      for (let i = 0; i < times; i++) world.after(workload.between(500, activeMs), () => talk(device))
    }
  }

  function calmDown(): void {
    isQuiet = true
    history.quietFrom = world.now
    world.note(() => 'nothing goes wrong any more')
    store.calm()
    reviewer?.calm()
    for (const host of nodes) host.start()
    if (dice.chance(0.7)) speaker.pardon([...PUBLIC_ROOMS, PRIVATE_ROOM], USERS)
    for (const { storage } of places) storage?.calm()
    for (const { host, isClosed } of devices) {
      const last = host.session.statuses.at(-1)
      if (!isClosed && host.isAlive() && last?.reason !== 'REPLACED') host.connect()
    }
  }

  /** Everybody says something once more: who hears it has all that was before. */
  function sayLastWords(): void {
    for (const device of devices) {
      if (device.isClosed || !device.host.isAlive()) continue
      enter(device, 'den')
      device.host.send('den', 'plain')
      device.host.send(DIRECT_ROOM, 'plain')
    }
  }

  function finish(): void {
    for (const { host } of devices) host.finish()
    for (const host of nodes) history.nodes.push(host.figures())
    store.finish()
    history.endedAt = world.now
  }

  for (const user of USERS) {
    addPlace(user)
    for (let i = 1; i < (profile.devices ?? 1 + Number(dice.chance(0.25))); i++) addPlace(user)
  }
  schedule()
  if (dice.chance(0.3)) world.after(3_000, () => store.takeSnapshot())
  try {
    // A night moves the end of all faults.
    while (world.now < faultsEndAt) await world.runUntil(faultsEndAt)
    calmDown()
    await world.runUntil(world.now + SETTLE_MS)
    sayLastWords()
    await world.runUntil(world.now + QUIESCENCE_MS + poisonSent * POISON_MS)
    for (const { host, isClosed } of devices) if (!isClosed && host.isAlive()) host.askWhoBelongs()
    await world.runUntil(world.now + ANSWER_MS)
  } catch (error) {
    if (!(error instanceof TooManyEvents)) throw error
    history.broken.push({ at: world.now, what: error.message })
  }
  finish()
  return {
    seed,
    profile: profileName,
    violations: check(history),
    events: world.events,
    virtualMs: world.now,
    faults,
    history,
  }
}

function chooseProfile(dice: Dice): ProfileName {
  const names = Object.keys(PROFILES) as ProfileName[]
  let left = dice.next() * names.reduce((sum, name) => sum + PROFILES[name].weight, 0)
  for (const name of names) {
    left -= PROFILES[name].weight
    if (left < 0) return name
  }
  return 'mix'
}

function poisson(dice: Dice, mean: number): number {
  const limit = Math.exp(-mean)
  let times = 0
  for (let product = dice.next(); product > limit; product *= dice.next()) times++
  return times
}

const FAST_OPTIONS: Partial<NodeOptions> = {
  limits: {
    ...DEFAULT_LIMITS,
    windowPerRoom: 64,
    windowPerConnection: 64,
    messagesPerSecond: 500,
    messageBurst: 500,
  },
  maxReplayEntries: 20,
}

function looseOptions(dice: Dice): Partial<NodeOptions> {
  return dice.chance(0.3) ? { maxReplayEntries: 3 + dice.below(12) } : {}
}

function tightOptions(dice: Dice): Partial<NodeOptions> {
  return {
    limits: {
      ...DEFAULT_LIMITS,
      windowPerRoom: 1 + dice.below(4),
      windowPerConnection: 2 + dice.below(6),
      messagesPerSecond: 2 + dice.below(4),
      messageBurst: 3 + dice.below(6),
      maxMessageChars: SHORTEST_LIMIT_CHARS,
    },
    maxReplayEntries: 2 + dice.below(8),
    relievedBytes: 1_200,
    congestedBytes: 3_000,
    overflowBytes: 12_000,
    congestedTimeoutMs: 10_000,
  }
}
