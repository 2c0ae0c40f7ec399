/** The report: what was measured, where and with what; and as text for a terminal. */
import { readFileSync } from 'node:fs'
import type { Machine } from './machine.ts'
import type { GoalSummary, RowSummary, Spread, WorkloadSummary } from './summary.ts'
import type { Column } from './workloads/workload.ts'
import { WORKLOADS } from './workloads/workloads.ts'

export interface Report {
  readonly date: string
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Of one minute, before it began: what else the machine had to do. */
  readonly loadBefore: number
  readonly measureMs: number
  readonly workloads: readonly WorkloadSummary[]
}

/** What was measured, as the manifests pin it. */
export function versions(): Record<string, string> {
  const manifest = (path: string) =>
    JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as {
      readonly version: string
      readonly devDependencies: Readonly<Record<string, string>>
    }
  const { devDependencies } = manifest('package.json')
  const peers = ['ws', 'socket.io', 'better-sqlite3', 'partysocket', 'reconnecting-websocket']
  return {
    tautline: manifest('packages/server/package.json').version,
    ...Object.fromEntries(peers.map((name) => [name, devDependencies[name] ?? '?'])),
  }
}

/** A table, as cells: the first row is its head. */
export type Table = readonly (readonly string[])[]

export function tableOf({ name, rows }: WorkloadSummary): Table {
  const workload = WORKLOADS.find((one) => one.name === name)
  const columns = workload?.columns ?? []
  const hasRatio = workload?.ratioOf !== undefined
  const hasCpuRatio = rows.some(({ cpuRatio }) => cpuRatio)
  return [
    [
      '',
      ...(hasRatio ? ['to bare ws'] : []),
      ...columns.map(({ title }) => title),
      ...(hasCpuRatio ? ['server µs, to bare ws'] : []),
    ],
    ...rows.map((row) => [
      row.disturbedRounds > 0 ? `${row.title} *` : row.title,
      ...(hasRatio ? [row.ratio ? spreadText(row.ratio, 2) : ''] : []),
      ...columns.map((column) => cellOf(row, column)),
      ...(hasCpuRatio ? [row.cpuRatio ? spreadText(row.cpuRatio, 2) : ''] : []),
    ]),
  ]
}

function cellOf({ figures }: RowSummary, { figure, digits }: Column): string {
  const spread = figures[figure]
  return spread ? numberText(spread.median, digits) : ''
}

/** The median, and in parentheses how far the rounds differed. */
export function spreadText({ min, median, max }: Spread, digits: number): string {
  const [least, middle, most] = [min, median, max].map((value) => numberText(value, digits))
  return least === most ? `${middle}` : `${middle} (${least}–${most})`
}

function numberText(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const MET = { aim: 'met, and the aim', must: 'met', no: 'NOT met' } as const

export function goalText({ what, value, unit, bound, must, aim, met }: GoalSummary): string {
  const digits = must >= 1_000 ? 0 : must >= 20 ? 1 : 2
  const limits = aim === must ? shortText(must) : `${shortText(must)}, aim ${shortText(aim)}`
  const word = met === 'aim' && aim === must ? 'met' : MET[met]
  return `${what}: ${spreadText(value, digits)}${unit && ` ${unit}`}; ${bound} ${limits}: ${word}`
}

export function shortText(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}

export function textOf(report: Report): string {
  const lines: string[] = []
  for (const workload of report.workloads) {
    lines.push('', workload.title, ...alignedText(tableOf(workload)))
    for (const goal of workload.goals) lines.push(`  → ${goalText(goal)}`)
  }
  const disturbed = report.workloads.some(({ rows }) => rows.some((row) => row.disturbedRounds > 0))
  lines.push('', machineText(report))
  if (disturbed)
    lines.push('* others used more than a tenth of a core in at least one round: not a quiet machine')
  return `${lines.join('\n')}\n`
}

export function machineText({ machine, versions: used, loadBefore, measureMs }: Report): string {
  const { cpu, cores, memoryGiB, system, node, pinned } = machine
  const pins = pinned ? `server on core ${pinned[0]}, load on core ${pinned[1]}` : 'not pinned to cores'
  const names = Object.entries(used).map(([name, version]) => `${name} ${version}`)
  return (
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}; ${pins}; ${measureMs / 1_000} s a measurement; ` +
    `load of the machine before: ${loadBefore.toFixed(2)}\n${names.join(', ')}`
  )
}

function alignedText(table: Table): string[] {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)))
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
}
