// The demo as a new user tries it, in a real Chromium: two windows, two users, a server that goes away and comes back.
// With TAUTLINE_SCREENSHOTS=1 the pictures of docs/images are taken on the way.

import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Stage } from './stage.ts'

let stage: Stage

beforeEach(async () => {
  stage = await Stage.open()
})

afterEach(async () => {
  await stage.close()
  expect(stage.complaints).toEqual([])
})

const composer = (page: Page) => page.getByRole('textbox', { name: /^Message to/ })
const status = (page: Page) => page.locator('.connection-words')
const typing = (page: Page) => page.locator('.typing')
const people = (page: Page) => page.getByRole('list', { name: 'Here now' })
const bubble = (page: Page, text: string) => page.locator('.message').filter({ hasText: text })

async function isHere(page: Page): Promise<void> {
  await page.locator('.connection[data-mood="good"]').waitFor()
  await people(page).waitFor()
}

async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await composer(page).press('Enter')
}

/** What the log of the page says, in its order. */
const said = (page: Page) => page.locator('.message .content').allTextContents()

/** Waits until the log shows so many messages, and whoever comes too often has time to come. */
async function saidInAll(page: Page, count: number): Promise<string[]> {
  await expect.poll(() => said(page), { timeout: 20_000 }).toHaveLength(count)
  await page.waitForTimeout(300)
  return said(page)
}

async function picture(page: Page, name: string): Promise<void> {
  if (process.env['TAUTLINE_SCREENSHOTS'] !== '1') return
  mkdirSync('docs/images', { recursive: true })
  await page.waitForTimeout(400)
  await page.screenshot({ path: `docs/images/${name}.png` })
}

describe('two windows', () => {
  it('see each other come, type, write and go', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    const bob = await stage.window('bob', { colorScheme: 'dark' })
    await isHere(bob)
    await people(alice).getByText('bob').waitFor()
    await people(bob).getByText('alice').waitFor()

    await composer(bob).pressSequentially('Hel')
    await typing(alice).getByText('bob is typing').waitFor()
    await composer(bob).pressSequentially('lo')
    await composer(bob).press('Enter')
    await bubble(alice, 'Hello').waitFor()
    await expect.poll(() => typing(alice).textContent()).toBe('')
    expect(await bubble(bob, 'Hello').textContent()).toMatch(/acknowledged #\d+/)

    await bob.context().close()
    await people(alice).getByText('bob').waitFor({ state: 'detached', timeout: 15_000 })
  })

  it('count what is unread in the other rooms, and join one by its name', async () => {
    const alice = await stage.window('alice')
    const bob = await stage.window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await bob.getByRole('button', { name: 'tea-kitchen' }).click()
    await write(bob, 'The kettle is on')
    await alice.getByRole('button', { name: 'tea-kitchen 1 unread' }).click()
    await bubble(alice, 'The kettle is on').waitFor()

    await alice.getByRole('textbox', { name: 'Join another room' }).fill('Night shift')
    await alice.keyboard.press('Enter')
    await write(alice, 'Anybody here?')
    expect(await saidInAll(alice, 1)).toEqual(['Anybody here?'])
    await alice.getByRole('button', { name: 'night-shift' }).waitFor()
  })
})

describe('a server that is killed while both write on', () => {
  it('gets everything once and in order when it is back, and so does a reload', async () => {
    const alice = await stage.window('alice')
    const bob = await stage.window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    const own = (name: string) => Array.from({ length: 12 }, (_, n) => `${name} ${n + 1}.`)

    for (const [n, text] of own('alice').entries()) {
      await write(alice, text)
      await write(bob, own('bob')[n] ?? '')
      if (n === 5) await stage.stopServer('SIGKILL')
    }
    await expect.poll(() => status(alice).textContent()).toContain('No connection')
    await alice
      .locator('.connection-figures')
      .getByText(/\d+ queued/)
      .waitFor()
    await bubble(alice, 'alice 12.').getByText('queued').waitFor()

    await stage.startServer()
    const atAlice = await saidInAll(alice, 24)
    const atBob = await saidInAll(bob, 24)
    expect(atBob).toEqual(atAlice)
    expect(atAlice.filter((text) => text.startsWith('alice'))).toEqual(own('alice'))
    expect(atAlice.filter((text) => text.startsWith('bob'))).toEqual(own('bob'))
    await alice.locator('.connection-figures').getByText('nothing queued').waitFor()

    await alice.reload()
    expect(await saidInAll(alice, 24)).toEqual(atAlice)
  })

  it('is said to the user, with a way to try again at once', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    expect(await stage.stopServer('SIGTERM')).toBe(0)
    await expect.poll(() => status(alice).textContent()).toContain('the server does not answer')
    await alice.getByText(/next attempt (in \d+ s|now)/).waitFor()
    await stage.startServer()
    // Where the countdown was faster there is nothing to press any more.
    await alice
      .getByRole('button', { name: 'Try now' })
      .click({ timeout: 1_000 })
      .catch(() => {})
    await isHere(alice)
  })
})

describe('the way of a message', () => {
  it('can be ended by its sender while it is queued, and begun again', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    await alice.getByRole('button', { name: 'Disconnect' }).click()
    await write(alice, 'Not this')
    await bubble(alice, 'Not this').getByRole('button', { name: 'Cancel' }).click()
    await alice.getByRole('button', { name: 'Connect', exact: true }).click()
    await bubble(alice, 'Not this').getByText('you took it back').waitFor()
    await bubble(alice, 'Not this').getByRole('button', { name: 'Retry' }).click()
    await bubble(alice, 'Not this').getByText('acknowledged').waitFor()
    expect(await saidInAll(alice, 1)).toEqual(['Not this'])
  })

  it('ends with the reason where the server refuses it', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    await write(alice, 'long '.repeat(1_001))
    await bubble(alice, 'long').getByText('longer than the server takes').waitFor()
    await bubble(alice, 'long').getByRole('button', { name: 'Discard' }).click()
    await bubble(alice, 'long').waitFor({ state: 'detached' })
  })
})

describe('a window that is closed while there is no server', () => {
  it('loses nothing: it closes without a question, and the next one sends what was written, once and in order', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    await stage.stopServer('SIGKILL')
    const written = ['first.', 'second.', 'third.']
    for (const text of written) await write(alice, text)
    await alice.locator('.connection-figures').getByText('3 queued', { exact: true }).waitFor()
    await bubble(alice, 'third.').getByText('queued').waitFor()
    const isClosed = alice.waitForEvent('close')
    await alice.close({ runBeforeUnload: true })
    await isClosed

    await stage.startServer()
    const again = await alice.context().newPage()
    await again.goto(`${stage.url}?user=alice`)
    await isHere(again)
    await bubble(again, 'third.').getByText('acknowledged').waitFor()
    expect(await saidInAll(again, 3)).toEqual(written)
    await again.locator('.connection-figures').getByText('nothing queued').waitFor()
  })

  it('says so, and asks before it closes, where the browser keeps nothing for it', async () => {
    const alice = await stage.window('alice', {}, () =>
      Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    )
    await isHere(alice)
    await alice.getByRole('button', { name: 'Disconnect' }).click()
    await write(alice, 'first.')
    await alice.locator('.connection-figures').getByText('1 queued, in this window only').waitFor()
    const asked = alice.waitForEvent('dialog')
    await alice.close({ runBeforeUnload: true })
    expect((await asked).type()).toBe('beforeunload')
    await (await asked).dismiss()
    await alice.getByRole('button', { name: 'Connect', exact: true }).click()
    await bubble(alice, 'first.').getByText('acknowledged').waitFor()
  })
})

describe('history', () => {
  it('is read by scrolling up, without a jump', async () => {
    const alice = await stage.window('alice')
    await isHere(alice)
    for (let n = 1; n <= 90; n++) await write(alice, `line ${n}.`)
    await bubble(alice, 'line 90.').getByText('acknowledged').waitFor({ timeout: 20_000 })
    await alice.reload()
    await bubble(alice, 'line 90.').waitFor()
    const before = await said(alice)
    expect(before.length).toBeLessThan(90)

    const first = bubble(alice, before[0] ?? '')
    await alice.getByRole('log').evaluate((log) => {
      log.scrollTop = 0
    })
    await bubble(alice, 'line 20.').waitFor()
    expect(await first.isVisible()).toBe(true)
    const top = await first.evaluate((element) => element.getBoundingClientRect().top)
    expect(top).toBeGreaterThan(0)
    expect(top).toBeLessThan(400)
    await alice.getByRole('log').press('Home')
    expect(await saidInAll(alice, 90)).toEqual(Array.from({ length: 90 }, (_, n) => `line ${n + 1}.`))
    await alice.getByRole('button', { name: 'Newest' }).click()
    await expect.poll(() => bubble(alice, 'line 90.').isVisible()).toBe(true)
  })
})

describe('the look', () => {
  it('is that of docs/images', async () => {
    const alice = await stage.window('alice')
    const bob = await stage.window('bob', { colorScheme: 'dark' })
    await Promise.all([isHere(alice), isHere(bob)])
    const talk: [Page, string][] = [
      [alice, 'Morning! The new line from the quay is in.'],
      [bob, 'Seen it. Does it hold?'],
      [bob, 'The last one slipped when it got wet.'],
      [alice, 'It does. I hung the kettle from it and went away for an hour.'],
      [alice, 'Came back: kettle still there, water hot.'],
      [bob, 'That is all one can ask of a line.'],
    ]
    for (const [n, [page, text]] of talk.entries()) {
      await write(page, text)
      await saidInAll(alice, n + 1)
      await saidInAll(bob, n + 1)
    }
    await bob.getByRole('button', { name: 'workshop' }).click()
    await write(bob, 'Who has the fid?')
    await bob.getByRole('button', { name: 'general' }).click()
    await bob.waitForTimeout(1_600)
    await composer(bob).pressSequentially('And it coils')
    await composer(alice).blur()
    await typing(alice).getByText('bob is typing').waitFor()
    await picture(alice, 'demo-light')
    await picture(bob, 'demo-dark')

    const carol = await stage.window('carol', { viewport: { width: 390, height: 780 } })
    await isHere(carol)
    await saidInAll(carol, talk.length)
    await write(carol, 'May I have the old one?')
    await bubble(carol, 'May I').getByText('acknowledged').waitFor()
    await picture(carol, 'demo-narrow')
    const widest = await carol.evaluate(() => document.documentElement.scrollWidth)
    expect(widest).toBe(390)

    await stage.stopServer('SIGTERM')
    await write(alice, 'Of course. Come by before noon.')
    await write(alice, 'Mind the wet paint on the door.')
    await alice.getByText(/next attempt in \d+ s/).waitFor()
    await picture(alice, 'demo-offline')
  })
})
