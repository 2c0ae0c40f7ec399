// npm run sim: many runs, one seed after the other; the same seed is the same run. Ends with 1 where a promise was broken.
// What is switched in from outside (a mutant, the door for objects) is installed before the packages are imported.

import { parseArgs } from 'node:util'
import { isProfileName, PROFILES } from './faults.ts'
import type { Figures } from './figures.ts'
import { runGate } from './gate.ts'
import { letObjectsIn, switchOn } from './hooks.ts'
import { runJobs } from './jobs.ts'
import { LEAST_RUNS, tooRare } from './minimums.ts'
import { MUTANTS } from './mutants.ts'
import type { SeriesOptions } from './series.ts'

const HELP = `Usage: npm run sim -- [options]

  --runs N         how many runs (default 1000)
  --seed S         the first seed (default 1); the others follow
  --jobs N         in as many processes at once (default 1); the figures are the same
  --profile NAME   one mix of faults for all runs; list: which there are (default: the seed decides)
  --mutant NAME    with one deliberate weakening; list: which there are
  --mutants        every mutant, first with the seed that found it, then with up to 2,000 runs; fails if one survives
  --first          stop at the first violation
  --json           the figures as JSON, and nothing else on the standard output
  --trace          the whole trace of every run
  --door KIND      json: every frame through the JSON doors; objects: none (default: every twentieth run)`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    profile: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    door: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const PROGRESS_EVERY_MS = 10_000

process.exitCode = await main()

async function main(): Promise<number> {
  if (values.help) return say(HELP)
  if (values.profile === 'list')
    return say(lines(Object.entries(PROFILES).map(([name, { about }]) => [name, about])))
  if (values.mutant === 'list') return say(lines(MUTANTS.map(({ name, about }) => [name, about])))
  if (values.mutants) return runGate(values.json)
  const runs = Number(values.runs)
  const firstSeed = Number(values.seed)
  if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(firstSeed) || firstSeed < 0)
    return complain('--runs and --seed are whole numbers')
  if (values.profile !== undefined && !isProfileName(values.profile))
    return complain('there is no such profile')
  const mutant = MUTANTS.find(({ name }) => name === values.mutant)
  if (values.mutant !== undefined && !mutant) return complain('there is no such mutant')
  if (values.door !== undefined && values.door !== 'json' && values.door !== 'objects')
    return complain('--door is json or objects')

  const jobs = Number(values.jobs)
  if (!Number.isSafeInteger(jobs) || jobs < 1) return complain('--jobs is a whole number')
  if (jobs > 1 && (values.first || values.trace)) return complain('--first and --trace are for one job')

  const out = values.json ? () => {} : (line: string) => console.log(line)
  let toldAt = Date.now()
  const progress = (done: number, violations: number) => {
    if (Date.now() - toldAt < PROGRESS_EVERY_MS) return
    toldAt = Date.now()
    console.error(`${done} of ${runs} runs, ${violations} with violations`)
  }
  const { profile, door } = values
  if (jobs > 1)
    return tell(await runJobs({ runs, firstSeed, profile, door, mutant: mutant?.name }, jobs, out, progress))
  if (door !== 'json') letObjectsIn()
  if (mutant) switchOn(mutant)
  const { runSeries } = await import('./series.ts')
  const options: SeriesOptions = {
    runs,
    firstSeed,
    profile,
    door,
    stopAtFirst: values.first,
    trace: values.trace,
    out,
    progress,
  }
  return tell(await runSeries(options))
}

/** The exit code. */
function tell(figures: Figures): number {
  const { runs, faults, violations } = figures
  // What a mutant or one mix of faults leaves out says nothing.
  const isWhole = values.profile === undefined && values.mutant === undefined && runs >= LEAST_RUNS
  const rare = isWhole ? tooRare(runs, faults) : []
  console.log(values.json ? JSON.stringify({ ...figures, tooRare: rare }) : summary(figures))
  for (const { what, times, atLeast } of rare)
    console.error(`too rare: ${what} happened ${times} times, and ${atLeast} are asked for`)
  return violations === 0 && rare.length === 0 ? 0 : 1
}

function summary({ runs, violations, simulatedHours, events, runsPerSecond, faults }: Figures): string {
  const times = Object.values(faults).reduce((sum, count) => sum + count, 0)
  return `${runs} runs, ${violations} with violations; ${simulatedHours.toFixed(1)} simulated hours, ${events} events, ${times} faults and what came of them; ${runsPerSecond.toFixed(0)} runs a second of processor time`
}

function lines(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, about]) => `${name.padEnd(28)} ${about}`).join('\n')
}

function say(text: string): number {
  console.log(text)
  return 0
}

function complain(sentence: string): number {
  console.error(`${sentence}\n\n${HELP}`)
  return 2
}
