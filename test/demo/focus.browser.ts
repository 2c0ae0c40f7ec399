// Where the keyboard is when what it was on goes away: never nowhere, which is the body of the page.

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { disconnect, isHere, message, offline, write } from './scenes.ts'
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

  it('stays with a message that is deleted, and whose reaction is taken back', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'Tea is ready')
    await message(alice, 'Tea').getByText('acknowledged').waitFor()
    await alice.keyboard.press('ArrowUp')
    await press(alice, 'React with 🎉')
    await press(alice, '🎉, 1')
    await alice.getByRole('button', { name: '🎉, 1' }).waitFor({ state: 'detached' })
    await isOn(alice, /^You, .*: Tea is ready$/)
    await press(alice, 'Delete')
    await press(alice, 'Delete for everybody?')
    await message(alice, 'This message was deleted.').waitFor()
    await isOn(alice, /^You, .*: deleted$/)
  })

  it('goes to the newest message with the button that leads there', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    for (let n = 1; n <= 30; n++) await write(alice, `Number ${n}.`)
    await alice.keyboard.press('ArrowUp')
    await alice.keyboard.press('Home')
    await isOn(alice, /^You, .*: Number 1\.$/)
    await press(alice, 'Newest ↓')
    await isOn(alice, /^You, .*: Number 30\.$/)
  })

  it('stays with a message that is taken back, and goes on to writing when one is said again or discarded', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await disconnect(alice)
    await write(alice, 'Not this')
    await press(alice, 'Cancel')
    await isOn(alice, 'to be taken back')
    // Not by the mouse, which would take the keyboard along.
    await offline(alice).getByRole('button', { name: 'Connect' }).dispatchEvent('click')
    await message(alice, 'Not this').getByText('you took it back').waitFor()
    await isOn(alice, /^You, .*: Not this$/)
    await press(alice, 'Retry')
    await message(alice, 'Not this').getByText('acknowledged').waitFor()
    await isOn(alice, COMPOSER)

    await write(alice, 'long '.repeat(1_001))
    await message(alice, 'long').getByText('Not sent').waitFor()
    await press(alice, 'Discard')
    await message(alice, 'long').waitFor({ state: 'detached' })
    await isOn(alice, COMPOSER)
  })

  it('goes on to writing when a change that failed is discarded', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'Short')
    await message(alice, 'Short').getByText('acknowledged').waitFor()
    await alice.keyboard.press('ArrowUp')
    await press(alice, 'Edit')
    await write(alice, 'long '.repeat(1_001))
    await alice.getByText('Your edit was not taken').waitFor()
    await press(alice, 'Discard')
    await alice.getByText('Your edit was not taken').waitFor({ state: 'detached' })
    await isOn(alice, COMPOSER)
  })

  it('stays in the devtools when something of their outbox is discarded, and at their button when they close', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'long '.repeat(1_001))
    await message(alice, 'long').getByText('Not sent').waitFor()
    await press(alice, 'Devtools')
    await alice.getByRole('tab', { name: 'Outbox 1' }).click()
    const discard = alice.locator('tautline-devtools').getByRole('button', { name: 'Discard' })
    await discard.focus()
    await alice.keyboard.press('Enter')
    await discard.waitFor({ state: 'detached' })
    await expect.poll(() => alice.evaluate(() => document.activeElement?.localName)).toBe('tautline-devtools')
    await press(alice, 'Close the devtools')
    await isOn(alice, /^Devtools$/)
  })
})
