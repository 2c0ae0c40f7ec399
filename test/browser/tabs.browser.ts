// Five tabs of one user in one browser, with one outbox in IndexedDB: one of them sends what all of them say, and when it
// goes, in whatever way, another one does.

import { describe, expect, it } from 'vitest'
import type { ChatTab } from './chat-tab.ts'
import { numbered, SOON, senderOf, setScene, type UserBrowser } from './scene.ts'

const scene = setScene()

async function fiveTabs(browser: UserBrowser): Promise<ChatTab[]> {
  return Promise.all(Array.from({ length: 5 }, () => browser.tab()))
}

/** The tab that sends what all of them queue, and the others. */
async function holderAmong(tabs: readonly ChatTab[]): Promise<[holder: ChatTab, others: ChatTab[]]> {
  await Promise.all(tabs.map((tab) => tab.connected()))
  await tabs[0]?.send('who sends')
  const holder = await senderOf('who sends', tabs)
  return [holder, tabs.filter((tab) => tab !== holder)]
}

async function sendInTurns(tabs: readonly ChatTab[], contents: readonly string[]): Promise<void> {
  for (const [i, content] of contents.entries()) await tabs[i % tabs.length]?.send(content)
}

describe('five tabs of one user', () => {
  it('that write in turns have one order, and one of them sends it all', async () => {
    const tabs = await fiveTabs(await scene.browser('alice'))
    await Promise.all(tabs.map((tab) => tab.connected()))
    await scene.server.stop()
    const contents = numbered(40)
    await sendInTurns(tabs, contents.slice(0, 20))
    await scene.server.start()
    await sendInTurns(tabs, contents.slice(20))
    await scene.judge(contents)
    const said = () => tabs.map(({ attempts }) => attempts).filter((attempts) => attempts.length > 0)
    await expect.poll(said, SOON).toEqual([contents])
  })

  it('that write all at once, while the connection is cut again and again, send each message once', async () => {
    const browser = await scene.browser('alice')
    const tabs = await fiveTabs(browser)
    await Promise.all(tabs.map((tab) => tab.connected()))
    for (let round = 0; round < 4; round++) {
      const sending = tabs.map((tab, i) => tab.send(...numbered(10, round * 10).map((m) => `${m} of ${i}`)))
      await browser.proxy.delivers()
      browser.proxy.reset()
      await Promise.all(sending)
    }
    await scene.judge()
  })

  it('go on as one when the one that sends is closed', async () => {
    const tabs = await fiveTabs(await scene.browser('alice'))
    const [holder, others] = await holderAmong(tabs)
    await sendInTurns(others, numbered(4))
    await holder.close()
    await sendInTurns(others, numbered(4, 5))
    await scene.judge(['who sends', ...numbered(8)])
  })

  it('go on as one when the one that sends crashes with all of it on its way', async () => {
    const tabs = await fiveTabs(await scene.browser('alice'))
    const [holder, others] = await holderAmong(tabs)
    await holder.send(...numbered(30))
    await holder.crash()
    await sendInTurns(others, numbered(4, 31))
    await scene.judge(['who sends', ...numbered(34)])
  })

  it('go on as one when the one that sends hangs, and when it comes to itself', async () => {
    const tabs = await fiveTabs(await scene.browser('alice'))
    const [holder, others] = await holderAmong(tabs)
    const { letGo } = await holder.hang()
    await sendInTurns(others, numbered(4))
    // They hear nothing of the holder for 5 s; then one takes its place.
    await expect.poll(scene.log, SOON).toEqual(['who sends', ...numbered(4)])
    await letGo()
    await sendInTurns(tabs, numbered(5, 5))
    await scene.judge(['who sends', ...numbered(9)])
  })
})
