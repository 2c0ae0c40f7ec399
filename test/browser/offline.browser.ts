// A browser that is offline: by its own word, which stops every new connection and holds up what is on an open one, so
// that neither end is told. The page itself is kept by a service worker, as an application that works offline does it.

import type { BrowserContext } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { ChatTab } from './chat-tab.ts'
import { numbered, SOON, setScene } from './scene.ts'

const scene = setScene()

/** Waits for minutes between two attempts: what comes back sooner has been told that it may. */
const PATIENT = { backoff: { minMs: 100, baseMs: 300_000, capMs: 300_000 } }

/** Ten times as quick as in life. */
const IMPATIENT = { ackTimeoutMs: 1_000, heartbeat: { watchdogMs: 3_500, probeTimeoutMs: 500 } }

/** From now on the browser has the page, also without a network. */
async function keepPage(tab: ChatTab, profile: BrowserContext): Promise<void> {
  await tab.page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js')
    await navigator.serviceWorker.ready
  })
  await expect
    .poll(() => tab.page.evaluate(() => navigator.serviceWorker.controller?.state), SOON)
    .toBe('activated')
  await expect.poll(() => profile.serviceWorkers().length, SOON).toBe(1)
}

/** The status that followed the last `connected`. */
async function nextAfterConnected(tab: ChatTab): Promise<string> {
  const statuses = (await tab.statuses()).filter((status) => !status.startsWith('storage'))
  return statuses[statuses.lastIndexOf('connected') + 1] ?? 'connected'
}

const isOnline = ({ page }: ChatTab) => page.evaluate(() => navigator.onLine)

describe('a browser that is offline', () => {
  it('takes what is written, before a reload and after it, and sends it once it is online', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const [tab, reader] = [await alice.tab(PATIENT), await bob.tab()]
    await Promise.all([tab.connected(), reader.connected()])
    await keepPage(tab, alice.profile)
    await alice.profile.setOffline(true)
    await tab.send(...numbered(10))
    await tab.reload()
    await expect.poll(() => isOnline(tab), SOON).toBe(false)
    await expect.poll(() => tab.outbox(), SOON).toEqual(numbered(10))
    await tab.send(...numbered(10, 11))
    await reader.send('meanwhile')
    await expect.poll(scene.log, SOON).toEqual(['meanwhile'])
    await expect.poll(() => tab.untilRetryMs(), SOON).toBeGreaterThan(30_000)
    await alice.profile.setOffline(false)
    await expect
      .poll(() => tab.state(), { timeout: 10_000, interval: 25 })
      .toMatchObject({ status: 'connected', queued: 0 })
    await scene.judge(['meanwhile', ...numbered(20)])
  })
})

describe('a connection that is half open', () => {
  it('is found by what stays unanswered, and what was said on it, which comes later after all, counts once', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab(IMPATIENT)).connected()
    await tab.send('before')
    await expect.poll(scene.log, SOON).toEqual(['before'])
    await browser.profile.setOffline(true)
    await tab.send(...numbered(5))
    // Nobody told the tab: it believed itself connected until nothing came back.
    await expect.poll(() => nextAfterConnected(tab), SOON).toMatch(/^waiting .*TIMEOUT$/)
    await tab.send(...numbered(5, 6))
    expect(await scene.log()).toEqual(['before'])
    await browser.profile.setOffline(false)
    await scene.judge(['before', ...numbered(10)])
  })
})
