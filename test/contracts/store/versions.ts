// What a message has said, each time: for who may read it, in pages, and gone with a deletion.

import { MAX_PAGE_BYTES } from '@tautline/protocol'
import { expect, it } from 'vitest'
import type { CommandOp, Store } from '../../../packages/server/src/core/store.ts'
import { accept, commit, commitAll, create, invite, join, NOW, send } from './harness.ts'

const target = { sender: 'alice', messageId: 'message-1' }

function about(n: number, type: string, payload: Record<string, unknown>, user = 'alice'): CommandOp {
  const messageId = `${user}-${type}-${n}`
  return send(n, { user, messageId, entry: { type, payload }, digest: `digest of ${messageId}` })
}

const edit = (n: number, content: string) => about(n, 'message_edited', { target, content })

function versions(store: Store, more: Partial<Parameters<Store['readVersions']>[0]> = {}) {
  return store.readVersions({ user: 'alice', room: 'room', target, before: undefined, limit: 100, ...more })
}

export function describeVersions(open: () => Promise<Store>): void {
  it('are what it said each time and when, the newest first', async () => {
    const store = await open()
    await commit(store, join(), send(1))
    expect(await versions(store)).toEqual({
      versions: [{ seq: 2, timestamp: NOW, body: { content: 'words 1' } }],
      hasOlder: false,
    })
    await commitAll(store, [edit(2, 'second')], NOW + 5)
    await commitAll(store, [about(3, 'reaction_added', { target, emoji: '👍' }), edit(4, 'third')], NOW + 9)
    expect((await versions(store))?.versions).toEqual([
      { seq: 5, timestamp: NOW + 9, body: { content: 'third' } },
      { seq: 3, timestamp: NOW + 5, body: { content: 'second' } },
      { seq: 2, timestamp: NOW, body: { content: 'words 1' } },
    ])
  })

  it('are read in pages, each no larger than a page of the log', async () => {
    const store = await open()
    await commit(store, join(), send(1))
    for (let n = 2; n <= 30; n++) await commit(store, edit(n, `${n}`.padEnd(5_000, 'x')))
    const found: number[] = []
    for (let before: number | undefined; ; before = found.at(-1)) {
      const page = await versions(store, { before, limit: 20 })
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(MAX_PAGE_BYTES + 10_000)
      found.push(...(page?.versions ?? []).map(({ seq }) => seq))
      if (!page?.hasOlder) break
    }
    expect(found).toEqual(Array.from({ length: 30 }, (_, i) => 31 - i))
    expect(await versions(store, { before: 4, limit: 1 })).toMatchObject({
      versions: [{ seq: 3 }],
      hasOlder: true,
    })
    expect(await versions(store, { before: 3, limit: 1 })).toMatchObject({
      versions: [{ seq: 2 }],
      hasOlder: false,
    })
    expect(await versions(store, { before: 2 })).toEqual({ versions: [], hasOlder: false })
  })

  it('tell nothing of what an answer answers, nor of where a copy comes from', async () => {
    const store = await open()
    await commit(store, join(), send(1))
    await commit(store, about(2, 'new_message', { content: 'answer', replyTo: target }))
    const named = { sender: 'alice', messageId: 'alice-new_message-2' }
    expect((await versions(store, { target: named }))?.versions[0]?.body).toEqual({ content: 'answer' })
  })

  it('are gone with what it said', async () => {
    const store = await open()
    await commit(store, join(), send(1), edit(2, 'second'), about(3, 'message_deleted', { target }))
    expect(await versions(store)).toEqual({ versions: [], hasOlder: false })
  })

  it('are for those alone who may read it', async () => {
    const store = await open()
    await commit(store, create(), send(1), edit(2, 'second'), invite('bob'), accept('bob'))
    expect(await versions(store, { user: 'bob' })).toBeUndefined()
    expect(await versions(store, { user: 'eve' })).toBeUndefined()
    expect(await versions(store, { target: { sender: 'alice', messageId: 'no-message' } })).toBeUndefined()
    expect(
      await versions(store, { target: { sender: 'alice', messageId: 'alice-message_edited-2' } }),
    ).toBeUndefined()
    expect(await versions(store, { room: 'other' })).toBeUndefined()
  })
}
