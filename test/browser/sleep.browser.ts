// Pages that sleep: frozen where they stand, put into the back-forward cache, or hidden for so long that their timers run
// once a minute.

import { describe, expect, it } from 'vitest'
import type { ChatTab } from './chat-tab.ts'
import { numbered, SOON, senderOf, setScene, type UserBrowser } from './scene.ts'

const scene = setScene()

declare global {
  /** `persisted` of each `pageshow`: whether the page came out of the cache. */
  var shown: boolean[]
}

/** Whether a page was in the cache at all: a scene in which it was not would show nothing. */
function noteShows(): void {
  globalThis.shown = []
  addEventListener('pageshow', ({ persisted }) => shown.push(persisted))
}

/** Two tabs, and which of them sends. */
async function holderAndOther(browser: UserBrowser): Promise<[holder: ChatTab, other: ChatTab]> {
  const tabs = [await browser.tab({ before: noteShows }), await browser.tab({ before: noteShows })] as const
  await Promise.all(tabs.map((tab) => tab.connected()))
  await tabs[0].send('who sends')
  const holder = await senderOf('who sends', tabs)
  return holder === tabs[0] ? [tabs[0], tabs[1]] : [tabs[1], tabs[0]]
}

describe('a frozen page', () => {
  it('is replaced by another tab, and doubles nothing when it wakes', async () => {
    const [holder, other] = await holderAndOther(await scene.browser('alice', true))
    await holder.send('m1')
    const { thaw } = await holder.freeze(other)
    await other.send('m2', 'm3')
    await expect.poll(scene.log, SOON).toEqual(['who sends', 'm1', 'm2', 'm3'])
    await expect.poll(() => other.attempts, SOON).toContain('m3')
    await thaw()
    await holder.send('m4')
    await other.send('m5')
    await scene.judge(['who sends', ...numbered(5)])
  })

  it('has what was on its way when it froze sent by another tab, and learns of it', async () => {
    const browser = await scene.browser('alice', true)
    const [holder, other] = await holderAndOther(browser)
    browser.proxy.set('toClient', { isStalled: true })
    await holder.send(...numbered(20))
    await expect.poll(scene.log, SOON).toContain('m8')
    const { thaw } = await holder.freeze(other)
    // The answers to the frozen page are gone for good.
    browser.proxy.reset()
    browser.proxy.heal()
    await expect.poll(scene.log, SOON).toEqual(['who sends', ...numbered(20)])
    await expect.poll(() => other.state(), SOON).toMatchObject({ queued: 0 })
    await thaw()
    await scene.judge(['who sends', ...numbered(20)])
  })
})

describe('a page in the back-forward cache', () => {
  const showsOf = ({ page }: ChatTab) => page.evaluate(() => shown)

  it('that had a connection has another one when it comes back, and what was said meanwhile', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const tab = await (await alice.tab({ before: noteShows })).connected()
    const other = await (await bob.tab()).connected()
    await tab.send('m1')
    await expect.poll(scene.log, SOON).toEqual(['m1'])
    await tab.leave()
    await other.send('m2', 'm3')
    await expect.poll(scene.log, SOON).toEqual(['m1', 'm2', 'm3'])
    await tab.back()
    await expect.poll(() => showsOf(tab), SOON).toEqual([false, true])
    await tab.send('m4')
    await scene.judge(numbered(4))
    expect(await tab.statuses()).toContainEqual(expect.stringContaining('waiting'))
  })

  it('leaves what it had queued to another tab, and doubles nothing when it comes back', async () => {
    const browser = await scene.browser('alice')
    const [holder, other] = await holderAndOther(browser)
    browser.proxy.set('toClient', { isStalled: true })
    await holder.send(...numbered(20))
    await holder.leave()
    browser.proxy.heal()
    await expect.poll(scene.log, SOON).toEqual(['who sends', ...numbered(20)])
    await other.send('m21')
    await holder.back()
    await expect.poll(() => showsOf(holder), SOON).toEqual([false, true])
    await holder.send('m22')
    await scene.judge(['who sends', ...numbered(22)])
  })
})

describe('a page that is hidden for ten minutes, with timers once a minute', () => {
  const hide = ({ page }: ChatTab) => page.evaluate(() => chat.host.hide())
  const minute = ({ page }: ChatTab) => page.evaluate(() => chat.host.minute())
  const show = ({ page }: ChatTab) => page.evaluate(() => chat.host.show())
  /** It waits, or is connected and has all answers: or believes that it is, until it found that nothing comes back. */
  async function isAtRest(tab: ChatTab): Promise<boolean> {
    const { status, phase, queued } = await tab.state()
    const isBetrayed = !(await tab.statuses()).some((one) => one.startsWith('waiting'))
    return (
      status === 'waiting' || (status === 'connected' && (isBetrayed || (phase === 'live' && queued === 0)))
    )
  }

  const lastOf = ({ page }: ChatTab) => page.evaluate(() => chat.timeline.getSnapshot().items.at(-1)?.content)

  it('keeps its connection, hears what is said at once, and can answer', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const [tab, other] = [await alice.tab({ isHosted: true }), await bob.tab()]
    await Promise.all([tab.connected(), other.connected()])
    await tab.shown()
    await hide(tab)
    const contents = numbered(20)
    for (let i = 0; i < 20; i += 2) {
      await other.send(contents[i] ?? '')
      await expect.poll(() => lastOf(tab), SOON).toBe(contents[i])
      await tab.send(contents[i + 1] ?? '')
      // Within the minute: at its end an answer that the tab has not read yet would be late.
      await expect.poll(() => tab.state(), SOON).toMatchObject({ queued: 0 })
      await minute(tab)
    }
    await show(tab)
    await scene.judge(contents)
    expect(await tab.statuses()).toEqual(expect.not.arrayContaining([expect.stringContaining('waiting')]))
  })

  it('finds by itself that its connection is dead, and has everything soon after', async () => {
    const [alice, bob] = [await scene.browser('alice'), await scene.browser('bob')]
    const [tab, other] = [await alice.tab({ isHosted: true }), await bob.tab()]
    await Promise.all([tab.connected(), other.connected()])
    await tab.shown()
    await hide(tab)
    alice.proxy.vanish('server')
    await other.send(...numbered(5))
    await tab.send('from the dark')
    for (let i = 0; i < 10; i++) {
      await minute(tab)
      // A network has all of a minute for what is asked on a connection that is alive.
      await expect.poll(() => isAtRest(tab), SOON).toBe(true)
    }
    await expect.poll(scene.log, SOON).toEqual([...numbered(5), 'from the dark'])
    await show(tab)
    await scene.judge([...numbered(5), 'from the dark'])
  })
})
