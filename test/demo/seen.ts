// What a user sees, and where the keyboard is: by the boxes on the screen and the focused element, not by what is in the page.

import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Waits until the whole of it stands within the part of the log that can be seen. */
export async function isSeenInLog(found: Locator, what: string): Promise<void> {
  const isWithin = (element: Element): boolean => {
    const log = element.closest('.log')?.getBoundingClientRect()
    const { top, bottom } = element.getBoundingClientRect()
    return log !== undefined && bottom > top && top >= log.top - 1 && bottom <= log.bottom + 1
  }
  await expect.poll(() => found.first().evaluate(isWithin), { message: `${what} is seen` }).toBe(true)
}

/** Where the keyboard is: the label, the id or the text of the element, with a word before it where nobody sees it. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return 'body'
    const name = element.getAttribute('aria-label') ?? (element.id || element.textContent || element.tagName)
    if (!element.checkVisibility()) return `hidden: ${name}`
    const log = element.closest('.log')?.getBoundingClientRect()
    const { top, bottom } = element.getBoundingClientRect()
    const isWithin = !log || (top >= log.top - 1 && bottom <= log.bottom + 1)
    return isWithin ? name : `out of sight: ${name}`
  })
