// Where the keyboard is when what it was on goes away: never nowhere, which is the body of the page.

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { isHere, message, write } from './scenes.ts'
import { focused } from './seen.ts'
import { stageOfEachTest } from './stage.ts'

const stage = stageOfEachTest()

/** Puts the keyboard on the button and presses it by key. */
async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).focus()
  await page.keyboard.press('Enter')
}

const isOn = (page: Page, place: string | RegExp) => expect.poll(() => focused(page)).toMatch(place)
const COMPOSER = /^composer-general$/

describe('the keyboard', () => {
  it('goes from message to message in a thread, too, to what can be done with each, and back to writing', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'Does it hold?')
    await message(alice, 'Does it hold?').getByText('acknowledged').waitFor()
    await alice.keyboard.press('ArrowUp')
    await press(alice, 'Thread')
    await isOn(alice, /^composer-thread-/)
    for (const text of ['For years.', 'For ever.']) {
      await alice.keyboard.type(text)
      await alice.keyboard.press('Enter')
    }
    const thread = alice.getByRole('region', { name: 'Thread' })
    await thread.getByText('2 answers').waitFor()
    await alice.keyboard.press('ArrowUp')
    await isOn(alice, /^You, .*: For ever\.$/)
    await alice.keyboard.press('ArrowUp')
    await isOn(alice, /^You, .*: For years\.$/)
    await alice.keyboard.press('Home')
    await isOn(alice, /^You, .*: Does it hold\?$/)
    await alice.keyboard.press('ArrowDown')
    await alice.keyboard.press('Tab')
    await isOn(alice, 'React with 👍')
    await alice.keyboard.press('Enter')
    await thread.getByRole('button', { name: '👍, 1' }).waitFor()
    await alice.keyboard.press('Shift+Tab')
    await alice.keyboard.press('End')
    await isOn(alice, /^You, .*: For ever\.$/)
    await alice.keyboard.press('ArrowDown')
    await isOn(alice, /^composer-thread-/)
    await alice.keyboard.press('Escape')
    await isOn(alice, COMPOSER)
  })
})
