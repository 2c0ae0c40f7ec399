// Two users of one browser, one after the other: what the first has queued the second neither sees nor sends.

import { describe, expect, it } from 'vitest'
import type { ChatTab } from './chat-tab.ts'
import { numbered, SOON, setScene } from './scene.ts'

const scene = setScene()

/** Signs out in the tab, which is closed then. */
async function leave(tab: ChatTab, keepOutbox: boolean): Promise<void> {
  await tab.page.evaluate((keep) => chat.client.logout({ keepOutbox: keep }), keepOutbox)
  await tab.close()
}

describe('who signs in next in a browser', () => {
  it('neither sees nor sends what the one before has left, who sends it when they are back', async () => {
    const browser = await scene.browser('alice')
    const alice = await (await browser.tab()).connected()
    await scene.server.stop()
    await alice.send(...numbered(3))
    await leave(alice, true)
    await scene.server.start()
    const bob = await (await browser.tab({ user: 'bob' })).connected()
    await bob.send('of bob')
    await expect.poll(scene.log, SOON).toEqual(['of bob'])
    await expect.poll(async () => [bob.attempts, await bob.outbox()], SOON).toEqual([['of bob'], []])
    await browser.tab()
    await scene.judge(['of bob', ...numbered(3)])
  })

  it('finds nothing that the one before has given up, nor do these when they are back', async () => {
    const browser = await scene.browser('alice')
    const alice = await (await browser.tab()).connected()
    await scene.server.stop()
    await alice.sendInVain(...numbered(3))
    await leave(alice, false)
    await scene.server.start()
    const bob = await (await browser.tab({ user: 'bob' })).connected()
    await bob.send('of bob')
    const again = await (await browser.tab()).connected()
    expect(await again.outbox()).toEqual([])
    await again.send('of alice')
    await scene.judge(['of bob', 'of alice'])
  })

  it('may do so while the one before is still there in another tab: each sends their own', async () => {
    const browser = await scene.browser('alice')
    const [alice, bob] = [await browser.tab(), await browser.tab({ user: 'bob' })]
    await Promise.all([alice.connected(), bob.connected()])
    await scene.server.stop()
    await Promise.all([alice.send('m1', 'm2'), bob.send('of bob')])
    await alice.crash()
    await scene.server.start()
    await expect.poll(scene.log, SOON).toEqual(['of bob'])
    await bob.send('of bob, later')
    await expect.poll(scene.log, SOON).toEqual(['of bob', 'of bob, later'])
    expect(bob.attempts).not.toContain('m1')
    await browser.tab()
    await scene.judge(['of bob', 'of bob, later', 'm1', 'm2'])
  })
})
