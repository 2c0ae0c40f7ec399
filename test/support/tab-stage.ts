// Tabs of one real browser, and the real server that they speak with: the browser can be killed and started again with
// what it had on the disk, the server can go away and come back while the page itself can still be loaded.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { build, defaultClientConditions } from 'vite'
import { type ChromiumProcess, startChromium } from './chromium.ts'

declare global {
  /** Of a page that is frozen: resolves when it goes on. */
  var isAwake: Promise<void>
}

const PAGE =
  '<!doctype html><html><head><title>tab</title><link rel="icon" href="data:,"></head><body><script type="module" src="/page.js"></script></body></html>'

/** A service worker that keeps the page for when there is no network, as an application that works offline has one. */
const workerThatKeeps = (urls: readonly string[]) => `
  addEventListener('install', (event) =>
    event.waitUntil(caches.open('page').then((cache) => cache.addAll(${JSON.stringify(urls)}))))
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('fetch', (event) =>
    event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request))))
`

export class TabStage {
  /** What the pages complained about, beside a server that is not there. */
  readonly complaints: string[] = []
  readonly #folder: string
  readonly #pages: PageServer
  readonly #flags: readonly string[]
  #browser: ChromiumProcess

  private constructor(folder: string, pages: PageServer, browser: ChromiumProcess, flags: readonly string[]) {
    this.#folder = folder
    this.#pages = pages
    this.#browser = browser
    this.#flags = flags
  }

  /** `flags`: of Chromium, beside those that all tests have. */
  static async open(flags: readonly string[] = []): Promise<TabStage> {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-tabs-'))
    const pages = await servePages()
    return new TabStage(folder, pages, await startChromium(join(folder, 'profile'), flags), flags)
  }

  /** Of the test page; another path is another page of the same origin. */
  url(path = '/'): string {
    return `${this.#pages.origin}${path}`
  }

  /** What is kept from one start of the browser to the next, and shared by all tabs that name no other. */
  get profile(): BrowserContext {
    return this.#browser.context
  }

  /** A storage of its own, as another browser would have; forgotten when it is closed. */
  newProfile(): Promise<BrowserContext> {
    return this.#browser.newProfile()
  }

  /** A tab with the test page, where `tautline` is there. `before` runs in it before anything else. */
  async tab(before?: () => void, profile: BrowserContext = this.profile): Promise<Page> {
    const page = await profile.newPage()
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/^WebSocket connection to .* failed/.test(message.text()))
        this.complaints.push(message.text())
    })
    if (before) await page.addInitScript(before)
    await page.goto(this.url())
    return page
  }

  devtools(page: Page): Promise<CDPSession> {
    return page.context().newCDPSession(page)
  }

  /**
   * As the browser does with tabs that nobody looks at: only such a one can be frozen, so that another tab of its window
   * has to be in front. `thaw` resolves when the page has noticed that it slept.
   */
  async freeze(page: Page): Promise<{ thaw(): Promise<void> }> {
    // By the clock: a page that is hidden has no frames.
    await page.waitForFunction(() => document.visibilityState === 'hidden', undefined, { polling: 50 })
    await page.evaluate(() => {
      globalThis.isAwake = new Promise((resolve) => {
        document.addEventListener('resume', () => resolve(), { once: true })
      })
    })
    const devtools = await this.devtools(page)
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    return {
      async thaw() {
        await devtools.send('Page.setWebLifecycleState', { state: 'active' })
        await page.evaluate(() => isAwake)
      },
    }
  }

  /** This tab does nothing else until it is let go, like one whose script runs for too long. */
  async hang(page: Page): Promise<{ letGo(): Promise<void> }> {
    const isHeld = this.#pages.nextHeld()
    const hanging = page.evaluate(() => {
      const request = new XMLHttpRequest()
      // Not asynchronous: nothing else runs in this page until there is an answer.
      request.open('GET', '/held', false)
      request.send()
    })
    const answer = await isHeld
    return {
      async letGo() {
        answer()
        await hanging
      },
    }
  }

  /** The process of this tab ends, without a word; the tab is still to be closed. */
  async crash(page: Page): Promise<void> {
    const isCrashed = page.waitForEvent('crash')
    const devtools = await this.devtools(page)
    devtools.send('Page.crash').catch(() => {}) // Nobody is left to answer.
    await isCrashed
  }

  /** As when the power goes, and comes back. */
  async killBrowser(): Promise<void> {
    await this.#browser.kill()
    this.#browser = await startChromium(join(this.#folder, 'profile'), this.#flags)
  }

  /** One stays, or the browser would end. */
  async closeTabs(): Promise<void> {
    const [first, ...others] = this.#browser.context.pages()
    await Promise.all(others.map((page) => page.close()))
    await first?.goto('about:blank')
  }

  async close(): Promise<void> {
    await this.#browser.kill()
    this.#pages.close()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

interface PageServer {
  readonly origin: string
  /** Resolves when a page asks for `/held`, with how to answer it. */
  nextHeld(): Promise<() => void>
  close(): void
}

async function servePages(): Promise<PageServer> {
  const scripts = new Map(await scriptsOfPage())
  scripts.set('/worker.js', workerThatKeeps(['/', ...scripts.keys()]))
  let held: (answer: () => void) => void = () => {}
  const server = createHttpServer(({ url }, response) => {
    if (url === '/held') return held(() => response.end())
    const script = scripts.get(url ?? '')
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? PAGE)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nextHeld: () =>
      new Promise((resolve) => {
        held = resolve
      }),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

let built: Promise<ReadonlyMap<string, string>> | undefined

/** The sources of the packages, bundled as an application would: `/page.js`, and what it loads later. */
function scriptsOfPage(): Promise<ReadonlyMap<string, string>> {
  built ??= (async () => {
    const entry = fileURLToPath(new URL('./tab-page.ts', import.meta.url))
    const result = await build({
      configFile: false,
      logLevel: 'warn',
      resolve: { conditions: ['source', ...defaultClientConditions] },
      build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'page' } },
    })
    const [output] = [result].flat()
    if (!output || !('output' in output)) throw new Error('the test page was not built')
    return new Map(
      output.output.flatMap((file) => ('code' in file ? [[`/${file.fileName}`, file.code]] : [])),
    )
  })()
  return built
}
