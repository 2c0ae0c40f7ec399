// Who hears of the answers to a message, and that they find it in their own logs, in the commit of the answer.

import { expect, it } from 'vitest'
import type { CommandOp, FollowThreadOp, Store } from '../../../packages/server/src/core/store.ts'
import {
  accept,
  admit,
  commit,
  commitAll,
  create,
  failed,
  invite,
  join,
  leave,
  readPage,
  remove,
  send,
} from './harness.ts'

const target = { sender: 'alice', messageId: 'message-1' }
const DONE = { outcome: 'done' }

function answer(n: number, user: string, more: Record<string, unknown> = {}): CommandOp {
  const messageId = `${user}-answer-${n}`
  const payload = { content: `answer ${n}`, replyTo: target, ...more }
  return send(n, {
    user,
    messageId,
    entry: { type: 'new_message', payload },
    digest: `digest of ${messageId}`,
  })
}

function follow(user: string, more: Partial<FollowThreadOp> = {}): FollowThreadOp {
  return { op: 'follow_thread', user, room: 'room', target, follow: true, ...more }
}

/** Who was told by this operation, and as what. */
async function toldBy(store: Store, op: CommandOp): Promise<string[]> {
  const { appended } = await commitAll(store, [op])
  return appended
    .slice(1)
    .map(({ room, entries }) => `${room.slice(1)}: ${entries.map(({ type }) => type).join()}`)
}

export function describeThreads(open: () => Promise<Store>): void {
  /** A room of these users, alice being the first, with a message of alice at 2. */
  async function openRoom(...users: readonly string[]): Promise<Store> {
    const store = await open()
    await commit(store, join(), send(1), ...users.map((user) => join(user)))
    return store
  }

  it('is told to who said the message, and to who answered it before', async () => {
    const store = await openRoom('bob', 'carol')
    const { appended } = await commitAll(store, [answer(1, 'bob')])
    expect(appended.at(-1)).toMatchObject({
      room: '~alice',
      entries: [
        {
          type: 'reply',
          sender: 'bob',
          payload: {
            room: 'room',
            message: { seq: 5, sender: 'bob', messageId: 'bob-answer-1' },
            thread: { seq: 2, ...target },
          },
        },
      ],
    })
    expect(await toldBy(store, answer(1, 'carol'))).toEqual(['alice: reply', 'bob: reply'])
    expect(await toldBy(store, answer(2, 'alice'))).toEqual(['carol: reply', 'bob: reply'])
  })

  it('is followed by who wants to, and by nobody who does not', async () => {
    const store = await openRoom('bob', 'carol')
    expect(await commit(store, follow('bob'), follow('bob'))).toEqual([DONE, DONE])
    expect(await commit(store, follow('alice', { follow: false }))).toEqual([DONE])
    expect(await toldBy(store, answer(1, 'carol'))).toEqual(['bob: reply'])
    await commit(store, follow('alice'), follow('bob', { follow: false }))
    expect(await toldBy(store, answer(2, 'carol'))).toEqual(['alice: reply'])
  })

  it('stays unfollowed though one goes on answering', async () => {
    const store = await openRoom('bob')
    await commit(store, answer(1, 'bob'), follow('bob', { follow: false }), answer(2, 'bob'))
    expect(await toldBy(store, answer(2, 'alice'))).toEqual([])
  })

  it('is decided by what stands before in the same commit', async () => {
    const store = await openRoom('bob', 'carol')
    const { appended } = await commitAll(store, [
      answer(1, 'bob'),
      follow('carol'),
      follow('alice', { follow: false }),
      answer(2, 'bob'),
      follow('carol', { follow: false }),
      answer(2, 'alice'),
    ])
    const told = appended.slice(1).map(({ room, entries }) => `${room} ${entries.length}`)
    expect(told).toEqual(['~alice 1', '~carol 1', '~bob 1'])
  })

  it('tells nobody twice: who is named is told of that', async () => {
    const store = await openRoom('bob', 'carol')
    await commit(store, follow('carol'))
    expect(await toldBy(store, answer(1, 'bob', { mentions: ['carol', 'alice'] }))).toEqual([
      'carol: mention',
      'alice: mention',
    ])
  })

  it('tells nobody who may not read it: who left, was put out, or came back later', async () => {
    const store = await open()
    await commit(store, create(), send(1))
    for (const user of ['bob', 'carol', 'dora']) await commit(store, invite(user), accept(user))
    const seen = { sender: 'alice', messageId: 'message-2' }
    await commit(store, send(2))
    for (const user of ['bob', 'carol', 'dora']) await commit(store, follow(user, { target: seen }))
    await commit(store, leave('bob'), remove('carol'))
    await commit(store, invite('bob', 'alice', 'room', { messageId: 'again' }))
    await commit(store, accept('bob', 'room', { messageId: 'back' }))
    const own = send(3, { entry: { type: 'new_message', payload: { content: 'x', replyTo: seen } } })
    expect(await toldBy(store, own)).toEqual(['dora: reply'])
    for (const user of ['bob', 'carol', 'eve'])
      expect(await commit(store, follow(user, { target: seen }))).toEqual([failed('FORBIDDEN')])
  })

  it('can be followed only where there is such a message', async () => {
    const store = await openRoom('bob')
    const nothing = { sender: 'alice', messageId: 'no-message' }
    const noMessage = { sender: 'alice', messageId: 'join-room-alice' }
    for (const named of [nothing, noMessage])
      expect(await commit(store, follow('bob', { target: named }))).toEqual([failed('FORBIDDEN')])
    expect(await commit(store, follow('bob', { room: 'other' }))).toEqual([failed('FORBIDDEN')])
  })

  it('tells a bounded number of those who follow it, the latest first', async () => {
    const store = await openRoom('bob')
    const users = Array.from({ length: 60 }, (_, i) => `user-${String(i).padStart(2, '0')}`)
    // Each begins at another head.
    for (const [i, user] of users.entries()) await commit(store, admit(user), send(2 + i), follow(user))
    const told = await toldBy(store, answer(1, 'bob'))
    expect(told).toEqual(['alice', ...users.toReversed().slice(0, 49)].map((user) => `${user}: reply`))
  })

  it('says of a thread whether one follows it, also when the store is opened again', async () => {
    const store = await openRoom('bob')
    await commit(store, follow('bob'))
    await store.close()
    const again = await open()
    const read = (user: string) =>
      again.readThread({ user, room: 'room', target, before: undefined, limit: 9 })
    expect(await read('bob')).toMatchObject({ following: true })
    expect(await read('alice')).toMatchObject({ following: true })
    await commit(again, follow('bob', { follow: false }))
    expect(await read('bob')).toMatchObject({ following: false })
    await commit(again, answer(1, 'bob'))
    expect((await readPage(again, { user: 'bob', room: '~bob' })).entries.map(({ type }) => type)).toEqual([
      'admission',
    ])
  })
}
