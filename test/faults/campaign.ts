/**
 * A campaign of faults on real processes: a server on a file, clients in processes of their own, each behind a proxy of
 * its own; load all the time, bad weather on the links, and every so often somebody is killed and started again. In the
 * end all that everybody saw is judged by the checker. The seed decides what is tried; when it hits, the machine does.
 */
import { join } from 'node:path'
import { type Judgement, VERDICTS, type Verdict, type Violation } from './checker.ts'
import type { TcpProxy } from './proxy.ts'
import type { ClientGroup } from './support/client-group.ts'
import type { ClientSpec } from './support/client-process.ts'
import { createDice, type Dice } from './support/dice.ts'
import { createStage, type Stage } from './support/stage.ts'
import { createWeather, type Trouble } from './support/weather.ts'

export interface CampaignOptions {
  readonly kills: number
  readonly seed: number
  /** Offered by all clients together. */
  readonly messagesPerSecond: number
  /** Goes on killing for so long instead. */
  readonly minutes?: number | undefined
  /** Every so many kills the victim is a client. Default 4. */
  readonly clientEvery?: number | undefined
  /** When to kill. Default: any of them, by the seed. */
  readonly moment?: Moment | undefined
  /** Whether links and server also suffer from other faults. Default true. */
  readonly hasWeather?: boolean | undefined
  readonly progress?: ((line: string) => void) | undefined
}

export interface CampaignReport {
  readonly date: string
  readonly seed: number
  readonly kills: Readonly<Record<Victim, number>>
  /** Of load. */
  readonly seconds: number
  readonly messages: {
    readonly offered: number
    readonly acknowledged: number
    readonly failed: number
    /** Their sender was killed before its outbox had them. */
    readonly unknown: number
    /** Times that an outbox gave one back to the next process. */
    readonly restored: number
    readonly delivered: number
  }
  readonly perSecond: { readonly offered: number; readonly acknowledged: number }
  /** Deliveries that are missing and excused by a gap that the reader was told of. There should be none here. */
  readonly excused: number
  /** From the start of the new process until all clients follow all their rooms. */
  readonly recoveryMs: Readonly<Record<Victim, { readonly p50: number; readonly max: number }>>
  readonly faults: Readonly<Record<string, number>>
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly violations: readonly Violation[]
  /** What did not come to its end in time. */
  readonly stuck: readonly string[]
}

type Victim = 'server' | 'client'

/** At any time, when an ack is on its way (it is lost then), or when commands have just arrived. */
type Moment = 'any' | 'ack' | 'commands'

const OPEN_ROOMS = ['general', 'random', 'help']
const CLOSED_ROOM = 'board'
const ALL_ROOMS = [...OPEN_ROOMS, CLOSED_ROOM]
/** The part of the load that comes from the client that is killed. */
const VICTIMS_SHARE = 0.2
/** So much load passes before the next kill; and sometimes it hits those who are still recovering from the last. */
const QUIET_MS = [200, 1_200] as const
const HASTE = 0.15
const HASTE_MS = [0, 200] as const
/** Everything is over long before, or it never will be. */
const TIMEOUT_MS = 60_000
/** Violations that are told in full, of each verdict. */
const TOLD = 5

export function isClean({ violations, excused, stuck }: CampaignReport): boolean {
  return violations.length === 0 && excused === 0 && stuck.length === 0
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const stage = createStage()
  try {
    return await run(stage, options)
  } finally {
    await stage.dispose()
  }
}

async function run(stage: Stage, options: CampaignOptions): Promise<CampaignReport> {
  const { kills, seed, messagesPerSecond, minutes, clientEvery = 4, progress = () => {} } = options
  const dice = createDice(seed)
  await stage.server.start()
  const crowd = await startCrowd(stage, messagesPerSecond * (1 - VICTIMS_SHARE))
  const victimsLink = await stage.link()
  // The crowd is there before anything is said.
  await stage.live(TIMEOUT_MS)
  let incarnation = 0
  let victim = startVictim()
  await stage.live(TIMEOUT_MS)

  function startVictim(): ClientGroup {
    incarnation++
    const { port } = victimsLink
    const device = `phone#${incarnation}`
    const outboxFile = join(stage.server.folder, 'outbox')
    return stage.start({
      clients: [
        { user: 'dave', device, port, rooms: OPEN_ROOMS, reads: 'events', outbox: 'dave', outboxFile },
      ],
      messagesPerSecond: messagesPerSecond * VICTIMS_SHARE,
    })
  }

  const weather = createWeather(stage.links, troublesOf(stage), dice)
  const startedAt = performance.now()
  const elapsedMs = () => performance.now() - startedAt
  const recoveries: Record<Victim, number[]> = { server: [], client: [] }
  const killed: Record<Victim, number> = { server: 0, client: 0 }
  for (const group of [crowd, victim]) group.word('load')
  for (let kill = 1; minutes === undefined ? kill <= kills : elapsedMs() < minutes * 60_000; kill++) {
    if (options.hasWeather ?? true) weather.begin()
    await passing(dice.between(...QUIET_MS))
    const whom: Victim = kill % clientEvery === 0 ? 'client' : 'server'
    const wanted = options.moment ?? dice.pick<Moment>(['any', 'ack', 'commands'])
    const moment = await rightMoment(wanted, whom === 'client' ? [victimsLink] : stage.links, dice)
    if (whom === 'server') await stage.server.kill()
    else await stage.killClients(victim)
    weather.end()
    const restartedAt = performance.now()
    if (whom === 'server') await stage.server.start()
    else victim = startVictim()
    if (whom === 'client') victim.word('load')
    killed[whom]++
    const isHasty = dice.chance(HASTE)
    if (isHasty) await passing(dice.between(...HASTE_MS))
    const isLive = isHasty || (await stage.live(TIMEOUT_MS))
    const recoveryMs = performance.now() - restartedAt
    if (!isHasty) recoveries[whom].push(recoveryMs)
    const number = minutes === undefined ? `${kill}/${kills}` : kill
    const recovery = isHasty ? 'and at once again' : `all live after ${recoveryMs.toFixed(0)} ms`
    const acknowledged = stage.acknowledged()
    const perSecond = acknowledged / (elapsedMs() / 1_000)
    progress(
      `kill ${number}: the ${whom}, ${moment}; ${isLive ? recovery : 'NOT all live any more'}; ` +
        `${acknowledged} acknowledged, ${perSecond.toFixed(0)}/s`,
    )
    if (!isLive) break
  }
  const seconds = elapsedMs() / 1_000
  progress('reading everything to its end ...')
  const judgement = await stage.judge({ last: crowd, rooms: OPEN_ROOMS, timeoutMs: TIMEOUT_MS })
  const { counts } = judgement
  return {
    date: new Date().toISOString(),
    seed,
    kills: killed,
    seconds: Math.round(seconds),
    messages: {
      offered: counts.invoke,
      acknowledged: stage.acknowledged(),
      failed: counts.fail,
      unknown: counts.unknown,
      restored: stage.restored(),
      delivered: counts.deliver,
    },
    perSecond: {
      offered: Math.round(counts.invoke / seconds),
      acknowledged: Math.round(stage.acknowledged() / seconds),
    },
    excused: judgement.excused,
    recoveryMs: { server: summaryOf(recoveries.server), client: summaryOf(recoveries.client) },
    faults: weather.faults,
    ...verdictsOf(judgement),
    stuck: judgement.stuck,
  }
}

/** Who stays: three senders on four devices, a guest of the closed room, each behind a link of its own. */
async function startCrowd(stage: Stage, messagesPerSecond: number): Promise<ClientGroup> {
  const spec = async (user: string, device: string, more: Partial<ClientSpec>): Promise<ClientSpec> => {
    const { port } = await stage.link()
    return { user, device, port, rooms: ALL_ROOMS, reads: 'first events', ...more }
  }
  return stage.start({
    clients: [
      await spec('alice', 'laptop', { outbox: 'alice' }),
      await spec('bob', 'laptop', { outbox: 'bob' }),
      await spec('carol', 'laptop', { outbox: 'carol', reads: 'log', rooms: OPEN_ROOMS }),
      await spec('alice', 'phone', { rooms: OPEN_ROOMS }),
    ],
    messagesPerSecond,
    closed: { room: CLOSED_ROOM, guest: { ...(await spec('eve', 'phone', {})), outbox: 'eve' } },
  })
}

/** What the server itself suffers from. */
function troublesOf({ server }: Stage): Readonly<Record<string, Trouble>> {
  return {
    'frozen server': { begin: () => server.freeze(true), end: () => server.freeze(false), lastsMs: 4_000 },
    // The file may not grow any more.
    'full disk': {
      begin: () => server.pragma('max_page_count = 1'),
      end: () => server.pragma('max_page_count = 1000000000'),
      lastsMs: 1_000,
    },
    // Some commits fail, and those right behind them do not.
    'failing commits': {
      begin: () => server.pragma('query_only = on'),
      end: () => server.pragma('query_only = off'),
      lastsMs: 60,
    },
  }
}

/** Waits for the moment, and says what it was. */
async function rightMoment(moment: Moment, links: readonly TcpProxy[], dice: Dice): Promise<string> {
  const link = dice.pick(links)
  switch (moment) {
    case 'any':
      return 'at any time'
    case 'ack': {
      const isSeen = await soon(link.carries('"type":"ack"'))
      for (const one of links) one.cut()
      return isSeen ? 'with an ack on its way' : 'at any time'
    }
    case 'commands': {
      const isSeen = await soon(link.delivers())
      const waitMs = dice.between(0, 4)
      await passing(waitMs)
      return isSeen ? `${waitMs.toFixed(1)} ms after bytes arrived` : 'at any time'
    }
    default:
      return moment satisfies never
  }
}

/** Where the weather lets nothing pass, there may be nothing to wait for. */
function soon(what: Promise<void>): Promise<boolean> {
  return Promise.race([what.then(() => true), passing(1_000).then(() => false)])
}

function passing(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function summaryOf(times: readonly number[]): { readonly p50: number; readonly max: number } {
  const sorted = [...times].sort((a, b) => a - b)
  return {
    p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    max: Math.round(sorted.at(-1) ?? 0),
  }
}

function verdictsOf({ violations }: Judgement): Pick<CampaignReport, 'verdicts' | 'violations'> {
  const of = (verdict: Verdict) => violations.filter((violation) => violation.verdict === verdict)
  const names = Object.keys(VERDICTS) as Verdict[]
  return {
    verdicts: Object.fromEntries(names.map((name) => [name, of(name).length])) as Record<Verdict, number>,
    violations: names.flatMap((name) => of(name).slice(0, TOLD)),
  }
}
