// The demo for who uses a keyboard, a screen reader, or a small screen; and as docs/images shows it, which are made here
// with TAUTLINE_SCREENSHOTS=1.

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { isAccessible } from '../support/axe.ts'
import { picture } from '../support/picture.ts'
import { composer, isHere, message, offline, roomButton, typing, write } from './scenes.ts'
import { focused } from './seen.ts'
import { stageOfEachTest } from './stage.ts'

const NARROW = { viewport: { width: 360, height: 740 } }

const stage = stageOfEachTest()

/** What stands wider than the screen has to be scrolled sideways. */
const widthOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth)

describe('the keyboard alone', () => {
  it('signs in, writes, answers, edits, reacts, changes the room, and always finds back to where one writes', async () => {
    const bob = await stage().window('bob')
    await isHere(bob)
    await write(bob, 'Does it hold?')
    const page = await stage().tab(bob.context(), '')
    const { keyboard } = page
    await page.getByRole('heading', { name: 'Who are you' }).waitFor()
    await expect.poll(() => focused(page)).toBe('name')
    await keyboard.type('alice')
    await keyboard.press('Enter')
    await roomButton(page, 'general').waitFor()
    await isHere(page)
    await expect.poll(() => focused(page)).toBe('composer-general')
    await message(page, 'Does it hold?').waitFor()

    await keyboard.type('Two')
    await keyboard.press('Shift+Enter')
    await keyboard.type('lines')
    await keyboard.press('Enter')
    await message(page, 'Two\nlines').getByText('acknowledged').waitFor()
    // Up to the messages: ours, then the one before.
    await keyboard.press('ArrowUp')
    await keyboard.press('ArrowUp')
    await expect.poll(() => focused(page)).toMatch(/^bob, .*Does it hold\?/)
    await keyboard.press('Tab')
    await keyboard.press('Enter')
    await page.getByRole('button', { name: '👍, 1' }).waitFor()
    await keyboard.press('Shift+Tab')
    await keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('composer-general')
    await keyboard.type('For years')
    await keyboard.press('Enter')
    await message(page, 'For years').getByText('Does it hold?').waitFor()
    await message(page, 'For years').getByText('acknowledged').waitFor()

    await keyboard.press('ArrowUp')
    await expect.poll(() => focused(page)).toMatch(/^You, .*For years/)
    await page.getByRole('button', { name: 'Edit' }).focus()
    await keyboard.press('Enter')
    await expect.poll(() => composer(page).inputValue()).toBe('For years')
    await keyboard.press('Escape')
    await expect.poll(() => composer(page).inputValue()).toBe('')
    await keyboard.press('ArrowUp')
    await keyboard.press('Escape')
    await expect.poll(() => focused(page)).toBe('composer-general')

    // Backwards out of the room: who is here, then us, then the rooms.
    for (let step = 0; step < 20 && !(await roomButton(page, 'workshop').evaluate(isFocused)); step++)
      await keyboard.press('Shift+Tab')
    await keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('composer-workshop')
  })
})

const isFocused = (element: Element): boolean => document.activeElement === element

describe.each(['light', 'dark'] as const)('in a %s page', (colorScheme) => {
  it('axe finds nothing, whatever is open, and with and without a connection', async () => {
    const alice = await stage().window('alice', { colorScheme })
    await isHere(alice)
    const bob = await stage().window('bob')
    await isHere(bob)
    const isDark = colorScheme === 'dark'
    await isAccessible(alice, 'an empty room')
    const talk: [Page, string][] = [
      [alice, 'Morning! The new line from the quay is in.'],
      [bob, 'Seen it. Does it hold?'],
      [bob, 'The last one slipped when it got wet.'],
      [alice, 'It does. I hung the kettle from it and went away for an hour.'],
    ]
    for (const [page, text] of talk) {
      await write(page, text)
      await message(page === alice ? bob : alice, text).waitFor()
    }
    await message(bob, 'hung the kettle').hover()
    await bob.getByRole('button', { name: 'React with 🎉' }).click()
    await bob.getByRole('button', { name: 'Reply' }).click()
    await write(bob, 'That is all one can ask of a line, @alice.')
    await message(alice, 'That is all').waitFor()
    await roomButton(bob, 'workshop').click()
    await isHere(bob)
    await write(bob, 'Who has the fid?')
    await roomButton(bob, 'general').click()
    await isHere(bob)
    // It is told every few seconds at most.
    await expect
      .poll(async () => {
        await composer(bob).press('a')
        return typing(alice).textContent()
      })
      .toBe('bob is typing')
    await roomButton(alice, 'workshop 1 unread').waitFor()
    await picture(alice, isDark ? 'demo-dark' : 'demo-light')
    await isAccessible(alice, 'a talk')

    await message(alice, 'Does it hold').hover()
    await alice.getByRole('button', { name: 'Reply' }).click()
    await isAccessible(alice, 'an answer')
    await alice.keyboard.press('Escape')
    await alice.getByRole('button', { name: /^Notifications/ }).click()
    await alice.getByRole('button', { name: 'bob named you' }).waitFor()
    if (!isDark) await picture(alice, 'demo-notifications')
    await isAccessible(alice, 'notifications')
    await alice.keyboard.press('Escape')
    await alice.getByRole('button', { name: /^Connected/ }).click()
    await isAccessible(alice, 'the connection')
    await alice.keyboard.press('Escape')
    await alice.getByRole('button', { name: '2 here' }).click()
    await alice.getByRole('button', { name: 'Write to bob' }).waitFor()
    await isAccessible(alice, 'people')
    await alice.keyboard.press('Escape')
    await alice.getByRole('button', { name: '1 answer' }).click()
    await alice.getByRole('region', { name: 'Thread' }).getByText('That is all').waitFor()
    if (isDark) await picture(alice, 'demo-thread')
    await isAccessible(alice, 'a thread')
    await alice.keyboard.press('Escape')
    await alice.getByRole('button', { name: 'New room' }).click()
    await isAccessible(alice, 'a new room')
    await alice.keyboard.press('Escape')

    await write(alice, 'long '.repeat(1_001))
    await message(alice, 'long').getByText('Not sent').waitFor()
    await stage().stopServer('SIGTERM')
    await offline(alice).getByText('next attempt in').waitFor()
    await write(alice, 'Mind the wet paint on the door.')
    await message(alice, 'Mind the').getByText('queued').waitFor()
    if (!isDark) await picture(alice, 'demo-offline')
    await isAccessible(alice, 'no connection')
    await alice.getByRole('button', { name: 'Sign out' }).click()
    await isAccessible(alice, 'signing out')
    await alice.getByRole('button', { name: 'Discard and sign out' }).click()
    await alice.getByRole('heading', { name: 'Who are you' }).waitFor()
    await isAccessible(alice, 'signing in')
  })

  it('and a narrow one nothing either, and nothing stands out at its side', async () => {
    const carol = await stage().window('carol', { ...NARROW, colorScheme })
    await isHere(carol)
    const bob = await stage().window('bob')
    await isHere(bob)
    await write(bob, 'May I have the old line? It would do for the gate, which swings in the wind all night.')
    await message(carol, 'May I').hover()
    await carol.getByRole('button', { name: 'Reply' }).click()
    await write(carol, 'Of course. Come by before noon.')
    await message(carol, 'Of course').getByText('Seen by bob').waitFor()
    await picture(carol, colorScheme === 'dark' ? 'demo-narrow-dark' : 'demo-narrow')
    await isAccessible(carol, 'a talk')
    expect(await widthOf(carol)).toBe(NARROW.viewport.width)

    await carol.getByRole('button', { name: '2 here' }).click()
    await carol.getByRole('button', { name: 'Write to bob' }).waitFor()
    await isAccessible(carol, 'people')
    expect(await widthOf(carol)).toBe(NARROW.viewport.width)
    await carol.getByRole('button', { name: 'Close People' }).click()
    await carol.getByRole('button', { name: 'Rooms' }).click()
    await roomButton(carol, 'tea-kitchen').waitFor()
    if (colorScheme === 'light') await picture(carol, 'demo-narrow-rooms')
    await isAccessible(carol, 'the rooms')
    await stage().stopServer('SIGTERM')
    await offline(carol).getByText('next attempt in').waitFor()
    await roomButton(carol, 'general').click()
    await isAccessible(carol, 'no connection')
    expect(await widthOf(carol)).toBe(NARROW.viewport.width)
  })
})
