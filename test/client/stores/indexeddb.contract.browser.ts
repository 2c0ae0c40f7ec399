// The contract of a store of the outbox, in a real Chromium: each opener is a tab of its own, and a crash is one.

import type { OutboxStore, OutboxStoreEvents } from '@tautline/client'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { describeOutboxStoreContract, type OutboxStoreHarness } from '../../contracts/outbox-store.ts'
import { TabStage } from '../../support/tab-stage.ts'

/** A tab, and how much of what it was told has been handed on. */
interface Tab {
  readonly page: Page
  readonly events: OutboxStoreEvents
  held: number
  told: number
}

let stage: TabStage

beforeAll(async () => {
  stage = await TabStage.open()
})

afterAll(() => stage.close())

describeOutboxStoreContract('in IndexedDB', { isShared: true, canCrash: true }, async () => {
  const tabs: Tab[] = []
  await stage.closeTabs()
  const cleaner = await stage.tab()
  await cleaner.evaluate(async () => {
    for (const { name = '' } of await indexedDB.databases()) indexedDB.deleteDatabase(name)
  })

  /** What happened in the tabs is not told by itself. */
  async function settle(): Promise<void> {
    for (const tab of tabs) {
      const { held, told } = await tab.page.evaluate(async () => {
        // It queues and listens from a later turn on.
        await new Promise((resolve) => setTimeout(resolve))
        await navigator.locks.query()
        return { held: outbox.held, told: outbox.told }
      })
      for (const isHeld of held.slice(tab.held)) tab.events.held(isHeld)
      for (const notice of told.slice(tab.told)) tab.events.told(notice)
      tab.held = held.length
      tab.told = told.length
    }
  }

  const harness: OutboxStoreHarness = {
    storage: () => ({
      async open(scope, events) {
        const page = await stage.tab()
        await page.evaluate(async (whose) => {
          globalThis.outbox = await tautline.openTab(tautline.indexedDb(), whose)
        }, scope)
        tabs.push({ page, events, held: 0, told: 0 })
        return storeIn(page)
      },
    }),
    async crash() {
      await Promise.all(tabs.splice(0).map(({ page }) => stage.crash(page)))
    },
    settle,
    dispose: () => stage.closeTabs(),
  }
  return harness
})

/** The store that the tab has open, from outside. */
function storeIn(page: Page): OutboxStore {
  const call =
    <R>(method: string) =>
    (...args: readonly unknown[]): Promise<R> =>
      page.evaluate(
        ([name, given]) => (outbox.store[name as 'list'] as (...those: unknown[]) => Promise<R>)(...given),
        [method, args] as const,
      )
  return {
    list: call('list'),
    add: call('add'),
    skip: call('skip'),
    fail: call('fail'),
    renumber: call('renumber'),
    remove: call('remove'),
    clear: call('clear'),
    tell: (notice) => void call('tell')(notice),
    steal: () => void call('steal')(),
    close: call('close'),
  }
}
