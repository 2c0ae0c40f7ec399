// What the browser keeps for the site goes away, or never was: the outbox is in memory from then on, says so, and as long
// as the page lives nothing is lost.

import { describe, expect, it } from 'vitest'
import type { ChatTab } from './chat-tab.ts'
import { numbered, SOON, setScene } from './scene.ts'

const scene = setScene()

const storageOf = async (tab: ChatTab) => (await tab.state()).storage

describe('an outbox whose storage', () => {
  it('is not there is in memory, and says so', async () => {
    const browser = await scene.browser('alice')
    const tab = await browser.tab({
      before: () => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    })
    await tab.send(...numbered(3))
    await expect.poll(() => tab.statuses(), SOON).toContain('storage lost')
    await scene.judge(numbered(3))
  })

  it('is deleted by another page goes on in memory', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    await scene.server.stop()
    await tab.send(...numbered(3))
    await expect.poll(() => storageOf(tab), SOON).toBe('durable')
    const other = await scene.stage.tab(undefined, browser.profile)
    await other.evaluate(async () => {
      for (const { name = '' } of await indexedDB.databases()) indexedDB.deleteDatabase(name)
    })
    await expect.poll(() => storageOf(tab), SOON).toBe('lost')
    await tab.send('m4')
    await scene.server.start()
    await scene.judge(numbered(4))
  })

  it('is cleared by the user with messages on their way and others behind them goes on in memory, in every tab', async () => {
    const browser = await scene.browser('alice')
    const tabs = [await browser.tab(), await browser.tab()] as const
    await Promise.all(tabs.map((tab) => tab.connected()))
    browser.proxy.set('toClient', { isStalled: true })
    await tabs[0].send(...numbered(30))
    await tabs[1].send('of the other tab')
    await expect.poll(() => tabs.flatMap(({ attempts }) => attempts), SOON).toContain('m1')
    const devtools = await tabs[0].devtools()
    const { origin } = new URL(scene.stage.url())
    await devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
    for (const tab of tabs) await expect.poll(() => tab.statuses(), SOON).toContain('storage lost')
    await tabs[0].send('m31')
    browser.proxy.heal()
    await scene.judge()
  })

  it('is full goes on in memory, and what was stored before is sent once, also after a reload', async () => {
    const browser = await scene.browser('alice')
    // An origin of its own: the browser goes on for a while with what it knew of the space of another.
    const url = scene.stage.url().replace('127.0.0.1', 'localhost')
    const { origin } = new URL(url)
    const page = await scene.stage.tab(undefined, browser.profile)
    await page.goto(`${url}elsewhere`)
    const quota = await scene.stage.devtools(page)
    await quota.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 })
    const tab = await (await browser.tab({ url })).connected()
    await scene.server.stop()
    await tab.send(...numbered(3))
    await expect.poll(() => storageOf(tab), SOON).toBe('durable')
    // Not to be compressed.
    const large = numbered(60).map((m) => `${m} ${Array.from({ length: 400 }, () => Math.random()).join('')}`)
    const texts = large.map((text) => text.slice(0, 4_900))
    await tab.send(...texts)
    await expect.poll(() => tab.statuses(), SOON).toContain('storage lost')
    await tab.send('m4')
    await scene.server.start()
    await expect.poll(() => tab.state(), SOON).toMatchObject({ queued: 0 })
    await quota.send('Storage.overrideQuotaForOrigin', { origin })
    await tab.reload()
    await scene.judge([...numbered(3), ...texts, 'm4'])
  })
})
