// How the panel looks in a real Chromium: to everybody, in any page, and in docs/images, whose pictures of it are drawn here
// with TAUTLINE_SCREENSHOTS=1.

import { describe, expect, it } from 'vitest'
import { isAccessible, lookWithAxe } from '../../support/axe.ts'
import { arePicturesDrawn, picture } from '../../support/picture.ts'
import { lines, lit, PANEL, panelStage, press, say } from './panel-tab.ts'

const { panel } = panelStage()

describe('the look of the panel', () => {
  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds fault with, in %s and narrow too',
    async (colorScheme) => {
      const page = await panel(`gina${colorScheme}`)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await say(page, 'hello')
      await press(page, 'Offline')
      await say(page, 'later')
      for (const name of ['Time line', 'Frames', 'Outbox']) {
        await page.getByRole('tab', { name }).click()
        await isAccessible(page, name, PANEL)
      }
      await page.setViewportSize({ width: 390, height: 700 })
      await isAccessible(page, 'narrow', PANEL)
      // A check that finds nothing anywhere would be none.
      await page.evaluate(() =>
        document
          .querySelector('tautline-devtools')
          ?.shadowRoot?.querySelector('[role=tablist] button')
          ?.setAttribute('aria-selected', 'oui'),
      )
      expect((await lookWithAxe(page, PANEL)).faults).not.toEqual([])
    },
  )

  it('looks the same whatever the style sheets of its page say, and fits where it is put', async () => {
    const page = await panel('ida', { isDocked: false })
    await page.addStyleTag({
      content: `* { color: red !important; font: 40px serif !important; display: none !important; margin: 3px !important; }
        tautline-devtools, button { visibility: hidden !important; transform: rotate(9deg) !important; }
        html, body, body > div { display: block !important; }`,
    })
    const look = await page.getByRole('button', { name: 'Pause' }).evaluate((node) => {
      const { color, fontSize, visibility } = getComputedStyle(node)
      return { color, fontSize, visibility, width: Math.round(node.getBoundingClientRect().width) < 100 }
    })
    expect(look).toEqual({ color: 'rgb(26, 33, 41)', fontSize: '12px', visibility: 'visible', width: true })
    for (const width of [320, 390, 800, 1400]) {
      await page.setViewportSize({ width, height: 700 })
      const isWithin = await page.evaluate(() => {
        const panelNode = document.querySelector('tautline-devtools')?.shadowRoot?.querySelector('.panel')
        const right = panelNode?.getBoundingClientRect().right ?? 0
        return Array.from(panelNode?.querySelectorAll('button, h2, h3, p, svg, input') ?? []).every(
          (node) => node.getBoundingClientRect().right <= right + 1,
        )
      })
      expect(isWithin, `${width} px`).toBe(true)
    }
  })

  it('draws nothing while nobody can see it, and is up to date when it is seen again', async () => {
    const page = await panel('jana', { isDocked: false })
    await page.evaluate(async () => {
      const host = document.querySelector('tautline-devtools') as Element
      const isGone = new Promise<void>((resolve) => {
        new IntersectionObserver((changes) => changes.at(-1)?.isIntersecting || resolve()).observe(host)
      })
      host.parentElement?.style.setProperty('display', 'none')
      // The panel, which observes it for longer, was told before. What it had begun by then is drawn.
      await isGone
      for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    })
    const changes = await page.evaluate(async () => {
      const root = document.querySelector('tautline-devtools')?.shadowRoot
      let count = 0
      if (root)
        new MutationObserver((all) => (count += all.length)).observe(root, {
          subtree: true,
          childList: true,
          attributes: true,
          characterData: true,
        })
      for (let i = 0; i < 50; i++) await watched.room('den-jana').send({ content: `${i}` })
      tools.cut()
      return count
    })
    expect(changes).toBe(0)
    await page.evaluate(() => {
      const place = document.querySelector('tautline-devtools')?.parentElement
      place?.style.removeProperty('display')
    })
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
  })

  it.runIf(arePicturesDrawn)('is drawn for docs/images', async () => {
    // As an application has it: offline, the next attempt is in half a minute.
    const page = await panel('kim', { backoff: {} })
    const drawn = (name: string) => picture(page.locator(PANEL), name)
    for (let i = 1; i <= 30; i++) await say(page, `Line ${i} of what is said`)
    await press(page, 'Half-open')
    await say(page, 'into the void')
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
    await press(page, 'Mend all')
    await lit(page, 'connected')
    await drawn('devtools-light')
    await press(page, 'Offline')
    await say(page, 'meanwhile')
    await say(page, 'and another')
    await page.getByRole('tab', { name: 'Outbox 2' }).click()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.getByRole('img', { name: 'The connection is waiting, came from connecting by lost' }).waitFor()
    await drawn('devtools-dark')
    await page.setViewportSize({ width: 390, height: 900 })
    await page.emulateMedia({ colorScheme: 'light' })
    await drawn('devtools-narrow')
  })
})
