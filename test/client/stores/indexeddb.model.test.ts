// Two tabs write to one outbox in IndexedDB, in every order that a scheduler can think of, each with several changes under
// way at once. Whatever comes of it is what the store in memory makes of the same changes, one after the other.

import 'fake-indexeddb/auto'
import type { Code, OutboxScope, OutboxStore } from '@tautline/client'
import { indexedDb } from '@tautline/client/indexeddb'
import { memoryStore } from '@tautline/client/memory'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { laneRow, newScope, openTab } from '../support/outbox-tab.ts'
import { holdsInTime } from '../support/property.ts'
import { idle } from '../support/virtual-time.ts'

type Call = (store: OutboxStore, newId: () => string) => Promise<unknown>

interface Step {
  readonly words: string
  readonly call: Call
  /** Whether the tab waits for it before it goes on, for a turn, or not at all. */
  readonly waits: 'for it' | 'a turn' | 'not'
}

/** The likelier, the oftener it stands here. */
const KINDS = [
  ...(['add', 'add', 'add', 'add', 'add', 'skip', 'skip', 'fail', 'fail'] as const),
  ...(['renumber', 'renumber', 'renumber', 'remove', 'list', 'list', 'clear'] as const),
]
const room = fc.constantFrom('general', 'random')
const lane = fc.constantFrom('lane-a', 'lane-b', 'lane-c')
/** Of the first dozen that are added, by whomever. */
const messageId = fc.integer({ min: 1, max: 12 }).map((i) => `m${i}`)
const code = fc.constantFrom<Code>('CANCELLED', 'EXPIRED', 'FORBIDDEN')

const step: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    room,
    lane,
    newLane: lane,
    messageIds: fc.array(messageId, { minLength: 1, maxLength: 3 }),
    count: fc.integer({ min: 1, max: 3 }),
    code,
    waits: fc.constantFrom<Step['waits'][]>('for it', 'a turn', 'not'),
  })
  .map(({ kind, room: id, lane: sid, newLane, messageIds, count, code: why, waits }) => {
    const first = messageIds[0]!
    const calls: Record<typeof kind, Call> = {
      add: (store, newId) =>
        store.add(Array.from({ length: count }, (_, i) => laneRow(newId(), { room: id, sid, n: i + 1 }))),
      skip: (store) => store.skip(messageIds, why),
      fail: (store) => store.fail(first, why),
      renumber: (store) => store.renumber(id, sid, newLane),
      remove: (store) => store.remove(messageIds),
      list: (store) => store.list(),
      clear: (store) => store.clear(),
    }
    return {
      words: [kind, id, sid, newLane, ...messageIds, count, why].join(' '),
      call: calls[kind],
      waits,
    }
  })

const steps = fc.array(step, { minLength: 1, maxLength: 12 })

/** Calls back when a transaction of this connection took effect, in the order in which they did. */
let completed: (connection: IDBDatabase) => void = () => {}

beforeAll(() => {
  const { transaction: real } = IDBDatabase.prototype
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    const transaction = real.apply(this, args)
    transaction.addEventListener('complete', () => completed(this))
    return transaction
  })
})

afterAll(() => {
  vi.restoreAllMocks()
})

async function openWithConnection(scope: OutboxScope): Promise<[OutboxStore, IDBDatabase]> {
  const { store } = await openTab(indexedDb(), scope)
  return new Promise((resolve, reject) => {
    completed = (connection) => resolve([store, connection])
    store.list().catch(reject)
  })
}

it('two tabs at once agree with one in memory', async () => {
  let changes = 0
  await holdsInTime(
    fc.asyncProperty(fc.scheduler(), steps, steps, async (scheduler, ...plans) => {
      const scope = newScope()
      const model = (await openTab(memoryStore(), scope)).store
      const results: Promise<void>[] = []
      let ids = 0

      const stores: OutboxStore[] = []
      const modelled = new Map<IDBDatabase, (() => void)[]>()
      for (const _ of plans) {
        const [store, connection] = await openWithConnection(scope)
        stores.push(store)
        modelled.set(connection, [])
      }
      completed = (connection) => modelled.get(connection)?.shift()?.()
      const queues = Array.from(modelled.values())

      const perform = async ({ call, words, waits }: Step, tab: number): Promise<void> => {
        let [modelIds, ownIds] = [ids, ids]
        const expected = new Promise((resolve) => {
          queues[tab]!.push(() => resolve(call(model, () => `m${++modelIds}`)))
        })
        const actual = call(stores[tab]!, () => `m${++ownIds}`)
        ids = ownIds
        changes++
        const result = (async () => expect(await actual, words).toEqual(await expected))()
        results.push(result)
        result.catch(() => {}) // Looked at in the end.
        if (waits === 'for it') await result
        if (waits === 'a turn') await idle()
      }
      const sequences = plans.map((plan, tab) =>
        scheduler.scheduleSequence(
          plan.map((next) => ({ label: `tab ${tab}: ${next.words}`, builder: () => perform(next, tab) })),
        ),
      )
      await scheduler.waitFor(Promise.all(sequences.map(({ task }) => task)))
      await Promise.all(results)
      for (const store of stores) expect(await store.list()).toEqual(await model.list())
      await Promise.all(stores.map((store) => store.close()))
    }),
  )
  expect(changes).toBeGreaterThan(1_000)
})
