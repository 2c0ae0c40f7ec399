// A tab with the chat of test/support/tab-chat.ts in it, from outside. What is asked of it is written into the history of
// its scene before it is asked, for the tab may not live to tell; what it was told, when the test takes its journal.

import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { HistoryEvent } from '../faults/history.ts'
import type { TabChatOptions, TabItem } from '../support/tab-chat.ts'
import type { TabStage } from '../support/tab-stage.ts'

/** A machine that is busy with other things. */
export const SOON = { timeout: 60_000, interval: 25 }

export interface TabOptions
  extends Partial<Pick<TabChatOptions, 'isHosted' | 'outbox' | 'ackTimeoutMs' | 'heartbeat' | 'backoff'>> {
  /** Who signs in. Default: whose browser it is. */
  readonly user?: string | undefined
  /** Where the page is. Default: the stage. */
  readonly url?: string | undefined
  /** Runs in the tab before anything else. */
  readonly before?: (() => void) | undefined
}

/** What a tab has of the scene in which it is. */
export interface TabScene {
  readonly stage: TabStage
  readonly profile: BrowserContext
  readonly history: HistoryEvent[]
  /** Of the tab: what it says has an order of its own. */
  readonly name: string
  readonly chat: Pick<TabChatOptions, 'url' | 'userId' | 'token' | 'room'>
  /** It is there no more. */
  gone(tab: ChatTab): void
}

export interface TabState {
  readonly status: string
  /** Of the room. */
  readonly phase: string
  readonly storage: string
  readonly queued: number
}

export class ChatTab {
  readonly page: Page
  /** What it has put on its connections: contents in their order, once for each attempt. */
  readonly attempts: string[] = []
  readonly #scene: TabScene
  readonly #options: TabOptions
  #loads = 0
  /** Sent by this load. */
  #sent = new Set<string>()

  private constructor(page: Page, scene: TabScene, options: TabOptions) {
    this.page = page
    this.#scene = scene
    this.#options = options
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        for (const [, content] of String(payload).matchAll(/"content":"([^"]*)"/g))
          this.attempts.push(content as string)
      }),
    )
  }

  static async open(scene: TabScene, options: TabOptions): Promise<ChatTab> {
    const page = await scene.stage.tab(options.before, scene.profile)
    const tab = new ChatTab(page, scene, options)
    if (options.url !== undefined) await page.goto(options.url)
    await tab.#enter()
    return tab
  }

  get userId(): string {
    return this.#scene.chat.userId
  }

  /** Opens the chat in a page that was just loaded. */
  async #enter(): Promise<void> {
    this.#loads++
    this.#sent = new Set()
    const { outbox, isHosted, ackTimeoutMs, heartbeat, backoff } = this.#options
    await this.page.evaluate(
      (options) => {
        globalThis.chat = tautline.openChat(options)
      },
      {
        ...this.#scene.chat,
        device: this.#device(),
        ...(outbox && { outbox }),
        ...(isHosted && { isHosted }),
        ...(ackTimeoutMs && { ackTimeoutMs }),
        ...(heartbeat && { heartbeat }),
        ...(backoff && { backoff }),
      },
    )
  }

  #device(): string {
    return `${this.#scene.name}.${this.#loads}`
  }

  /** Who reads in it: by events, and the log from its beginning. */
  readers(): string[] {
    return [this.#device(), `${this.#device()} log`]
  }

  /** Resolves when the outbox has them. */
  async send(...contents: readonly string[]): Promise<void> {
    expect(await this.#say(contents, false)).toEqual([])
  }

  /** What will fail, or may: with the codes of what failed at once. */
  sendInVain(...contents: readonly string[]): Promise<string[]> {
    return this.#say(contents, true)
  }

  async #say(contents: readonly string[], mayFail: boolean): Promise<string[]> {
    const { name: outbox, chat, history } = this.#scene
    const { room, userId: sender } = chat
    for (const content of contents) {
      this.#sent.add(content)
      history.push({ event: 'invoke', outbox, sender, room, content, mayFail })
    }
    const codes = await this.page.evaluate((texts) => globalThis.chat.send(texts), contents)
    return codes.filter((code) => code !== null && code !== undefined)
  }

  state(): Promise<TabState> {
    return this.page.evaluate(() => {
      const { status, storage, queued } = globalThis.chat.client.getSnapshot()
      const { phase } = globalThis.chat.room.getSnapshot()
      return { status, phase, storage, queued }
    })
  }

  outbox(): Promise<string[]> {
    return this.page.evaluate(() => globalThis.chat.client.outbox.list().map(({ content }) => content))
  }

  statuses(): Promise<readonly string[]> {
    return this.page.evaluate(() => globalThis.chat.statuses)
  }

  shown(): Promise<readonly TabItem[]> {
    return this.page.evaluate(() => globalThis.chat.list())
  }

  async takeJournal(): Promise<void> {
    this.#scene.history.push(...(await this.page.evaluate(() => globalThis.chat.takeJournal())))
  }

  /** Whether it will be told what becomes of this. */
  answersFor(content: string): boolean {
    return this.#sent.has(content)
  }

  /** How long it would wait by itself for the next attempt to connect. */
  untilRetryMs(): Promise<number> {
    return this.page.evaluate(() => (globalThis.chat.client.getSnapshot().retryAt ?? 0) - Date.now())
  }

  /** Waits until it is connected and follows the room. */
  async connected(): Promise<this> {
    await expect.poll(() => this.state(), SOON).toMatchObject({ status: 'connected', phase: 'live' })
    return this
  }

  async reload(): Promise<void> {
    await this.takeJournal()
    await this.page.reload()
    await this.#enter()
  }

  async close(): Promise<void> {
    await this.takeJournal()
    this.#scene.gone(this)
    await this.page.close()
  }

  /** Its process ends, without a word. */
  async crash(): Promise<void> {
    this.#scene.gone(this)
    await this.#scene.stage.crash(this.page)
  }

  /** To another page, as by a link; `back` is the way back. What is in the cache of the browser is as it was. */
  async leave(): Promise<void> {
    await this.takeJournal()
    await this.page.goto(this.#scene.stage.url('/elsewhere'))
  }

  async back(): Promise<void> {
    // No document is loaded where the page comes out of the cache.
    await this.page.goBack({ waitUntil: 'commit' })
    await expect.poll(() => this.page.evaluate(() => typeof globalThis.chat), SOON).toBe('object')
  }

  /** Behind this one, which is of the same window: that of the profile on the disk. */
  async freeze({ page: inFront }: ChatTab): Promise<{ thaw(): Promise<void> }> {
    await inFront.bringToFront()
    return this.#scene.stage.freeze(this.page)
  }

  hang(): Promise<{ letGo(): Promise<void> }> {
    return this.#scene.stage.hang(this.page)
  }

  devtools(): Promise<CDPSession> {
    return this.#scene.stage.devtools(this.page)
  }
}
