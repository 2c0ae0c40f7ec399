// One run: a seed becomes a world, the world a history, the history a list of what was broken. For a while things go
// wrong; then nothing does any more, and everything must come right.

import { createSpeaker } from './application.ts'
import type { Violation } from './checker/violation.ts'
import { check } from './checker.ts'
import { createDice, type Dice } from './dice.ts'
import { FAULTS, type Fault, PROFILES, type Profile, type ProfileName } from './faults.ts'
import { createHistory, type History } from './history.ts'
import { chooseNodeOptions } from './node-options.ts'
import { createPopulation, PRIVATE_ROOM, PUBLIC_ROOMS, USERS } from './population.ts'
import { createReviewer } from './reviewer.ts'
import { createRoute } from './route.ts'
import { createServerHost, type DoorKind, type ServerHost } from './server-host.ts'
import { createStoreModel } from './store-model.ts'
import { createStrikes } from './strike.ts'
import { createTokenGiver } from './token-giver.ts'
import { askWhoBelongs, sayLastWords, talk } from './workload.ts'
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
/** After the faults: this long until everybody says something once more … */
const SETTLE_MS = 60_000
/** … and this long until all of it must have arrived. */
const QUIESCENCE_MS = 120_000
/** What a question to a server takes at most, when nothing goes wrong. */
const ANSWER_MS = 5_000
/** What five failures of one row over a minute take at most, with the waits between them and after them. */
const POISON_MS = 110_000

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
  const tokens = createTokenGiver(world, world.dice(), count)
  const activeMs = (profile.activeMs ?? 100_000) * dice.between(0.7, 1.3)
  const nodeOptions = chooseNodeOptions(profile, dice.fork())
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
  const route = createRoute(world, dice, nodes)
  const population = createPopulation({
    world,
    history,
    dice,
    workload,
    profile,
    door,
    route,
    tokens,
    count,
  })
  const strikes = createStrikes({
    world,
    history,
    dice,
    workload,
    activeMs,
    store,
    restore,
    nodes,
    route,
    tokens,
    population,
    speaker,
    reviewer,
  })

  function restore(newEpoch: boolean): boolean {
    if (!store.restore(newEpoch)) return false
    for (const host of nodes) host.crash(false)
    return true
  }

  function schedule(): void {
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      const times = poisson(dice, profile.rates[fault] ?? 0)
      for (let i = 0; i < times; i++) {
        world.after(dice.between(2_000, activeMs), () => {
          if (!strikes.strike(fault)) return
          count(fault)
          world.note(() => `fault: ${fault}`)
        })
      }
    }
    for (const device of population.devices) {
      const times = poisson(workload, profile.sends ?? 8)
      for (let i = 0; i < times; i++)
        world.after(workload.between(500, activeMs), () => talk(device, workload, count))
    }
  }

  function calmDown(): void {
    for (const part of [strikes, route, tokens]) part.calm()
    history.quietFrom = world.now
    world.note(() => 'nothing goes wrong any more')
    store.calm()
    reviewer?.calm()
    for (const host of nodes) host.start()
    if (dice.chance(0.7)) speaker.pardon([...PUBLIC_ROOMS, PRIVATE_ROOM], USERS)
    for (const { storage } of population.places) storage?.calm()
    for (const { host, isClosed } of population.devices) {
      const last = host.session.statuses.at(-1)
      if (!isClosed && host.isAlive() && last?.reason !== 'REPLACED') host.connect()
    }
  }

  function finish(): void {
    for (const { host } of population.devices) host.finish()
    for (const host of nodes) history.nodes.push(host.figures())
    store.finish()
    history.endedAt = world.now
  }

  schedule()
  if (dice.chance(0.3)) world.after(3_000, () => store.takeSnapshot())
  try {
    // A night moves the end of all faults.
    while (world.now < strikes.endAt()) await world.runUntil(strikes.endAt())
    calmDown()
    await world.runUntil(world.now + SETTLE_MS)
    sayLastWords(population.devices)
    await world.runUntil(world.now + QUIESCENCE_MS + strikes.poisonings() * POISON_MS)
    askWhoBelongs(population.devices, history, world.now)
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
