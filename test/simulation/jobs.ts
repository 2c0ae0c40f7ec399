// A series on several cores: its seeds in as many parts, a process for each, and their figures in one. What a series finds
// does not depend on how many parts it has; only how long it takes does.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Figures, MAX_BROKEN } from './figures.ts'

/** What a part is asked for; its process gets it as JSON. */
export interface Part {
  readonly runs: number
  readonly firstSeed: number
  readonly profile: string | undefined
  readonly door: string | undefined
  readonly mutant: string | undefined
}

/** What a part says while it runs, and at its end. */
export type Report =
  | { readonly says: 'line'; readonly line: string }
  | { readonly says: 'progress'; readonly done: number; readonly violations: number }
  | { readonly says: 'figures'; readonly figures: Figures }

export async function runJobs(
  whole: Part,
  jobs: number,
  out: (line: string) => void,
  progress: (done: number, violations: number) => void,
): Promise<Figures> {
  const parts = split(whole, jobs)
  const reached = parts.map(() => ({ done: 0, violations: 0 }))
  const figures = await Promise.all(
    parts.map((part, i) =>
      run(part, out, (done, violations) => {
        reached[i] = { done, violations }
        progress(sum(reached.map((one) => one.done)), sum(reached.map((one) => one.violations)))
      }),
    ),
  )
  return merge(figures)
}

/** Runs that follow on one another, as many for each part as for the next. */
export function split(whole: Part, jobs: number): readonly Part[] {
  const parts: Part[] = []
  let firstSeed = whole.firstSeed
  for (let left = jobs; left > 0; left--) {
    const runs = Math.ceil((whole.firstSeed + whole.runs - firstSeed) / left)
    if (runs > 0) parts.push({ ...whole, runs, firstSeed })
    firstSeed += runs
  }
  return parts
}

export function merge(parts: readonly Figures[]): Figures {
  const runs = sum(parts.map((part) => part.runs))
  const faults = new Map<string, number>()
  for (const part of parts)
    for (const [fault, times] of Object.entries(part.faults))
      faults.set(fault, (faults.get(fault) ?? 0) + times)
  const processorSeconds = sum(parts.map((part) => part.runs / part.runsPerSecond))
  return {
    runs,
    violations: sum(parts.map(({ violations }) => violations)),
    simulatedMs: sum(parts.map(({ simulatedMs }) => simulatedMs)),
    simulatedHours: sum(parts.map(({ simulatedMs }) => simulatedMs)) / 3_600_000,
    faults: Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    events: sum(parts.map(({ events }) => events)),
    runsPerSecond: runs / processorSeconds,
    broken: parts
      .flatMap(({ broken }) => broken)
      .sort((a, b) => a.seed - b.seed)
      .slice(0, MAX_BROKEN),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}

function run(
  part: Part,
  out: (line: string) => void,
  progress: (done: number, violations: number) => void,
): Promise<Figures> {
  const main = fileURLToPath(new URL('./part.ts', import.meta.url))
  const child = fork(main, [JSON.stringify(part)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return new Promise((resolve, reject) => {
    let figures: Figures | undefined
    child.on('message', (report: Report) => {
      if (report.says === 'line') out(report.line)
      else if (report.says === 'progress') progress(report.done, report.violations)
      else figures = report.figures
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (figures) resolve(figures)
      else reject(new Error(`the part from seed ${part.firstSeed} ended with ${code ?? signal}`))
    })
  })
}
