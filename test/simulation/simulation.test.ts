// A small number of runs in each `npm test`, every frame through the JSON doors. Thousands are `npm run sim`.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FAULTS, PROFILES, type ProfileName } from './faults.ts'
import { type RunResult, simulate } from './simulate.ts'

const RUNS = 120

async function runs(count: number, firstSeed: number): Promise<readonly RunResult[]> {
  const results: RunResult[] = []
  for (let seed = firstSeed; seed < firstSeed + count; seed++) results.push(await simulate({ seed }))
  return results
}

/** With each mix of faults; the rare ones are in few of the runs that choose for themselves. */
async function runsOfEach(seeds: readonly number[]): Promise<readonly RunResult[]> {
  const results: RunResult[] = []
  for (const profile of Object.keys(PROFILES) as ProfileName[]) {
    for (const seed of seeds) results.push(await simulate({ seed, profile }))
  }
  return results
}

function tally(results: readonly RunResult[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>()
  for (const { faults } of results) {
    for (const [fault, times] of faults) sum.set(fault, (sum.get(fault) ?? 0) + times)
  }
  return sum
}

async function traceOf(seed: number, profile?: ProfileName): Promise<string> {
  const lines: string[] = []
  await simulate({ seed, profile, trace: (line) => lines.push(line) })
  return lines.join('\n')
}

describe('the simulation', () => {
  it(`breaks no promise in ${RUNS} runs and some of each mix, and every fault happens in them`, async () => {
    const results = [...(await runs(RUNS, 1)), ...(await runsOfEach([1, 2, 3, 4]))]
    const broken = results.flatMap(({ seed, violations }) =>
      violations.map(({ invariant, what }) => `seed ${seed}: ${invariant} ${what}`),
    )
    expect(broken).toEqual([])
    const happened = tally(results)
    const never = Object.keys(FAULTS).filter((fault) => !happened.has(fault))
    expect(never).toEqual([])
    // What the faults are for: the states that they lead into.
    for (const [what, atLeast] of Object.entries({
      told_GAP: 20,
      told_UNAVAILABLE: 200,
      told_RATE_LIMIT: 1,
      told_INTERNAL_ERROR: 5,
      told_FETCH_ERROR: 100,
      failed_FORBIDDEN: 50,
      failed_CANCELLED: 5,
      failed_POISON: 1,
      failed_VALIDATION_ERROR: 5,
      failed_MESSAGE_TOO_LONG: 5,
      failed_VOID: 1,
      late_close: 20,
      timer_late: 10,
      pressure: 5,
      reset_ahead: 5,
      reset_epoch: 1,
      token_expired_connected: 5,
      token_expired_connecting: 1,
      token_expired_waiting: 1,
      closed_REPLACED: 10,
      closed_IDLE: 3,
      closed_RESTART: 10,
      closed_HELLO_TIMEOUT: 3,
    })) {
      expect(happened.get(what) ?? 0, what).toBeGreaterThanOrEqual(atLeast)
    }
  }, 120_000)

  it('gives the same trace for the same seed, byte for byte', async () => {
    const trace = await traceOf(7)
    expect(trace.length).toBeGreaterThan(10_000)
    expect(await traceOf(7)).toBe(trace)
    expect(await traceOf(8)).not.toBe(trace)
  })

  it('is the same run through the JSON doors and without them', () => {
    const main = fileURLToPath(new URL('./run.ts', import.meta.url))
    const [json, objects] = ['json', 'objects'].map((door) => {
      const options = ['--seed', '11', '--runs', '1', '--trace', '--door', door]
      return spawnSync(process.execPath, ['--conditions=source', main, ...options], { encoding: 'utf8' })
        .stdout
    })
    // The last line holds the time that it took.
    const traceIn = (text = '') => text.split('\n').slice(0, -2).join('\n')
    expect(traceIn(json).length).toBeGreaterThan(10_000)
    expect(traceIn(objects)).toBe(traceIn(json))
  }, 60_000)

  it.each(Object.keys(PROFILES) as ProfileName[])('has a world for the profile %s', async (profile) => {
    const { violations, events } = await simulate({ seed: 3, profile })
    expect(violations).toEqual([])
    expect(events).toBeGreaterThan(300)
  })
})
