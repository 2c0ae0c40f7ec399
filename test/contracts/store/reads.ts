// The contract of reading: pages of every kind, their bounds, history, heads, and the rights on every read.

import { MAX_PAGE_BYTES } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import {
  ask,
  commit,
  commitAll,
  join,
  leave,
  markRead,
  readPage,
  type StoreHarness,
  send,
} from './harness.ts'

/** A room whose log has ten entries: alice's join and nine messages. */
async function tenEntries(store: Store): Promise<void> {
  await commit(store, join(), ...Array.from({ length: 9 }, (_, i) => send(i + 1)))
}

function seqs(page: { readonly entries: readonly { readonly seq: number }[] }): number[] {
  return page.entries.map((entry) => entry.seq)
}

/** The fingerprint at a position of alice's room. */
async function fingerprintAt(store: Store, seq: number): Promise<string> {
  return (await readPage(store, { after: { seq } })).after.h
}

export function describeReads(open: () => Promise<Store>, harness: () => StoreHarness): void {
  describe('a page', () => {
    it('without a cursor is the newest one', async () => {
      const store = await open()
      await tenEntries(store)
      expect(await readPage(store)).toMatchObject({ after: { seq: 0, h: '' }, head: 10, oldest: 1 })
      const newest = await readPage(store, { maxEntries: 3 })
      expect(seqs(newest)).toEqual([8, 9, 10])
      expect(newest).toMatchObject({
        after: { seq: 7, h: await fingerprintAt(store, 7) },
        head: 10,
        oldest: 1,
      })
      expect(newest).not.toHaveProperty('gap')
    })

    it('begins at the head where no entries are asked for', async () => {
      const store = await open()
      await tenEntries(store)
      const page = await readPage(store, { maxEntries: 0 })
      expect(page).toMatchObject({ after: { seq: 10, h: page.h }, entries: [], head: 10 })
    })

    it('goes on after a cursor, with the payload as it was sent', async () => {
      const store = await open()
      await tenEntries(store)
      const payload = {
        content: 'a "quoted" line\n\u2028 and 😀',
        metadata: { deep: [1, { two: null }], n: 1.5 },
      }
      await commit(store, send(10, { entry: { type: 'new_message', payload } }))
      const page = await readPage(store, { after: { seq: 9 } })
      expect(seqs(page)).toEqual([10, 11])
      expect(page.entries[1]?.payload).toEqual(payload)
      const first = await readPage(store, { after: { seq: 3 }, maxEntries: 2 })
      expect(seqs(first)).toEqual([4, 5])
      expect(seqs(await readPage(store, { after: { seq: 5, h: first.h }, maxEntries: 2 }))).toEqual([6, 7])
    })

    it('is empty at the head', async () => {
      const store = await open()
      await tenEntries(store)
      const { h } = await readPage(store)
      const page = await readPage(store, { after: { seq: 10, h } })
      expect(page).toEqual({ result: 'page', after: { seq: 10, h }, entries: [], h, head: 10, oldest: 1 })
    })

    it('ends where its bytes end, and holds at least one entry', async () => {
      const store = await open()
      await commit(store, join())
      for (const n of [1, 2, 3, 4])
        await commit(store, send(n, { content: '€'.repeat(n === 2 ? 30_000 : 300) }))
      expect(seqs(await readPage(store, { after: { seq: 1 }, maxBytes: 10 }))).toEqual([2])
      expect(seqs(await readPage(store, { after: { seq: 2 } }))).toEqual([3])
      expect(seqs(await readPage(store, { after: { seq: 3 } }))).toEqual([4, 5])
      expect(seqs(await readPage(store, {}))).toEqual([4, 5])
      expect(seqs(await readPage(store, { maxBytes: 10 }))).toEqual([5])
    })

    it('counts bytes as they stand in a frame', async () => {
      const store = await open()
      await tenEntries(store)
      const { entries } = await readPage(store)
      const bytes = Buffer.byteLength(entries.map((entry) => `${JSON.stringify(entry)},`).join(''))
      expect(seqs(await readPage(store, { after: { seq: 0 }, maxBytes: bytes }))).toHaveLength(10)
      expect(seqs(await readPage(store, { after: { seq: 0 }, maxBytes: bytes - 1 }))).toHaveLength(9)
    })

    it.each([
      ['a fingerprint that differs', { seq: 4, h: 'elsewhere' }, 'diverged'],
      ['a fingerprint that differs at the head', { seq: 10, h: 'elsewhere' }, 'diverged'],
      ['a fingerprint where there is none yet', { seq: 0, h: 'elsewhere' }, 'diverged'],
      ['an empty fingerprint after the start', { seq: 1, h: '' }, 'diverged'],
      ['a position beyond the head', { seq: 11 }, 'ahead'],
      ['a position and a fingerprint beyond the head', { seq: 11, h: 'elsewhere' }, 'ahead'],
    ] as const)('is a reset for %s', async (_, after, reason) => {
      const store = await open()
      await tenEntries(store)
      expect(await store.readPage(ask({ after }))).toEqual({ result: 'reset', reason })
    })

    it('compares nothing where the asker does not know the fingerprint', async () => {
      const store = await open()
      await tenEntries(store)
      expect(seqs(await readPage(store, { after: { seq: 4, h: undefined }, maxEntries: 1 }))).toEqual([5])
    })

    it('jumps to the newest entries for one too far behind, and says what it leaves out', async () => {
      const store = await open()
      await tenEntries(store)
      expect(seqs(await readPage(store, { after: { seq: 4 }, maxReplay: 6, maxEntries: 3 }))).toEqual([
        5, 6, 7,
      ])
      const page = await readPage(store, { after: { seq: 3 }, maxReplay: 6, maxEntries: 3 })
      expect(seqs(page)).toEqual([8, 9, 10])
      expect(page.gap).toEqual({ from: 4, to: 7, reason: 'behind' })
      expect(page.after).toEqual({ seq: 7, h: await fingerprintAt(store, 7) })
      // All that is missing fits into one page: nothing is left out.
      const whole = await readPage(store, { after: { seq: 3 }, maxReplay: 6 })
      expect(seqs(whole)).toEqual([4, 5, 6, 7, 8, 9, 10])
      expect(whole).not.toHaveProperty('gap')
    })

    it('begins with what retention has left', async () => {
      const before = await open()
      await tenEntries(before)
      const h = await fingerprintAt(before, 4)
      await before.close()
      await harness().cut('room', 5)
      const store = await open()

      const page = await readPage(store, { after: { seq: 2, h: 'nobody knows' } })
      expect(seqs(page)).toEqual([5, 6, 7, 8, 9, 10])
      expect(page).toMatchObject({
        after: { seq: 4, h },
        oldest: 5,
        gap: { from: 3, to: 4, reason: 'retention' },
      })
      expect(seqs(await readPage(store))).toEqual([5, 6, 7, 8, 9, 10])
      expect(await readPage(store, { after: { seq: 4, h } })).not.toHaveProperty('gap')
      expect(await store.readPage(ask({ after: { seq: 4, h: 'elsewhere' } }))).toEqual({
        result: 'reset',
        reason: 'diverged',
      })
      expect(await commit(store, send(10))).toMatchObject([{ outcome: 'acknowledged', seq: 11 }])
      expect(
        await store.readHistory({ user: 'alice', room: 'room', before: 7, after: undefined, limit: 9 }),
      ).toMatchObject({
        hasOlder: false,
      })
    })

    it('is empty where retention has left nothing', async () => {
      const before = await open()
      await tenEntries(before)
      const { h } = await readPage(before)
      await before.close()
      await harness().cut('room', 11)
      const store = await open()
      expect(await readPage(store)).toMatchObject({ after: { seq: 10, h }, entries: [], oldest: 11 })
      expect(await readPage(store, { after: { seq: 3 } })).toMatchObject({
        gap: { from: 4, to: 10, reason: 'retention' },
      })
    })

    it('begins where the membership begins', async () => {
      const before = await open()
      await tenEntries(before)
      const h = await fingerprintAt(before, 6)
      await before.close()
      await harness().limitReading('room', 'alice', 7)
      const store = await open()

      const page = await readPage(store, { after: { seq: 2 } })
      expect(seqs(page)).toEqual([7, 8, 9, 10])
      expect(page).toMatchObject({
        after: { seq: 6, h },
        oldest: 7,
        gap: { from: 3, to: 6, reason: 'membership' },
      })
      expect(seqs(await readPage(store))).toEqual([7, 8, 9, 10])
      const behind = await readPage(store, { after: { seq: 2 }, maxReplay: 1, maxEntries: 2 })
      expect(seqs(behind)).toEqual([9, 10])
      expect(behind.gap).toEqual({ from: 3, to: 8, reason: 'behind' })
      expect(
        await store.readHistory({
          user: 'alice',
          room: 'room',
          before: undefined,
          after: undefined,
          limit: 9,
        }),
      ).toMatchObject({
        entries: [{ seq: 7 }, { seq: 8 }, { seq: 9 }, { seq: 10 }],
        hasOlder: false,
      })
      expect(
        await store.readHistory({ user: 'alice', room: 'room', before: undefined, after: 0, limit: 2 }),
      ).toMatchObject({ entries: [{ seq: 7 }, { seq: 8 }], hasOlder: false, hasNewer: true })
    })
  })

  it('scrolls back through history, from the newest', async () => {
    const store = await open()
    await tenEntries(store)
    const read = async (before: number | undefined, limit: number, after?: number) => {
      const history = await store.readHistory({ user: 'alice', room: 'room', before, after, limit })
      if (history.result !== 'history') throw new Error('forbidden')
      return [seqs(history), history.at, history.hasOlder, history.hasNewer]
    }
    expect(await read(undefined, 4)).toEqual([[7, 8, 9, 10], 10, true, false])
    expect(await read(7, 4)).toEqual([[3, 4, 5, 6], 10, true, true])
    expect(await read(3, 4)).toEqual([[1, 2], 10, false, true])
    expect(await read(1, 4)).toEqual([[], 10, false, true])
    expect(await read(99, 2)).toEqual([[9, 10], 10, true, false])
    // The one with a beginning above wins.
    expect(await read(7, 2, 3)).toEqual([[5, 6], 10, true, true])
  })

  it('scrolls forth through history, from a position on', async () => {
    const store = await open()
    await tenEntries(store)
    const read = async (after: number, limit: number) => {
      const history = await store.readHistory({
        user: 'alice',
        room: 'room',
        before: undefined,
        after,
        limit,
      })
      if (history.result !== 'history') throw new Error('forbidden')
      return [seqs(history), history.at, history.hasOlder, history.hasNewer]
    }
    expect(await read(0, 4)).toEqual([[1, 2, 3, 4], 10, false, true])
    expect(await read(4, 4)).toEqual([[5, 6, 7, 8], 10, true, true])
    expect(await read(8, 4)).toEqual([[9, 10], 10, true, false])
    expect(await read(10, 4)).toEqual([[], 10, true, false])
    expect(await read(Number.MAX_SAFE_INTEGER, 4)).toEqual([[], 10, true, false])
  })

  it('keeps a piece of history within the bytes of a page', async () => {
    const store = await open()
    const content = 'x'.repeat(Math.floor(MAX_PAGE_BYTES / 2))
    await commit(store, join(), ...[1, 2, 3].map((n) => send(n, { content })))
    const history = await store.readHistory({
      user: 'alice',
      room: 'room',
      before: undefined,
      after: undefined,
      limit: 50,
    })
    expect(history).toMatchObject({ entries: [{ seq: 4 }], hasOlder: true })
    const onwards = await store.readHistory({
      user: 'alice',
      room: 'room',
      before: undefined,
      after: 1,
      limit: 50,
    })
    expect(onwards).toMatchObject({ entries: [{ seq: 2 }], hasOlder: true, hasNewer: true })
  })

  it('tells the heads of the rooms that the user may read, of those asked for', async () => {
    const store = await open()
    const { appended } = await commitAll(store, [
      join(),
      join('bob', 'of-bob'),
      join('alice', 'third'),
      send(1),
    ])
    const heads = await store.readHeads('alice', ['room', 'of-bob', 'nowhere', '~bob', '~bob~carol'])
    expect([...heads]).toEqual([['room', { seq: 2, h: appended[0]?.h }]])
  })

  it('sees every commit that resolved before, and no other', async () => {
    const store = await open()
    await tenEntries(store)
    const pending = store.commit([send(10)], 1)
    await pending
    expect((await readPage(store)).head).toBe(11)
  })

  it.each([
    ['a room that does not exist', 'nowhere', 'alice'],
    ['a room of others', 'room', 'carol'],
    ['a room that one left', 'room', 'bob'],
    ['the own log of another', '~bob', 'alice'],
  ])('answers nothing to a reader of %s', async (_, room, user) => {
    const store = await open()
    await commit(store, join(), join('bob'), send(1), markRead(2), leave('bob'))
    for (const after of [undefined, { seq: 0 }, { seq: 2, h: 'elsewhere' }, { seq: 99 }]) {
      expect(await store.readPage(ask({ room, user, after }))).toEqual({ result: 'forbidden' })
    }
    expect(await store.readHistory({ room, user, before: undefined, after: undefined, limit: 9 })).toEqual({
      result: 'forbidden',
    })
    expect(await store.readHeads(user, [room])).toEqual(new Map())
    expect(await store.readMembers({ user, room, after: undefined, limit: 9 })).toBeUndefined()
    expect(await store.readReceipts(user, room)).toBeUndefined()
  })
}
