// The contract of who is let into a room by others, as what, and put out of it again.

import { expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { expectNothing } from './expect-nothing.ts'
import {
  accept,
  ack,
  commit,
  commitAll,
  create,
  FORBIDDEN,
  INVITED,
  invite,
  JOINED,
  join,
  leave,
  membersOf,
  readPage,
  remove,
  send,
} from './harness.ts'

export function describeInvitations(open: () => Promise<Store>): void {
  it('lets in who was invited, from their own entry on, and tells it in the logs of both', async () => {
    const store = await open()
    await commit(store, create(), send(1))
    const { outcomes, appended } = await commitAll(store, [invite('bob')])
    expect(outcomes).toEqual([INVITED])
    expect(appended).toMatchObject([
      {
        room: 'room',
        entries: [{ type: 'member_invited', sender: 'alice', payload: { userId: 'bob', role: 'member' } }],
        memberCount: 1,
      },
      {
        room: '~bob',
        entries: [{ type: 'invitation', sender: 'alice', payload: { room: 'room', role: 'member' } }],
      },
    ])
    await expectNothing(store, 'bob', 'room')

    expect(await commit(store, accept('bob'), send(2))).toEqual([JOINED, ack(5)])
    const page = await readPage(store, { user: 'bob', after: { seq: 0 } })
    expect(page.entries.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '4 member_joined',
      '5 new_message',
    ])
    expect(page.gap).toEqual({ from: 1, to: 3, reason: 'membership' })
    expect(
      await store.readHistory({ user: 'bob', room: 'room', before: undefined, after: undefined, limit: 9 }),
    ).toMatchObject({
      entries: [{ seq: 4 }, { seq: 5 }],
      hasOlder: false,
    })
    expect((await readPage(store, { user: 'bob', room: '~bob' })).entries.map(({ type }) => type)).toEqual([
      'invitation',
      'admission',
    ])
  })

  it('writes no entry where an invitation, an acceptance or a removal changes nothing', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'))
    const { outcomes, appended } = await commitAll(store, [
      invite('bob', 'alice', 'room', { messageId: 'invite-again' }),
      invite('alice'),
      remove('carol'),
    ])
    expect(outcomes).toEqual([INVITED, INVITED, { outcome: 'removed' }])
    expect(appended).toEqual([])
    await commit(store, accept('bob'))
    expect(
      await commitAll(store, [accept('bob', 'room', { messageId: 'accept-again' }), invite('bob')]),
    ).toEqual({ outcomes: [JOINED, INVITED], appended: [] })
  })

  it('spends an invitation once', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'), leave('bob'))
    expect(await commit(store, accept('bob', 'room', { messageId: 'accept-again' }))).toEqual([FORBIDDEN])
    await commit(store, join('alice', 'public'), invite('bob', 'alice', 'public'), join('bob', 'public'))
    await commit(store, leave('bob', 'public'))
    expect(await commit(store, accept('bob', 'public'))).toEqual([FORBIDDEN])
  })

  it('lets owners make moderators, moderators members, and members of private rooms nobody', async () => {
    const store = await open()
    await commit(store, create(), invite('mia', 'alice', 'room', { role: 'moderator' }), accept('mia'))
    await commit(store, invite('bob', 'mia'), accept('bob'))
    expect((await membersOf(store))?.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'alice owner',
      'bob member',
      'mia moderator',
    ])
    expect(
      await commit(
        store,
        invite('carol', 'bob'),
        invite('carol', 'mia', 'room', { role: 'moderator' }),
        invite('carol', 'alice', 'room', { role: 'owner' }),
        invite('carol', 'mia'),
      ),
    ).toEqual([FORBIDDEN, FORBIDDEN, FORBIDDEN, INVITED])
    // An owner thinks again of the role.
    expect(
      await commit(store, invite('carol', 'alice', 'room', { role: 'moderator' }), accept('carol')),
    ).toEqual([INVITED, { outcome: 'joined', role: 'moderator' }])
  })

  it('lets any member of a public room invite', async () => {
    const store = await open()
    await commit(store, join(), join('bob'))
    expect(
      await commit(
        store,
        invite('carol', 'bob'),
        invite('dora', 'bob', 'room', { role: 'moderator' }),
        accept('carol'),
      ),
    ).toEqual([INVITED, FORBIDDEN, JOINED])
    expect((await readPage(store, { user: 'carol', after: { seq: 0 } })).entries[0]?.seq).toBe(1)
  })

  it('puts a member out: by whom, in the room; that it was so, in their own log; and nothing later', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'), send(1, { user: 'bob' }))
    const { outcomes, appended } = await commitAll(store, [remove('bob'), send(1)])
    expect(outcomes).toEqual([{ outcome: 'removed' }, ack(6)])
    expect(appended).toMatchObject([
      {
        room: 'room',
        entries: [
          { type: 'member_left', sender: 'alice', payload: { userId: 'bob', reason: 'removed' } },
          { type: 'new_message' },
        ],
        memberCount: 1,
      },
      {
        room: '~bob',
        entries: [{ type: 'removal', sender: 'alice', payload: { room: 'room', reason: 'removed' } }],
      },
    ])
    await expectNothing(store, 'bob', 'room')
    // Who comes back reads from the new entry on.
    await commit(store, invite('bob', 'alice', 'room', { messageId: 'invite-again' }))
    await commit(store, accept('bob', 'room', { messageId: 'accept-again' }))
    expect((await readPage(store, { user: 'bob', after: { seq: 4 } })).entries.map(({ seq }) => seq)).toEqual(
      [8],
    )
  })

  it('takes an invitation back', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), remove('bob'))
    expect(await commit(store, accept('bob'))).toEqual([FORBIDDEN])
    expect((await readPage(store, { user: 'bob', room: '~bob' })).entries.map(({ type }) => type)).toEqual([
      'invitation',
      'removal',
    ])
    expect((await store.readReceipts('alice', 'room'))?.memberCount).toBe(1)
  })

  it('lets nobody remove themselves, their like, or those above', async () => {
    const store = await open()
    await commit(store, create(), invite('bob'), accept('bob'))
    for (const user of ['mia', 'max'])
      await commit(store, invite(user, 'alice', 'room', { role: 'moderator' }), accept(user))
    expect(
      await commit(
        store,
        remove('alice', 'alice'),
        remove('alice', 'mia'),
        remove('max', 'mia'),
        remove('mia', 'bob'),
        remove('nobody', 'bob'),
        remove('bob', 'mia'),
        remove('mia', 'alice'),
      ),
    ).toEqual([
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      FORBIDDEN,
      { outcome: 'removed' },
      { outcome: 'removed' },
    ])
  })
}
