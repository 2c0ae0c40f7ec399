// Who is there: users, the browsers or processes in which they are signed in, and the tabs in which the page is open. Here
// they come, go, come back, and sign in as another; what they say and do meanwhile is the workload's (workload.ts).

import { type ClientHost, createClientHost } from './client-host.ts'
import type { Dice } from './dice.ts'
import type { Profile } from './faults.ts'
import type { History } from './history.ts'
import type { Route } from './route.ts'
import type { DoorKind } from './server-host.ts'
import { type BrowserStorage, createBrowserStorage } from './storage.ts'
import type { TokenGiver } from './token-giver.ts'
import type { World } from './world.ts'

export const USERS = ['ada', 'bob', 'cy'] as const
export const PUBLIC_ROOMS = ['den', 'hall'] as const
export const PRIVATE_ROOM = 'vault'
export const DIRECT_ROOM = '~ada~bob'

/** A browser or a process of a user. */
export interface Place {
  readonly name: string
  /** What goes off as one: each user of a browser has a storage of their own. */
  readonly machine: string
  readonly user: string
  readonly latencyMs: number
  /** Undefined: outboxes are in memory. */
  readonly storage: BrowserStorage | undefined
}

/** A tab in which the page is open. */
export interface Device {
  place: Place
  user: string
  readonly rooms: Set<string>
  host: ClientHost
  isClosed: boolean
}

export interface Population {
  readonly places: readonly Place[]
  readonly devices: readonly Device[]
  /** Those who can do something. */
  living(): readonly Device[]
  /** One more tab, unless there are many. */
  openTab(place: Place): void
  reload(device: Device): void
  /** The machine goes off; after a while its tabs are there again. */
  crash(place: Place): void
  /** With or without what waits; and somebody signs in, perhaps another. */
  signOut(device: Device): void
  /** All sleep for so long, and so does what is opened meanwhile. */
  sleep(ms: number): void
}

export interface PopulationParts {
  readonly world: World
  readonly history: History
  /** For who is there and where. */
  readonly dice: Dice
  /** For when they come back. */
  readonly workload: Dice
  readonly profile: Profile
  readonly door: DoorKind
  readonly route: Route
  readonly tokens: TokenGiver
  readonly count: (what: string) => void
}

/** Of one browser. */
const MAX_TABS = 4

/** Every user with a tab or more. */
export function createPopulation(parts: PopulationParts): Population {
  const { world, history, dice, workload, profile, door, route, tokens, count } = parts
  const places: Place[] = []
  const devices: Device[] = []
  let nightUntil = 0

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
      dial: (end) => route.dial(place.latencyMs, end),
      token: (refused) => tokens.give(place, refused),
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

  for (const user of USERS) {
    addPlace(user)
    for (let i = 1; i < (profile.devices ?? 1 + Number(dice.chance(0.25))); i++) addPlace(user)
  }
  return {
    places,
    devices,
    living: () => devices.filter(({ host, isClosed }) => !isClosed && host.isAlive() && !host.isAsleep()),

    openTab(place) {
      const tabs = devices.filter((device) => device.place === place && !device.isClosed)
      if (tabs.length < MAX_TABS) addTab(place)
    },

    reload(device) {
      device.host.reload()
      world.after(workload.between(50, 1_500), () => comeBack(device))
    },

    crash({ machine }) {
      const tabs = devices.filter((device) => device.place.machine === machine && device.host.isAlive())
      for (const { host } of tabs) host.reload()
      for (const one of places) if (one.machine === machine) one.storage?.powerCut()
      for (const device of tabs) {
        world.after(workload.between(300, 5_000), () => comeBack(device))
      }
    },

    signOut(device) {
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
    },

    sleep(ms) {
      for (const { host } of devices) host.sleep(ms)
      nightUntil = world.now + ms
    },
  }
}

/** Follows a room, and asks to belong to it. */
export function enter(device: Device, room: string): void {
  device.rooms.add(room)
  device.host.request({ type: 'join_room', payload: { room } }, (isDone) => {
    if (isDone) device.host.follow(room)
  })
  device.host.follow(room)
}
