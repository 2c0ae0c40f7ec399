// The panel in a real Chromium, with a real client and a real server: each switch is pressed, the state that it leads to is
// lit, and what was said meanwhile arrives once it is released. With TAUTLINE_SCREENSHOTS=1 its pictures are taken.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@tautline/client'
import type { Devtools } from '@tautline/client/devtools'
import { createServer, memory, type Server, TautlineError } from '@tautline/server'
import axeCore from 'axe-core'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TabStage } from '../support/tab-stage.ts'

declare global {
  var tools: Devtools
  var watched: Client
  var unmount: () => void
  var isBack: Promise<void>
  var axe: typeof axeCore
}

const SOON = { timeout: 60_000, interval: 50 }

let stage: TabStage
let server: Server
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-devtools-'))
  stage = await TabStage.open()
  server = await createServer({
    port: 0,
    auth: {
      verify(token) {
        if (!/^[a-z]+$/.test(token)) throw new TautlineError('INVALID_TOKEN')
        return { userId: token }
      },
    },
    store: memory(),
    logger: false,
  })
})

afterEach(async () => {
  await stage.closeTabs()
  expect(stage.complaints.splice(0)).toEqual([])
})

afterAll(async () => {
  await stage.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A tab with a client in the den, and the panel open. */
async function panel(userId: string, isDocked = true): Promise<Page> {
  const page = await stage.tab()
  await page.setViewportSize({ width: 1200, height: 760 })
  await page.evaluate(
    async ({ user, url, docked }) => {
      globalThis.tools = tautline.devtools()
      globalThis.watched = tools.watch(
        tautline.createClient(
          tools.instrument({
            url,
            userId: user,
            getToken: () => user,
            backoff: { minMs: 100, baseMs: 200, capMs: 1_000 },
            heartbeat: { watchdogMs: 1_500, probeTimeoutMs: 500 },
            ackTimeoutMs: 800,
            connectTimeoutMs: 1_500,
            authenticationTimeoutMs: 1_500,
          }),
        ),
      )
      await watched.connect()
      await watched.room(`den-${user}`).join()
      const place = docked ? undefined : document.body.appendChild(document.createElement('div'))
      globalThis.unmount = tools.mount(place)
    },
    { user: userId, url: server.url as string, docked: isDocked },
  )
  await lit(page, 'connected')
  return page
}

const box = (page: Page, status: string): Locator => page.locator(`.box[data-status="${status}"]`)

async function lit(page: Page, status: string): Promise<void> {
  await expect.poll(() => box(page, status).getAttribute('data-lit'), SOON).toBe('')
  expect(await page.locator('.box[data-lit]').count()).toBe(1)
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const say = (page: Page, content: string) =>
  page.evaluate((text) => void watched.room(`den-${watched.userId}`).send({ content: text }), content)

/** What the den of this test holds, as the server has it. */
async function said(page: Page, userId: string): Promise<string[]> {
  await expect.poll(() => page.evaluate(() => watched.outbox.list().length), SOON).toBe(0)
  const entries = (await server.getEntries(`den-${userId}`, { as: userId })) ?? []
  return entries.flatMap(({ type, payload }) => (type === 'new_message' ? [String(payload['content'])] : []))
}

async function picture(page: Page, name: string): Promise<void> {
  if (process.env['TAUTLINE_SCREENSHOTS'] !== '1') return
  mkdirSync('docs/images', { recursive: true })
  await page.waitForTimeout(400)
  await page.locator('tautline-devtools').screenshot({ path: `docs/images/${name}.png` })
}

const lines = (page: Page) => page.getByRole('tabpanel', { name: /Time line/ }).locator('li')

describe('each switch of the panel', () => {
  it('leads to the state that is lit, and everything arrives once when it is released', async () => {
    const page = await panel('ada')
    await say(page, 'before')

    await press(page, 'Cut')
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
    await lit(page, 'connected')

    await press(page, 'Offline')
    await lit(page, 'waiting')
    await page.getByRole('button', { name: 'Offline', pressed: true }).waitFor()
    await page.getByText(/^waiting: .*next attempt (in \d+\.\d s|now)$/).waitFor()
    await say(page, 'offline')
    await page.getByRole('tab', { name: 'Outbox 1' }).click()
    await page.getByRole('tabpanel').getByText('queued').waitFor()
    await press(page, 'Offline')
    await lit(page, 'connected')
    await page.getByText('Nothing waits.').waitFor()

    await press(page, 'Half-open')
    await say(page, 'half-open')
    await page.getByRole('tab', { name: /Frames/ }).click()
    await page.locator('.frame[data-fate="lost"]').first().waitFor()
    await expect.poll(() => page.evaluate(() => watched.status), SOON).not.toBe('connected')
    await press(page, 'Half-open')
    await lit(page, 'connected')

    await press(page, 'Stall')
    await say(page, 'stall')
    await page.locator('.frame[data-fate="held"]').first().waitFor()
    await press(page, 'Stall')
    await lit(page, 'connected')

    await press(page, 'Refuse token')
    await lit(page, 'stopped')
    await say(page, 'refused')
    await press(page, 'Refuse token')
    await lit(page, 'connected')
    expect(await said(page, 'ada')).toEqual(['before', 'offline', 'half-open', 'stall', 'refused'])
  })

  it('is released when the panel is taken away, which leaves nothing behind', async () => {
    const page = await panel('bob')
    for (const name of ['Stall', 'Half-open', 'Refuse token', 'Offline']) await press(page, name)
    await say(page, 'whatever happens')
    await press(page, 'Close the devtools')
    expect(await page.locator('tautline-devtools').count()).toBe(0)
    expect(await page.evaluate(() => tools.getSnapshot().switches.size)).toBe(0)
    expect(await said(page, 'bob')).toEqual(['whatever happens'])
    // Taken away before it was there, and twice.
    await page.evaluate(() => {
      const take = tools.mount()
      take()
      take()
      unmount()
    })
    expect(await page.locator('tautline-devtools').count()).toBe(0)
  })
})

describe('the panel', () => {
  it('shows every state and every move of the client', async () => {
    const page = await panel('carol')
    expect(await page.locator('.box').count()).toBe(8)
    expect(await page.locator('path.edge').count()).toBe(28)
    await page
      .getByRole('img', { name: 'The connection is connected, came from authenticating by accepted' })
      .waitFor()
  })

  it('shows what others say as text, whatever it is, and hides it so that no copy holds it', async () => {
    const page = await panel('dora')
    await say(page, '<img src=x onerror="document.title = 1"><script>document.title = 2</script>')
    await page.getByRole('tab', { name: /Frames/ }).click()
    await page.getByRole('searchbox', { name: 'Filter' }).fill('send_message')
    // Its answer, which says the same, is not in the list once the filter is drawn.
    const rows = page.locator('summary')
    await expect
      .poll(async () => (await rows.allTextContents()).filter((row) => !row.includes('send_message')), SOON)
      .toEqual([])
    await rows.last().click()
    await page.locator('pre').getByText('<script>').waitFor()
    expect(await page.locator('tautline-devtools img, tautline-devtools script').count()).toBe(0)
    expect(await page.title()).toBe('tab')
    await press(page, 'Hide bodies')
    await page.locator('pre').getByText('The body is hidden.').waitFor()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await press(page, 'Copy text')
    await page.getByText(/^Copied \d+ characters$/).waitFor()
    const text = await page.evaluate(() => navigator.clipboard.readText())
    expect(text).toContain('send_message')
    expect(text).not.toContain('onerror')
  })

  it('gives what is to be copied by hand where the page may not write to the clipboard', async () => {
    const page = await panel('lena')
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    await press(page, 'Copy JSON')
    const area = page.getByRole('textbox', { name: 'The report, to be copied' })
    expect(JSON.parse(await area.inputValue())).toMatchObject({ status: 'connected', outbox: [] })
    await page.getByRole('searchbox', { name: 'Filter' }).focus()
    await area.waitFor({ state: 'detached' })
  })

  it('lets a failed message be tried again or discarded', async () => {
    const page = await panel('emil')
    await say(page, 'long '.repeat(1_100))
    await page.getByRole('tab', { name: 'Outbox 1' }).click()
    await page
      .getByRole('tabpanel', { name: /Outbox/ })
      .getByText(/MESSAGE_TOO_LONG/)
      .waitFor()
    await press(page, 'Retry')
    await page
      .getByRole('tabpanel', { name: /Outbox/ })
      .getByText(/MESSAGE_TOO_LONG/)
      .waitFor()
    await press(page, 'Discard')
    await page.getByText('Nothing waits.').waitFor()
    expect(await page.evaluate(() => watched.outbox.list())).toEqual([])
  })

  it('stands still while it is paused, and is empty when it is cleared', async () => {
    const page = await panel('fred')
    await press(page, 'Pause')
    await press(page, 'Clear')
    await expect.poll(() => lines(page).count(), SOON).toBe(0)
    await page.evaluate(() => {
      globalThis.isBack = new Promise((resolve) =>
        watched.on('status', ({ status }) => status === 'connected' && resolve()),
      )
    })
    await press(page, 'Cut')
    await page.evaluate(() => isBack)
    await lit(page, 'connected')
    expect(await lines(page).count()).toBe(0)
    await press(page, 'Pause')
    await lines(page)
      .filter({ hasText: /goes on; \d+ lines and frames were not recorded/ })
      .waitFor()
  })

  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds fault with, in %s and narrow too',
    async (colorScheme) => {
      const page = await panel(`gina${colorScheme}`)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await say(page, 'hello')
      await press(page, 'Offline')
      await say(page, 'later')
      await page.addScriptTag({ content: axeCore.source })
      const faults = async () => {
        const { violations } = await page.evaluate(() =>
          globalThis.axe.run('tautline-devtools', { resultTypes: ['violations'] }),
        )
        return violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`)
      }
      for (const name of [/Time line/, /Frames/, /Outbox/]) {
        await page.getByRole('tab', { name }).click()
        expect(await faults()).toEqual([])
      }
      await page.setViewportSize({ width: 390, height: 700 })
      expect(await faults()).toEqual([])
      // A check that finds nothing anywhere would be none.
      await page.evaluate(() =>
        document
          .querySelector('tautline-devtools')
          ?.shadowRoot?.querySelector('[role=tablist] button')
          ?.setAttribute('aria-selected', 'oui'),
      )
      expect(await faults()).not.toEqual([])
    },
  )

  it('is used by keys alone, and what it does keeps the focus where it was', async () => {
    const page = await panel('hugo')
    await page.getByRole('tab', { name: /Time line/ }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('tab', { name: /Frames/, selected: true }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('button', { name: 'Stall' }).focus()
    await page.keyboard.press('Space')
    // It was drawn since.
    await page.getByRole('button', { name: 'Stall', pressed: true }).waitFor()
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Stall', pressed: false }).waitFor()
  })

  it('looks the same whatever the style sheets of its page say, and fits where it is put', async () => {
    const page = await panel('ida', false)
    await page.addStyleTag({
      content: `* { color: red !important; font: 40px serif !important; display: none !important; margin: 3px !important; }
        tautline-devtools, button { visibility: hidden !important; transform: rotate(9deg) !important; }
        html, body, body > div { display: block !important; }`,
    })
    const look = await page.getByRole('button', { name: 'Pause' }).evaluate((node) => {
      const { color, fontSize, visibility } = getComputedStyle(node)
      return { color, fontSize, visibility, width: Math.round(node.getBoundingClientRect().width) < 100 }
    })
    expect(look).toEqual({ color: 'rgb(26, 33, 41)', fontSize: '12px', visibility: 'visible', width: true })
    for (const width of [320, 390, 800, 1400]) {
      await page.setViewportSize({ width, height: 700 })
      const isWithin = await page.evaluate(() => {
        const panelNode = document.querySelector('tautline-devtools')?.shadowRoot?.querySelector('.panel')
        const right = panelNode?.getBoundingClientRect().right ?? 0
        return Array.from(panelNode?.querySelectorAll('button, h2, h3, p, svg, input') ?? []).every(
          (node) => node.getBoundingClientRect().right <= right + 1,
        )
      })
      expect(isWithin, `${width} px`).toBe(true)
    }
  })

  it('draws nothing while nobody can see it, and is up to date when it is seen again', async () => {
    const page = await panel('jana', false)
    await page.evaluate(async () => {
      const host = document.querySelector('tautline-devtools') as Element
      const isGone = new Promise<void>((resolve) => {
        new IntersectionObserver((changes) => changes.at(-1)?.isIntersecting || resolve()).observe(host)
      })
      host.parentElement?.style.setProperty('display', 'none')
      // The panel, which observes it for longer, was told before. What it had begun by then is drawn.
      await isGone
      for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    })
    const changes = await page.evaluate(async () => {
      const root = document.querySelector('tautline-devtools')?.shadowRoot
      let count = 0
      if (root)
        new MutationObserver((all) => (count += all.length)).observe(root, {
          subtree: true,
          childList: true,
          attributes: true,
          characterData: true,
        })
      for (let i = 0; i < 50; i++) await watched.room('den-jana').send({ content: `${i}` })
      tools.cut()
      return count
    })
    expect(changes).toBe(0)
    await page.evaluate(() => {
      const place = document.querySelector('tautline-devtools')?.parentElement
      place?.style.removeProperty('display')
    })
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
  })
})

describe('the look', () => {
  it('is that of docs/images', async () => {
    const page = await panel('kim')
    for (let i = 1; i <= 30; i++) await say(page, `Line ${i} of what is said`)
    await press(page, 'Half-open')
    await say(page, 'into the void')
    await lines(page).filter({ hasText: 'connected → waiting' }).first().waitFor()
    await press(page, 'Mend all')
    await lit(page, 'connected')
    await picture(page, 'devtools-light')
    await press(page, 'Offline')
    await say(page, 'meanwhile')
    await say(page, 'and another')
    await page.getByRole('tab', { name: /Outbox/ }).click()
    await page.emulateMedia({ colorScheme: 'dark' })
    await lit(page, 'waiting')
    await picture(page, 'devtools-dark')
    await page.setViewportSize({ width: 390, height: 900 })
    await page.emulateMedia({ colorScheme: 'light' })
    await picture(page, 'devtools-narrow')
  })
})
