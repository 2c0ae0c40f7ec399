// The demo on a screen that shows one thing at a time: the rooms, or one room, or what stands beside it.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { composer, isHere, message, roomButton, write } from './scenes.ts'
import { focused } from './seen.ts'
import { stageOfEachTest } from './stage.ts'

const NARROW = { viewport: { width: 360, height: 740 } }

const stage = stageOfEachTest()
const thread = (page: Page) => page.getByRole('region', { name: 'Thread' })

async function openThread(page: Page, text: string): Promise<void> {
  await message(page, text).first().getByText('acknowledged').waitFor()
  await message(page, text).first().hover()
  await page.getByRole('button', { name: 'Thread' }).click()
  await thread(page).waitFor()
}

describe('on a narrow screen', () => {
  it('a room is read when it is seen: not below the list of the rooms, nor below the people', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob', { ...NARROW, room: '' })
    await isHere(alice)
    // With the second it shows that the first stayed unread.
    const writeTwo = async () => {
      await write(alice, 'One.')
      await write(alice, 'Two.')
    }
    const isSeen = () => message(alice, 'Two.').last().getByText('Seen by bob').waitFor()
    await roomButton(bob, /^general/).waitFor()
    await writeTwo()
    await roomButton(bob, 'general 2 unread').click()
    await isSeen()
    await expect.poll(() => bob.title()).toBe('general · Tautline')

    await bob.getByRole('button', { name: '2 here' }).click()
    await writeTwo()
    await expect.poll(() => bob.title()).toBe('(2) general · Tautline')
    await bob.getByRole('button', { name: 'Close People' }).click()
    await isSeen()
    await expect.poll(() => bob.title()).toBe('general · Tautline')

    await bob.getByRole('button', { name: 'Rooms' }).click()
    await writeTwo()
    await roomButton(bob, 'general 2 unread').waitFor()
  })

  it('what is written from a thread is written where it is seen: the thread gives way', async () => {
    const alice = await stage().window('alice', NARROW)
    await isHere(alice)
    await write(alice, 'Does it hold?')
    await openThread(alice, 'Does it hold?')
    await thread(alice).getByText('Does it hold?').hover()
    await thread(alice).getByRole('button', { name: 'Edit' }).click()
    await expect.poll(() => focused(alice)).toBe('composer-general')
    await alice.keyboard.press('End')
    await alice.keyboard.type(' Yes.')
    await alice.keyboard.press('Enter')
    await message(alice, 'Does it hold? Yes.').getByText('edited').waitFor()

    await openThread(alice, 'Does it hold?')
    await thread(alice).getByRole('textbox').fill('long '.repeat(1_001))
    await thread(alice).getByRole('textbox').press('Enter')
    await thread(alice).getByText('longer than the server takes').waitFor()
    await thread(alice).locator('[data-failed]').getByRole('button', { name: 'Edit' }).click()
    await expect.poll(() => focused(alice)).toBe('composer-general')
    await alice.keyboard.press('Escape')

    await openThread(alice, 'Does it hold?')
    await alice.getByRole('button', { name: 'Close Thread' }).click()
    await expect.poll(() => focused(alice)).toBe('general')
  })

  it('a message that the bell tells of is shown in place of what covers it', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob', NARROW)
    await Promise.all([isHere(alice), isHere(bob)])
    await bob.getByRole('button', { name: '2 here' }).click()
    await write(alice, 'Here, @bob.')
    await bob.getByRole('button', { name: 'Notifications 1 new' }).click()
    await bob.getByRole('button', { name: 'alice named you in general' }).click()
    await message(bob, 'Here, @bob.').waitFor()
  })

  it('the keyboard goes along: to the rooms, and into a room', async () => {
    const alice = await stage().window('alice', { ...NARROW, room: 'workshop' })
    await isHere(alice)
    await expect.poll(() => focused(alice)).toBe('workshop')
    for (const room of ['general', 'tea-kitchen', 'general']) {
      await alice.getByRole('button', { name: 'Rooms' }).focus()
      await alice.keyboard.press('Enter')
      await expect.poll(() => focused(alice)).toBe('Rooms')
      await roomButton(alice, room).focus()
      await alice.keyboard.press('Enter')
      await expect.poll(() => focused(alice)).toBe(room)
    }
  })
})

it('the thread of a history that is gone leaves nothing behind, on a narrow screen and on a wide one', async () => {
  const alice = await stage().window('alice', NARROW)
  const bob = await stage().window('bob')
  await Promise.all([isHere(alice), isHere(bob)])
  await write(alice, 'From alice.')
  await write(bob, 'From bob.')
  await openThread(alice, 'From alice.')
  await openThread(bob, 'From bob.')
  await stage().stopServer('SIGKILL')
  for (const name of readdirSync(stage().data))
    if (name.startsWith('chat.db')) rmSync(join(stage().data, name))
  await stage().startServer()
  for (const page of [alice, bob]) {
    await thread(page).waitFor({ state: 'detached' })
    await composer(page).waitFor()
    await page.getByText('Nobody has written here yet.').waitFor()
    await expect.poll(() => focused(page)).toMatch(/^(composer-)?general$/)
  }
  const room = await bob.locator('.room').boundingBox()
  expect(room && room.x + room.width, 'the right edge of the room').toBe(bob.viewportSize()?.width)
})
