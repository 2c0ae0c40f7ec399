// The panel in a real Chromium: what it shows of a real client, and what can be done in it.

import { describe, expect, it } from 'vitest'
import { lines, lit, PANEL, panelStage, press, SOON, say } from './panel-tab.ts'

declare global {
  var isBack: Promise<void>
}

const { panel } = panelStage()

describe('the panel', () => {
  it('shows every state and every move of the client', async () => {
    const page = await panel('carol')
    expect(await page.locator('.box').count()).toBe(8)
    expect(await page.locator('path.edge').count()).toBe(28)
    await page
      .getByRole('img', { name: 'The connection is connected, came from authenticating by accepted' })
      .waitFor()
  })

  it('shows what others say as text, whatever it is, and hides it so that no copy holds it', async () => {
    const page = await panel('dora')
    await say(page, '<img src=x onerror="document.title = 1"><script>document.title = 2</script>')
    await page.getByRole('tab', { name: /Frames/ }).click()
    await page.getByRole('searchbox', { name: 'Filter' }).fill('send_message')
    // Its answer, which says the same, is not in the list once the filter is drawn.
    const rows = page.locator('summary')
    await expect
      .poll(async () => (await rows.allTextContents()).filter((row) => !row.includes('send_message')), SOON)
      .toEqual([])
    await rows.last().click()
    await page.locator('pre').getByText('<script>').waitFor()
    expect(await page.locator(`${PANEL} img, ${PANEL} script`).count()).toBe(0)
    expect(await page.title()).toBe('tab')
    await press(page, 'Hide bodies')
    await page.locator('pre').getByText('The body is hidden.').waitFor()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await press(page, 'Copy text')
    await page.getByText(/^Copied \d+ characters$/).waitFor()
    const text = await page.evaluate(() => navigator.clipboard.readText())
    expect(text).toContain('send_message')
    expect(text).not.toContain('onerror')
  })

  it('gives what is to be copied by hand where the page may not write to the clipboard', async () => {
    const page = await panel('lena')
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    await press(page, 'Copy JSON')
    const area = page.getByRole('textbox', { name: 'The report, to be copied' })
    expect(JSON.parse(await area.inputValue())).toMatchObject({ status: 'connected', outbox: [] })
    await page.getByRole('searchbox', { name: 'Filter' }).focus()
    await area.waitFor({ state: 'detached' })
  })

  it('lets a failed message be tried again or discarded', async () => {
    const page = await panel('emil')
    await say(page, 'long '.repeat(1_100))
    await page.getByRole('tab', { name: 'Outbox 1' }).click()
    await page
      .getByRole('tabpanel', { name: /Outbox/ })
      .getByText(/MESSAGE_TOO_LONG/)
      .waitFor()
    await press(page, 'Retry')
    await page
      .getByRole('tabpanel', { name: /Outbox/ })
      .getByText(/MESSAGE_TOO_LONG/)
      .waitFor()
    await press(page, 'Discard')
    await page.getByText('Nothing waits.').waitFor()
    expect(await page.evaluate(() => watched.outbox.list())).toEqual([])
  })

  it('stands still while it is paused, and is empty when it is cleared', async () => {
    const page = await panel('fred')
    await press(page, 'Pause')
    await press(page, 'Clear')
    await expect.poll(() => lines(page).count(), SOON).toBe(0)
    await page.evaluate(() => {
      globalThis.isBack = new Promise((resolve) =>
        watched.on('status', ({ status }) => status === 'connected' && resolve()),
      )
    })
    await press(page, 'Cut')
    await page.evaluate(() => isBack)
    await lit(page, 'connected')
    expect(await lines(page).count()).toBe(0)
    await press(page, 'Pause')
    await lines(page)
      .filter({ hasText: /goes on; \d+ lines and frames were not recorded/ })
      .waitFor()
  })

  it('is used by keys alone, and what it does keeps the focus where it was', async () => {
    const page = await panel('hugo')
    await page.getByRole('tab', { name: /Time line/ }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('tab', { name: /Frames/, selected: true }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('button', { name: 'Stall' }).focus()
    await page.keyboard.press('Space')
    // It was drawn since.
    await page.getByRole('button', { name: 'Stall', pressed: true }).waitFor()
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Stall', pressed: false }).waitFor()
  })
})
