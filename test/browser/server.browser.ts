// The server as a process of its own, killed with SIGKILL while two browsers write, and started again on its file and port.

import { describe, expect, it } from 'vitest'
import { numbered, SOON, setScene } from './scene.ts'
import { serverThatIsKilled } from './scene-server.ts'

const scene = setScene(serverThatIsKilled)

describe('a server that is killed', () => {
  it('before its acknowledgements arrive has what it acknowledged, and takes the rest once', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const [a, b] = [await alice.tab(), await bob.tab()]
    for (let round = 0; round < 3; round++) {
      await Promise.all([a.connected(), b.connected()])
      // Else what the last round left fills the window, and nothing of this one is sent.
      await expect.poll(() => a.outbox(), SOON).toEqual([])
      // What the server says to alice from here on is lost with it.
      alice.proxy.set('toClient', { isStalled: true })
      const sending = [
        a.send(...numbered(60, round * 60).map((m) => `${m} of a`)),
        b.send(...numbered(60, round * 60).map((m) => `${m} of b`)),
      ]
      await expect.poll(scene.log, SOON).toContain(`m${round * 60} of a`)
      await scene.server.stop()
      alice.proxy.reset()
      alice.proxy.heal()
      await Promise.all(sending)
      // While there is nobody to send it to.
      await Promise.all([a.send(`${round} alone of a`), b.send(`${round} alone of b`)])
      await expect.poll(() => a.state(), SOON).not.toMatchObject({ status: 'connected' })
      await scene.server.start()
    }
    await scene.judge()
  })

  it('is not missed by a page that is reloaded before it is back', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    browser.proxy.set('toClient', { isStalled: true })
    await tab.send(...numbered(40))
    await expect.poll(scene.log, SOON).toContain('m1')
    await scene.server.stop()
    browser.proxy.reset()
    browser.proxy.heal()
    await tab.reload()
    await tab.send(...numbered(10, 41))
    await scene.server.start()
    await scene.judge(numbered(50))
  })
})
