/** `npm run bench`: measures Tautline beside others, and says which goals are met. */
import { mkdirSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measureWorkload } from './bench.ts'
import { readMeasured, writePerformance, writeText } from './document.ts'
import { openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { type Report, textOf, versions } from './report.ts'
import type { WorkloadSummary } from './summary.ts'
import { WORKLOADS } from './workloads/workloads.ts'

const HELP = `npm run bench -- [options]: measure Tautline beside bare ws and Socket.IO, in turns, on this machine

  --quick             three workloads, three short rounds: less than two minutes
  --only <names>      these workloads alone, separated by commas; see below
  --rounds <number>   how often each is measured                      [5; 3 with --quick]
  --seconds <number>  how long each throughput is looked at           [3; 1 with --quick]
  --repeats <number>  how often what others disturbed is tried again  [2; 0 with --quick]
  --dir <folder>      where the databases lie, on a real disk         [${tmpdir()}]
  --json              the whole report as JSON, and nothing else, on the standard output
  --write             the measured workloads go into docs/performance.md
  --render            measure nothing: make docs/performance.md anew of docs/performance.json
  --cpu-prof <folder> V8's profile of each server process goes there

Figures are the median of the rounds, with the least and the most. Ratios are to bare ws in the same round. Rounds in
which other processes used more than a tenth of a core are marked with *.

Workloads:
${WORKLOADS.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`).join('\n')}
`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    repeats: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'boolean' },
    write: { type: 'boolean' },
    render: { type: 'boolean' },
    'cpu-prof': { type: 'string' },
    help: { type: 'boolean' },
  },
})

if (values.help) process.stdout.write(HELP)
else if (values.render) writeText(readMeasured())
else await main()

async function main(): Promise<void> {
  const { quick = false } = values
  const chosen = chooseWorkloads()
  const machine = describeMachine()
  const rounds = number('rounds', quick ? 3 : 5)
  const measureMs = number('seconds', quick ? 1 : 3) * 1_000
  const profiles = values['cpu-prof'] === undefined ? undefined : resolve(values['cpu-prof'])
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true })
  const lab = openLab({
    machine,
    folder: resolve(values.dir ?? tmpdir()),
    warmUpMs: quick ? 700 : 1_500,
    measureMs,
    profiles,
  })
  const progress = (line: string) => process.stderr.write(`${line}\n`)
  const loadBefore = loadavg()[0] ?? 0
  const workloads: WorkloadSummary[] = []
  const end = () => {
    lab.close()
    process.exit(130)
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    for (const workload of chosen)
      workloads.push(
        await measureWorkload(lab, workload, { rounds, repeats: number('repeats', quick ? 0 : 2), progress }),
      )
  } finally {
    lab.close()
  }
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    versions: versions(),
    loadBefore,
    measureMs,
    workloads,
  }
  process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report))
  if (values.write) writePerformance(report)
}

function chooseWorkloads() {
  const { only, quick } = values
  if (only === undefined) return WORKLOADS.filter(({ isQuick }) => !quick || isQuick)
  return only.split(',').map((name) => {
    const found = WORKLOADS.find((workload) => workload.name === name.trim())
    if (!found) throw new Error(`There is no workload "${name}"; --help names them all.`)
    return found
  })
}

function number(name: 'rounds' | 'seconds' | 'repeats', fallback: number): number {
  const given = values[name]
  if (given === undefined) return fallback
  if (!/^\d+(\.\d+)?$/.test(given)) throw new Error(`--${name} is a number, not "${given}"`)
  return Number(given)
}
