// What axe finds in a page: nothing, or the rule, the element and what is wrong with it.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type axeCore from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

declare global {
  var axe: typeof axeCore
}

export async function isAccessible(page: Page, state: string): Promise<void> {
  await page.evaluate(source)
  // A colour halfway to another is nobody's choice.
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => !(one instanceof CSSTransition) || one.playState === 'finished'),
  )
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run())
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`),
  )
  expect(found, state).toEqual([])
  // A page that was not looked at has no violations either.
  expect(passes.length, state).toBeGreaterThan(10)
}
