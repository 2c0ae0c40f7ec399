// Many runs, one after the other, and their figures. A run that breaks a promise is run once more, for its trace; what is
// printed of it is what concerns the promise.

import type { Violation } from './checker/violation.ts'
import type { ProfileName } from './faults.ts'
import { type Figures, MAX_BROKEN } from './figures.ts'
import type { DoorKind } from './server-host.ts'
import { type RunResult, simulate } from './simulate.ts'

export interface SeriesOptions {
  readonly runs: number
  readonly firstSeed: number
  readonly profile: ProfileName | undefined
  readonly door: DoorKind | undefined
  readonly stopAtFirst: boolean
  /** Print the trace of every run. */
  readonly trace: boolean
  readonly out: (line: string) => void
  /** Called now and then. */
  readonly progress: (done: number, violations: number) => void
}

const PROGRESS_EVERY_MS = 2_000
const MAX_TRACE_LINES = 80

/** Through the JSON doors goes every twentieth run. */
function doorOf(seed: number): DoorKind {
  return seed % 20 === 0 ? 'json' : 'objects'
}

export async function runSeries(options: SeriesOptions): Promise<Figures> {
  const { runs, firstSeed, profile, out } = options
  const faults = new Map<string, number>()
  const broken: { seed: number; profile: string; invariants: string[] }[] = []
  const before = process.cpuUsage()
  let events = 0
  let simulatedMs = 0
  let violations = 0
  let done = 0
  let toldAt = Date.now()
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const door = options.door ?? doorOf(seed)
    const result = await simulate({ seed, profile, door, trace: options.trace ? out : undefined })
    done++
    events += result.events
    simulatedMs += Math.round(result.virtualMs)
    for (const [fault, times] of result.faults) faults.set(fault, (faults.get(fault) ?? 0) + times)
    if (result.violations.length > 0) {
      violations++
      if (broken.length < MAX_BROKEN)
        broken.push({ seed, profile: result.profile, invariants: invariantsOf(result) })
      await report(result, door, options)
      if (options.stopAtFirst) break
    }
    if (Date.now() - toldAt > PROGRESS_EVERY_MS) {
      toldAt = Date.now()
      options.progress(done, violations)
    }
  }
  const used = process.cpuUsage(before)
  return {
    runs: done,
    violations,
    simulatedMs,
    simulatedHours: simulatedMs / 3_600_000,
    faults: Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    events,
    runsPerSecond: done / ((used.user + used.system) / 1_000_000),
    broken,
  }
}

function invariantsOf({ violations }: RunResult): string[] {
  return [...new Set(violations.map(({ invariant }) => invariant))]
}

async function report(
  { seed, profile, violations }: RunResult,
  door: DoorKind,
  { out, trace }: SeriesOptions,
) {
  out(`\nseed ${seed} (${profile}, ${door}): ${violations.length} violations`)
  for (const { invariant, at, what } of worstFirst(violations).slice(0, 8))
    out(`  ${invariant} at ${seconds(at)}: ${what}`)
  if (trace) return
  const lines: string[] = []
  await simulate({ seed, profile, door, trace: (line) => lines.push(line) })
  out(`  what concerns the first of them (--seed ${seed} --profile ${profile} --runs 1 --trace: all):`)
  for (const line of concerning(violations[0]!, lines))
    out(`  ${line.length > 400 ? `${line.slice(0, 400)} …` : line}`)
}

/** The lines up to the violation that speak of what it is about, or of what went wrong. */
function concerning({ about, at }: Violation, lines: readonly string[]): readonly string[] {
  const isBefore = (line: string) => Number(line.slice(0, 10)) <= at / 1_000 + 0.001
  const isAbout = (line: string) =>
    about.some((word) => line.includes(word)) || /fault:|store: |: (dies|starts|drains)/.test(line)
  return lines.filter((line) => isBefore(line) && isAbout(line)).slice(-MAX_TRACE_LINES)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`
}

/** An exception explains what follows from it. */
function worstFirst(violations: readonly Violation[]): readonly Violation[] {
  const isBroken = ({ invariant }: Violation) => invariant === 'broken'
  return [...violations.filter(isBroken), ...violations.filter((one) => !isBroken(one))]
}
