import { describe, expect, it } from 'vitest'
import { createNode } from '../../../packages/server/src/core/node.ts'
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from '../../../packages/server/src/core/options.ts'
import { createBench, EPOCH, UNIX_START } from './bench.ts'

function createDoor(options: Partial<NodeOptions> = {}) {
  const node = createNode({ ...DEFAULT_NODE_OPTIONS, epoch: EPOCH, unixOffsetMs: UNIX_START, ...options }, 7)
  let id = 0
  return {
    node,
    /** Undefined: it came in. Else how it was sent away. */
    knock(now: number, address?: string) {
      const effects = node.step({ type: 'opened', connection: ++id, token: undefined, address }, now)
      const [effect] = effects
      return effect?.do === 'close' ? { code: effect.code, waitMs: effect.retryAfterMs ?? -1 } : undefined
    },
    leave: (connection: number, now: number) => node.step({ type: 'closed', connection }, now),
    lastId: () => id,
  }
}

/** All arrive within a second and do as they are told; gives when each came in, and how often they knocked. */
function returnOfMany(
  count: number,
  options: Partial<NodeOptions>,
  addressOf: (i: number) => string | undefined,
) {
  const door = createDoor({ ...options, maxConnections: count + 1, helloTimeoutMs: 1e9 })
  const arrivals = Array.from({ length: count }, (_, i) => ({ at: (i * 1_000) / count, i }))
  const admitted: number[] = []
  let knocks = 0
  let longestWaitMs = 0
  while (arrivals.length > 0) {
    arrivals.sort((a, b) => b.at - a.at)
    const next = arrivals.pop()!
    if (++knocks > 5 * count) throw new Error('they knock and knock')
    const refusal = door.knock(next.at, addressOf(next.i))
    if (!refusal) admitted.push(next.at)
    else {
      longestWaitMs = Math.max(longestWaitMs, refusal.waitMs)
      arrivals.push({ at: next.at + Math.round(refusal.waitMs), i: next.i })
    }
  }
  return { admitted, knocks, longestWaitMs, lastAt: admitted.at(-1) ?? 0 }
}

describe('a herd', () => {
  it('comes back at the rate at which it is let in, and knocks hardly more than twice each', () => {
    const { admitted, knocks, lastAt } = returnOfMany(5_000, {}, () => undefined)
    expect(admitted).toHaveLength(5_000)
    // A thousand at once, then 500 a second: the ideal is 8 s.
    expect(lastAt).toBeGreaterThan(7_900)
    expect(lastAt).toBeLessThan(9_000)
    for (let second = 1; second < 8; second++) {
      const within = admitted.filter((at) => at >= second * 1_000 && at < (second + 1) * 1_000).length
      expect(within).toBeGreaterThan(400)
      expect(within).toBeLessThan(600)
    }
    expect(knocks).toBeLessThan(11_000)
  })

  it('from one address returns at the rate of an address', () => {
    const options = { maxPendingPerAddress: 1e6, maxConnectionsPerAddress: 1e6 }
    const { admitted, lastAt } = returnOfMany(500, options, () => '192.0.2.1')
    expect(admitted).toHaveLength(500)
    // A hundred at once, then 50 a second.
    expect(lastAt).toBeGreaterThan(7_900)
    expect(lastAt).toBeLessThan(9_500)
  })

  it('too great for a minute is spread over the second half of one', () => {
    const { admitted, longestWaitMs } = returnOfMany(
      2_000,
      { admissionsPerSecond: 10, admissionBurst: 10 },
      () => undefined,
    )
    expect(admitted).toHaveLength(2_000)
    expect(longestWaitMs).toBeLessThanOrEqual(60_000)
  })
})

describe('an address', () => {
  it('that comes too fast is sent away with a later time for each, and others are not', () => {
    const door = createDoor()
    for (let i = 0; i < 100; i++) expect(door.knock(0, 'a')).toBeUndefined()
    const waits = Array.from({ length: 4 }, () => door.knock(0, 'a'))
    expect(waits.map((refusal) => refusal?.code)).toEqual(Array(4).fill('TRY_AGAIN_LATER'))
    // Those who have not authenticated fill their places as well: a second at least, then 20 ms apart.
    expect(waits.map((refusal) => refusal?.waitMs)).toEqual([1_000, 1_020, 1_040, 1_060])
    expect(door.knock(0, 'b')).toBeUndefined()
    expect(door.node.figures().connections).toBe(101)
  })

  it('does not eat up the rate of all by being sent away', () => {
    const door = createDoor({ admissionBurst: 150 })
    for (let i = 0; i < 1_000; i++) door.knock(0, 'a')
    for (let i = 0; i < 50; i++) expect(door.knock(0, `b${i}`)).toBeUndefined()
    expect(door.knock(0, 'c')).toMatchObject({ code: 'TRY_AGAIN_LATER', waitMs: 2 })
  })

  it('may have a hundred connections that have not authenticated', async () => {
    const bench = await createBench({ addressAdmissionBurst: 1_000, helloTimeoutMs: 5_000 })
    for (let id = 1; id <= 100; id++) bench.open(id, undefined, 'a')
    bench.open(101, undefined, 'a')
    expect([...bench.closes]).toEqual([[101, 'TRY_AGAIN_LATER retry']])
    bench.say(1, { type: 'authenticate', payload: { ref: 1, sid: 'the-lane-1', token: 'alice' } })
    bench.open(102, undefined, 'a')
    expect(bench.closes.get(102)).toBe('TRY_AGAIN_LATER retry')
    await bench.settle()
    bench.open(103, undefined, 'a')
    expect(bench.closes.has(103)).toBe(false)
    // A renewed token is no second authentication.
    bench.say(1, { type: 'renew_token', payload: { ref: 2, token: 'alice' } })
    await bench.settle()
    bench.open(104, undefined, 'a')
    expect(bench.closes.get(104)).toBe('TRY_AGAIN_LATER retry')
    bench.advance(5_000)
    expect(bench.closes.get(2)).toBe('HELLO_TIMEOUT')
    for (let id = 201; id <= 300; id++) bench.open(id, undefined, 'a')
    expect(bench.closes.has(300)).toBe(false)
  })

  it('may have so many connections, and more when some of them are gone', () => {
    const door = createDoor({ maxConnectionsPerAddress: 3 })
    for (let i = 0; i < 3; i++) expect(door.knock(0, 'a')).toBeUndefined()
    const refusal = door.knock(0, 'a')
    expect(refusal?.code).toBe('TOO_MANY_CONNECTIONS')
    expect(refusal?.waitMs).toBeGreaterThanOrEqual(2_000)
    door.leave(2, 1)
    expect(door.knock(2, 'a')).toBeUndefined()
    expect(door.knock(3, 'a')?.code).toBe('TOO_MANY_CONNECTIONS')
  })

  it('that is none is bound by the rate of all alone', () => {
    const door = createDoor()
    for (let i = 0; i < 1_000; i++) expect(door.knock(0)).toBeUndefined()
    expect(door.knock(0)).toEqual({ code: 'TRY_AGAIN_LATER', waitMs: 2 })
  })

  it('asks for tickets at the same rate', () => {
    const { node } = createDoor()
    for (let i = 0; i < 100; i++) expect(node.knock('a', 0)).toBe(0)
    expect([node.knock('a', 0), node.knock('a', 0)]).toEqual([20, 40])
    expect(node.knock('b', 0)).toBe(0)
    expect(node.knock(undefined, 0)).toBe(0)
    expect(node.knock('a', 60)).toBe(0)
    const effects = node.step({ type: 'opened', connection: 1, token: undefined, address: 'a' }, 60)
    expect(effects).toEqual([])
  })

  it('is remembered while one of its connections lasts, however many others come and go', () => {
    const door = createDoor({ maxConnectionsPerAddress: 1, helloTimeoutMs: 1e9 })
    expect(door.knock(0, 'a')).toBeUndefined()
    for (let i = 0; i < 5_000; i++) expect(door.node.knock(`b${i}`, 1_000 * i)).toBe(0)
    expect(door.knock(5_000_000, 'a')?.code).toBe('TOO_MANY_CONNECTIONS')
  })

  it('is forgotten when it is as good as new; beyond a bound new ones share one account', () => {
    const { node } = createDoor({ maxConnections: 0, addressAdmissionBurst: 2 })
    // Each takes one of its two tokens, so none can be forgotten within these 20 ms.
    for (let i = 0; i < 65_536; i++) expect(node.knock(`a${i}`, 0)).toBe(0)
    expect(node.knock('b', 0)).toBe(0)
    expect(node.knock('c', 0)).toBe(0)
    expect(node.knock('d', 0)).toBeGreaterThan(0)
    expect(node.knock('a7', 0)).toBe(0)
    for (let i = 0; i < 10; i++)
      expect([node.knock(`e${i}`, 2_000), node.knock(`e${i}`, 2_000)]).toEqual([0, 0])
  })
})

describe('a full house', () => {
  it('sends away with times that do not meet', () => {
    const door = createDoor({ maxConnections: 1 })
    door.knock(0, 'a')
    const waits = Array.from({ length: 500 }, (_, i) => door.knock(0, `b${i}`)?.waitMs ?? 0)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(2_000)
    expect(new Set(waits).size).toBe(500)
  })
})
