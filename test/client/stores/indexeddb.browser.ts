// The outbox in IndexedDB in a real Chromium: what no implementation of it for Node has. Tabs that crash, freeze and come
// back from the back-forward cache, a browser that is killed, a disk that is full.

import type { OutboxScope } from '@tautline/client'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TabStage } from '../../support/tab-stage.ts'
import { newScope } from '../support/outbox-tab.ts'

declare global {
  /** What became of what a page began when it froze. */
  var isDone: Promise<string>
}

/** A lock and a channel of tabs take milliseconds; a machine that is busy takes longer. */
const SOON = { timeout: 60_000, interval: 50 }

let stage: TabStage
/** Whose outbox, in each test another's. */
let alice: OutboxScope

beforeAll(async () => {
  stage = await TabStage.open()
})

beforeEach(() => {
  alice = newScope()
})

afterEach(async () => {
  await stage.closeTabs()
  expect(stage.complaints.splice(0)).toEqual([])
})

afterAll(() => stage.close())

async function openOutbox(page: Page, scope: OutboxScope = alice): Promise<void> {
  await page.evaluate(async (whose) => {
    globalThis.outbox = await tautline.openTab(tautline.indexedDb(), whose)
  }, scope)
}

async function tabWithOutbox(scope: OutboxScope = alice): Promise<Page> {
  const page = await stage.tab()
  await openOutbox(page, scope)
  return page
}

function add(page: Page, ...messageIds: readonly string[]): Promise<readonly number[]> {
  return page.evaluate((ids) => outbox.store.add(ids.map((id) => tautline.laneRow(id))), messageIds)
}

function idsIn(page: Page): Promise<string[]> {
  return page.evaluate(async () => (await outbox.store.list()).map(({ messageId }) => messageId))
}

const heldBy = (page: Page) => page.evaluate(() => outbox.held)
const toldTo = (page: Page) => page.evaluate(() => outbox.told)
const lossesOf = (page: Page) => page.evaluate(() => outbox.losses())

describe('rows that were added', () => {
  it('are there after a reload, and their orders go on', async () => {
    const page = await tabWithOutbox()
    const orders = await add(page, 'm1', 'm2')
    await page.reload()
    await openOutbox(page)
    expect(await idsIn(page)).toEqual(['m1', 'm2'])
    expect((await add(page, 'm3'))[0]).toBeGreaterThan(orders[1]!)
  })

  it('are there after the tab crashed', async () => {
    const page = await tabWithOutbox()
    await add(page, 'm1')
    await stage.crash(page)
    expect(await idsIn(await tabWithOutbox())).toEqual(['m1'])
  })

  it('are there after the browser was killed in the moment in which it said so', async () => {
    const page = await tabWithOutbox()
    await add(page, 'm1', 'm2')
    await stage.killBrowser()
    expect(await idsIn(await tabWithOutbox())).toEqual(['m1', 'm2'])
  })

  it('are seen by no other user of this browser', async () => {
    await add(await tabWithOutbox(), 'm1')
    expect(await idsIn(await tabWithOutbox(newScope()))).toEqual([])
    expect(await idsIn(await tabWithOutbox({ ...alice, server: 'wss://other.example/ws' }))).toEqual([])
  })

  it('are all of a call or none, where the disk is full', async () => {
    const page = await stage.tab()
    const devtools = await stage.devtools(page)
    // An origin of its own: the browser goes on for a while with what it knew of the space of another.
    const { origin } = new URL(stage.url().replace('127.0.0.1', 'localhost'))
    await page.goto(origin)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 })
    await openOutbox(page)
    await add(page, 'm1')
    const answer = await page.evaluate(() => {
      // Not to be compressed.
      const words = Array.from({ length: 50_000 }, () => Math.random().toString(36).slice(2))
      const payload = { content: words.join('') }
      const rows = ['m2', 'm3'].map((id) => tautline.laneRow(id, { payload }))
      return outbox.store.add(rows).then(() => 'added', String)
    })
    expect(answer).toContain('cannot be kept in IndexedDB: QuotaExceededError')
    expect(await idsIn(page)).toEqual(['m1'])
  })
})

describe('of several tabs', () => {
  it('one holds the outbox; the next does when it closes', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    expect(await heldBy(b)).toEqual([])
    await a.close()
    await expect.poll(() => heldBy(b), SOON).toEqual([true])
  })

  it('the next holds it when the holder crashes', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    await stage.crash(a)
    await expect.poll(() => heldBy(b), SOON).toEqual([true])
  })

  it('one that leaves the queue is out of it', async () => {
    const [a, b, c] = [await tabWithOutbox(), await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    const waiting = () => a.evaluate(async () => (await navigator.locks.query()).pending?.length)
    await expect.poll(waiting, SOON).toBe(2)
    await b.evaluate(() => outbox.store.close())
    await expect.poll(waiting, SOON).toBe(1)
    await a.evaluate(() => outbox.store.close())
    await expect.poll(() => heldBy(c), SOON).toEqual([true])
  })

  it('one takes it from a holder that hangs', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    const hanging = a.evaluate(() => {
      const end = Date.now() + 3_000
      while (Date.now() < end) {}
    })
    await b.evaluate(() => outbox.store.steal())
    await expect.poll(() => heldBy(b), SOON).toEqual([true])
    await hanging
    await expect.poll(() => heldBy(a), SOON).toEqual([true, false])
    await b.close()
    await expect.poll(() => heldBy(a), SOON).toEqual([true, false, true])
  })

  it('each hears what another tells, and sees what it wrote', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    await add(a, 'm1')
    await a.evaluate(() => {
      const outcome = { status: 'acknowledged', seq: 3, timestamp: 1_750_000_000_000 } as const
      outbox.store.tell({ settled: [{ messageId: 'm0', outcome }], isChanged: true, isHolder: true })
    })
    const outcome = { status: 'acknowledged', seq: 3, timestamp: 1_750_000_000_000 }
    await expect
      .poll(() => toldTo(b), SOON)
      .toEqual([{ settled: [{ messageId: 'm0', outcome }], isChanged: true, isHolder: true }])
    expect(await idsIn(b)).toEqual(['m1'])
    expect(await toldTo(a)).toEqual([])
  })
})

describe('a tab that sleeps', () => {
  it('lets the next hold the outbox, where it is frozen, and queues again when it wakes', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    const { thaw } = await stage.freeze(a)
    await expect.poll(() => heldBy(b), SOON).toEqual([true])
    await add(b, 'm1')
    await thaw()
    await expect.poll(() => heldBy(a), SOON).toEqual([true, false])
    expect(await idsIn(a)).toEqual(['m1'])
    await b.close()
    await expect.poll(() => heldBy(a), SOON).toEqual([true, false, true])
  })

  it('leaves nothing half done in the way of others, where it is frozen in the middle of it, and does it when it wakes', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await add(a, ...Array.from({ length: 50 }, (_, i) => `m${i}`))
    // Begun when it is about to freeze, before anything else hears of that: nothing of it can be done by then.
    await a.evaluate(() => {
      const begin = () => {
        const ids = Array.from({ length: 50 }, (_, i) => `m${i}`)
        const skipping = ids.map((id) => outbox.store.skip([id], 'CANCELLED'))
        const adding = outbox.store.add([tautline.laneRow('last words')])
        return Promise.all([...skipping, adding]).then(() => 'done', String)
      }
      globalThis.isDone = new Promise((resolve) => {
        addEventListener('freeze', () => resolve(begin()), { capture: true, once: true })
      })
    })
    const { thaw } = await stage.freeze(a)
    expect(await add(b, 'of b')).toHaveLength(1)
    const skipped = () =>
      b.evaluate(async () => (await outbox.store.list()).filter(({ skipFor }) => skipFor).length)
    expect(await skipped()).toBeLessThan(50)
    await thaw()
    expect(await a.evaluate(() => isDone)).toBe('done')
    expect(await skipped()).toBe(50)
    expect((await idsIn(a)).slice(50)).toEqual(['of b', 'last words'])
    expect(await lossesOf(a)).toBe(0)
  })

  it('comes back from the back-forward cache as it was, and stood in nobody’s way', async () => {
    const [a, b] = [await tabWithOutbox(), await tabWithOutbox()]
    await expect.poll(() => heldBy(a), SOON).toEqual([true])
    await a.goto(stage.url('/elsewhere'))
    await expect.poll(() => heldBy(b), SOON).toEqual([true])
    await add(b, 'm1')
    await b.evaluate(() => outbox.store.tell({ settled: [], isChanged: true, isHolder: true }))
    await a.goBack({ waitUntil: 'commit' })
    // That it is the same page is what the rest is about: a page that was loaded anew has no outbox.
    await expect.poll(() => a.evaluate(() => typeof outbox), SOON).toBe('object')
    await expect.poll(() => toldTo(a), SOON).toEqual([{ settled: [], isChanged: true, isHolder: false }])
    expect(await idsIn(a)).toEqual(['m1'])
    expect(await add(a, 'm2')).toHaveLength(1)
    await b.close()
    await expect.poll(() => heldBy(a), SOON).toEqual([true, false, true])
    expect(await lossesOf(a)).toBe(0)
  })

  it('does not hinder that the database is deleted, and learns of it when it wakes', async () => {
    const [a, b] = [await tabWithOutbox(), await stage.tab()]
    await add(a, 'm1')
    await a.goto(stage.url('/elsewhere'))
    await deleteDatabases(b)
    await a.goBack({ waitUntil: 'commit' })
    await expect.poll(() => a.evaluate(() => typeof outbox), SOON).toBe('object')
    await expect.poll(() => lossesOf(a), SOON).toBe(1)
  })
})

describe('a store that goes away', () => {
  it('is lost, where another tab deletes it', async () => {
    const [a, b] = [await tabWithOutbox(), await stage.tab()]
    await add(a, 'm1')
    await deleteDatabases(b)
    await expect.poll(() => lossesOf(a), SOON).toBe(1)
    expect(await a.evaluate(() => outbox.store.list().then(() => 'listed', String))).toContain('closed')
  })

  it('is lost, where the user clears what the browser keeps of the site', async () => {
    const page = await tabWithOutbox()
    await add(page, 'm1')
    const devtools = await stage.devtools(page)
    await devtools.send('Storage.clearDataForOrigin', {
      origin: new URL(stage.url()).origin,
      storageTypes: 'all',
    })
    await expect.poll(() => lossesOf(page), SOON).toBe(1)
  })

  it('is not open, where there is no IndexedDB', async () => {
    const page = await stage.tab(() => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }))
    await expect(openOutbox(page)).rejects.toThrow('cannot be kept in IndexedDB: there is none here')
  })
})

/** Resolves when the databases of the origin are deleted: who has one open lets go of it, at once or soon. */
function deleteDatabases(page: Page): Promise<void> {
  return page.evaluate(async () => {
    for (const { name = '' } of await indexedDB.databases())
      await new Promise<void>((resolve) => {
        indexedDB.deleteDatabase(name).onsuccess = () => resolve()
      })
  })
}
