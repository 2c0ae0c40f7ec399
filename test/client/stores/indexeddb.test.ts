// The outbox in IndexedDB, over an implementation of it for Node, which keeps its transactions and their order; what
// only a browser has (a crash, the back-forward cache, the disk) is tested in one.

import 'fake-indexeddb/auto'
import type { OutboxScope, OutboxStore, StoredRow } from '@tautline/client'
import { createClient } from '@tautline/client'
import { indexedDb } from '@tautline/client/indexeddb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { transportTo } from '../support/local.ts'
import { laneRow, newScope, type OutboxTab, openTab } from '../support/outbox-tab.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { createVirtualTime } from '../support/virtual-time.ts'

const storage = indexedDb()
const opened: OutboxStore[] = []
const nudge = { settled: [], isChanged: true, isHolder: false } as const

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function open(scope: OutboxScope, from = storage): Promise<OutboxTab> {
  const tab = await openTab(from, scope)
  opened.push(tab.store)
  return tab
}

async function databaseOf({ server, userId }: OutboxScope): Promise<string> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '')
  const found = names.filter((name) =>
    [server, userId].every((part) => name.includes(encodeURIComponent(part))),
  )
  expect(found).toHaveLength(1)
  return found[0]!
}

function openRaw(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('no reason'))
  })
}

/** Rejects where somebody has it open, and keeps it. */
function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onblocked = () => reject(new Error('blocked'))
  })
}

/** All connections that are opened from now on. */
function watchConnections(): readonly IDBDatabase[] {
  const connections: IDBDatabase[] = []
  const { open: real } = IDBFactory.prototype
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
    const request = real.apply(this, args)
    request.addEventListener('success', () => connections.push(request.result))
    return request
  })
  return connections
}

const placesOf = (rows: readonly StoredRow[]) => rows.map(({ messageId, sid, n }) => [messageId, sid, n])

describe('the outbox in IndexedDB', () => {
  it('is there again after everybody left, and its orders go on', async () => {
    const scope = newScope()
    const before = await open(scope)
    const orders = await before.store.add([laneRow('m1'), laneRow('m2', { n: 2 })])
    await before.store.remove(['m2'])
    await before.store.close()
    const after = await open(scope)
    expect(await after.store.list()).toEqual([{ ...laneRow('m1'), order: orders[0] }])
    const [next] = await after.store.add([laneRow('m3', { n: 3 })])
    expect(next).toBeGreaterThan(orders[1]!)
  })

  it('sends what can be read, though there is rubbish beside it, and says so once', async () => {
    const scope = newScope()
    const before = await open(scope)
    const recent = { room: 'den', sid: 'the-lane-before', createdAt: Date.now() }
    await before.store.add([laneRow('message-1', recent), laneRow('message-2', { ...recent, n: 2 })])
    await before.store.close()
    const database = await openRaw(await databaseOf(scope))
    const [name = ''] = Array.from(database.objectStoreNames)
    const rows = database.transaction(name, 'readwrite').objectStore(name)
    const rubbish = [
      {},
      { room: 'den', messageId: 'no-payload' },
      { ...laneRow('no-place', { room: 'den' }), n: 'first' },
      { ...laneRow('no-reason', { room: 'den' }), failed: 'yes' },
      { ...laneRow('no-code', { room: 'den' }), skipFor: { code: 'toString' } },
    ]
    for (const row of rubbish) rows.add(row)
    await new Promise((resolve) => {
      rows.transaction.oncomplete = resolve
    })
    database.close()

    const server = new ScriptedServer()
    const client = createClient({
      url: scope.server,
      userId: scope.userId,
      getToken: () => 'token',
      transport: transportTo(server),
      lifecycle: () => () => {},
      outbox: { store: storage },
    })
    const told: unknown[] = []
    client.on('storage', (change) => told.push(change))
    await client.connect()
    await eventually(() =>
      expect(server.logs.get('den')?.map(({ messageId }) => messageId)).toEqual(['message-1', 'message-2']),
    )
    await client.room('den').send({ content: 'and this' })
    const damage = {
      status: 'opening',
      code: 'FETCH_ERROR',
      detail: '5 of what the store of the outbox holds cannot be read',
    }
    expect(told.filter((change) => (change as { code?: string }).code)).toEqual([damage])
    await client.close()
    expect(await (await open(scope)).store.list()).toHaveLength(rubbish.length)
  })

  it('is another for another user and another server, whatever is in their names', async () => {
    const { userId } = newScope()
    const scopes = [
      { server: 'wss://a/b', userId },
      { server: 'wss://a', userId: `b/${userId}` },
      { server: 'wss://a%2Fb', userId },
      { server: 'wss://a', userId },
    ]
    const tabs = await Promise.all(scopes.map((scope) => open(scope)))
    await Promise.all(tabs.map(({ store }, i) => store.add([laneRow(`m${i}`)])))
    const lists = await Promise.all(tabs.map(({ store }) => store.list()))
    expect(lists.map((rows) => rows.map(({ messageId }) => messageId))).toEqual([
      ['m0'],
      ['m1'],
      ['m2'],
      ['m3'],
    ])
  })

  it('adds all rows of a call, or none', async () => {
    const { store } = await open(newScope())
    await store.add([laneRow('m1')])
    await expect(store.add([laneRow('m2'), laneRow('m1'), laneRow('m3')])).rejects.toThrow('ConstraintError')
    await expect(
      store.add([laneRow('m4'), laneRow('m5', { payload: { content: 'x', metadata: { f() {} } } })]),
    ).rejects.toThrow('DataCloneError')
    expect((await store.list()).map(({ messageId }) => messageId)).toEqual(['m1'])
  })

  it('is strict about everything but what is removed', async () => {
    const { store } = await open(newScope())
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    const durability = () => transaction.mock.calls.splice(0).map(([, , options]) => options?.durability)
    await store.add([laneRow('m1')])
    await store.skip(['m1'], 'CANCELLED')
    await store.renumber('general', 'lane-a', 'lane-b')
    await store.fail('m1', 'CANCELLED')
    await store.clear()
    expect(durability()).toEqual(['strict', 'strict', 'strict', 'strict', 'strict'])
    await store.remove(['m1'])
    expect(durability()).toEqual(['relaxed'])
  })

  it('does what is asked of it in the order in which it is asked, without being waited for', async () => {
    const { store } = await open(newScope())
    const ids = async () => (await store.list()).map(({ messageId }) => messageId)
    const answers = [
      store.add([laneRow('m1')]),
      ids(),
      store.add([laneRow('m2'), laneRow('m3')]),
      store.remove(['m1']),
      ids(),
      store.renumber('general', 'lane-a', 'lane-b').then(placesOf),
      store.clear(),
      ids(),
    ]
    expect(await Promise.all(answers)).toEqual([
      [1],
      ['m1'],
      [2, 3],
      undefined,
      ['m2', 'm3'],
      [
        ['m2', 'lane-b', 1],
        ['m3', 'lane-b', 2],
      ],
      undefined,
      [],
    ])
  })

  it('forgets everything when it is cleared, but never gives an order again', async () => {
    const { store } = await open(newScope())
    const orders = await store.add([laneRow('m1'), laneRow('m2', { n: 2 })])
    await store.clear()
    expect(await store.list()).toEqual([])
    expect((await store.add([laneRow('m1')]))[0]).toBeGreaterThan(orders[1]!)
  })

  it('renumbers undecided rows of one room alone, and only where they are in the lost lane', async () => {
    const { store } = await open(newScope())
    await store.add([
      laneRow('m1', { n: 4 }),
      laneRow('m2', { n: 5 }),
      laneRow('other', { room: 'random', n: 1 }),
      laneRow('m3', { sid: 'lane-c', n: 1 }),
    ])
    await store.fail('m1', 'FORBIDDEN')
    expect(placesOf(await store.renumber('general', 'lane-a', 'lane-b'))).toEqual([
      ['m2', 'lane-b', 1],
      ['m3', 'lane-b', 2],
    ])
    expect(placesOf(await store.renumber('general', 'lane-a', 'lane-d'))).toEqual([
      ['m2', 'lane-b', 1],
      ['m3', 'lane-b', 2],
    ])
    expect(placesOf(await store.list())).toEqual([
      ['m1', 'lane-a', 4],
      ['m2', 'lane-b', 1],
      ['other', 'lane-a', 1],
      ['m3', 'lane-b', 2],
    ])
    expect(await store.renumber('nowhere', 'lane-a', 'lane-b')).toEqual([])
  })
})

describe('tabs that share it', () => {
  it('see what the others write', async () => {
    const scope = newScope()
    const [a, b] = [await open(scope), await open(scope)]
    await a.store.add([laneRow('m1')])
    await b.store.add([laneRow('m2', { sid: 'lane-b' })])
    expect(placesOf(await a.store.list())).toEqual([
      ['m1', 'lane-a', 1],
      ['m2', 'lane-b', 1],
    ])
  })

  it('have one holder, then another when it closes, and are told nothing before they are open', async () => {
    const scope = newScope()
    const a = await open(scope)
    expect(a.held).toEqual([])
    await eventually(() => expect(a.held).toEqual([true]))
    const b = await open(scope)
    await b.store.list()
    expect(b.held).toEqual([])
    await a.store.close()
    await eventually(() => expect(b.held).toEqual([true]))
    expect(a.held).toEqual([true])
  })

  it('steal it from a holder of whom they hear nothing', async () => {
    const scope = newScope()
    const a = await open(scope)
    await eventually(() => expect(a.held).toEqual([true]))
    const b = await open(scope)
    // A stranger to this test may come first in the queue: what counts is who holds in the end.
    await eventually(() => {
      b.store.steal()
      expect(b.held).toEqual([true])
    })
    await eventually(() => expect(a.held).toEqual([true, false]))
  })

  it('tell each other, and nobody else', async () => {
    const scope = newScope()
    const [a, b, c] = [await open(scope), await open(scope), await open(newScope())]
    for (const { held } of [a, c]) await eventually(() => expect(held).toEqual([true]))
    const notice = {
      ...nudge,
      settled: [{ messageId: 'm1', outcome: { status: 'failed', code: 'FORBIDDEN', detail: 'no' } }],
    } as const
    await eventually(() => {
      a.store.tell(notice)
      expect(b.told).toContainEqual(notice)
    })
    expect([a.told, c.told]).toEqual([[], []])
  })

  it('go on alone where there are neither locks nor channels', async () => {
    vi.stubGlobal('navigator', {})
    vi.stubGlobal('BroadcastChannel', undefined)
    const scope = newScope()
    const [a, b] = [await open(scope), await open(scope)]
    await eventually(() => expect([a.held, b.held]).toEqual([[true], [true]]))
    a.store.tell(nudge)
    a.store.steal()
    await a.store.add([laneRow('m1')])
    expect(await b.store.list()).toHaveLength(1)
  })
})

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
