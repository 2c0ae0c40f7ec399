// The arithmetic of the benchmark: rounds in turns, what is tried again, ratios of one round, goals; and the texts made of it.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { measureWorkload } from './bench.ts'
import { performanceText, plotOf, readMeasured, whereOthersAreBetter } from './document.ts'
import { FLOORS } from './floors.ts'
import type { Lab } from './lab.ts'
import { coresOfOthers } from './machine.ts'
import { barPlot } from './plot.ts'
import { textOf } from './report.ts'
import { judge, spread, summarize } from './summary.ts'
import { type Goal, type Row, ratioGoal, type Workload } from './workloads/workload.ts'
import { WORKLOADS } from './workloads/workloads.ts'

/** No row of these tests asks it for anything. */
const noLab = {} as Lab
const options = { rounds: 3, repeats: 2, progress: () => {} }

function workloadOf(rows: readonly Row[], goals: readonly Goal[] = []): Workload {
  const columns = [{ figure: 'perSecond', title: 'a second', digits: 0 }]
  return { name: 'sends', title: 'Sends', about: 'How.', rows, columns, ratioOf: 'perSecond', goals }
}

/** A row that comes to these figures in turn, and then to the last of them. */
function rowOf(key: string, perSecond: readonly number[], others: readonly number[] = [0]): Row {
  let turn = -1
  return {
    key,
    title: key,
    async measure() {
      turn++
      const at = (values: readonly number[]) => values[Math.min(turn, values.length - 1)] ?? 0
      return { figures: { perSecond: at(perSecond) }, others: at(others) }
    },
  }
}

describe('rounds', () => {
  it('measure their rows in turns', async () => {
    const order: string[] = []
    const rows = ['a', 'b'].map((key) => ({
      ...rowOf(key, [1]),
      measure: async () => {
        order.push(key)
        return { figures: {}, others: 0 }
      },
    }))
    await measureWorkload(noLab, workloadOf(rows), options)
    expect(order.join('')).toBe('ababab')
  })

  it('try again what others disturbed, and keep the quietest try', async () => {
    const { rows } = await measureWorkload(noLab, workloadOf([rowOf('ws', [5, 6, 7], [0.9, 0.2, 0.05])]), {
      ...options,
      rounds: 1,
    })
    expect(rows[0]).toMatchObject({ figures: { perSecond: { median: 7 } }, disturbedRounds: 0 })
  })

  it('mark what was disturbed every time', async () => {
    const { rows } = await measureWorkload(noLab, workloadOf([rowOf('ws', [5, 6, 7], [0.9, 0.2, 0.5])]), {
      ...options,
      rounds: 1,
    })
    expect(rows[0]).toMatchObject({ figures: { perSecond: { median: 6 } }, disturbedRounds: 1 })
  })

  it('give ratios to bare ws of the same round, not of the medians', () => {
    const rounds = [
      { ws: { perSecond: 100 }, tautline: { perSecond: 50 } },
      { ws: { perSecond: 10 }, tautline: { perSecond: 8 } },
      { ws: { perSecond: 1_000 }, tautline: { perSecond: 600 } },
    ]
    const { rows } = summarize(workloadOf([rowOf('ws', []), rowOf('tautline', [])]), rounds, {})
    expect(rows[1]?.ratio).toEqual({ min: 0.5, median: 0.6, max: 0.8 })
  })
})

describe('goals', () => {
  const atLeast = ratioGoal('of ws', 'perSecond', ['tautline', 'ws'], {
    bound: 'at least',
    must: 0.4,
    aim: 0.6,
  })
  const roundOf = (perSecond: number) => ({ ws: { perSecond: 100 }, tautline: { perSecond } })

  it.each([
    [39, 'no'],
    [40, 'must'],
    [60, 'aim'],
  ])('of at least 0.4, aim 0.6: %i of 100 is %s', (perSecond, met) => {
    expect(judge(atLeast, [roundOf(perSecond)])?.met).toBe(met)
  })

  it.each([
    [130, 'no'],
    [120, 'aim'],
  ])('of at most 1.2: %i of 100 is %s', (perSecond, met) => {
    expect(judge({ ...atLeast, bound: 'at most', must: 1.2, aim: 1.2 }, [roundOf(perSecond)])?.met).toBe(met)
  })

  it('are judged by the median of the rounds', () => {
    expect(judge(atLeast, [roundOf(10), roundOf(50), roundOf(50)])?.met).toBe('must')
  })

  it('of which no round says anything are left out', () => {
    expect(judge(atLeast, [{ ws: { perSecond: 1 } }])).toBeUndefined()
  })

  it('of every workload can be told from its rows', () => {
    for (const { rows, goals } of WORKLOADS) {
      const figure = new Proxy({}, { get: () => 1 })
      const round = Object.fromEntries(rows.map(({ key }) => [key, figure]))
      for (const goal of goals) expect(goal.of(round), goal.what).toBe(1)
    }
  })
})

describe('a floor', () => {
  it('is that of a goal that there is, and stands beside it where that is not met', () => {
    for (const [name, floors] of Object.entries(FLOORS)) {
      const goals = WORKLOADS.find((one) => one.name === name)?.goals.map(({ what }) => what) ?? []
      expect(goals, name).toEqual(expect.arrayContaining(Object.keys(floors)))
    }
    const text = performanceText(readMeasured())
    for (const { workload } of readMeasured())
      for (const { what, met } of workload.goals) {
        const floor = FLOORS[workload.name]?.[what]
        if (floor && met === 'no') expect(text).toContain(`NOT met. ${floor}`)
      }
  })
})

describe('a spread', () => {
  it('has the middle of the two in the middle as its median', () => {
    expect(spread([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 })
  })

  it('of nothing is zeros', () => expect(spread([])).toEqual({ min: 0, median: 0, max: 0 }))
})

it('counts as others what the machine used and the benchmark did not', () => {
  const from = { at: 0, all: 100, ours: 50 }
  expect(coresOfOthers(from, { at: 2_000, all: 103, ours: 52 })).toBe(0.5)
})

describe('the report', () => {
  const summary = summarize(
    workloadOf(
      [rowOf('ws', []), rowOf('tautline', [])],
      [ratioGoal('of bare ws', 'perSecond', ['tautline', 'ws'], { bound: 'at least', must: 0.6 })],
    ),
    [{ ws: { perSecond: 1_000 }, tautline: { perSecond: 500 } }],
    { tautline: 1 },
  )
  const machine = { cpu: 'a', cores: 2, memoryGiB: 1, system: 'b', node: '24', pinned: undefined }
  const run = { date: '2026-01-01', machine, versions: {}, loadBefore: 0, measureMs: 1_000 }

  it('says which goals are not met, and what was disturbed', () => {
    const text = textOf({ ...run, workloads: [summary] })
    expect(text).toContain('of bare ws: 0.50; at least 0.6: NOT met')
    expect(text).toContain('tautline *')
  })

  it('says where another is better', () => {
    expect(whereOthersAreBetter([summary])).toBe('- **Sends**: ws (1.00); tautline 0.50, of bare ws.')
    expect(performanceText([{ run, workload: summary }])).toContain('Goals: 0 of 1 are met')
  })

  it('says so of what has no ratio, and of each way in which it is done', () => {
    const bytes = WORKLOADS.filter(({ name }) => name === 'bytes').map((workload) =>
      summarize(
        workload,
        [
          {
            'ws × 1': { beyond: 60 },
            'tautline × 1': { beyond: 90 },
            'ws × 256': { beyond: 80 },
            'tautline × 256': { beyond: 70 },
          },
        ],
        {},
      ),
    )
    expect(whereOthersAreBetter(bytes)).toMatch(
      /^- .*: bare ws, one by one \(60\.00\); Tautline, one by one 90\.00, bytes \(less is better\)\.$/,
    )
  })

  it('plots bars as long as their values, with the goal', () => {
    const plot = plotOf(summary)
    const [ws = 0, tautline = 0] = Array.from(
      plot.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g),
      ([, width]) => Number(width),
    )
    expect(tautline / ws).toBeCloseTo(0.5, 2)
    expect(plot).toContain('>goal</text>')
  })

  it('lets no title out of its place in a plot', () => {
    expect(barPlot('<script> & more', [], [])).toContain('&lt;script&gt; &amp; more')
  })
})

describe('docs/performance.md', () => {
  const docs = new URL('../../docs/', import.meta.url)
  const measured = readMeasured()

  it('is what docs/performance.json makes of it', () => {
    expect(readFileSync(new URL('performance.md', docs), 'utf8')).toBe(performanceText(measured))
  })

  it.each(measured.map(({ workload }) => workload))('has the plot of $name', (workload) => {
    const plot = readFileSync(new URL(`images/performance/${workload.name}.svg`, docs), 'utf8')
    expect(plot).toBe(plotOf(workload))
  })
})
