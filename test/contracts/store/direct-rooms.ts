// The contract of direct rooms: there for two users, made by their first message.

import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { expectNothing } from './expect-nothing.ts'
import {
  accept,
  ack,
  ask,
  commit,
  commitAll,
  FORBIDDEN,
  failed,
  invite,
  join,
  leave,
  listed,
  markRead,
  membersOf,
  NOW,
  remove,
  send,
} from './harness.ts'

export function describeDirectRooms(open: () => Promise<Store>): void {
  it('has a direct room for its two users from the beginning, empty, and for nobody else', async () => {
    const store = await open()
    const room = '~alice~bob'
    for (const user of ['alice', 'bob']) {
      expect(await store.readPage(ask({ room, user }))).toMatchObject({
        result: 'page',
        entries: [],
        head: 0,
      })
      expect(await listed(store, user)).toEqual([])
    }
    expect(await commit(store, markRead(1, 'alice', room))).toEqual([FORBIDDEN])
    await expectNothing(store, 'carol', room)
    expect(await commit(store, send(1, { user: 'carol', room }))).toEqual([FORBIDDEN])
    expect(await store.readPage(ask({ room }))).toMatchObject({ head: 0 })
  })

  it('makes a direct room and its two members with the first message', async () => {
    const store = await open()
    const room = '~alice~bob'
    const { outcomes, appended } = await commitAll(store, [
      send(1, { user: 'bob', room }),
      send(1, { user: 'alice', room, messageId: 'message-of-alice' }),
    ])
    expect(outcomes).toEqual([ack(1), ack(2)])
    expect(appended).toMatchObject([
      { room, entries: [{ type: 'new_message', sender: 'bob' }, { sender: 'alice' }], memberCount: 2 },
      { room: '~alice', entries: [{ type: 'admission', sender: 'bob', payload: { room, role: 'member' } }] },
      { room: '~bob', entries: [{ type: 'admission', sender: 'bob', payload: { room, role: 'member' } }] },
    ])
    expect(await membersOf(store, room)).toEqual([
      { userId: 'alice', role: 'member', joinedAt: NOW },
      { userId: 'bob', role: 'member', joinedAt: NOW },
    ])
    expect(await listed(store, 'alice')).toMatchObject([
      { room, visibility: 'direct', memberCount: 2, head: 2, member: { role: 'member', read: 2, unread: 0 } },
    ])
    expect(await listed(store, 'bob')).toMatchObject([{ member: { read: 1, unread: 1 } }])
    expect(await listed(store, 'carol')).toEqual([])
  })

  it('makes no direct room of a message that is refused, nor lets anybody in, out or take one in', async () => {
    const store = await open()
    const room = '~alice~bob'
    expect(await commit(store, send(1, { room, refusal: 'MESSAGE_TOO_LONG' }))).toEqual([
      failed('MESSAGE_TOO_LONG'),
    ])
    expect(await listed(store, 'alice')).toEqual([])
    await commit(store, send(2, { room }))
    expect(
      await commit(
        store,
        leave('bob', room),
        invite('carol', 'alice', room),
        remove('bob', 'alice', room),
        accept('carol', room),
        join('carol', room),
        join('bob', room),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN])
    await expectNothing(store, 'carol', room)
  })
}
