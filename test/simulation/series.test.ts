// What a series says of itself: the same whatever the number of processes, and that something hardly happens any more.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FAULTS } from './faults.ts'
import type { Figures } from './figures.ts'
import { merge, type Part, split } from './jobs.ts'
import { MINIMUMS, tooRare } from './minimums.ts'

const PART: Part = { runs: 10, firstSeed: 100, profile: undefined, door: undefined, mutant: undefined }

function figures(seed: number, runsPerSecond: number): Figures {
  return {
    runs: 10,
    violations: 1,
    simulatedMs: 1_800_000,
    simulatedHours: 0.5,
    faults: { reload: 2, [`only_${seed}`]: 1 },
    events: 5,
    runsPerSecond,
    broken: [{ seed, profile: 'mix', invariants: ['I1'] }],
  }
}

describe('a series', () => {
  it('is split into parts that follow on one another', () => {
    expect(split(PART, 3).map(({ firstSeed, runs }) => [firstSeed, runs])).toEqual([
      [100, 4],
      [104, 3],
      [107, 3],
    ])
    expect(split({ ...PART, runs: 2 }, 3).map(({ firstSeed, runs }) => [firstSeed, runs])).toEqual([
      [100, 1],
      [101, 1],
    ])
  })

  it('has the figures of its parts, the broken seeds in their order', () => {
    expect(merge([figures(7, 100), figures(3, 50)])).toEqual({
      runs: 20,
      violations: 2,
      simulatedMs: 3_600_000,
      simulatedHours: 1,
      faults: { only_3: 1, only_7: 1, reload: 4 },
      events: 10,
      runsPerSecond: expect.closeTo(20 / 0.3),
      broken: [
        { seed: 3, profile: 'mix', invariants: ['I1'] },
        { seed: 7, profile: 'mix', invariants: ['I1'] },
      ],
    })
  })

  it('has the same figures in two processes as in one', () => {
    const main = fileURLToPath(new URL('./run.ts', import.meta.url))
    const [one, two] = ['1', '2'].map((jobs) => {
      const options = ['--runs', '5', '--json', '--jobs', jobs]
      const { stdout } = spawnSync(process.execPath, ['--conditions=source', main, ...options], {
        encoding: 'utf8',
      })
      return { ...(JSON.parse(stdout) as Figures), runsPerSecond: 0 }
    })
    expect(one?.runs).toBe(5)
    expect(two).toEqual(one)
  }, 60_000)

  it('is asked for a number of every fault', () => {
    for (const fault of Object.keys(FAULTS)) expect(MINIMUMS[fault], fault).toBeGreaterThan(0)
  })

  it('names what happened too rarely, by its length', () => {
    const enough = Object.fromEntries(Object.entries(MINIMUMS).map(([what, times]) => [what, times * 3]))
    expect(tooRare(3_000, enough)).toEqual([])
    const { reload } = MINIMUMS
    expect(tooRare(3_000, { ...enough, reload: reload * 3 - 1 })).toEqual([
      { what: 'reload', times: reload * 3 - 1, atLeast: reload * 3 },
    ])
    const asked = Object.values(MINIMUMS).filter((times) => times * 3 >= 1)
    expect(tooRare(3_000, {}).length).toBe(asked.length)
  })
})
