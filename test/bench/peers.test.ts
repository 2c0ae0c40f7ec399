// Each peer of the benchmark answers its dialect: what is said is acknowledged once, and with everybody who follows once.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Crowd } from './load/crowd.ts'
import { startFlow } from './load/flows.ts'
import { dialectOf, PEERS, type PeerName, serve } from './peers/peers.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(peer: PeerName, checksTokens = false): Promise<Crowd> {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-bench-test-'))
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const serving = await serve(peer, { port: 0, folder, checksTokens, admitsAll: true, raisesWindow: false })
  closing.push(async () => {
    await serving.close()
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true })
  })
  return new Crowd(dialectOf(peer), serving.port)
}

async function until(condition: () => boolean): Promise<void> {
  await eventually(() => expect(condition()).toBe(true))
}

describe.each(Object.keys(PEERS) as PeerName[])('%s', (peer) => {
  it('acknowledges everything once, and gives it to all who follow', async () => {
    const crowd = await start(peer)
    await crowd.open({ name: 'subscribers', connections: 3, rooms: 1, follow: true })
    await crowd.open({ name: 'publisher', connections: 1, rooms: 1, follow: false })
    const stop = startFlow(
      crowd,
      { flow: 'bursts', group: 'publisher', to: 'subscribers', size: 20, bursts: 2 },
      () => {},
    )
    await until(() => crowd.heard.acks >= 100)
    stop()
    await until(() => crowd.heard.deliveries === crowd.heard.acks * 3)
    expect(crowd.heard.acks % 20).toBe(0)
    for (const group of ['subscribers', 'publisher']) crowd.closeGroup(group)
    expect(crowd.fault).toBeUndefined()
  })

  it('keeps a window full, and takes turns', async () => {
    const crowd = await start(peer, true)
    await crowd.open({ name: 'senders', connections: 4, rooms: 10, follow: false })
    const stop = startFlow(crowd, { flow: 'flights', group: 'senders', flights: 2, size: 5 }, () => {})
    await until(() => crowd.heard.acks >= 100)
    stop()
    await until(() => crowd.heard.acks % 5 === 0)
    const before = crowd.heard.acks
    const stopWindow = startFlow(crowd, { flow: 'window', group: 'senders', size: 3 }, () => {})
    await until(() => crowd.heard.acks >= before + 100)
    stopWindow()
    crowd.closeGroup('senders')
    expect(crowd.fault).toBeUndefined()
  })
})
