// Two users, each in a browser of their own, who write at the same time on lines that break.

import { describe, expect, it } from 'vitest'
import { numbered, SOON, setScene } from './scene.ts'

const scene = setScene()

describe('two users', () => {
  it('read each other, and see of their own messages where they are', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const [a, b] = [await alice.tab(), await bob.tab()]
    await Promise.all([a.connected(), b.connected()])
    const contents = numbered(20)
    for (const [i, content] of contents.entries()) {
      await (i % 2 === 0 ? a : b).send(content)
      await expect.poll(scene.log, SOON).toContain(content)
    }
    await scene.judge(contents)
  })

  it('who write at once while their lines are cut at both ends, and one end vanishes, have one order', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    // What is lost without a word is found by the question that stays unanswered.
    const impatient = { ackTimeoutMs: 2_000, heartbeat: { watchdogMs: 5_000, probeTimeoutMs: 2_000 } }
    const [a, b] = [await alice.tab(impatient), await bob.tab(impatient)]
    await Promise.all([a.connected(), b.connected()])
    const lines = [alice.proxy, bob.proxy]
    const faults = [
      () => lines[0]?.cut(),
      () => lines[1]?.reset(),
      () => lines[0]?.vanish('server'),
      () => lines[1]?.vanish('client'),
    ]
    for (const [round, strike] of faults.entries()) {
      const carried = lines.map((line) => line.carries('"ack'))
      const sending = [
        a.send(...numbered(25, round * 25).map((m) => `${m} of a`)),
        b.send(...numbered(25, round * 25).map((m) => `${m} of b`)),
      ]
      // An acknowledgement is on its way, and is lost in half of the cases.
      await Promise.race(carried)
      strike()
      await Promise.all(sending)
    }
    await scene.judge()
  })
})
