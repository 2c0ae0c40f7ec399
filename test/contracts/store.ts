// The contract of a store: what the server may rely on, whatever the database. A new store passes it by a test file of
// its own that calls `describeStoreContract`, and is then as good as the others (faults of its database apart).

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../packages/server/src/core/store.ts'
import { describeChanges } from './store/changes.ts'
import { describeDirectRooms } from './store/direct-rooms.ts'
import {
  ack,
  ackAgain,
  commit,
  failed,
  join,
  markRead,
  membersOf,
  NOW,
  readLog,
  readPage,
  type StoreHarness,
  send,
} from './store/harness.ts'
import { describeInvitations } from './store/invitations.ts'
import { describeLanes } from './store/lanes.ts'
import { describeLastMessages } from './store/last-messages.ts'
import { describeMembers } from './store/members.ts'
import { describeMessages } from './store/messages.ts'
import { describeNotices } from './store/notices.ts'
import { describePeople } from './store/people.ts'
import { describeReads } from './store/reads.ts'
import { describeRooms } from './store/rooms.ts'
import { describeSystem } from './store/system.ts'
import { describeThreads } from './store/threads.ts'
import { describeUnread } from './store/unread.ts'
import { describeVersions } from './store/versions.ts'

export type { StoreHarness } from './store/harness.ts'

/** `start` makes an empty database for one test. */
export function describeStoreContract(name: string, start: () => Promise<StoreHarness>): void {
  describe(`the store ${name}`, () => {
    let harness: StoreHarness
    let opened: Store[]
    beforeEach(async () => {
      harness = await start()
      opened = []
    })
    afterEach(async () => {
      await Promise.all(opened.map((store) => store.close()))
      await harness.dispose()
    })
    const open = async () => {
      const store = await harness.open()
      opened.push(store)
      return store
    }

    describe('decides commands in their lanes:', () => describeLanes(open))
    describe('keeps membership:', () => describeMembers(open, () => harness))
    describe('counts what is unread in all rooms:', () => describeUnread(open, () => harness))
    describe('makes and opens rooms:', () => {
      describeRooms(open)
      describeInvitations(open)
      describeDirectRooms(open)
      describeSystem(open)
    })
    describe('changes messages:', () => describeMessages(open))
    describe('changes rooms:', () => describeChanges(open))
    describe('tells the newest message of rooms:', () => describeLastMessages(open, () => harness))
    describe('keeps who follows a thread, which', () => describeThreads(open))
    describe('keeps versions, which', () => describeVersions(open))
    describe('knows users:', () => describePeople(open, () => harness))
    describe('answers reads:', () => describeReads(open, () => harness))
    describe('keeps notifications:', () => describeNotices(open))
    describe('commits:', () => describeCommits(open))
  })
}

function describeCommits(open: () => Promise<Store>): void {
  it('takes overlapping commits in the order of the calls', async () => {
    const store = await open()
    const settled: number[] = []
    const batches = Array.from({ length: 20 }, (_, i) => (i === 0 ? [join()] : [send(i)]))
    const results = await Promise.all(
      batches.map(async (ops, index) => {
        const result = await store.commit(ops, NOW)
        settled.push(index)
        return result
      }),
    )
    expect(results.flatMap((result) => result.outcomes).slice(1)).toEqual(
      Array.from({ length: 19 }, (_, i) => ack(i + 2)),
    )
    expect(settled).toEqual(settled.map((_, index) => index))
    expect((await readLog(store)).at(-1)).toBe('20 message-19')
  })

  it('settles after the call returned, never within it', async () => {
    const store = await open()
    let returned = false
    const settled = store.commit([join()], NOW).then(() => returned)
    returned = true
    expect(await settled).toBe(true)
  })

  it('takes a batch of nothing', async () => {
    const store = await open()
    expect(await store.commit([], NOW)).toEqual({ outcomes: [], appended: [] })
  })

  it('refuses with INTERNAL_ERROR the one operation whose row cannot be kept, as if it had not been', async () => {
    const store = await open()
    const payload = { content: 'x', metadata: { circular: {} } }
    payload.metadata.circular = payload
    await commit(store, join(), join('bob'))
    expect(
      await commit(
        store,
        send(1),
        send(2, { entry: { type: 'new_message', payload } }),
        send(3),
        send(1, { user: 'bob' }),
      ),
    ).toEqual([ack(3), failed('INTERNAL_ERROR'), failed('GAP'), ack(4)])
    expect(await commit(store, send(2), send(3))).toEqual([ack(5), ack(6)])
  })

  it('finds everything again when it is opened again', async () => {
    const first = await open()
    await commit(
      first,
      join(),
      join('bob'),
      send(1),
      send(2),
      send(1, { room: 'nowhere', messageId: 'message-x' }),
      markRead(3),
    )
    const page = await readPage(first)
    await first.close()

    const second = await open()
    expect(second.epoch).toBe(first.epoch)
    expect(await readPage(second)).toEqual(page)
    expect(await membersOf(second)).toHaveLength(2)
    expect(await second.readReceipts('bob', 'room')).toMatchObject({
      positions: [{ userId: 'alice', seq: 4, timestamp: NOW }],
      own: { seq: 0, head: 4, unread: 2 },
    })
    expect(
      await commit(
        second,
        send(2),
        send(4),
        send(3),
        send(1, { room: 'nowhere', messageId: 'message-x' }),
        markRead(2),
      ),
    ).toEqual([
      ackAgain(4),
      failed('GAP'),
      ack(5),
      failed('VOID'),
      { outcome: 'read', seq: 5, timestamp: NOW, head: 5, unread: 0 },
    ])
  })

  it('names its logs with an epoch that fits on the wire', async () => {
    expect((await open()).epoch).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
  })

  it('closes more than once, and answers nothing afterwards', async () => {
    const store = await open()
    await commit(store, join())
    await store.close()
    await store.close()
    await expect(store.commit([send(1)], NOW)).rejects.toMatchObject({
      name: 'TautlineError',
      code: 'UNAVAILABLE',
    })
    await expect(readPage(store)).rejects.toMatchObject({ name: 'TautlineError', code: 'FETCH_ERROR' })
    await expect(membersOf(store)).rejects.toMatchObject({ code: 'FETCH_ERROR' })
  })
}
