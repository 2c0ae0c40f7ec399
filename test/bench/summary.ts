/** From what rounds came to, to what is told: of each figure the least, the median and the most, ratios, goals met or not. */
import type { Goal, Round, Workload } from './workloads/workload.ts'
import { ratio } from './workloads/workload.ts'

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export interface RowSummary {
  readonly key: string
  readonly title: string
  readonly figures: Readonly<Record<string, Spread>>
  /** To the row `ws` of the same round. */
  readonly ratio?: Spread
  /** The same of the server's microseconds for each, which other work on the machine changes least. */
  readonly cpuRatio?: Spread
  /** Rounds in which others used more than a tenth of a core, even when it was tried again. */
  readonly disturbedRounds: number
}

export interface GoalSummary {
  readonly what: string
  readonly value: Spread
  readonly unit: string
  readonly bound: Goal['bound']
  readonly must: number
  readonly aim: number
  /** By the median. */
  readonly met: 'aim' | 'must' | 'no'
}

export interface LineSummary {
  readonly title: string
  readonly points: readonly { readonly size: number; readonly value: Spread }[]
}

export interface WorkloadSummary {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly rounds: number
  readonly rows: readonly RowSummary[]
  readonly goals: readonly GoalSummary[]
  readonly lines: readonly LineSummary[]
}

/** `disturbed`: by row, in how many rounds others disturbed it. */
export function summarize(
  workload: Workload,
  rounds: readonly Round[],
  disturbed: Readonly<Record<string, number>>,
): WorkloadSummary {
  const { name, title, about, ratioOf } = workload
  const rows = workload.rows.map(({ key, title: rowTitle }) => {
    const names = Object.keys(rounds[0]?.[key] ?? {})
    const figures = Object.fromEntries(
      names.map((figure) => [figure, spread(rounds.flatMap((round) => round[key]?.[figure] ?? []))]),
    )
    const ratios = ratioOf === undefined ? [] : rounds.flatMap((round) => ratio(round, ratioOf, key) ?? [])
    const cpuRatios = rounds.flatMap((round) => ratio(round, 'serverUs', key) ?? [])
    return {
      key,
      title: rowTitle,
      figures,
      disturbedRounds: disturbed[key] ?? 0,
      ...(ratios.length > 0 ? { ratio: spread(ratios) } : {}),
      ...(cpuRatios.length > 0 ? { cpuRatio: spread(cpuRatios) } : {}),
    }
  })
  const goals = workload.goals.flatMap((goal) => judge(goal, rounds) ?? [])
  const lines = (workload.lines ?? []).map(({ title: lineTitle, figure, points }) => ({
    title: lineTitle,
    points: points.map(({ size, key, toKey }) => ({
      size,
      value: spread(rounds.flatMap((round) => ratio(round, figure, key, toKey) ?? [])),
    })),
  }))
  return { name, title, about, rounds: rounds.length, rows, goals, lines }
}

export function judge(goal: Goal, rounds: readonly Round[]): GoalSummary | undefined {
  const values = rounds.flatMap((round) => goal.of(round) ?? [])
  if (values.length === 0) return undefined
  const { what, bound, must, aim = must, unit = '' } = goal
  const value = spread(values)
  const reaches = (limit: number) => (bound === 'at least' ? value.median >= limit : value.median <= limit)
  const met = reaches(aim) ? 'aim' : reaches(must) ? 'must' : 'no'
  return { what, value, unit, bound, must, aim, met }
}

/** Of nothing, zeros. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? 0
  const lower = sorted[Math.ceil(middle) - 1] ?? 0
  return { min: sorted[0] ?? 0, median: (lower + upper) / 2, max: sorted.at(-1) ?? 0 }
}
