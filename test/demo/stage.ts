// What a scene in a browser needs: the demo's server as a process that can be killed and started again on the same data,
// and windows of a real Chromium, each with a storage of its own, that remember what they complained about.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { afterEach, beforeEach, expect } from 'vitest'
import { CHROMIUM_FLAGS, chromiumPath } from '../support/chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export interface DemoProcess {
  readonly url: string
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** Resolves when the server says that it runs. Port 0: any that is free. */
async function startDemo(data: string, port = 0, more: readonly string[] = []): Promise<DemoProcess> {
  const args = ['packages/demo/server.ts', '--data', data, '--port', String(port), ...more]
  const child = spawn(process.execPath, ['--conditions=source', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      const found = /http:\/\/[^/]+\//.exec(said)
      if (found) resolve(found[0])
    })
    child.once('exit', (code) => reject(new Error(`the demo ended with code ${code}:\n${said}`)))
  })
  return { url, kill: (signal) => kill(child, signal) }
}

async function kill(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  child.kill(signal)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

export class Stage {
  readonly data: string
  /** What the pages complained about, beside a server that is not there. */
  readonly complaints: string[] = []
  readonly browser: Browser
  #demo: DemoProcess

  private constructor(browser: Browser, data: string, demo: DemoProcess) {
    this.browser = browser
    this.data = data
    this.#demo = demo
  }

  /** `options`: more of the demo's command line. */
  static async open(...options: readonly string[]): Promise<Stage> {
    const data = mkdtempSync(join(tmpdir(), 'tautline-demo-'))
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS })
    return new Stage(browser, data, await startDemo(data, 0, options))
  }

  get url(): string {
    return this.#demo.url
  }

  /** A window of its own, as if on another machine. `before` runs in it before anything else. */
  async window(
    user: string,
    options: BrowserContextOptions & { readonly room?: string } = {},
    before = () => {},
  ): Promise<Page> {
    const { room = 'general', ...contextOptions } = options
    const context = await this.browser.newContext({
      viewport: { width: 1200, height: 760 },
      ...contextOptions,
    })
    return this.tab(context, user, room, before)
  }

  /** Another tab of the same browser, which shares its storage with the first. */
  async tab(context: BrowserContext, user: string, room = 'general', before = () => {}): Promise<Page> {
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await page.addInitScript(before)
    page.on('pageerror', (error) => this.complaints.push(`${user}: ${error.message}`))
    page.on('console', (message) => {
      const text = message.text()
      if (
        ['error', 'warning'].includes(message.type()) &&
        !/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(text)
      )
        this.complaints.push(`${user}: ${text}`)
    })
    await page.goto(`${this.url}?user=${user}#${room}`)
    return page
  }

  stopServer(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    return this.#demo.kill(signal)
  }

  /** On the same port, with the same data. */
  async startServer(): Promise<void> {
    this.#demo = await startDemo(this.data, Number(new URL(this.url).port))
  }

  async close(): Promise<void> {
    await this.browser.close()
    await this.#demo.kill('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }
}

/** Another stage for each test of the file, at whose end nothing was complained about. */
export function stageOfEachTest(): () => Stage {
  let stage: Stage
  beforeEach(async () => {
    stage = await Stage.open()
  })
  afterEach(async () => {
    await stage.close()
    expect(stage.complaints).toEqual([])
  })
  return () => stage
}
