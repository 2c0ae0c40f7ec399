// How the outbox in IndexedDB ends, or does not begin: it is closed, its database goes away, the browser refuses.

import { indexedDb } from '@tautline/client/indexeddb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import {
  databaseOf,
  deleteDatabase,
  nudge,
  open,
  openRaw,
  tidyUp,
  watchConnections,
} from '../support/indexeddb.ts'
import { laneRow, newScope } from '../support/outbox-tab.ts'
import { createVirtualTime } from '../support/virtual-time.ts'

afterEach(tidyUp)

describe('a store that was closed', () => {
  it('has done what was begun, and does nothing more', async () => {
    const scope = newScope()
    const { store, losses } = await open(scope)
    let isAdded = false
    void store.add([laneRow('m1')]).then(() => {
      isAdded = true
    })
    await store.close()
    expect(isAdded).toBe(true)
    await expect(store.list()).rejects.toThrow('closed')
    await expect(store.add([laneRow('m2')])).rejects.toThrow('closed')
    store.tell(nudge)
    store.steal()
    await store.close()
    expect(losses()).toBe(0)
    expect(await (await open(scope)).store.list()).toHaveLength(1)
  })

  it('is never held, where that is the first thing that happens to it', async () => {
    const scope = newScope()
    const a = await open(scope)
    await a.store.close()
    const b = await open(scope)
    await eventually(() => expect(b.held).toEqual([true]))
    expect(a.held).toEqual([])
  })
})

describe('a store that is being closed', () => {
  it('is not lost any more', async () => {
    const connections = watchConnections()
    const { store, losses } = await open(newScope())
    void store.add([laneRow('m1')])
    const closing = store.close()
    connections[0]!.onclose?.(new Event('close'))
    await closing
    expect(losses()).toBe(0)
  })

  it('hears nothing any more, also of a lock that comes too late', async () => {
    const grants: (() => unknown)[] = []
    const request = (_name: string, _options: unknown, grant: () => unknown) => {
      grants.push(grant)
      return new Promise(() => {})
    }
    vi.stubGlobal('navigator', { locks: { request } })
    const { store, held } = await open(newScope())
    await eventually(() => expect(grants).toHaveLength(1))
    void store.add([laneRow('m1')])
    const closing = store.close()
    grants[0]!()
    await closing
    expect(held).toEqual([])
  })
})

describe('a database that goes away', () => {
  it('is lost, once, where another deletes it, and does not stand in the way', async () => {
    const scope = newScope()
    const tab = await open(scope)
    await tab.store.add([laneRow('m1')])
    await eventually(() => expect(tab.held).toEqual([true]))
    await deleteDatabase(await databaseOf(scope))
    expect(tab.losses()).toBe(1)
    await expect(tab.store.list()).rejects.toThrow('closed')
    // And its lock is free for who comes next.
    const next = await open(scope)
    await eventually(() => expect(next.held).toEqual([true]))
    expect(tab.losses()).toBe(1)
  })

  it('is lost where a newer version of the page wants it, which gets it', async () => {
    const scope = newScope()
    const tab = await open(scope)
    const newer = await openRaw(await databaseOf(scope), 2)
    expect(tab.losses()).toBe(1)
    newer.close()
    await expect(open(scope)).rejects.toThrow('VersionError')
  })

  it('is lost where the browser closes it', async () => {
    const connections = watchConnections()
    const tab = await open(newScope())
    connections[0]!.onclose?.(new Event('close'))
    expect(tab.losses()).toBe(1)
    await expect(tab.store.add([laneRow('m1')])).rejects.toThrow('closed')
  })
})

describe('where IndexedDB refuses', () => {
  it('says so, and is not open: there is none', async () => {
    vi.stubGlobal('indexedDB', undefined)
    await expect(open(newScope())).rejects.toThrow('cannot be kept in IndexedDB: there is none here')
  })

  it('says so, and is not open: it is forbidden', async () => {
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(() => {
      throw new DOMException('not in this frame', 'SecurityError')
    })
    await expect(open(newScope())).rejects.toThrow(
      'cannot be kept in IndexedDB: SecurityError: not in this frame',
    )
  })

  it('says so, and is not open: an older version of the page keeps it', async () => {
    const scope = newScope()
    await (await open(scope)).store.close()
    const name = await databaseOf(scope)
    await deleteDatabase(name)
    const stubborn = await openRaw(name, 1)
    const { open: openReal } = IDBFactory.prototype
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, asked) {
      return openReal.call(this, asked, 2)
    })
    await expect(open(scope)).rejects.toThrow('another tab has it open in an older version')
    // When that tab goes at last, nothing is left half made.
    stubborn.close()
    vi.restoreAllMocks()
    await eventually(async () =>
      expect((await indexedDB.databases()).find((known) => known.name === name)?.version).toBe(1),
    )
  })

  it('says so after five seconds of silence', async () => {
    const time = createVirtualTime()
    vi.spyOn(IDBFactory.prototype, 'open').mockReturnValue(new EventTarget() as IDBOpenDBRequest)
    let answer = 'none'
    const opening = open(newScope(), indexedDb({ scheduler: time.scheduler })).catch((error: unknown) => {
      answer = String(error)
    })
    await time.advance(4_999)
    expect(answer).toBe('none')
    await time.advance(1)
    await opening
    expect(answer).toContain('cannot be kept in IndexedDB: it did not open in 5000 ms')
    expect(time.timers()).toBe(0)
  })

  it('waits no longer once it is open', async () => {
    const time = createVirtualTime()
    const tab = await open(newScope(), indexedDb({ scheduler: time.scheduler }))
    expect(tab.held).toEqual([])
    await time.advance(0)
    expect(time.timers()).toBe(0)
    await eventually(() => expect(tab.held).toEqual([true]))
  })

  it('leaves nothing open, nor made, where it opens after all', async () => {
    const scope = newScope()
    const openReal = vi.spyOn(IDBFactory.prototype, 'open')
    const inATurn = (_ms: number, callback: () => void) => {
      queueMicrotask(callback)
      return () => {}
    }
    const impatient = indexedDb({ scheduler: { ...createVirtualTime().scheduler, after: inATurn } })
    await expect(open(scope, impatient)).rejects.toThrow('did not open')
    const name = openReal.mock.calls[0]![0]
    const made = await openRaw(name)
    expect([...made.objectStoreNames]).toEqual([])
    made.close()
    await deleteDatabase(name)

    await (await open(scope)).store.close()
    await expect(open(scope, impatient)).rejects.toThrow('did not open')
    await deleteDatabase(name)
  })

  it('rejects what does not fit on the disk, and nothing of it is there', async () => {
    const { store } = await open(newScope())
    await store.add([laneRow('m1')])
    const { transaction: real } = IDBDatabase.prototype
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
      const transaction = real.apply(this, args)
      const { add } = IDBObjectStore.prototype
      const rows = transaction.objectStore('rows')
      vi.spyOn(transaction, 'commit').mockReturnValue()
      vi.spyOn(rows, 'add').mockImplementation((row) => {
        const request = add.call(rows, row)
        request.addEventListener('success', () => {
          Object.defineProperty(transaction, 'error', {
            value: new DOMException('full', 'QuotaExceededError'),
          })
          transaction.abort()
        })
        return request
      })
      return transaction
    })
    await expect(store.add([laneRow('m2')])).rejects.toThrow(
      'cannot be kept in IndexedDB: QuotaExceededError',
    )
    vi.restoreAllMocks()
    expect((await store.list()).map(({ messageId }) => messageId)).toEqual(['m1'])
  })
})
