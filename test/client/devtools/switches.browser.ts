// Each switch of the panel in a real Chromium: the state that it leads to is lit, and what was said meanwhile arrives once it
// is released.

import { describe, expect, it } from 'vitest'
import { lines, lit, PANEL, panelStage, press, say } from './panel-tab.ts'

const { panel, said } = panelStage()

describe('each switch of the panel', () => {
  it('leads to the state that is lit, and everything arrives once when it is released', async () => {
    const page = await panel('ada')
    await say(page, 'before')

    // It comes back by itself.
    const isCut = lit(page, 'waiting')
    await press(page, 'Cut')
    await isCut
    await say(page, 'cut')
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
    await lit(page, 'connected')

    await press(page, 'Offline')
    await lit(page, 'waiting')
    await page.getByRole('button', { name: 'Offline', pressed: true }).waitFor()
    await page.getByText(/^waiting: .*next attempt (in \d+\.\d s|now)$/).waitFor()
    await say(page, 'offline')
    await page.getByRole('tab', { name: 'Outbox 1' }).click()
    await page.getByRole('tabpanel').getByText('queued').waitFor()
    await press(page, 'Offline')
    await lit(page, 'connected')
    await page.getByText('Nothing waits.').waitFor()

    await press(page, 'Half-open')
    await say(page, 'half-open')
    await page.getByRole('tab', { name: /Frames/ }).click()
    await page.locator('.frame[data-fate="lost"]').first().waitFor()
    await lit(page, 'waiting')
    // A new connection opens, and gets no answer either.
    await lit(page, 'authenticating')
    await press(page, 'Half-open')
    await lit(page, 'connected')

    await press(page, 'Stall')
    await say(page, 'stall')
    await page.locator('.frame[data-fate="held"]').first().waitFor()
    await lit(page, 'waiting')
    // No new connection opens.
    await lit(page, 'connecting')
    await press(page, 'Stall')
    await lit(page, 'connected')

    await press(page, 'Refuse token')
    await lit(page, 'stopped')
    await say(page, 'refused')
    await press(page, 'Refuse token')
    await lit(page, 'connected')
    expect(await said(page, 'ada')).toEqual(['before', 'cut', 'offline', 'half-open', 'stall', 'refused'])
  })

  it('is released when the panel is taken away, which leaves nothing behind', async () => {
    const page = await panel('bob')
    for (const name of ['Stall', 'Half-open', 'Refuse token', 'Offline']) await press(page, name)
    await say(page, 'whatever happens')
    await press(page, 'Close the devtools')
    expect(await page.locator(PANEL).count()).toBe(0)
    expect(await page.evaluate(() => tools.getSnapshot().switches.size)).toBe(0)
    expect(await said(page, 'bob')).toEqual(['whatever happens'])
    // Taken away before it was there, and twice.
    await page.evaluate(() => {
      const take = tools.mount()
      take()
      take()
      unmount()
    })
    expect(await page.locator(PANEL).count()).toBe(0)
  })
})
