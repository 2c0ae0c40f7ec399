// Pages, tabs and browsers that end while messages wait: what was queued is there again, and goes out once and in order.

import { describe, expect, it } from 'vitest'
import { numbered, SOON, setScene } from './scene.ts'

const scene = setScene()

/** As many as an outbox holds by default. */
const FULL = 1_000

describe('what was queued without a connection', () => {
  it('goes out after a reload, also where the outbox was full, and is seen until then', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    await scene.server.stop()
    const contents = numbered(FULL)
    await tab.send(...contents)
    expect(await tab.sendInVain('one too many')).toEqual(['OUTBOX_FULL'])
    await tab.reload()
    await expect.poll(() => tab.outbox(), SOON).toEqual(contents)
    expect(await tab.sendInVain('still too many')).toEqual(['OUTBOX_FULL'])
    await scene.server.start()
    await expect.poll(() => tab.state(), SOON).toMatchObject({ queued: 0 })
    await tab.send('there is room again')
    await scene.judge([...contents, 'there is room again'])
  })

  it('goes out after the tab crashed', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    await scene.server.stop()
    await tab.send(...numbered(5))
    await tab.crash()
    await scene.server.start()
    await browser.tab()
    await scene.judge(numbered(5))
  })

  it('goes out after the browser was killed', async () => {
    const browser = await scene.browser('alice', true)
    const tab = await (await browser.tab()).connected()
    await scene.server.stop()
    await tab.send(...numbered(5))
    await scene.killBrowser()
    await scene.server.start()
    await browser.tab()
    await scene.judge(numbered(5))
  })
})

describe('what was on its way', () => {
  it('is in the room once when the page is reloaded in the middle of it, again and again', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    const contents = numbered(200)
    for (let from = 0; from < 200; from += 50) {
      const isAnswered = browser.proxy.carries('"ack')
      await tab.send(...contents.slice(from, from + 50))
      await isAnswered
      await tab.reload()
    }
    await scene.judge(contents)
  })

  it('is in the room once when the tab crashes just then', async () => {
    const browser = await scene.browser('alice')
    const tab = await (await browser.tab()).connected()
    await tab.send(...numbered(30))
    await tab.crash()
    await browser.tab()
    await scene.judge(numbered(30))
  })
})
