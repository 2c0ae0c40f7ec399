// What the scenes of the demo do and look at, in the words of a user: the parts of the page, writing, and reading the log.

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

export const composer = (page: Page) => page.getByRole('textbox', { name: /^Message to/ })
export const offline = (page: Page) => page.locator('.offline')
export const typing = (page: Page) => page.locator('.typing')
export const message = (page: Page, text: string) => page.locator('.room .message').filter({ hasText: text })
export const roomButton = (page: Page, name: string | RegExp) =>
  page.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name })
export const openConnection = (page: Page) =>
  page.getByRole('button', { name: /^(Connected|Disconnected|Offline)/ }).click()

/** Connected, and the room is followed. */
export async function isHere(page: Page): Promise<void> {
  await page.locator('.connection[data-mood="good"]').waitFor()
  await page.getByRole('button', { name: /\d here$/ }).waitFor()
}

export async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await composer(page).press('Enter')
}

export async function disconnect(page: Page): Promise<void> {
  await openConnection(page)
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await page.keyboard.press('Escape')
}

export const connect = (page: Page) => offline(page).getByRole('button', { name: 'Connect' }).click()

/** What the part of the log that is in the page says, in its order. */
export const said = (page: Page) => page.locator('.room .message .content').allTextContents()

/** What the log shows once it shows so many messages, and a while later: one that comes twice would come in that. */
export async function saidInAll(page: Page, count: number): Promise<string[]> {
  await expect.poll(() => said(page), { timeout: 60_000 }).toHaveLength(count)
  await page.waitForTimeout(300)
  return said(page)
}
