// What axe finds in a page: nothing, or the rule, the element and what is wrong with it.

import axeCore from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

declare global {
  var axe: typeof axeCore
}

/** `part`: a selector. Default: all of the page. */
export async function isAccessible(page: Page, state: string, part?: string): Promise<void> {
  const { faults, passes } = await lookWithAxe(page, part)
  expect(faults, state).toEqual([])
  // A page that was not looked at has no faults either.
  expect(passes, state).toBeGreaterThan(10)
}

/** The faults, and how many rules were kept. */
export async function lookWithAxe(
  page: Page,
  part = 'html',
): Promise<{ readonly faults: readonly string[]; readonly passes: number }> {
  await page.evaluate(axeCore.source)
  // A colour halfway to another is nobody's choice.
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => !(one instanceof CSSTransition) || one.playState === 'finished'),
  )
  const { violations, passes } = await page.evaluate((within) => globalThis.axe.run(within), part)
  const faults = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`),
  )
  return { faults, passes: passes.length }
}
