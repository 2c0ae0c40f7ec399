// The contract of a store of the outbox: what the core may rely on, wherever the rows are kept. A new store passes it by
// a test file of its own that calls `describeOutboxStoreContract`.

import type {
  LaneRow,
  OutboxNotice,
  OutboxScope,
  OutboxStorage,
  OutboxStore,
  OutboxStoreEvents,
} from '@tautline/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** One empty place for rows. */
export interface OutboxStoreHarness {
  /** As one more tab or process would have it. */
  storage(): OutboxStorage
  /** All who have it open die at this moment, without a word. */
  crash?(): Promise<void>
  /** Who opened it listens and queues, and what is known of what happened since was handed on. */
  settle(): Promise<void>
  dispose(): Promise<void>
}

export interface OutboxStoreTraits {
  /** Whether several may have it open at once. */
  readonly isShared: boolean
  /** Whether the harness can play a crash. */
  readonly canCrash: boolean
}

/** An opened store, and what happened to it. */
interface Opener {
  readonly store: OutboxStore
  readonly held: boolean[]
  readonly told: OutboxNotice[]
}

const SCOPE: OutboxScope = { server: 'wss://chat.example/ws', userId: 'ada' }
const LANE = 'lane-of-this-tab'
const LANE_2 = 'lane-of-that-tab'

function row(n: number, change: Partial<LaneRow> = {}): LaneRow {
  const payload = { content: `number ${n}` }
  const { room = 'den', sid = LANE } = change
  return {
    room,
    type: 'send_message',
    payload,
    messageId: `${room}-${sid}-${n}`,
    bytes: JSON.stringify(payload).length,
    createdAt: 1_784_000_000_000 + n,
    sid,
    n,
    ...change,
  }
}

function rows(from: number, to: number, change: Partial<LaneRow> = {}): LaneRow[] {
  return Array.from({ length: to - from + 1 }, (_, i) => row(from + i, change))
}

const id = (n: number, room = 'den', sid = LANE): string => `${room}-${sid}-${n}`

/** How the rows stand: `den lane-of-this-tab 1`, and what became of them. */
async function places(store: OutboxStore): Promise<string[]> {
  const all = await store.list()
  return all.map(({ room, sid, n, skipFor, failed }) =>
    [
      room,
      sid,
      n,
      ...(skipFor ? [`skip ${skipFor}`] : []),
      ...(failed ? [`failed ${failed.code}`] : []),
    ].join(' '),
  )
}

const place = (n: number, more = '', sid = LANE): string => `den ${sid} ${n}${more}`

export function describeOutboxStoreContract(
  name: string,
  { isShared, canCrash }: OutboxStoreTraits,
  start: () => Promise<OutboxStoreHarness>,
): void {
  describe(`the outbox store ${name}`, () => {
    let harness: OutboxStoreHarness
    let openers: OutboxStore[]
    beforeEach(async () => {
      harness = await start()
      openers = []
    })
    afterEach(async () => {
      await Promise.allSettled(openers.map((store) => store.close()))
      await harness.dispose()
    })

    async function open(scope = SCOPE): Promise<Opener> {
      const held: boolean[] = []
      const told: OutboxNotice[] = []
      const events: OutboxStoreEvents = {
        held: (isHeld) => held.push(isHeld),
        told: (notice) => told.push(notice),
        lost: () => {},
      }
      const store = await harness.storage().open(scope, events)
      openers.push(store)
      return { store, held, told }
    }

    /** The events of others come when they come. */
    async function eventually<T>(read: () => T, expected: T): Promise<void> {
      const settled = async () => {
        await harness.settle()
        return read()
      }
      await expect.poll(settled, { timeout: 60_000, interval: 10 }).toEqual(expected)
    }

    async function opened(added: readonly LaneRow[] = []): Promise<OutboxStore> {
      const { store } = await open()
      if (added.length > 0) await store.add(added)
      return store
    }

    async function reopened(store: OutboxStore): Promise<OutboxStore> {
      await store.close()
      return opened()
    }

    describe('rows', () => {
      it('are none at first', async () => {
        expect(await (await opened()).list()).toEqual([])
      })

      it('come back as they went in, each with its order', async () => {
        const store = await opened()
        const added = [row(1), row(2, { skipFor: 'CANCELLED' })]
        const orders = await store.add(added)
        expect(await store.list()).toEqual(added.map((one, i) => ({ ...one, order: orders[i] })))
      })

      it('are listed in the order of adding, whatever their rooms, lanes and ids', async () => {
        const store = await opened([row(1, { room: 'zoo' }), row(1, { sid: LANE_2 })])
        await store.add([row(1, { room: 'attic' }), row(1)])
        expect(await places(store)).toEqual([
          `zoo ${LANE} 1`,
          `den ${LANE_2} 1`,
          `attic ${LANE} 1`,
          `den ${LANE} 1`,
        ])
      })

      it('have rising orders, also after others went and after the store was opened again', async () => {
        const store = await opened()
        const first = await store.add(rows(1, 3))
        await store.remove([id(3)])
        const second = await store.add(rows(4, 5))
        await store.remove([id(5)])
        const third = await (await reopened(store)).add(rows(6, 7))
        const all = [...first, ...second, ...third]
        expect(all).toEqual(all.toSorted((a, b) => a - b))
        expect(new Set(all).size).toBe(all.length)
      })

      it('are there again after the store was closed and opened', async () => {
        const store = await opened([...rows(1, 3), row(1, { room: 'hall' })])
        await store.fail(id(2), 'FORBIDDEN', 'no')
        await store.skip([id(3)], 'EXPIRED')
        await store.remove([id(1, 'hall')])
        const before = await store.list()
        expect(before).toHaveLength(3)
        expect(await (await reopened(store)).list()).toEqual(before)
      })

      it('hold any text and large bodies', async () => {
        const store = await opened()
        const content = '\u2028\u2029 "\\n" \n line 🧵 ﷽ \u0007 é'
        const large = 'x'.repeat(900_000)
        await store.add([
          row(1, { payload: { content, metadata: { 'key ☃': [null, { nested: [1.5, -0, 1e300] }] } } }),
          row(2, { payload: { content: large } }),
        ])
        const [first, second] = await (await reopened(store)).list()
        expect(first?.payload).toEqual({
          content,
          metadata: { 'key ☃': [null, { nested: [1.5, expect.any(Number), 1e300] }] },
        })
        expect(second?.payload.content).toBe(large)
      })

      it('may be a thousand at once', async () => {
        const store = await opened(rows(1, 1_000))
        const listed = await (await reopened(store)).list()
        expect(listed.map(({ n }) => n)).toEqual(rows(1, 1_000).map(({ n }) => n))
      })

      it('of another user or server are never seen', async () => {
        await opened([row(1)])
        const others = [
          { ...SCOPE, userId: 'bob' },
          { ...SCOPE, server: 'wss://other.example/ws' },
          // A name that is made by joining the two must not be the same for both.
          { server: `${SCOPE.server}a`, userId: 'da' },
        ]
        for (const scope of others) {
          const { store } = await open(scope)
          expect(await store.list()).toEqual([])
          await store.clear()
          await store.close()
        }
        expect(await (openers[0] as OutboxStore).list()).toHaveLength(1)
      })
    })

    describe('calls', () => {
      it('take effect in the order in which they are made', async () => {
        const store = await opened()
        const results = await Promise.all([
          store.add(rows(1, 2)),
          places(store),
          store.remove([id(1)]),
          places(store),
          store.fail(id(2), 'VOID'),
          places(store),
          store.add([row(3)]),
          store.renumber('den', LANE, LANE_2),
          places(store),
          store.clear(),
          places(store),
        ])
        expect(results[1]).toEqual([place(1), place(2)])
        expect(results[3]).toEqual([place(2)])
        expect(results[5]).toEqual([place(2, ' failed VOID')])
        expect(results[8]).toEqual([place(2, ' failed VOID'), place(1, '', LANE_2)])
        expect(results[10]).toEqual([])
      })

      it('pass over rows that are not there', async () => {
        const store = await opened([row(1)])
        await store.skip(['unknown-id'], 'CANCELLED')
        expect(await store.fail('unknown-id', 'VOID')).toBeUndefined()
        await store.remove(['unknown-id'])
        expect(await store.renumber('nowhere', LANE, LANE_2)).toEqual([])
        expect(await places(store)).toEqual([place(1)])
      })

      it('may be of nothing', async () => {
        const store = await opened()
        expect(await store.add([])).toEqual([])
        await store.skip([], 'CANCELLED')
        await store.remove([])
        expect(await store.list()).toEqual([])
      })
    })

    describe('a skip', () => {
      it('marks the rows, and the first reason stays', async () => {
        const store = await opened(rows(1, 3))
        await store.skip([id(1), id(2)], 'CANCELLED')
        await store.skip([id(2), id(3)], 'EXPIRED')
        const expected = [place(1, ' skip CANCELLED'), place(2, ' skip CANCELLED'), place(3, ' skip EXPIRED')]
        expect(await places(store)).toEqual(expected)
        expect(await places(await reopened(store))).toEqual(expected)
      })

      it('leaves a failed row as it is', async () => {
        const store = await opened([row(1)])
        await store.fail(id(1), 'FORBIDDEN')
        await store.skip([id(1)], 'CANCELLED')
        expect(await places(store)).toEqual([place(1, ' failed FORBIDDEN')])
      })
    })

    describe('an outcome', () => {
      it('stays with its row, with the detail, until that is removed', async () => {
        const store = await opened(rows(1, 3))
        await store.fail(id(1), 'VALIDATION_ERROR', 'much too green')
        await store.fail(id(3), 'REJECTED', undefined, 'JOB_NOT_FOUND')
        const again = await reopened(store)
        expect((await again.list()).map(({ failed }) => failed)).toEqual([
          { code: 'VALIDATION_ERROR', detail: 'much too green' },
          undefined,
          { code: 'REJECTED', applicationCode: 'JOB_NOT_FOUND' },
        ])
        await again.remove([id(1), id(3)])
        expect(await places(again)).toEqual([place(2)])
      })

      it('is the first one, which whoever comes later is told', async () => {
        const store = await opened([row(1)])
        const first = { code: 'FORBIDDEN', detail: 'first' }
        expect((await store.fail(id(1), 'FORBIDDEN', 'first'))?.failed).toEqual(first)
        expect((await store.fail(id(1), 'VOID', 'second'))?.failed).toEqual(first)
        expect((await store.list())[0]?.failed).toEqual(first)
      })
    })

    describe('a new lane', () => {
      it('is given to all undecided rows of the room, from place 1, and their order stays', async () => {
        const store = await opened([
          row(4),
          row(1, { sid: LANE_2 }),
          row(5),
          row(1, { room: 'hall' }),
          row(6),
        ])
        await store.fail(id(5), 'FORBIDDEN')
        const before = await store.list()
        const result = await store.renumber('den', LANE, 'lane-that-is-new')
        const after = await store.list()
        expect(result).toEqual(after.filter(({ room, failed }) => room === 'den' && !failed))
        expect(after.map(({ order }) => order)).toEqual(before.map(({ order }) => order))
        const expected = [
          place(1, '', 'lane-that-is-new'),
          place(2, '', 'lane-that-is-new'),
          place(5, ' failed FORBIDDEN'),
          `hall ${LANE} 1`,
          place(3, '', 'lane-that-is-new'),
        ]
        expect(await places(store)).toEqual(expected)
        expect(await places(await reopened(store))).toEqual(expected)
      })

      it('is not given where the oldest undecided row has left the lane before', async () => {
        const store = await opened([row(1), row(1, { sid: LANE_2 })])
        const before = await store.list()
        expect(await store.renumber('den', LANE_2, 'lane-that-is-new')).toEqual(before)
        await store.renumber('den', LANE, 'lane-of-the-first')
        const first = await store.list()
        expect(await store.renumber('den', LANE, 'lane-of-another')).toEqual(first)
        expect(await store.list()).toEqual(first)
      })

      it('does not look at failed rows', async () => {
        const store = await opened([row(1, { sid: LANE_2 }), row(7)])
        await store.fail(id(1, 'den', LANE_2), 'FORBIDDEN')
        expect((await store.renumber('den', LANE_2, 'lane-that-is-new')).map(({ n }) => n)).toEqual([7])
        expect((await store.renumber('den', LANE, 'lane-that-is-new')).map(({ n }) => n)).toEqual([1])
      })

      it('leaves marks and bodies', async () => {
        const store = await opened([row(3, { skipFor: 'CANCELLED' })])
        const [before] = await store.list()
        expect(await store.renumber('den', LANE, LANE_2)).toEqual([{ ...before, sid: LANE_2, n: 1 }])
      })
    })

    it('forgets everything when it is cleared, for good', async () => {
      const store = await opened(rows(1, 3))
      await store.fail(id(2), 'VOID')
      await store.clear()
      expect(await store.list()).toEqual([])
      expect(await (await reopened(store)).list()).toEqual([])
    })

    it('says that it is held, once it is open', async () => {
      const { held } = await open()
      await eventually(() => held, [true])
    })

    it('calls nobody back after it was closed', async () => {
      const one = await open()
      await eventually(() => one.held, [true])
      await one.store.close()
      const two = await open()
      await eventually(() => two.held, [true])
      expect(one.held).toEqual([true])
      expect(one.told).toEqual([])
    })

    it('closes once: a second time does nothing to who opened it since', async () => {
      const store = await opened([row(1)])
      await store.close()
      const { store: next, held } = await open()
      await store.close()
      await eventually(() => held, [true])
      expect(await places(next)).toEqual([place(1)])
      await next.close()
      expect(await places(await opened())).toEqual([place(1)])
    })

    it('does what was asked for before it closes', async () => {
      const store = await opened()
      const added = store.add([row(1)])
      await store.close()
      await added
      expect(await places(await opened())).toEqual([place(1)])
    })

    if (canCrash)
      describe('a crash', () => {
        it('takes nothing that a strict call had answered', async () => {
          const store = await opened(rows(1, 4))
          await store.fail(id(1), 'FORBIDDEN')
          await store.skip([id(2)], 'CANCELLED')
          await store.renumber('den', LANE, LANE_2)
          const before = await places(store)
          await harness.crash?.()
          expect(await places(await opened())).toEqual(before)
        })

        it('takes nothing that was cleared back', async () => {
          const store = await opened(rows(1, 4))
          await store.clear()
          await harness.crash?.()
          expect(await (await opened()).list()).toEqual([])
        })

        it('may bring removed rows back, and takes no other', async () => {
          const store = await opened(rows(1, 3))
          await store.remove([id(2)])
          await harness.crash?.()
          const after = await places(await opened())
          expect(after.filter((one) => one !== place(2))).toEqual([place(1), place(3)])
        })

        it('leaves a store that can be held again', async () => {
          await opened(rows(1, 2))
          await harness.crash?.()
          const { held, store } = await open()
          await eventually(() => held, [true])
          await store.add([row(3)])
          expect(await places(store)).toHaveLength(3)
        })
      })

    if (isShared)
      describe('several who share it', () => {
        async function both(): Promise<[Opener, Opener]> {
          const one = await open()
          await eventually(() => one.held, [true])
          const two = await open()
          await harness.settle()
          return [one, two]
        }

        it('see the same rows, whoever writes', async () => {
          const [{ store: one }, { store: two }] = await both()
          const [first] = await one.add([row(1)])
          const [second] = await two.add([row(1, { sid: LANE_2 })])
          expect(second).toBeGreaterThan(first as number)
          expect(await places(one)).toEqual([place(1), place(1, '', LANE_2)])
          await one.remove([id(1, 'den', LANE_2)])
          await two.fail(id(1), 'FORBIDDEN')
          expect(await places(one)).toEqual([place(1, ' failed FORBIDDEN')])
          expect(await places(two)).toEqual([place(1, ' failed FORBIDDEN')])
        })

        it('have one holder, the first, until it lets go', async () => {
          const [one, two] = await both()
          // Once the second is heard by the first it is known to all.
          two.store.tell({ settled: [], isChanged: true, isHolder: false })
          await eventually(() => one.told.length, 1)
          expect([one.held.at(-1), two.held.at(-1) ?? false]).toEqual([true, false])
          await one.store.close()
          await eventually(() => two.held, [true])
        })

        it('have another one after a steal, and the first is told', async () => {
          const [one, two] = await both()
          two.store.steal()
          await eventually(() => [one.held.at(-1), two.held.at(-1)], [false, true])
          await two.store.close()
          await eventually(() => one.held.at(-1), true)
        })

        it('tell each other, and not themselves', async () => {
          const [one, two] = await both()
          const notice: OutboxNotice = {
            settled: [{ messageId: id(1), outcome: { status: 'acknowledged', seq: 7, timestamp: 9 } }],
            isChanged: true,
            isHolder: true,
          }
          one.store.tell(notice)
          await eventually(() => two.told, [notice])
          expect(one.told).toEqual([])
        })

        it('of another user hear and hold nothing of it', async () => {
          const [one, two] = await both()
          const other = await open({ ...SCOPE, userId: 'bob' })
          await eventually(() => other.held, [true])
          one.store.tell({ settled: [], isChanged: true, isHolder: true })
          await eventually(() => two.told.length, 1)
          expect(other.told).toEqual([])
          expect(one.held).toEqual([true])
        })

        it('give the rows of a room one new lane, though both ask for it', async () => {
          const [{ store: one }, { store: two }] = await both()
          await one.add(rows(3, 5))
          const [first, second] = await Promise.all([
            one.renumber('den', LANE, 'lane-of-the-first'),
            two.renumber('den', LANE, 'lane-of-another'),
          ])
          expect(first).toEqual(second)
          expect(new Set(first.map(({ sid }) => sid)).size).toBe(1)
          expect(first.map(({ n }) => n)).toEqual([1, 2, 3])
        })
      })
  })
}
