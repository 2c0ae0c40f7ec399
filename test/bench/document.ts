/**
 * `docs/performance.md` and its plots, made of reports and of nothing else. What was measured is kept beside the text, as
 * data (docs/performance.json), so that one workload can be measured anew without the others, and so that a test can hold
 * the text to it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FLOORS } from './floors.ts'
import { barPlot, linePlot } from './plot.ts'
import { goalText, machineText, type Report, shortText, spreadText, type Table, tableOf } from './report.ts'
import type { RowSummary, WorkloadSummary } from './summary.ts'
import type { Workload } from './workloads/workload.ts'
import { WORKLOADS } from './workloads/workloads.ts'

/** A workload, and the run that it was measured in. */
export interface Measured {
  readonly run: Omit<Report, 'workloads'>
  readonly workload: WorkloadSummary
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DATA = `${ROOT}docs/performance.json`
const TEXT = `${ROOT}docs/performance.md`
const IMAGES = 'images/performance'

/** Puts the report's workloads in the place of those that were there. */
export function writePerformance({ workloads, ...run }: Report): void {
  const kept = new Map(readMeasured().map((one) => [one.workload.name, one]))
  for (const workload of workloads) kept.set(workload.name, { run, workload })
  const all = WORKLOADS.flatMap(({ name }) => kept.get(name) ?? [])
  writeFileSync(DATA, `${JSON.stringify(all, undefined, 2)}\n`)
  writeText(all)
}

/** The text and the plots of what was measured. */
export function writeText(all: readonly Measured[]): void {
  mkdirSync(`${ROOT}docs/${IMAGES}`, { recursive: true })
  for (const { workload } of all)
    writeFileSync(`${ROOT}docs/${IMAGES}/${workload.name}.svg`, plotOf(workload))
  writeFileSync(TEXT, performanceText(all))
}

export function readMeasured(): readonly Measured[] {
  return existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as readonly Measured[]) : []
}

/** What the first goal is about, else the ratio to bare ws or the first column. */
export function plotOf({ name, title, rows, goals, lines }: WorkloadSummary): string {
  if (lines.length > 0)
    return linePlot(
      lines[0]?.title ?? title,
      lines.map(({ points }) => ({ title: 'Tautline ÷ ws', points })),
    )
  const workload = WORKLOADS.find((one) => one.name === name)
  const marked = workload?.goals.find(({ mark }) => mark)
  const first = { figure: workload?.columns[0]?.figure ?? '' }
  const shown = marked?.mark ?? (workload?.ratioOf === undefined ? first : 'ratio')
  const bars = rows.flatMap((row) => {
    const value = shown === 'ratio' ? row.ratio : row.figures[shown.figure]
    return value ? [{ title: row.title, value, isOurs: row.title.startsWith('Tautline') }] : []
  })
  const goal = goals.find(({ what }) => what === marked?.what)
  const marks = goal ? [{ title: 'goal', at: goal.must }] : []
  if (goal && goal.aim !== goal.must) marks.push({ title: 'aim', at: goal.aim })
  return barPlot(
    `${title}: ${shown === 'ratio' ? 'to bare ws' : columnTitle(workload, shown.figure)}`,
    bars,
    marks,
  )
}

function columnTitle(workload: Workload | undefined, figure: string): string {
  return workload?.columns.find((column) => column.figure === figure)?.title ?? figure
}

export function performanceText(all: readonly Measured[]): string {
  const goals = all.flatMap(({ workload }) => workload.goals.map((goal) => ({ workload, goal })))
  const met = goals.filter(({ goal }) => goal.met !== 'no').length
  return `# Performance

This file is made by \`npm run bench -- --write\`, with what was measured in [performance.json](performance.json). Each figure is the
median of the rounds; in parentheses stand the least and the most. Ratios are to bare \`ws\` **in the same round**: on
another machine the rates differ, the ratios much less. Rows with * were disturbed: other processes used more than a
tenth of a core in at least one of their rounds, even when it was tried again.

${warningOf(all)}Tautline runs with everything on: a JWT for each connection, every frame validated, membership and rights asked for each
message, the rate limiter in its place but set high, SQLite on a real file, with a write-ahead log that is synced at every
commit (\`synchronous=FULL\`): an acknowledgement means that the message is on the disk. Bare \`ws\` and Socket.IO store
nothing, but for “INSERT each”, which writes with \`synchronous=NORMAL\`, and so may lose what it acknowledged when the power
fails. A message holds 200 bytes. Server and load are processes of their own, on cores of their own, new for each
measurement; the load sends bare frames of each protocol, so that the server is what is measured.

## To repeat it

\`\`\`sh
npm run bench                       # everything: about an hour on a quiet machine
npm run bench -- --quick            # three workloads, three short rounds, two minutes
npm run bench -- --only sends,herd-1s --rounds 7
npm run bench -- --help
\`\`\`

## Goals: ${met} of ${goals.length} are met

${markdown([
  ['workload', 'what', 'measured', 'goal', 'aim', ''],
  ...goals.map(({ workload, goal }) => [
    `[${workload.title}](#${anchor(workload.title)})`,
    goal.what,
    `${spreadText(goal.value, digitsOf(goal.must))}${goal.unit && ` ${goal.unit}`}`,
    `${goal.bound} ${shortText(goal.must)}`,
    goal.aim === goal.must ? '' : shortText(goal.aim),
    goal.met === 'no'
      ? '**not met**'
      : goal.met === 'aim' && goal.aim !== goal.must
        ? 'met, and the aim'
        : 'met',
  ]),
])}

## Where another is better

${whereOthersAreBetter(all.map(({ workload }) => workload))}

## What was measured

${all.map(sectionOf).join('\n\n')}
`
}

/** What a reader must know before any figure where the machine was not quiet. */
function warningOf(all: readonly Measured[]): string {
  const rows = all.flatMap(({ workload }) => workload.rows)
  const disturbed = rows.filter(({ disturbedRounds }) => disturbedRounds > 0).length
  if (disturbed === 0) return ''
  return `**Preliminary: ${disturbed} of ${rows.length} rows were measured beside other work on the same cores.** Their rates and latencies,
and whether goals about those are met, say little, also as ratios: who had more of the core was faster. Steadier are the server's
microseconds, in the last column as a ratio to those of bare ws: a server that has its core for itself makes as many more
messages as it needs fewer of them.

`
}

function digitsOf(must: number): number {
  return must >= 1_000 ? 0 : 2
}

function sectionOf({ run, workload }: Measured): string {
  const { name, title, about, rounds, goals } = workload
  const image = `${IMAGES}/${name}.svg`
  return `### ${title}

${about}

![${title}](${image})

${markdown(tableOf(workload))}

${goals.map((goal) => `- ${goalText(goal)}.${floorText(name, goal)}`).join('\n')}

${run.date}, ${rounds} rounds. ${machineText({ ...run, workloads: [] }).replace('\n', '. With ')}. Again: \`npm run bench -- --only ${name}\`.`
}

/** Why it is not met, where that is known. */
function floorText(workload: string, { what, met }: WorkloadSummary['goals'][number]): string {
  const floor = met === 'no' ? FLOORS[workload]?.[what] : undefined
  return floor ? ` ${floor}` : ''
}

/** Of each workload in which the table names others: those that did better than the row of Tautline that does the same. */
export function whereOthersAreBetter(workloads: readonly WorkloadSummary[]): string {
  const lines = workloads.flatMap((summary) => {
    const workload = WORKLOADS.find((one) => one.name === summary.name)
    const { ratioOf, comparedBy } = workload ?? {}
    const figureOf = ({ ratio, figures }: RowSummary) =>
      comparedBy ? figures[comparedBy.figure] : ratioOf === undefined ? undefined : ratio
    const isMoreBetter = ratioOf === 'perSecond'
    const unit = comparedBy?.unit ?? `of bare ws${isMoreBetter ? '' : ' (less is better)'}`
    const comparedWith = (key: string) =>
      workload?.rows.find((row) => row.key === key)?.comparedWith ?? 'tautline'
    return summary.rows.filter(isOurs).flatMap((ours) => {
      const own = figureOf(ours)
      if (!own) return []
      const better = summary.rows.flatMap((row) => {
        const value = figureOf(row)
        if (isOurs(row) || !value || comparedWith(row.key) !== ours.key) return []
        const isBetter = isMoreBetter ? value.median > own.median : value.median < own.median
        return isBetter ? [`${row.title} (${spreadText(value, 2)})`] : []
      })
      if (better.length === 0) return []
      return [`- **${summary.title}**: ${better.join(', ')}; ${ours.title} ${spreadText(own, 2)}, ${unit}.`]
    })
  })
  return lines.length > 0 ? lines.join('\n') : 'Nowhere, of what was measured.'
}

function isOurs({ key }: RowSummary): boolean {
  return key.startsWith('tautline')
}

function markdown(table: Table): string {
  const [head = [], ...rows] = table.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}
