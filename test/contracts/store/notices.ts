// Notifications: which of a user's own log are read and cleared, of which rooms they want to hear, and how long the log is.

import { MAX_OWN_LOG_ENTRIES } from '@tautline/protocol'
import { expect, it } from 'vitest'
import type { CommitResult, Outcome, Store, StoreOp } from '../../../packages/server/src/core/store.ts'
import {
  ack,
  ackAgain,
  admit,
  ask,
  ban,
  commit,
  commitAll,
  create,
  destroy,
  failed,
  invite,
  join,
  leave,
  markNotices,
  NOW,
  notify,
  readPage,
  remove,
  send,
  setNotices,
  setRole,
} from './harness.ts'

/** Position and type of each notification, those that are read in brackets. */
async function listOf(store: Store, user = 'alice', before?: number, limit = 100) {
  const { notices, ...rest } = await store.readNotices({ user, before, limit })
  const list = notices.map(({ entry: { seq, type }, isRead }) =>
    isRead ? `(${seq} ${type})` : `${seq} ${type}`,
  )
  return { list, ...rest }
}

const noticed = (unread: number, head: number, moved = true): Outcome => {
  return { outcome: 'noticed', unread, head, moved }
}

const mention = (n: number, users: readonly string[], more: Parameters<typeof send>[1] = {}) =>
  send(n, { entry: { type: 'new_message', payload: { content: 'x', mentions: users } }, ...more })

const listenersOf = ({ appended }: CommitResult, room = 'room') =>
  appended.find((run) => run.room === room)?.listeners

export function describeNotices(open: () => Promise<Store>): void {
  it('what others caused is one, what one did oneself is none', async () => {
    const store = await open()
    await commit(
      store,
      create(),
      invite('bob'),
      admit('bob'),
      setRole('bob', 'moderator'),
      join('bob', 'other'),
      remove('bob'),
      invite('bob', 'alice', 'room', { messageId: 'invite-again' }),
      ban('bob'),
      leave('bob', 'other'),
      notify(1, 'bob'),
    )
    expect(await listOf(store, 'bob')).toEqual({
      list: [
        '1 invitation',
        '2 admission',
        '3 appointment',
        '5 removal',
        '6 invitation',
        '7 removal',
        '9 notice',
      ],
      hasOlder: false,
      unread: 7,
      head: 9,
    })
    expect(await listOf(store)).toEqual({ list: [], hasOlder: false, unread: 0, head: 1 })
    expect(await listOf(store, 'nobody')).toEqual({ list: [], hasOlder: false, unread: 0, head: 0 })
  })

  it('reads those that are named, once and for good', async () => {
    const store = await open()
    await commit(store, notify(1), notify(2), notify(3))
    expect(
      await commit(
        store,
        markNotices('read', { seqs: [1, 3, 3, 99] }),
        markNotices('read', { seqs: [3] }),
        markNotices('read', { seqs: [77] }),
      ),
    ).toEqual([noticed(1, 3), noticed(1, 3, false), noticed(1, 3, false)])
    expect(await listOf(store)).toMatchObject({ list: ['(1 notice)', '2 notice', '(3 notice)'], unread: 1 })
  })

  it('clears those that are named, which are neither read nor cleared again', async () => {
    const store = await open()
    await commit(store, notify(1), notify(2), notify(3))
    expect(
      await commit(
        store,
        markNotices('cleared', { seqs: [1, 2] }),
        markNotices('read', { seqs: [1] }),
        markNotices('cleared', { seqs: [2] }),
      ),
    ).toEqual([noticed(1, 3), noticed(1, 3, false), noticed(1, 3, false)])
    expect(await listOf(store)).toMatchObject({ list: ['3 notice'], unread: 1 })
    // What is cleared stays in the log.
    expect((await readPage(store, { room: '~alice' })).entries).toHaveLength(3)
  })

  it('reads or clears all up to a position, and leaves what comes after, in the same commit too', async () => {
    const store = await open()
    await commit(store, notify(1), notify(2), markNotices('read', { upTo: 1 }), notify(3))
    expect(await listOf(store)).toMatchObject({ list: ['(1 notice)', '2 notice', '3 notice'], unread: 2 })
    expect(
      await commit(
        store,
        notify(4),
        markNotices('cleared', { upTo: 4 }),
        notify(5),
        markNotices('read', { seqs: [5] }),
        markNotices('read', { seqs: [4] }),
        notify(6),
      ),
    ).toEqual([ack(4), noticed(0, 4), ack(5), noticed(0, 5), noticed(0, 5, false), ack(6)])
    expect(await listOf(store)).toMatchObject({ list: ['(5 notice)', '6 notice'], unread: 1, head: 6 })
    // Beyond the head is what nobody can have seen.
    expect(await commit(store, markNotices('cleared', { upTo: 1_000 }), notify(7))).toEqual([
      noticed(0, 6),
      ack(7),
    ])
    expect(await listOf(store)).toMatchObject({ list: ['7 notice'], unread: 1 })
    expect(await commit(store, markNotices('cleared', { upTo: 3 }, 'nobody'))).toEqual([noticed(0, 0)])
  })

  it('lists them in pages, the newest first', async () => {
    const store = await open()
    await commit(store, ...[1, 2, 3, 4, 5].map((n) => notify(n)), markNotices('cleared', { seqs: [3] }))
    expect(await listOf(store, 'alice', undefined, 2)).toMatchObject({
      list: ['4 notice', '5 notice'],
      hasOlder: true,
      unread: 4,
    })
    expect(await listOf(store, 'alice', 4, 2)).toMatchObject({
      list: ['1 notice', '2 notice'],
      hasOlder: false,
    })
    expect(await listOf(store, 'alice', 1, 2)).toMatchObject({ list: [], hasOlder: false, unread: 4 })
  })

  it('ends a page where it grows too large, and goes on there', async () => {
    const store = await open()
    const body = 'x'.repeat(2_000)
    const many = Array.from({ length: 60 }, (_, i) =>
      notify(i + 1, 'alice', { payload: { title: 'x', body } }),
    )
    await commit(store, ...many)
    const { list, hasOlder } = await listOf(store)
    expect(hasOlder).toBe(true)
    expect(list.length).toBeGreaterThan(25)
    expect(list.length).toBeLessThan(33)
    const next = await listOf(store, 'alice', 61 - list.length)
    expect(next.list.at(-1)).toBe(`${60 - list.length} notice`)
  })

  it('finds them again when it is opened again', async () => {
    const first = await open()
    await commit(
      first,
      join(),
      notify(1),
      notify(2),
      markNotices('read', { seqs: [2] }),
      setNotices({ level: 'all' }),
    )
    await first.close()
    const second = await open()
    expect(await listOf(second)).toEqual({
      list: ['(2 notice)', '3 notice'],
      hasOlder: false,
      unread: 1,
      head: 3,
    })
    expect(listenersOf(await commitAll(second, [send(1)]))).toEqual(['alice'])
  })

  it('makes what the application tells once for each id', async () => {
    const store = await open()
    expect(
      await commit(
        store,
        notify(1),
        notify(1),
        notify(1, 'alice', { digest: 'other' }),
        notify(1, 'bob'),
        notify(1, 'bob', { user: 'carol' }),
      ),
    ).toEqual([ack(1), ackAgain(1), failed('ID_CONFLICT'), failed('ID_CONFLICT'), ack(1)])
    expect(await commit(store, notify(1))).toEqual([ackAgain(1)])
  })

  it('keeps mentions and answers with how loudly they are said', async () => {
    const store = await open()
    const alert = { priority: 'low', sound: 'ping' } as const
    await commit(store, join(), join('bob'), mention(1, ['bob'], { alert }), mention(2, ['bob']))
    const { entries } = await readPage(store, { user: 'bob', room: '~bob' })
    expect(entries.map(({ payload }) => payload['alert'])).toEqual([undefined, alert, undefined])
  })

  it.each<[string, Parameters<typeof setNotices>[0], number]>([
    ['none', { level: 'none' }, 0],
    ['none for a while', { silenceMs: 60_000 }, 0],
    ['all, but for a while none', { level: 'all', silenceMs: 60_000 }, 0],
    ['what was said to last until now', { silenceMs: 0 }, 2],
    ['mentions', { level: 'mentions' }, 2],
    ['all', { level: 'all' }, 2],
  ])(
    'leaves mentions and answers out of the own log by the wish for the room: %s',
    async (_what, wish, told) => {
      const store = await open()
      await commit(
        store,
        join(),
        join('bob'),
        send(1, { user: 'bob', messageId: 'of-bob-1' }),
        setNotices(wish, 'bob'),
      )
      const replyTo = { sender: 'bob', messageId: 'of-bob-1' }
      await commit(
        store,
        mention(1, ['bob']),
        send(2, { entry: { type: 'new_message', payload: { content: 'x', replyTo } } }),
      )
      const { list } = await listOf(store, 'bob')
      expect(list).toEqual(['2 mention', '3 reply'].slice(0, told))
      // They are unread messages of the room all the same.
      expect((await store.readReceipts('bob', 'room'))?.own.unread).toBe(2)
      // What concerns the user is told whatever they wish.
      await commit(store, setRole('bob', 'moderator'))
      expect((await listOf(store, 'bob')).list.at(-1)).toBe(`${told + 2} appointment`)
    },
  )

  it('tells again when the time of silence is over', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), setNotices({ silenceMs: 1_000 }, 'bob'))
    await commitAll(store, [mention(1, ['bob'])], NOW + 999)
    await commitAll(store, [mention(2, ['bob'])], NOW + 1_000)
    expect((await listOf(store, 'bob')).list).toEqual(['2 mention'])
  })

  it('describes a room with what was set of it', async () => {
    const store = await open()
    const described = async () =>
      (await store.readRooms({ user: 'alice', which: 'own', after: undefined, limit: 9 })).rooms[0]?.member
        ?.notifications
    expect(await commit(store, join(), setNotices({}), setNotices({ level: 'mentions' }))).toMatchObject([
      {},
      { level: 'mentions', silencedUntil: 0, moved: false },
      { level: 'mentions', moved: false },
    ])
    expect(await described()).toBeUndefined()
    expect(await commit(store, setNotices({ level: 'none' }), setNotices({ silenceMs: 5_000 }))).toEqual([
      { outcome: 'notices_set', level: 'none', silencedUntil: 0, moved: true },
      { outcome: 'notices_set', level: 'none', silencedUntil: NOW + 5_000, moved: true },
    ])
    expect(await described()).toEqual({ level: 'none', silencedUntil: NOW + 5_000 })
    await commit(store, setNotices({ level: 'mentions', silenceMs: 0 }))
    expect(await described()).toBeUndefined()
  })

  it.each<[string, StoreOp[], string]>([
    ['by who is no member', [join('bob')], 'room'],
    ['of a room that is not there', [], 'room'],
    ['of a room that was deleted', [create(), destroy()], 'room'],
    ['of a direct room in which nothing was said', [], '~alice~bob'],
    ['of a direct room of others', [send(1, { user: 'bob', room: '~bob~carol' })], '~bob~carol'],
    ['of one’s own log', [notify(1)], '~alice'],
  ])('takes no wish %s', async (_what, before, room) => {
    const store = await open()
    await commit(store, ...before)
    expect(await commit(store, setNotices({ level: 'all' }, 'alice', room))).toEqual([failed('FORBIDDEN')])
  })

  it('names with a message those who want to hear of every one, while they belong to the room', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), join('carol'), setNotices({ level: 'all' }, 'carol'))
    expect(listenersOf(await commitAll(store, [send(1), setNotices({ level: 'all' }, 'bob')]))).toEqual([
      'carol',
      'bob',
    ])
    expect(listenersOf(await commitAll(store, [setNotices({ silenceMs: 500 }, 'bob'), send(2)]))).toEqual([
      'carol',
    ])
    expect(listenersOf(await commitAll(store, [send(3), leave('carol')], NOW + 500))).toEqual(['bob'])
    // Who comes back begins anew.
    await commit(
      store,
      join('carol', 'room', { messageId: 'join-again' }),
      setNotices({ level: 'none' }, 'bob'),
    )
    expect(listenersOf(await commitAll(store, [send(4)], NOW + 500))).toBeUndefined()
    expect(listenersOf(await commitAll(store, [setNotices({ level: 'all' })]))).toBeUndefined()
  })

  it('names both of a direct room, as far as they did not say otherwise', async () => {
    const store = await open()
    const direct = { room: '~alice~bob' }
    expect(listenersOf(await commitAll(store, [send(1, direct)]), direct.room)).toEqual(['alice', 'bob'])
    await commit(store, setNotices({ level: 'mentions' }, 'bob', direct.room))
    expect(listenersOf(await commitAll(store, [send(2, direct)]), direct.room)).toEqual(['alice'])
    await commit(store, setNotices({ level: 'all' }, 'bob', direct.room))
    expect(listenersOf(await commitAll(store, [send(3, direct)]), direct.room)).toEqual(['alice', 'bob'])
  })

  it('keeps the newest thousand entries of an own log, and tells who is behind', async () => {
    const store = await open()
    for (let first = 1; first <= MAX_OWN_LOG_ENTRIES + 100; first += 100)
      await commit(store, ...Array.from({ length: 100 }, (_, i) => notify(first + i)))
    expect(await listOf(store, 'alice', undefined, 1)).toMatchObject({ unread: 1_100, head: 1_100 })
    const { h } = await readPage(store, { room: '~alice', after: { seq: 50 }, maxEntries: 50 })
    await commit(store, markNotices('read', { seqs: [50, 1_050] }), notify(1_101))
    expect(await listOf(store, 'alice', 103)).toMatchObject({
      list: ['102 notice'],
      hasOlder: false,
      unread: 999,
      head: 1_101,
    })
    const page = await store.readPage(ask({ room: '~alice', after: { seq: 100, h } }))
    expect(page).toMatchObject({
      result: 'page',
      after: { seq: 101 },
      oldest: 102,
      gap: { from: 101, to: 101, reason: 'retention' },
    })
    // The log goes on where it was.
    expect(await commit(store, notify(1_102), markNotices('cleared', { upTo: 1_101 }))).toEqual([
      ack(1_102),
      noticed(1, 1_102),
    ])
    expect((await readPage(store, { room: '~alice', after: { seq: 1_100 } })).entries).toHaveLength(2)
  })
}
