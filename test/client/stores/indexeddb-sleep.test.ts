// The outbox in IndexedDB of a page that is frozen and wakes: it holds nothing meanwhile, and loses nothing.

import type { OutboxScope, StoredRow } from '@tautline/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { databaseOf, deleteDatabase, nudge, open, tidyUp } from '../support/indexeddb.ts'
import { laneRow, newScope, type OutboxTab } from '../support/outbox-tab.ts'

afterEach(tidyUp)

describe('a page that sleeps', () => {
  async function openOnPage(scope: OutboxScope): Promise<{ tab: OutboxTab; page: EventTarget }> {
    const page = new EventTarget()
    vi.stubGlobal('document', page)
    const tab = await open(scope)
    vi.unstubAllGlobals()
    return { tab, page }
  }

  it('lets go of the lock and of the database, and has both again when it wakes', async () => {
    const scope = newScope()
    const { tab, page } = await openOnPage(scope)
    await eventually(() => expect(tab.held).toEqual([true]))
    await tab.store.add([laneRow('m1')])
    page.dispatchEvent(new Event('freeze'))
    page.dispatchEvent(new Event('freeze'))
    expect(tab.held).toEqual([true, false])
    const other = await open(scope)
    await eventually(() => expect(other.held).toEqual([true]))
    await other.store.add([laneRow('m2', { n: 2 })])
    other.store.tell(nudge)
    expect(tab.told).toEqual([])
    await other.store.close()

    page.dispatchEvent(new Event('resume'))
    page.dispatchEvent(new Event('resume'))
    await eventually(() => expect(tab.held).toEqual([true, false, true]))
    // Once: look at what is there.
    expect(tab.told).toEqual([nudge])
    expect(await tab.store.list()).toHaveLength(2)
    expect(tab.losses()).toBe(0)
  })

  it('stands in nobody’s way, and learns when it wakes that the database is gone', async () => {
    const scope = newScope()
    const { tab, page } = await openOnPage(scope)
    await tab.store.add([laneRow('m1')])
    const name = await databaseOf(scope)
    page.dispatchEvent(new Event('freeze'))
    await deleteDatabase(name)
    expect(tab.losses()).toBe(0)
    page.dispatchEvent(new Event('resume'))
    await eventually(() => expect(tab.losses()).toBe(1))
    expect(tab.told).toEqual([])
    // It did not make an empty one, which would look as if all was delivered.
    expect((await indexedDB.databases()).map((known) => known.name)).not.toContain(name)
  })

  it('finishes what it was at', async () => {
    const scope = newScope()
    const { tab, page } = await openOnPage(scope)
    const adding = tab.store.add([laneRow('m1')])
    page.dispatchEvent(new Event('freeze'))
    expect(await adding).toHaveLength(1)
    // And what its last words need.
    expect(await tab.store.list()).toHaveLength(1)
    page.dispatchEvent(new Event('resume'))
    page.dispatchEvent(new Event('freeze'))
    page.dispatchEvent(new Event('resume'))
    await eventually(() => expect(tab.held.at(-1)).toBe(true))
    expect(await tab.store.list()).toHaveLength(1)
    expect(tab.losses()).toBe(0)
  })

  it('that freezes in the middle does it when it wakes, before what is asked then', async () => {
    const { tab, page } = await openOnPage(newScope())
    await tab.store.add([laneRow('m1'), laneRow('m2')])
    const { get: real } = IDBIndex.prototype
    const later: Promise<readonly StoredRow[]>[] = []
    vi.spyOn(IDBIndex.prototype, 'get').mockImplementationOnce(function (this: IDBIndex, key) {
      page.dispatchEvent(new Event('freeze'))
      page.dispatchEvent(new Event('resume'))
      later.push(tab.store.list())
      return real.call(this, key)
    })
    await Promise.all([tab.store.fail('m1', 'FORBIDDEN'), tab.store.remove(['m2'])])
    const rows = await later[0]!
    expect(rows.map(({ messageId, failed }) => [messageId, failed?.code])).toEqual([['m1', 'FORBIDDEN']])
    expect(tab.losses()).toBe(0)
  })

  it('that freezes once rows are written adds them once, without its doing', async () => {
    const { tab, page } = await openOnPage(newScope())
    const { add: real } = IDBObjectStore.prototype
    const add = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(function (
      this: IDBObjectStore,
      row,
    ) {
      queueMicrotask(() => page.dispatchEvent(new Event('freeze')))
      return real.call(this, row)
    })
    await tab.store.add([laneRow('m1')])
    expect(add).toHaveBeenCalledTimes(1)
    expect(await tab.store.list()).toHaveLength(1)
  })

  it('that sleeps at once takes nothing until it wakes', async () => {
    const scope = newScope()
    const { tab, page } = await openOnPage(scope)
    page.dispatchEvent(new Event('freeze'))
    const other = await open(scope)
    await eventually(() => expect(other.held).toEqual([true]))
    expect(tab.held).toEqual([])
    await other.store.close()
    page.dispatchEvent(new Event('resume'))
    await eventually(() => expect(tab.held).toEqual([true]))
  })

  it('is told nothing more once it is closed', async () => {
    const { tab, page } = await openOnPage(newScope())
    const ended = vi.spyOn(page, 'removeEventListener')
    await eventually(() => expect(tab.held).toEqual([true]))
    await tab.store.close()
    page.dispatchEvent(new Event('freeze'))
    page.dispatchEvent(new Event('resume'))
    await expect(tab.store.list()).rejects.toThrow('closed')
    expect([tab.held, tab.told, tab.losses()]).toEqual([[true], [], 0])
    expect(ended.mock.calls.map(([type]) => type)).toEqual(['freeze', 'resume'])
  })
})
