// Edits, deletions, reactions, answers, copies and mentions: what becomes of a message, and what history says of it.
// What the protocol's fold makes of the whole log is the measure: a store says the same without reading the log.

import {
  type Entry,
  type FoldedMessage,
  foldedMessage,
  foldMessage,
  MAX_EMOJIS_PER_MESSAGE,
  MAX_PAGE_BYTES,
  type MessageBody,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { CommandOp, Store } from '../../../packages/server/src/core/store.ts'
import {
  accept,
  ack,
  ackAgain,
  commit,
  create,
  failed,
  invite,
  join,
  NOW,
  readPage,
  send,
} from './harness.ts'

const first = { sender: 'alice', messageId: 'message-1' }
const place = { seq: 2, ...first }

/** A command of a user's n-th place that is about a message. */
function about(n: number, type: string, payload: Record<string, unknown>, user = 'alice'): CommandOp {
  const messageId = `${user}-${type}-${n}`
  return send(n, { user, messageId, entry: { type, payload }, digest: `digest of ${messageId}` })
}

const edit = (n: number, content: string, target: object = first, user?: string) =>
  about(n, 'message_edited', { target, content }, user)
const del = (n: number, target: object = first, user?: string) =>
  about(n, 'message_deleted', { target }, user)
const react = (n: number, emoji: string, user?: string, target: object = first) =>
  about(n, 'reaction_added', { target, emoji }, user)
const unreact = (n: number, emoji: string, user?: string, target: object = first) =>
  about(n, 'reaction_removed', { target, emoji }, user)
const answer = (n: number, content: string, user?: string, replyTo: object = first) =>
  about(n, 'new_message', { content, replyTo }, user)

async function historyOf(store: Store, user = 'alice', request: object = {}) {
  const read = await store.readHistory({
    user,
    room: 'room',
    before: undefined,
    after: undefined,
    limit: 100,
    ...request,
  })
  if (read.result !== 'history') throw new Error('forbidden')
  return read
}

/** What the message says now, to this user. */
async function bodyOf(store: Store, seq = 2, user = 'alice'): Promise<MessageBody> {
  const { entries } = await historyOf(store, user)
  return entries.find((entry) => entry.seq === seq)?.payload as MessageBody
}

async function logOf(store: Store, room = 'room', user = 'alice'): Promise<readonly Entry[]> {
  return (await readPage(store, { room, user, after: { seq: 0 } })).entries
}

/** The messages of a log, each as all later entries make it. */
function foldAll(log: readonly Entry[], user: string): FoldedMessage[] {
  const messages = log.map((entry) => foldedMessage(entry)).filter((message) => message !== undefined)
  return messages.map((message) => log.reduce((folded, entry) => foldMessage(folded, entry, user), message))
}

export function describeMessages(open: () => Promise<Store>): void {
  /** A room that alice owns and bob belongs to, with one message of alice, at 3. */
  async function openRoom(): Promise<Store> {
    const store = await open()
    await commit(store, join(), send(1), join('bob'))
    return store
  }

  describe('an edit', () => {
    it('is an entry, and history says the new words at the old place', async () => {
      const store = await openRoom()
      expect(await commit(store, edit(2, 'better words'))).toEqual([ack(4)])
      expect(await bodyOf(store)).toEqual({ content: 'better words', editedAt: NOW, version: 2 })
      expect((await logOf(store)).at(-1)).toMatchObject({
        type: 'message_edited',
        seq: 4,
        payload: { target: place, content: 'better words' },
      })
    })

    it('counts versions, and the newest wins, also within one commit', async () => {
      const store = await openRoom()
      await commit(store, edit(2, 'second'), edit(3, 'third'))
      expect(await bodyOf(store)).toMatchObject({ content: 'third', version: 3 })
    })

    it('is for the sender alone, of a message of this room', async () => {
      const store = await openRoom()
      await commit(store, join('alice', 'other'), send(1, { room: 'other', messageId: 'elsewhere' }))
      expect(await commit(store, edit(1, 'mine now', first, 'bob'))).toEqual([failed('FORBIDDEN')])
      const elsewhere = { sender: 'alice', messageId: 'elsewhere' }
      const nothing = { sender: 'alice', messageId: 'no-message' }
      const noMessage = { sender: 'alice', messageId: 'join-room-alice' }
      for (const [i, target] of [elsewhere, nothing, noMessage].entries())
        expect(await commit(store, edit(2 + i, 'no', target))).toEqual([failed('FORBIDDEN')])
      expect(await bodyOf(store)).toEqual({ content: 'words 1' })
    })

    it('that is sent again is acknowledged, and changes nothing more', async () => {
      const store = await openRoom()
      await commit(store, edit(2, 'better'), edit(3, 'best'))
      expect(await commit(store, edit(2, 'better'))).toEqual([ackAgain(4)])
      expect(await bodyOf(store)).toMatchObject({ content: 'best', version: 3 })
    })

    it('of a message that is in the same commit finds it', async () => {
      const store = await openRoom()
      const target = { sender: 'alice', messageId: 'message-2' }
      expect(await commit(store, send(2), edit(3, 'at once', target))).toEqual([ack(4), ack(5)])
      expect(await bodyOf(store, 4)).toMatchObject({ content: 'at once' })
    })

    it('that is larger than a page leaves room for itself alone', async () => {
      const store = await openRoom()
      await commit(store, send(2), send(3))
      const long = 'x'.repeat(MAX_PAGE_BYTES)
      await commit(store, edit(4, long, { sender: 'alice', messageId: 'message-2' }))
      const { entries, hasOlder, hasNewer, from, to } = await historyOf(store, 'alice', { before: 5 })
      expect(entries.map(({ seq }) => seq)).toEqual([4])
      expect({ hasOlder, hasNewer, from, to }).toEqual({ hasOlder: true, hasNewer: true, from: 4, to: 4 })
    })
  })

  describe('a deletion', () => {
    it('blanks the message and its edits in the log, and keeps their places and fingerprints', async () => {
      const store = await openRoom()
      await commit(store, edit(2, 'a secret'), react(1, '👍', 'bob'))
      const before = await readPage(store, { after: { seq: 0 } })
      expect(await commit(store, del(3))).toEqual([ack(6)])
      const after = await readPage(store, { after: { seq: 0 } })
      const blank = { kind: 'deleted', content: '' }
      expect(after.entries.slice(0, 5)).toEqual(
        before.entries.map((entry) => {
          if (entry.seq === 2) return { ...entry, payload: blank }
          return entry.seq === 4 ? { ...entry, payload: { ...blank, target: place } } : entry
        }),
      )
      expect(await readPage(store, { after: { seq: 5, h: before.h } })).toMatchObject({
        after: { h: before.h },
      })
      expect(await bodyOf(store)).toEqual(blank)
      expect(JSON.stringify(await logOf(store))).not.toContain('secret')
    })

    it('leaves a retry of the message what it was: acknowledged', async () => {
      const store = await openRoom()
      await commit(store, del(2))
      expect(await commit(store, send(1))).toEqual([ackAgain(2)])
    })

    it('is for the sender, owners and moderators', async () => {
      const store = await openRoom()
      const bobs = { sender: 'bob', messageId: 'of-bob' }
      await commit(store, send(1, { user: 'bob', messageId: 'of-bob' }))
      expect(await commit(store, del(2, first, 'bob'))).toEqual([failed('FORBIDDEN')])
      expect(await commit(store, del(2, bobs))).toEqual([ack(5)])
      expect(await commit(store, del(3, bobs, 'bob'))).toEqual([ack(6)])
    })

    it('ends edits and reactions, with a code of its own', async () => {
      const store = await openRoom()
      await commit(store, del(2))
      expect(await commit(store, edit(3, 'again'))).toEqual([failed('MESSAGE_DELETED')])
      expect(await commit(store, react(1, '👍', 'bob'))).toEqual([failed('MESSAGE_DELETED')])
      expect(await commit(store, unreact(2, '👍', 'bob'))).toEqual([failed('MESSAGE_DELETED')])
    })
  })

  describe('a reaction', () => {
    it('is counted once for each user and emoji, and says so in its entry', async () => {
      const store = await openRoom()
      expect(await commit(store, react(1, '👍', 'bob'), react(2, '👍', 'bob'), react(2, '👍'))).toEqual([
        ack(4),
        ack(5),
        ack(6),
      ])
      const counts = (await logOf(store)).slice(3).map(({ payload }) => payload.count)
      expect(counts).toEqual([1, 1, 2])
      await commit(store, unreact(3, '👍', 'bob'), unreact(4, '👍', 'bob'), react(3, '🎉'))
      expect(await bodyOf(store)).toEqual({
        content: 'words 1',
        reactions: [
          { emoji: '👍', count: 1, own: true },
          { emoji: '🎉', count: 1, own: true },
        ],
      })
      expect((await bodyOf(store, 2, 'bob')).reactions).toMatchObject([{ own: false }, { own: false }])
    })

    it('is gone with its last user', async () => {
      const store = await openRoom()
      await commit(store, react(1, '👍', 'bob'), unreact(2, '👍', 'bob'))
      expect(await bodyOf(store)).toEqual({ content: 'words 1' })
    })

    it('may be one of a bounded number of kinds', async () => {
      const store = await openRoom()
      const emojis = Array.from({ length: MAX_EMOJIS_PER_MESSAGE + 1 }, (_, i) =>
        String.fromCodePoint(0x1f600 + i),
      )
      const outcomes = await commit(store, ...emojis.map((emoji, i) => react(i + 1, emoji, 'bob')))
      expect(outcomes.slice(0, -1)).toEqual(outcomes.slice(0, -1).map((_, i) => ack(4 + i)))
      expect(outcomes.at(-1)).toEqual(failed('TOO_MANY_REACTIONS'))
      expect(await commit(store, react(2, emojis[0]!))).toEqual([ack(4 + MAX_EMOJIS_PER_MESSAGE)])
    })

    it('to what was said before one came into a private room is forbidden, as all that is about it', async () => {
      const store = await open()
      await commit(store, create(), send(1), invite('bob'), accept('bob'))
      const outcomes = await commit(
        store,
        react(1, '👍', 'bob'),
        unreact(2, '👍', 'bob'),
        answer(3, 'what?', 'bob'),
        edit(4, 'x', first, 'bob'),
        del(5, first, 'bob'),
        { ...about(6, 'new_message', {}, 'bob'), forward: { room: 'room', ...first } },
      )
      expect(outcomes).toEqual(outcomes.map(() => failed('FORBIDDEN')))
      const request = { user: 'bob', room: 'room', target: first }
      expect(await store.readReactions(request)).toBeUndefined()
      const thread = await store.readThread({ ...request, before: undefined, limit: 10 })
      expect(thread).toEqual({ result: 'forbidden' })
      expect(await commit(store, react(2, '👍'))).toEqual([ack(5)])
    })
  })

  describe('an answer', () => {
    it('names the place of its message, which counts it', async () => {
      const store = await openRoom()
      await commit(store, answer(1, 'yes', 'bob'), answer(2, 'indeed', 'bob'))
      expect((await logOf(store))[3]?.payload).toEqual({ content: 'yes', replyTo: place })
      expect(await bodyOf(store)).toEqual({
        content: 'words 1',
        replyCount: 2,
        lastReply: { seq: 5, sender: 'bob', messageId: 'bob-new_message-2', timestamp: NOW },
      })
    })

    it('to nothing is forbidden; to what was deleted it is none the less an answer', async () => {
      const store = await openRoom()
      const nothing = { sender: 'alice', messageId: 'no-message' }
      expect(await commit(store, answer(1, 'what?', 'bob', nothing))).toEqual([failed('FORBIDDEN')])
      await commit(store, answer(2, 'first', 'bob'), del(2), answer(3, 'second', 'bob'))
      expect(await bodyOf(store)).toMatchObject({ kind: 'deleted', replyCount: 2 })
    })

    it('that is deleted keeps its place in the thread', async () => {
      const store = await openRoom()
      await commit(
        store,
        answer(1, 'oops', 'bob'),
        del(2, { sender: 'bob', messageId: 'bob-new_message-1' }, 'bob'),
      )
      expect(await bodyOf(store, 4)).toEqual({ kind: 'deleted', content: '', replyTo: place })
      expect(await bodyOf(store)).toMatchObject({ replyCount: 1 })
    })

    it('is told to who is answered, in their own log', async () => {
      const store = await openRoom()
      await commit(store, answer(1, 'yes', 'bob'), answer(2, 'my own'))
      const told = (await logOf(store, '~alice')).filter(({ type }) => type === 'reply')
      expect(told).toMatchObject([
        {
          sender: 'bob',
          payload: { room: 'room', message: { seq: 4, sender: 'bob', messageId: 'bob-new_message-1' } },
        },
      ])
    })
  })

  describe('a mention', () => {
    it('names members alone, each once, and tells them in their own logs in the same commit', async () => {
      const store = await openRoom()
      const mentions = ['bob', 'nobody', 'alice', 'bob']
      await commit(store, about(2, 'new_message', { content: 'look', mentions }))
      expect((await logOf(store)).at(-1)?.payload).toEqual({ content: 'look', mentions: ['bob', 'alice'] })
      const told = (await logOf(store, '~bob', 'bob')).filter(({ type }) => type === 'mention')
      expect(told).toMatchObject([{ sender: 'alice', payload: { room: 'room', message: { seq: 4 } } }])
      expect((await logOf(store, '~alice')).filter(({ type }) => type === 'mention')).toEqual([])
    })

    it('of nobody who is there leaves no name', async () => {
      const store = await openRoom()
      await commit(store, about(2, 'new_message', { content: 'look', mentions: ['nobody'] }))
      expect((await logOf(store)).at(-1)?.payload).toEqual({ content: 'look' })
    })

    it('of who is answered is one word to them', async () => {
      const store = await openRoom()
      const payload = { content: 'yes', replyTo: first, mentions: ['alice'] }
      await commit(store, about(1, 'new_message', payload, 'bob'))
      expect((await logOf(store, '~alice')).map(({ type }) => type)).toEqual(['admission', 'mention'])
    })
  })

  describe('a forwarded message', () => {
    const forward = (n: number, room: string, from: object, user = 'bob'): CommandOp => ({
      ...about(n, 'new_message', {}, user),
      room,
      forward: { room: 'room', ...first, ...from },
    })

    it('says what stands there, and who said it first', async () => {
      const store = await openRoom()
      await commit(store, edit(2, 'as edited'), join('bob', 'theirs'))
      expect(await commit(store, forward(1, 'theirs', {}))).toEqual([ack(2)])
      const copied = { content: 'as edited', forwardedFrom: { sender: 'alice', timestamp: NOW } }
      expect((await logOf(store, 'theirs', 'bob')).at(-1)?.payload).toEqual(copied)
      const again = { room: 'theirs', sender: 'bob', messageId: 'bob-new_message-1' }
      await commit(store, { ...forward(1, 'room', again), messageId: 'and-again' })
      expect((await logOf(store)).at(-1)?.payload).toEqual(copied)
    })

    it('must be one that its sender may read, that is there and no ciphertext', async () => {
      const store = await openRoom()
      await commit(store, join('cy', 'theirs'), send(2), del(3, { sender: 'alice', messageId: 'message-2' }))
      await commit(store, about(4, 'new_message', { kind: 'encrypted', content: 'abc', keyId: 'k' }))
      expect(await commit(store, forward(1, 'theirs', {}, 'cy'))).toEqual([failed('FORBIDDEN')])
      expect(await commit(store, forward(1, 'room', { messageId: 'message-2' }))).toEqual([
        failed('FORBIDDEN'),
      ])
      expect(await commit(store, forward(2, 'room', { messageId: 'alice-new_message-4' }))).toEqual([
        failed('VALIDATION_ERROR'),
      ])
    })
  })

  describe('a thread', () => {
    const request = { user: 'alice', room: 'room', target: first, before: undefined, limit: 2 }

    it('is read in pages, as its answers stand', async () => {
      const store = await openRoom()
      await commit(store, answer(1, 'a', 'bob'), send(2), answer(2, 'b', 'bob'), answer(3, 'c', 'bob'))
      await commit(store, react(3, '👍', 'alice', { sender: 'bob', messageId: 'bob-new_message-3' }))
      const newest = await store.readThread(request)
      expect(newest).toMatchObject({
        entries: [{ payload: { content: 'b' } }, { payload: { content: 'c', reactions: [{ own: true }] } }],
        hasOlder: true,
        hasNewer: false,
      })
      const older = await store.readThread({ ...request, before: 6 })
      expect(older).toMatchObject({ entries: [{ seq: 4 }], hasOlder: false, hasNewer: true })
    })

    it('of nothing, or of what one may not read, is forbidden', async () => {
      const store = await openRoom()
      const nothing = { sender: 'alice', messageId: 'no-message' }
      expect(await store.readThread({ ...request, target: nothing })).toEqual({ result: 'forbidden' })
      expect(await store.readThread({ ...request, user: 'cy' })).toEqual({ result: 'forbidden' })
      expect(await store.readThread(request)).toMatchObject({ entries: [], hasOlder: false, hasNewer: false })
    })
  })

  describe('who reacted', () => {
    it('is told in the order in which they did, by emoji', async () => {
      const store = await openRoom()
      await commit(store, react(2, '👍'), react(1, '👍', 'bob'), react(2, '🎉', 'bob'))
      await commit(store, unreact(3, '👍'), react(4, '👍'))
      const request = { user: 'bob', room: 'room', target: first }
      expect(await store.readReactions(request)).toEqual([
        { emoji: '👍', count: 2, users: ['bob', 'alice'] },
        { emoji: '🎉', count: 1, users: ['bob'] },
      ])
      await commit(store, del(5))
      expect(await store.readReactions(request)).toEqual([])
      expect(await store.readReactions({ ...request, user: 'cy' })).toBeUndefined()
    })
  })

  describe('history', () => {
    it('leaves out what is folded in, and says how far it looked', async () => {
      const store = await openRoom()
      await commit(store, react(1, '👍', 'bob'), send(2), react(2, '🎉', 'bob'), edit(3, 'x'))
      const newest = await historyOf(store, 'alice', { limit: 1 })
      expect(newest.entries.map(({ seq }) => seq)).toEqual([5])
      expect(newest).toMatchObject({ from: 4, to: 7, hasOlder: true, hasNewer: false })
      const older = await historyOf(store, 'alice', { before: newest.from, limit: 10 })
      expect(older.entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
      expect(older).toMatchObject({ hasOlder: false, hasNewer: true })
    })

    it('looks at so much for a page and no more, and goes on from there', async () => {
      const store = await openRoom()
      for (let n = 1; n <= 1_500; n += 100)
        await commit(store, ...Array.from({ length: 100 }, (_, i) => react(n + i, '👍', 'bob')))
      const newest = await historyOf(store)
      expect(newest).toMatchObject({ entries: [], from: 504, to: 1_503, hasOlder: true })
      const older = await historyOf(store, 'alice', { before: newest.from })
      expect(older.entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
      const forth = await historyOf(store, 'alice', { after: 0 })
      expect(forth).toMatchObject({ from: 1, to: 1_000, hasNewer: true })
    })

    it('is what the fold makes of the whole log, for everybody', async () => {
      const store = await openRoom()
      const target = { sender: 'alice', messageId: 'message-2' }
      await commit(store, send(2), answer(1, 'a', 'bob'), react(2, '👍', 'bob'), edit(3, 'b'))
      await commit(store, react(4, '🎉', 'alice', target), answer(3, 'c', 'bob', target), react(5, '👍'))
      await commit(store, unreact(4, '👍', 'bob'), react(5, '👍', 'bob'), edit(6, 'd', target), del(7))
      await commit(store, answer(6, 'e', 'bob'), react(8, '🚀', 'alice', target))
      const log = await logOf(store)
      for (const user of ['alice', 'bob']) {
        const { entries } = await historyOf(store, user)
        const shown = entries.filter(({ type }) => type === 'new_message')
        expect(shown.map(({ seq, payload }) => ({ seq, body: payload }))).toEqual(
          foldAll(log, user).map(({ seq, body }) => ({ seq, body })),
        )
      }
    })
  })
}
