// npm run sim: many runs, one seed after the other; the same seed is the same run. Ends with 1 where a promise was broken.
// What is switched in from outside (a mutant, the door for objects) is installed before the packages are imported.

import { parseArgs } from 'node:util'
import { isProfileName, PROFILES } from './faults.ts'
import { runGate } from './gate.ts'
import { letObjectsIn, switchOn } from './hooks.ts'
import { MUTANTS } from './mutants.ts'
import type { Figures, SeriesOptions } from './series.ts'

const HELP = `Usage: npm run sim -- [options]

  --runs N         how many runs (default 1000)
  --seed S         the first seed (default 1); the others follow
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

  if (values.door !== 'json') letObjectsIn()
  if (mutant) switchOn(mutant)
  const { runSeries } = await import('./series.ts')
  const options: SeriesOptions = {
    runs,
    firstSeed,
    profile: values.profile,
    door: values.door,
    stopAtFirst: values.first,
    trace: values.trace,
    out: values.json ? () => {} : (line) => console.log(line),
    progress: (line) => console.error(line),
  }
  const figures = await runSeries(options)
  console.log(values.json ? JSON.stringify(figures) : summary(figures))
  return figures.violations === 0 ? 0 : 1
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
