// The newest message of each room in a list: as it stands, in part, and for those alone who may read it.

import { MAX_PAGE_BYTES, MAX_PREVIEW_CHARS } from '@tautline/protocol'
import { expect, it } from 'vitest'
import type { CommandOp, LastMessage, ListedRoom, Store } from '../../../packages/server/src/core/store.ts'
import { accept, commit, create, invite, join, leave, NOW, type StoreHarness, send } from './harness.ts'

const target = { sender: 'alice', messageId: 'message-1' }

function about(n: number, type: string, payload: Record<string, unknown>, user = 'alice'): CommandOp {
  const messageId = `${user}-${type}-${n}`
  return send(n, { user, messageId, entry: { type, payload }, digest: `digest of ${messageId}` })
}

async function listed(store: Store, user = 'alice', which: 'own' | 'public' = 'own', limit = 100) {
  return store.readRooms({ user, which, after: undefined, limit })
}

async function lastOf(store: Store, user = 'alice', room = 'room'): Promise<LastMessage | undefined> {
  const { rooms } = await store.readRooms({ user, which: 'own', only: room, after: undefined, limit: 1 })
  return rooms[0]?.member?.last
}

export function describeLastMessages(open: () => Promise<Store>, harness: () => StoreHarness): void {
  it('tells who said it, when and what, in a list and of one room', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), send(1))
    const last = { seq: 3, ...target, timestamp: NOW, kind: 'text', content: 'words 1' }
    expect((await listed(store, 'bob')).rooms).toMatchObject([{ room: 'room', member: { unread: 1, last } }])
    expect(await lastOf(store)).toEqual(last)
    await commit(store, send(1, { user: 'bob', messageId: 'of-bob' }))
    expect(await lastOf(store)).toMatchObject({ seq: 4, sender: 'bob', messageId: 'of-bob' })
  })

  it('tells nothing where nothing was said', async () => {
    const store = await open()
    await commit(store, create())
    expect((await listed(store)).rooms[0]?.member).toEqual({ role: 'owner', read: 0, unread: 0 })
  })

  it('finds it below thousands of other entries, also when the store is opened again', async () => {
    const store = await open()
    await commit(store, join(), send(1))
    for (let i = 0; i < 2_000; i += 500)
      await commit(
        store,
        ...Array.from({ length: 500 }, (_, j) =>
          about(2 + i + j, j % 2 ? 'reaction_removed' : 'reaction_added', { target, emoji: '👍' }),
        ),
      )
    expect(await lastOf(store)).toMatchObject({ seq: 2, content: 'words 1' })
    await store.close()
    expect(await lastOf(await open())).toMatchObject({ seq: 2, content: 'words 1' })
  })

  it('says what it says now: the last edit, and that it was deleted', async () => {
    const store = await open()
    await commit(store, join(), send(1))
    await commit(store, about(2, 'message_edited', { target, content: 'better', kind: 'text' }))
    expect(await lastOf(store)).toMatchObject({ seq: 2, kind: 'text', content: 'better', editedAt: NOW })
    await commit(store, about(3, 'message_deleted', { target }))
    expect(await lastOf(store)).toEqual({ seq: 2, ...target, timestamp: NOW, kind: 'deleted', content: '' })
  })

  it('tells of every kind what it is, and of ciphertext nothing else', async () => {
    const store = await open()
    const file = { url: 'https://files.example/a.png', mediaType: 'image/png' }
    const said = [
      { kind: 'image', content: 'a picture', file },
      { kind: 'location', content: '', location: { latitude: 1, longitude: 2 } },
      { kind: 'encrypted', content: 'qeAxz1', keyId: 'key-1' },
      { kind: 'system', content: 'maintenance at ten' },
    ]
    await commit(store, join())
    const told: unknown[] = []
    for (const [i, payload] of said.entries()) {
      await commit(store, about(i + 1, 'new_message', payload))
      const { kind, content } = (await lastOf(store)) ?? {}
      told.push(`${kind}: ${content}`)
    }
    expect(told).toEqual(['image: a picture', 'location: ', 'encrypted: ', 'system: maintenance at ten'])
  })

  it('cuts it off, and never in the middle of a character', async () => {
    const store = await open()
    await commit(store, join(), send(1, { content: 'x'.repeat(MAX_PREVIEW_CHARS + 1) }))
    expect((await lastOf(store))?.content).toBe('x'.repeat(MAX_PREVIEW_CHARS))
    const content = `${'x'.repeat(MAX_PREVIEW_CHARS - 1)}😀`
    await commit(store, send(2, { content }))
    expect((await lastOf(store))?.content).toBe('x'.repeat(MAX_PREVIEW_CHARS - 1))
  })

  it('is for members alone, from where they may read', async () => {
    const store = await open()
    await commit(store, join('alice', 'public'), send(1, { room: 'public', messageId: 'in-public' }))
    expect((await listed(store, 'bob', 'public')).rooms).toMatchObject([
      { room: 'public', member: undefined },
    ])
    await commit(store, create(), send(1), invite('bob'), accept('bob'))
    expect(await lastOf(store, 'bob')).toBeUndefined()
    await commit(store, send(2))
    expect(await lastOf(store, 'bob')).toMatchObject({ content: 'words 2' })
    await commit(store, leave('bob'))
    expect((await listed(store, 'bob')).rooms).toEqual([])
  })

  it('tells nothing of what retention took', async () => {
    const store = await open()
    await commit(store, join(), send(1), join('bob'), join('carol'))
    await store.close()
    await harness().cut('room', 3)
    expect(await lastOf(await open())).toBeUndefined()
  })

  it('ends a list where it would be larger than a page, whatever was said', async () => {
    const store = await open()
    const ids = Array.from({ length: 100 }, (_, i) => `room-${String(i).padStart(3, '0')}`)
    for (const [i, room] of ids.entries())
      await commit(
        store,
        create('alice', room, { about: JSON.stringify({ name: '😀'.repeat(25) }) }),
        send(1, { room, messageId: `message-${i}`, content: '\u0001'.repeat(MAX_PREVIEW_CHARS) }),
      )
    const found: ListedRoom[] = []
    for (let after: string | undefined; ; after = found.at(-1)?.room) {
      const { rooms, hasMore } = await store.readRooms({ user: 'alice', which: 'own', after, limit: 100 })
      expect(Buffer.byteLength(JSON.stringify(rooms))).toBeLessThan(MAX_PAGE_BYTES)
      found.push(...rooms)
      if (!hasMore) break
    }
    expect(found.map(({ room }) => room)).toEqual(ids)
  })
}
