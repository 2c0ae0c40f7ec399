// Each way to break the connection does to the client what the world does, and everything arrives once and in order when it
// is undone: the real client in virtual time against the real server.

import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, openBench, pass } from './stage.ts'

let bench: Bench

afterEach(() => bench.close())

const fates = () => bench.tools.getSnapshot().frames.map(({ direction, fate }) => `${direction} ${fate}`)

/** Everything arrived, once and in the order of sending, and nothing waits. */
async function expectArrived(...texts: string[]): Promise<void> {
  await pass(bench, 5_000)
  expect(bench.client.status).toBe('connected')
  expect(bench.heard).toEqual(texts)
  expect(bench.client.outbox.list()).toEqual([])
}

describe('a cut', () => {
  it('is a connection lost without a word, and the client comes back by itself', async () => {
    bench = await openBench()
    bench.say('before')
    await bench.settle()
    bench.say('on its way')
    bench.tools.cut()
    await bench.settle()
    expect(bench.statuses).toEqual(['waiting GOING_AWAY'])
    bench.say('meanwhile')
    await expectArrived('before', 'on its way', 'meanwhile')
    expect(bench.server.openConnections()).toBe(2)
  })

  it('does nothing where nothing is connected', async () => {
    bench = await openBench()
    await bench.client.disconnect()
    await bench.settle()
    bench.tools.cut()
    expect(bench.client.status).toBe('idle')
    await bench.client.connect()
    await expectArrived()
  })
})

describe('a stall', () => {
  it('holds frames in both directions until it is released, in their order', async () => {
    bench = await openBench()
    bench.tools.set('stall', true)
    bench.say('one')
    bench.say('two')
    await bench.settle()
    expect(bench.heard).toEqual([])
    expect(bench.client.status).toBe('connected')
    expect(bench.client.outbox.list().map(({ status }) => status)).toEqual(['sent', 'sent'])
    expect(fates().at(-1)).toBe('out held')
    bench.tools.set('stall', false)
    await bench.settle()
    expect(bench.heard).toEqual(['one', 'two'])
    expect(bench.client.outbox.list()).toEqual([])
    expect(bench.statuses).toEqual([])
    expect(fates()).not.toContain('out held')
  })

  it('that outlasts the patience of the client is replaced, and what arrives late has no second effect', async () => {
    bench = await openBench()
    bench.tools.set('stall', true)
    bench.say('one', 'two')
    await pass(bench, 60_000)
    expect(bench.statuses[0]).toBe('waiting TIMEOUT')
    bench.say('three')
    // What was written to connections that were given up long ago arrives first.
    bench.tools.set('stall', false)
    await pass(bench, 30_000)
    await expectArrived('one', 'two', 'three')
    expect(bench.server.openConnections()).toBe(2)
  })

  it('is bounded: a connection of which too much is held is cut', async () => {
    bench = await openBench()
    bench.tools.set('stall', true)
    for (let i = 0; i < 1_001; i++) bench.client.port.tell({ type: 'start_typing', payload: { room: 'den' } })
    await bench.settle()
    expect(bench.statuses[0]).toBe('waiting GOING_AWAY')
    bench.tools.set('stall', false)
    await pass(bench, 30_000)
    await expectArrived()
  })
})

describe('a half-open connection', () => {
  it('stays open and carries nothing, until the client finds out by itself', async () => {
    bench = await openBench()
    bench.tools.set('halfOpen', true)
    bench.say('into the void')
    await bench.settle()
    expect(bench.client.status).toBe('connected')
    expect(fates().at(-1)).toBe('out lost')
    // The answer is overdue after 10 s, the probe after 5 more.
    await pass(bench, 14_500)
    expect(bench.statuses).toEqual([])
    await pass(bench, 1_500)
    expect(bench.statuses[0]).toBe('waiting TIMEOUT')
    expect(bench.statuses).not.toContain('connected')
    bench.tools.set('halfOpen', false)
    await expectArrived('into the void')
  })

  it('is reset when it is released, where something was lost on it', async () => {
    bench = await openBench()
    bench.tools.set('halfOpen', true)
    bench.say('into the void')
    await bench.settle()
    bench.tools.set('halfOpen', false)
    expect(bench.statuses).toEqual(['waiting GOING_AWAY'])
    await expectArrived('into the void')
    expect(bench.server.openConnections()).toBe(2)
  })

  it('goes on when it is released, where nothing was lost on it', async () => {
    bench = await openBench()
    bench.tools.set('halfOpen', true)
    bench.tools.set('halfOpen', false)
    bench.say('as ever')
    await expectArrived('as ever')
    expect(bench.statuses).toEqual([])
  })

  it('also swallows that the server went', async () => {
    bench = await openBench()
    bench.tools.set('halfOpen', true)
    bench.server.cut()
    await bench.settle()
    expect(bench.client.status).toBe('connected')
    bench.tools.set('halfOpen', false)
    await expectArrived()
    expect(bench.statuses[0]).toBe('waiting GOING_AWAY')
  })
})

describe('a refused token', () => {
  it('is asked for once more, stops the client, and the next good one lets it in again', async () => {
    bench = await openBench()
    bench.say('before')
    await bench.settle()
    bench.tools.set('refuseToken', true)
    bench.say('meanwhile')
    await pass(bench, 10_000)
    expect(bench.statuses.at(-1)).toBe('stopped INVALID_TOKEN')
    const asked = bench.tools.getSnapshot().happenings.filter(({ kind }) => kind === 'token')
    expect(asked.slice(-2).map(({ what }) => what)).toEqual([
      'a token is asked for',
      'a token is asked for once more',
    ])
    bench.tools.set('refuseToken', false)
    await expectArrived('before', 'meanwhile')
  })

  it('does not connect a client that has stopped for itself', async () => {
    bench = await openBench()
    await bench.client.disconnect()
    bench.tools.set('refuseToken', true)
    bench.tools.set('refuseToken', false)
    await pass(bench, 5_000)
    expect(bench.client.status).toBe('idle')
  })
})

describe('being offline', () => {
  it('ends connections, lets none be made, and is over at once when it is', async () => {
    bench = await openBench()
    bench.tools.set('offline', true)
    bench.say('one')
    await pass(bench, 150_000)
    expect(bench.statuses[0]).toBe('waiting GOING_AWAY')
    expect(bench.statuses).toContain('suspended GOING_AWAY')
    expect(bench.statuses).not.toContain('connected')
    expect(bench.server.openConnections()).toBe(1)
    bench.say('two')
    bench.tools.set('offline', false)
    // At once: the client was told.
    await bench.settle()
    expect(bench.client.status).toBe('connected')
    await expectArrived('one', 'two')
  })

  it('does not make the client believe that a host is online that is not', async () => {
    bench = await openBench()
    bench.tools.set('offline', true)
    bench.host.tell('offline')
    bench.host.tell('wake')
    bench.tools.set('offline', false)
    await bench.settle()
    expect(bench.client.status).toBe('waiting')
    bench.host.tell('online')
    await pass(bench, 1_000)
    await expectArrived()
  })
})

describe('everything at once', () => {
  it('is undone by one word, and nothing is lost or doubled', async () => {
    bench = await openBench()
    const said: string[] = []
    const names = ['stall', 'halfOpen', 'refuseToken', 'offline'] as const
    for (let round = 0; round < 12; round++) {
      const [first, second] = [names[round % 4], names[(round * 3 + 1) % 4]]
      for (const name of [first, second]) if (name) bench.tools.set(name, true)
      said.push(`${round} a`, `${round} b`)
      bench.say(`${round} a`, `${round} b`)
      await pass(bench, (round % 5) * 4_000)
      if (round % 3 === 0) bench.tools.cut()
      if (second) bench.tools.set(second, false)
      await pass(bench, 2_000)
      if (round % 2 === 0) bench.tools.restore()
    }
    bench.tools.restore()
    expect(bench.tools.getSnapshot().switches.size).toBe(0)
    await pass(bench, 60_000)
    await expectArrived(...said)
    expect(bench.server.openConnections()).toBe(2)
  })
})
