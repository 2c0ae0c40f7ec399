/** `npm run faults`: a campaign of faults, told line by line on the standard error, and its report. Exit code 1: a promise was broken. */
import { parseArgs } from 'node:util'
import { isClean, runCampaign } from './campaign.ts'
import { runGate } from './gate.ts'

const RATE = 600

const HELP = `npm run faults -- [options]: kill a real server and real clients under load, and judge what everybody saw

  --kills <number>    how often somebody is killed                      [20]
  --minutes <number>  go on for so long instead
  --rate <number>     messages a second, offered by all clients         [${RATE}]
  --seed <number>     what is tried                                     [the time]
  --mutants           instead: every deliberate weakening must be noticed (about ten minutes)
  --json              the whole report as JSON, and nothing else, on the standard output
`

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    minutes: { type: 'string' },
    rate: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean' },
    mutants: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

if (values.help) process.stdout.write(HELP)
else process.exitCode = values.mutants ? await tryMutants() : await main()

async function tryMutants(): Promise<number> {
  const all = await runGate(number('rate', RATE), (line) => process.stderr.write(`${line}\n`))
  const survivors = all.filter(({ seed }) => seed === undefined)
  if (values.json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
  else process.stdout.write(`${all.length} mutants, ${survivors.length} of them not noticed\n`)
  return survivors.length === 0 ? 0 : 1
}

async function main(): Promise<number> {
  const report = await runCampaign({
    kills: number('kills', 20),
    seed: number('seed', Date.now() % 1_000_000_000),
    messagesPerSecond: number('rate', RATE),
    minutes: values.minutes === undefined ? undefined : number('minutes', 0),
    progress: (line) => process.stderr.write(`${line}\n`),
  })
  const { seed, kills, messages, perSecond, recoveryMs, faults, verdicts, excused, violations, stuck } =
    report
  if (values.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  else {
    process.stdout.write(`seed ${seed}: ${kills.server} kills of the server, ${kills.client} of a client
${messages.acknowledged} of ${messages.offered} messages acknowledged (${perSecond.acknowledged} of ${perSecond.offered} a second), ${messages.failed} failed, ${messages.unknown} unknown, ${messages.restored} given back by an outbox, ${messages.delivered} deliveries
all live again after a kill of the server: p50 ${recoveryMs.server.p50} ms, at most ${recoveryMs.server.max} ms
weather: ${listOf(faults)}
${listOf(verdicts)}, ${excused} excused by a gap
`)
    for (const violation of violations) process.stdout.write(`${JSON.stringify(violation)}\n`)
    for (const one of stuck) process.stdout.write(`stuck: ${one}\n`)
  }
  return isClean(report) ? 0 : 1
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

function number(name: 'kills' | 'minutes' | 'rate' | 'seed', fallback: number): number {
  const given = values[name]
  if (given === undefined) return fallback
  if (!/^\d+(\.\d+)?$/.test(given)) throw new Error(`--${name} is a number, not "${given}"`)
  return Number(given)
}
