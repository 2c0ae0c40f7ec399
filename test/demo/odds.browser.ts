// What nobody plans for, but everybody does: names that are too long, texts that are too long, texts that run the other
// way, rooms that are closed to one, and windows as narrow as they come.

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { composer, disconnect, isHere, message, offline, roomButton, write } from './scenes.ts'
import { stageOfEachTest } from './stage.ts'

const stage = stageOfEachTest()

const newRoom = async (page: Page, name: string, isPrivate = false) => {
  await page.getByRole('button', { name: 'New room, or join one' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  if (isPrivate) await page.getByRole('checkbox', { name: 'Private' }).check()
  await page.keyboard.press('Enter')
}

const widths = (page: Page, selector: string) =>
  page.locator(selector).evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))

async function fits(page: Page, selector: string): Promise<void> {
  const { scrollWidth, clientWidth } = await widths(page, selector)
  expect(scrollWidth, `the width of what is in ${selector}`).toBeLessThanOrEqual(clientWidth)
}

describe('what does not fit', () => {
  it('is shortened where it is the name of a room: the others stay where they are', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await newRoom(alice, 'w'.repeat(48))
    await roomButton(alice, /^w+$/).waitFor()
    await fits(alice, '.sidebar nav')
  })

  it('is nothing of the header on a screen of 320 pixels, without a connection and with a number at the bell', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob', { viewport: { width: 320, height: 640 } })
    await isHere(alice)
    await isHere(bob)
    await write(alice, 'Here, @bob.')
    await bob.getByRole('button', { name: 'Notifications 1 new' }).waitFor()
    await fits(bob, 'html')
    await disconnect(bob)
    for (let n = 0; n < 12; n++) await write(bob, `${n}.`)
    await bob.getByRole('button', { name: /^Disconnected 12 queued/ }).waitFor()
    await fits(bob, 'html')
    await fits(bob, '.header')
  })
})

describe('a message that was refused', () => {
  it('goes back to where one writes, whole, and what is said instead takes its place', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, `${'long '.repeat(1_000)}and the end`)
    await message(alice, 'long').getByText('longer than the server takes').waitFor()
    expect(await message(alice, 'long').getByRole('button', { name: 'Retry' }).count()).toBe(0)

    // Nobody else has it: the window asks before it closes.
    const asked = alice.waitForEvent('dialog')
    await alice.close({ runBeforeUnload: true })
    expect((await asked).type()).toBe('beforeunload')
    await (await asked).dismiss()

    await message(alice, 'long').getByRole('button', { name: 'Edit' }).click()
    expect(await composer(alice).inputValue()).toBe(`${'long '.repeat(1_000)}and the end`)
    await write(alice, 'Just the end')
    await message(alice, 'Just the end').getByText('acknowledged').waitFor()
    await message(alice, 'long').waitFor({ state: 'detached' })
  })
})

describe('who', () => {
  it('is not let into a room reads why, and what would help', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await newRoom(alice, 'night-shift', true)
    await roomButton(alice, 'night-shift').waitFor()
    await newRoom(bob, 'night-shift')
    await bob
      .getByRole('alert')
      .getByText('night-shift is not open to you. Who is in it can invite you.')
      .waitFor()
  })

  it('makes a private room of a name that is taken reads that, and makes the next one as it was before', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await newRoom(alice, 'night-shift', true)
    await roomButton(alice, 'night-shift').waitFor()
    await alice.getByRole('button', { name: 'New room, or join one' }).click()
    await alice.getByRole('textbox', { name: 'Name' }).fill('general')
    expect(await alice.getByRole('checkbox', { name: 'Private' }).isChecked()).toBe(false)
    await alice.getByRole('checkbox', { name: 'Private' }).check()
    await alice.keyboard.press('Enter')
    await alice.getByRole('alert').getByText('The name general is taken.').waitFor()
  })

  it('was invited gets in by the name of the room, and by its address', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await newRoom(alice, 'night-shift', true)
    await roomButton(alice, 'night-shift').waitFor()
    await alice.getByRole('button', { name: '1 here' }).click()
    await alice.getByRole('textbox', { name: 'Invite somebody' }).fill('bob')
    await alice.keyboard.press('Enter')
    await alice.getByText('bob was invited').waitFor()
    await newRoom(bob, 'night-shift')
    await roomButton(bob, 'night-shift').waitFor()
    await isHere(bob)

    await alice.getByRole('textbox', { name: 'Invite somebody' }).fill('carol')
    await alice.keyboard.press('Enter')
    await alice.getByText('carol was invited').waitFor()
    const carol = await stage().window('carol', { room: 'night-shift' })
    await carol.getByRole('button', { name: 'Join', exact: true }).click()
    await isHere(carol)
  })

  it('comes to a room by its address and is not in it is not told that it is being read', async () => {
    const alice = await stage().window('alice', { room: 'elsewhere' })
    await alice.getByText('You are not in this room').first().waitFor()
    await expect.poll(() => alice.getByText('Reading …').count()).toBe(0)
  })

  it('is not connected is not shown as being here', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    const dot = alice.locator('.me .presence')
    expect(await dot.getAttribute('data-status')).toBe('online')
    await disconnect(alice)
    await expect.poll(() => dot.getAttribute('data-status')).toBe('offline')
  })

  it('writes from right to left sees it run from right to left', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    const direction = (element: Element) => getComputedStyle(element).direction
    await composer(alice).fill('שלום, Alice!')
    expect(await composer(alice).evaluate(direction)).toBe('rtl')
    await composer(alice).press('Enter')
    expect(await message(alice, 'שלום').locator('.content').evaluate(direction)).toBe('rtl')
    await write(alice, 'Hello, שלום!')
    expect(await message(alice, 'Hello').locator('.content').evaluate(direction)).toBe('ltr')
  })

  it('opens a thread can write in it at once', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'Does it hold?')
    await message(alice, 'Does it hold?').getByText('acknowledged').waitFor()
    await message(alice, 'Does it hold?').hover()
    await alice.getByRole('button', { name: 'Thread' }).click()
    const thread = alice.getByRole('region', { name: 'Thread' })
    await thread.waitFor()
    await alice.keyboard.type('For years.')
    await alice.keyboard.press('Enter')
    await thread.getByText('1 answer').waitFor()
  })

  it('has disconnected on purpose is not told that messages go out by themselves', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await disconnect(alice)
    await offline(alice).getByText('What you write is kept and goes out when you connect.').waitFor()
  })
})
