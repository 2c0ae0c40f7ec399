/**
 * Rounds: in each one every row of a workload is measured once, in turns (A, B, A, B), so that whatever the machine does
 * meanwhile befalls all of them. What others disturbed is measured again, a few times; then it is marked.
 */
import type { Lab } from './lab.ts'
import { summarize, type WorkloadSummary } from './summary.ts'
import type { Figures, Measurement, Row, Workload } from './workloads/workload.ts'

/** Cores that other processes may use while something is measured. */
const MAX_OTHERS = 0.1

export interface BenchOptions {
  readonly rounds: number
  /** How often what was disturbed is measured again. */
  readonly repeats: number
  readonly progress: (line: string) => void
}

export async function measureWorkload(
  lab: Lab,
  workload: Workload,
  { rounds: count, repeats, progress }: BenchOptions,
): Promise<WorkloadSummary> {
  const rounds: Record<string, Figures>[] = []
  const disturbed: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const round: Record<string, Figures> = {}
    rounds.push(round)
    for (const row of workload.rows) {
      const { figures, others } = await measureRow(lab, row, repeats)
      round[row.key] = figures
      if (others > MAX_OTHERS) disturbed[row.key] = (disturbed[row.key] ?? 0) + 1
      const mark = others > MAX_OTHERS ? `, others used ${others.toFixed(2)} cores` : ''
      progress(`${workload.name} ${i + 1}/${count} ${row.title}: ${told(workload, figures)}${mark}`)
    }
  }
  return summarize(workload, rounds, disturbed)
}

/** The least disturbed of some tries. */
async function measureRow(lab: Lab, row: Row, repeats: number): Promise<Measurement> {
  let best = await row.measure(lab)
  for (let i = 0; i < repeats && best.others > MAX_OTHERS; i++) {
    const again = await row.measure(lab)
    if (again.others < best.others) best = again
  }
  return best
}

function told({ columns }: Workload, figures: Figures): string {
  return columns
    .flatMap(({ figure, title, digits }) => {
      const value = figures[figure]
      return value === undefined ? [] : [`${value.toFixed(digits)} ${title}`]
    })
    .join(', ')
}
