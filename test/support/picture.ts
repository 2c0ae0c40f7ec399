// Pictures for docs/images, drawn by the tests that lead to what is on them: with TAUTLINE_SCREENSHOTS=1.

import { mkdirSync } from 'node:fs'
import type { Locator, Page } from 'playwright-core'

export const arePicturesDrawn = process.env['TAUTLINE_SCREENSHOTS'] === '1'

/** Of all that the window shows, or of one element. Nothing is pointed at, and what moves has come to its end. */
export async function picture(of: Page | Locator, name: string): Promise<void> {
  if (!arePicturesDrawn) return
  mkdirSync('docs/images', { recursive: true })
  const page = 'page' in of ? of.page() : of
  await page.mouse.move(0, 0)
  // What is drawn because of that is there in the frame after the next.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  )
  await of.screenshot({ path: `docs/images/${name}.png`, animations: 'disabled' })
}
