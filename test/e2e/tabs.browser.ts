// Tabs of one user in one real browser, with one outbox in IndexedDB, against the real server: whatever happens to tabs,
// browser and server, what was queued is in the room once, in the order in which it was queued.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient, type Sent } from '@tautline/client'
import { history } from '@tautline/client/history'
import { createServer, type Server, sqlite } from '@tautline/server'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TabStage } from '../support/tab-stage.ts'

declare global {
  /** The client that a tab has, in the tab. */
  var chat: Client
}

/** A tab that hears nothing of the holder for 5 s takes its place; then the message is on its way. */
const TAKEN_OVER = { timeout: 10_000, interval: 100 }
/** A machine that is busy with other things. */
const SOON = { timeout: 20_000, interval: 100 }

let stage: TabStage
let folder: string
let server: Server | undefined
let port = 0
let url: string
let tests = 0
/** In each test others. */
let alice: string
let room: string
/** What each tab has put on its connection: contents, in their order, once for each attempt. */
const attempts = new Map<Page, string[]>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-tabs-'))
  stage = await TabStage.open()
  await startServer()
})

beforeEach(async () => {
  tests++
  alice = `alice${tests}`
  room = `room${tests}`
  if (!server) await startServer()
  await beMember(alice)
})

afterEach(async () => {
  await stage.closeTabs()
  expect(stage.complaints.splice(0)).toEqual([])
})

afterAll(async () => {
  await stage.close()
  await stopServer()
  rmSync(folder, { recursive: true, force: true })
})

// ── The server, and what it has ─────────────────────────────────────────────────────────────────────────────────────

async function startServer(): Promise<void> {
  server = await createServer({
    port,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    limits: { messagesPerSecond: 1_000, messageBurst: 1_000 },
    logger: false,
  })
  port = server.port as number
  url = server.url as string
}

async function stopServer(): Promise<void> {
  await server?.close()
  server = undefined
}

async function withClient<T>(userId: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ url, userId, getToken: () => userId })
  try {
    await client.connect()
    return await act(client)
  } finally {
    await client.close()
  }
}

function beMember(userId: string): Promise<void> {
  return withClient(userId, (client) => client.room(room).join())
}

/** What the room says, from its beginning. */
function logOfRoom(): Promise<string[]> {
  return withClient('reader', async (client) => {
    await client.room(room).join()
    const { messages } = await history(client.room(room), { after: 0, limit: 100 })
    return messages.map(({ content }) => content)
  })
}

/** All of it, once, in this order; and nothing comes after it. */
async function expectLog(contents: readonly string[], within = SOON): Promise<void> {
  await expect.poll(logOfRoom, within).toEqual(contents)
  await expect.poll(() => Promise.all(Array.from(attempts.keys(), queuedIn)), SOON).not.toContain(true)
  expect(await logOfRoom()).toEqual(contents)
}

// ── Tabs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function chatTab(userId = alice, before?: () => void): Promise<Page> {
  const page = await stage.tab(before)
  listenToSocket(page)
  await signIn(page, userId)
  return page
}

/** Also where there is no server: it tries until there is one. */
function signIn(page: Page, userId = alice): Promise<void> {
  return page.evaluate(
    (options) => {
      const { userId: token } = options
      const backoff = { capMs: 1_000 }
      const outbox = { store: tautline.indexedDb() }
      globalThis.chat = tautline.createClient({ ...options, getToken: () => token, backoff, outbox })
      chat.connect().catch(() => {}) // The tab may end first.
    },
    { url, userId },
  )
}

function listenToSocket(page: Page): void {
  const said: string[] = []
  attempts.set(page, said)
  page.once('close', () => attempts.delete(page))
  page.once('crash', () => attempts.delete(page))
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      for (const [, content] of String(payload).matchAll(/"content":"([^"]*)"/g)) said.push(content as string)
    }),
  )
}

/** Resolves when the outbox has them. */
function send(page: Page, ...contents: readonly string[]): Promise<void> {
  return page.evaluate(
    async ({ id, texts }) => {
      const queued = (sent: Sent) =>
        new Promise<void>((resolve) => {
          const look = () => sent.status !== 'saving' && resolve()
          sent.subscribe(look)
          look()
        })
      await Promise.all(texts.map((content) => queued(chat.room(id).send({ content }))))
    },
    { id: room, texts: contents },
  )
}

const isConnected = (page: Page) => page.evaluate(() => chat.status === 'connected')
const storageOf = (page: Page) => page.evaluate(() => chat.getSnapshot().storage)
const queuedIn = (page: Page) => page.evaluate(() => chat.getSnapshot().queued > 0)
const outboxOf = (page: Page) => page.evaluate(() => chat.outbox.list().map(({ content }) => content))

function numbered(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, i) => `m${from + i}`)
}

/** The tab that sends what all of them queue. */
async function holderOf(...tabs: readonly Page[]): Promise<Page> {
  const [tab] = tabs
  await expect.poll(() => Promise.all(tabs.map(isConnected)), SOON).not.toContain(false)
  await send(tab!, 'who sends')
  await expect.poll(logOfRoom, SOON).toEqual(['who sends'])
  return tabs.find((page) => attempts.get(page)?.includes('who sends'))!
}

describe('what was queued without a connection', () => {
  it('goes out after a reload, once and in order, and is seen until then', async () => {
    await stopServer()
    const page = await chatTab()
    await send(page, ...numbered(20))
    expect(await storageOf(page)).toBe('durable')
    await page.reload()
    await signIn(page)
    await expect.poll(() => outboxOf(page), SOON).toEqual(numbered(20))
    await startServer()
    await expectLog(numbered(20))
    await expect.poll(() => outboxOf(page), SOON).toEqual([])
  })

  it('goes out after the tab crashed', async () => {
    await stopServer()
    const page = await chatTab()
    await send(page, ...numbered(5))
    await stage.crash(page)
    await startServer()
    await chatTab()
    await expectLog(numbered(5))
  })

  it('goes out after the browser was killed', async () => {
    await stopServer()
    await send(await chatTab(), ...numbered(5))
    await stage.killBrowser()
    attempts.clear()
    await startServer()
    await chatTab()
    await expectLog(numbered(5))
  })

  it('is nobody else’s: who signs in next in this browser neither sends nor sees it', async () => {
    await stopServer()
    const page = await chatTab()
    await send(page, ...numbered(3))
    await page.close()
    await startServer()
    await beMember('bob')
    const other = await chatTab('bob')
    await send(other, 'of bob')
    await expectLog(['of bob'])
    expect(await outboxOf(other)).toEqual([])
    expect(attempts.get(other)).toEqual(['of bob'])
    await chatTab()
    await expectLog(['of bob', ...numbered(3)])
  })
})

describe('what was queued just before the tab crashed', () => {
  it('goes out once, whatever of it was on its way', async () => {
    const page = await chatTab()
    await expect.poll(() => isConnected(page), SOON).toBe(true)
    await send(page, ...numbered(30))
    await stage.crash(page)
    await chatTab()
    await expectLog(numbered(30))
  })
})

describe('two tabs', () => {
  it('that write in turns have one order, and one of them sends it all', async () => {
    await stopServer()
    const tabs = [await chatTab(), await chatTab()]
    const contents = numbered(40)
    const write = async (from: number, to: number) => {
      for (let i = from; i < to; i++) await send(tabs[i % 2]!, contents[i]!)
    }
    await write(0, 20)
    await startServer()
    await write(20, 40)
    await expectLog(contents)
    for (const page of tabs) expect(await outboxOf(page)).toEqual([])
    const said = tabs.map((page) => attempts.get(page))
    expect(said).toContainEqual([])
    expect(said).toContainEqual(contents)
  })

  it('go on as one when the one that sends is closed', async () => {
    const tabs = [await chatTab(), await chatTab()]
    const holder = await holderOf(...tabs)
    const other = tabs.find((page) => page !== holder)!
    await send(other, 'm1')
    await holder.close()
    await send(other, 'm2')
    await expectLog(['who sends', 'm1', 'm2'], TAKEN_OVER)
  })

  it('go on as one when the one that sends is frozen, and when it wakes', async () => {
    const tabs = [await chatTab(), await chatTab()]
    const holder = await holderOf(...tabs)
    const other = tabs.find((page) => page !== holder)!
    const devtools = await stage.devtools(holder)
    await send(holder, 'm1')
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    await send(other, 'm2', 'm3')
    await expect.poll(logOfRoom, TAKEN_OVER).toEqual(['who sends', 'm1', 'm2', 'm3'])
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await send(holder, 'm4')
    await send(other, 'm5')
    await expectLog(['who sends', 'm1', 'm2', 'm3', 'm4', 'm5'])
  })

  it('go on as one when the one that sends hangs, and when it comes to itself', async () => {
    const tabs = [await chatTab(), await chatTab()]
    const holder = await holderOf(...tabs)
    const other = tabs.find((page) => page !== holder)!
    const hanging = holder.evaluate(() => {
      const end = Date.now() + 15_000
      while (Date.now() < end) {}
    })
    await send(other, 'm1', 'm2')
    await expect.poll(logOfRoom, TAKEN_OVER).toEqual(['who sends', 'm1', 'm2'])
    await hanging
    await send(holder, 'm3')
    await expectLog(['who sends', 'm1', 'm2', 'm3'])
  })
})

describe('without IndexedDB', () => {
  it('the outbox is in memory, and says so', async () => {
    const page = await chatTab(alice, () =>
      Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    )
    await send(page, ...numbered(3))
    await expectLog(numbered(3))
    expect(await storageOf(page)).toBe('lost')
  })

  it('that a tab had and lost, it goes on in memory', async () => {
    await stopServer()
    const page = await chatTab()
    await send(page, ...numbered(3))
    expect(await storageOf(page)).toBe('durable')
    const other = await stage.tab()
    await other.evaluate(async () => {
      for (const { name = '' } of await indexedDB.databases()) indexedDB.deleteDatabase(name)
    })
    await expect.poll(() => storageOf(page), SOON).toBe('lost')
    await send(page, 'm4')
    await startServer()
    await expectLog(numbered(4))
  })
})
