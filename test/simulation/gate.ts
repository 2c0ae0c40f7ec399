// The gate: every mutant must be noticed. First with the seed that found it, which takes a second; where the world has
// changed since, with as many runs as it takes, up to a bound. A process for each, for each has modules of its own.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Figures } from './figures.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

const MAX_RUNS = 2_000

export interface Kill {
  readonly mutant: string
  readonly profile: string
  /** Undefined: it survived. */
  readonly seed: number | undefined
  /** How many runs it took, 1 with the recorded seed. */
  readonly runs: number
  readonly invariants: readonly string[]
}

/** The exit code. */
export function runGate(asJson: boolean): number {
  const kills: Kill[] = []
  for (const mutant of MUTANTS) {
    const kill = hunt(mutant)
    kills.push(kill)
    if (!asJson) console.log(describe(kill))
  }
  const survivors = kills.filter(({ seed }) => seed === undefined)
  if (asJson) console.log(JSON.stringify({ mutants: kills.length, survivors: survivors.length, kills }))
  else console.log(`${kills.length} mutants, ${survivors.length} of them not noticed`)
  return survivors.length === 0 ? 0 : 1
}

function hunt(mutant: Mutant): Kill {
  const replay = run(mutant, mutant.seed, 1)
  const found = replay.broken[0] ? replay : run(mutant, 1, MAX_RUNS)
  const first = found.broken[0]
  return {
    mutant: mutant.name,
    profile: mutant.profile,
    seed: first?.seed,
    runs: found.runs,
    invariants: first?.invariants ?? [],
  }
}

function run({ name, profile }: Mutant, seed: number, runs: number): Figures {
  const main = fileURLToPath(new URL('./run.ts', import.meta.url))
  const options = ['--mutant', name, '--profile', profile, '--seed', `${seed}`, '--runs', `${runs}`]
  const child = spawnSync(process.execPath, ['--conditions=source', main, ...options, '--first', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // A stale mutant ends before the first run, and says so.
  if (child.stdout === '') throw new Error(`the mutant ${name} could not be run: ${child.stderr}`)
  return JSON.parse(child.stdout) as Figures
}

function describe({ mutant, profile, seed, runs, invariants }: Kill): string {
  const end =
    seed === undefined ? `SURVIVED ${runs} runs` : `seed ${seed}, ${runs} runs: ${invariants.join(', ')}`
  return `${mutant.padEnd(28)} ${profile.padEnd(10)} ${end}`
}
