// The panel in a tab of a real Chromium, with a real client, which is in a den of its own, and a real server; and what is
// pressed, said and looked at in it.

import type { Client, ClientOptions } from '@tautline/client'
import type { Devtools } from '@tautline/client/devtools'
import { createServer, memory, type Server, TautlineError } from '@tautline/server'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { TabStage } from '../../support/tab-stage.ts'

declare global {
  var tools: Devtools
  var watched: Client
  var unmount: () => void
}

/** A machine that is busy with other things. */
export const SOON = { timeout: 60_000, interval: 50 }

/** The element with the panel in it. */
export const PANEL = 'tautline-devtools'

export interface PanelOptions {
  /** At the edge of the page, or else in an element of it. Default true. */
  readonly isDocked?: boolean
  /** Default: a second, which is long enough to be seen. */
  readonly backoff?: ClientOptions['backoff']
}

export interface PanelStage {
  /** Another tab, with a client that is connected and the panel open. */
  panel(userId: string, options?: PanelOptions): Promise<Page>
  /** What the den of this user holds, as the server has it, once nothing waits. */
  said(page: Page, userId: string): Promise<string[]>
}

/** One browser and one server for the tests of the file, at whose ends nothing was complained about. */
export function panelStage(): PanelStage {
  let stage: TabStage
  let server: Server

  beforeAll(async () => {
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
  })

  return {
    async panel(user, { isDocked = true, backoff = { minMs: 1_000, baseMs: 1_000, capMs: 1_000 } } = {}) {
      const page = await stage.tab()
      await page.setViewportSize({ width: 1200, height: 760 })
      const url = server.url as string
      await page.evaluate(openPanel, { user, url, isDocked, backoff })
      await lit(page, 'connected')
      return page
    },
    async said(page, userId) {
      await expect.poll(() => page.evaluate(() => watched.outbox.list().length), SOON).toBe(0)
      const entries = (await server.getEntries(`den-${userId}`, { as: userId })) ?? []
      return entries.flatMap(({ type, payload }) =>
        type === 'new_message' ? [String(payload['content'])] : [],
      )
    },
  }
}

/** In the tab. */
async function openPanel({
  user,
  url,
  isDocked,
  backoff,
}: Required<PanelOptions> & { readonly user: string; readonly url: string }): Promise<void> {
  globalThis.tools = tautline.devtools()
  globalThis.watched = tools.watch(
    tautline.createClient(
      tools.instrument({
        url,
        userId: user,
        getToken: () => user,
        backoff,
        heartbeat: { watchdogMs: 1_500, probeTimeoutMs: 500 },
        ackTimeoutMs: 800,
        connectTimeoutMs: 1_500,
        authenticationTimeoutMs: 1_500,
      }),
    ),
  )
  await watched.connect()
  await watched.room(`den-${user}`).join()
  const place = isDocked ? undefined : document.body.appendChild(document.createElement('div'))
  globalThis.unmount = tools.mount(place)
}

/**
 * Resolves when the box of this status is lit, and no other. It is looked for in each frame of the page from now on, so
 * that nothing that is drawn is missed, however soon the next follows.
 */
export async function lit(page: Page, status: string): Promise<void> {
  await page.waitForFunction(
    ([panel, wanted]) => {
      const boxes = document.querySelector(panel)?.shadowRoot?.querySelectorAll('.box[data-lit]') ?? []
      return Array.from(boxes, (box) => box.getAttribute('data-status')).join() === wanted
    },
    [PANEL, status] as const,
  )
}

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click()

/** In the den, without waiting for what becomes of it. */
export const say = (page: Page, content: string): Promise<void> =>
  page.evaluate((text) => void watched.room(`den-${watched.userId}`).send({ content: text }), content)

/** Of the time line. */
export const lines = (page: Page): Locator => page.getByRole('tabpanel', { name: /Time line/ }).locator('li')
