// The picture of the state machine has what the machine has: every status, and every move that a client was seen to make.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { STATUSES } from '@tautline/client'
import { devtools } from '@tautline/client/devtools'
import { describe, expect, it } from 'vitest'
import { ALL_STATUSES, EDGES } from '../../../packages/client/src/devtools/panel/edges.ts'
import { openBench, pass } from './stage.ts'

const golden = fileURLToPath(new URL('../../simulation/golden', import.meta.url))
const known = new Set(EDGES.map(({ from, to }) => `${from} → ${to}`))

/** The statuses of each client of a golden trace, in their order. */
function statusesIn(trace: string): string[][] {
  const byClient = new Map<string, string[]>()
  for (const [, client = '', word = ''] of trace.matchAll(/^ *[\d.]+ (\S+#\d+): (\w+)(?: [A-Z_]*)?$/gm)) {
    if (word in STATUSES) byClient.set(client, [...(byClient.get(client) ?? ['idle']), word])
  }
  return [...byClient.values()]
}

const moves = (statuses: readonly string[]) =>
  statuses.slice(1).flatMap((to, i) => (to === statuses[i] ? [] : [`${statuses[i]} → ${to}`]))

describe('the picture', () => {
  it('has every status of the client, and from one to another at most one move', () => {
    expect(ALL_STATUSES).toEqual(Object.keys(STATUSES))
    expect(known.size).toBe(EDGES.length)
  })

  it('has the moves that clients make in the golden traces', () => {
    const traces = globSync('*.txt', { cwd: golden }).map((file) => readFileSync(join(golden, file), 'utf8'))
    const seen = new Set(traces.flatMap(statusesIn).flatMap(moves))
    expect(seen.size).toBeGreaterThan(4)
    expect([...seen].filter((move) => !known.has(move))).toEqual([])
  })

  it('has the moves of a client that is broken in every way', async () => {
    const bench = await openBench()
    const { tools, client } = bench
    const seen = new Set<string>()
    const look = () => {
      for (const { kind, what } of tools.getSnapshot().happenings)
        if (kind === 'status' && what.includes('→')) seen.add(what)
    }
    for (const name of ['stall', 'halfOpen', 'refuseToken', 'offline'] as const) {
      tools.set(name, true)
      bench.say(name)
      await pass(bench, 150_000)
      tools.set(name, false)
      await pass(bench, 40_000)
      look()
    }
    await client.disconnect()
    look()
    await bench.close()
    look()
    expect(seen.size).toBeGreaterThan(10)
    expect([...seen].filter((move) => !known.has(move))).toEqual([])
  })

  it('is refused where no client is watched', () => {
    expect(() => devtools().mount()).toThrow('watch a client first')
  })
})
