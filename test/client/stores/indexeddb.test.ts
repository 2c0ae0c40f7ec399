// The outbox in IndexedDB: its rows, and the tabs that share it. The implementation for Node keeps its transactions and their
// order; what only a browser has (a crash, the back-forward cache, the disk) is tested in one.

import type { StoredRow } from '@tautline/client'
import { createClient } from '@tautline/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { databaseOf, nudge, open, openRaw, storage, tidyUp } from '../support/indexeddb.ts'
import { transportTo } from '../support/local.ts'
import { laneRow, newScope } from '../support/outbox-tab.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

afterEach(tidyUp)

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
