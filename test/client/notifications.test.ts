// What a server may say in unlucky moments, said by a scripted one: answers that are old when they come, requests that fail.

import { notifications } from '@tautline/client/notifications'
import type { ServerMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { local } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

interface State {
  readonly unread: readonly number[]
  readonly read?: readonly number[]
  readonly head: number
  readonly hasOlder?: boolean
}

const noticeAt = (seq: number) => ({
  type: 'notice',
  seq,
  sender: 'system',
  messageId: `notice-number-${seq}`,
  timestamp: seq,
  payload: { title: `number ${seq}` },
})

function listed(ref: number, { unread, read = [], head, hasOlder = false }: State): ServerMessage {
  const seqs = [...unread, ...read].sort((a, b) => a - b)
  const list = seqs.map((seq) => ({ entry: noticeAt(seq), read: read.includes(seq) }))
  return {
    type: 'notification_list',
    payload: { ref, notifications: list, unread: unread.length, head, hasOlder },
  }
}

const changed = (payload: object, unread: number, head: number): ServerMessage => ({
  type: 'notifications_changed',
  payload: { ...payload, unread, head },
})

/** The answers to `get_notifications`, one after the other; the last one to all later ones. */
function scripted(...answers: readonly ((ref: number) => readonly ServerMessage[])[]) {
  const all = local()
  let asked = 0
  all.server.intercept = (message, reply) => {
    if (message.type !== 'get_notifications') return false
    reply(...(answers[Math.min(asked++, answers.length - 1)]?.(message.payload.ref) ?? []))
    return true
  }
  const list = notifications(all.client)
  const shown = () => list.getSnapshot().items.map(({ seq, isRead }) => (isRead ? `(${seq})` : String(seq)))
  const asks = () => all.server.payloads('get_notifications')
  return { ...all, list, shown, asks }
}

const refused =
  (code: string, more: object = {}) =>
  (ref: number) => [{ type: 'error', payload: { ref, code, message: 'no', ...more } } as const]

describe('the list of notifications', () => {
  it('is asked for again where something changed while it was on its way', async () => {
    const { client, list, shown, asks } = scripted(
      // It was read before the change and came after it.
      (ref) => [changed({ cleared: [1] }, 1, 2), listed(ref, { unread: [1, 2], head: 2 })],
      (ref) => [listed(ref, { unread: [2], head: 2 })],
    )
    await client.connect()
    await idle()
    expect(shown()).toEqual(['2'])
    expect(list.getSnapshot()).toMatchObject({ unread: 1, isLoaded: true })
    expect(asks()).toHaveLength(2)
  })

  it('takes what changed in the same frame after it', async () => {
    const { client, shown, asks } = scripted((ref) => [
      listed(ref, { unread: [1, 2, 3], head: 3 }),
      changed({ readUpTo: 2 }, 1, 3),
      changed({ clearedUpTo: 1 }, 1, 3),
    ])
    await client.connect()
    await idle()
    expect(shown()).toEqual(['3', '(2)'])
    expect(asks()).toHaveLength(1)
  })

  it('counts what came after the server had counted, once', async () => {
    const { client, server, list } = scripted((ref) => [listed(ref, { unread: [1], head: 1 })])
    await client.connect()
    await idle()
    server.push('~ada', 'notice', { title: 'of the log' })
    await idle()
    // The log of this server begins at 1, so this is known already.
    expect(list.getSnapshot().unread).toBe(1)
    server.push('~ada', 'notice', { title: 'new' })
    await idle()
    expect(list.getSnapshot().unread).toBe(2)
    server.tell(changed({ read: [1] }, 0, 1))
    await idle()
    expect(list.getSnapshot().unread).toBe(1)
    server.tell(changed({ read: [2] }, 0, 2))
    await idle()
    expect(list.getSnapshot().unread).toBe(0)
  })

  it('is asked for again where something before a live one is missing', async () => {
    const { client, server, shown, asks } = scripted(
      // It was read before the first entry, from which on the log is followed.
      (ref) => [listed(ref, { unread: [], head: 0 })],
      (ref) => [listed(ref, { unread: [1, 2], head: 2 })],
    )
    server.push('~ada', 'notice', { title: '1' })
    await client.connect()
    await idle()
    server.push('~ada', 'notice', { title: '2' })
    await idle()
    expect(shown()).toEqual(['2', '1'])
    expect(asks()).toHaveLength(2)
    server.push('~ada', 'notice', { title: '3' })
    await idle()
    expect(shown()).toEqual(['3', '2', '1'])
    expect(asks()).toHaveLength(2)
  })

  it('is tried again where it fails, ever later, and not faster than the server asks', async () => {
    const { client, time, asks, list } = scripted(
      refused('FETCH_ERROR'),
      refused('RATE_LIMIT', { retryAfterMs: 30_000 }),
      (ref) => [listed(ref, { unread: [], head: 0 })],
    )
    await client.connect()
    await idle()
    await time.advance(999)
    expect(asks()).toHaveLength(1)
    await time.advance(1)
    expect(asks()).toHaveLength(2)
    await time.advance(29_999)
    expect(asks()).toHaveLength(2)
    await time.advance(1)
    expect(asks()).toHaveLength(3)
    expect(list.getSnapshot().isLoaded).toBe(true)
    await time.advance(1_000_000)
    expect(asks()).toHaveLength(3)
  })

  it('is not asked for again where the server has none, until the next connection', async () => {
    const { client, time, asks, list, server } = scripted(refused('UNKNOWN_TYPE'))
    await client.connect()
    await idle()
    await time.advance(1_000_000)
    expect(asks()).toHaveLength(1)
    expect(list.getSnapshot().isLoaded).toBe(false)
    server.drop()
    await time.advance(10_000)
    expect(asks()).toHaveLength(2)
  })

  it('asks for nothing any more once it is closed', async () => {
    const { client, time, asks, list } = scripted(refused('FETCH_ERROR'))
    await client.connect()
    await idle()
    list.close()
    await time.advance(1_000_000)
    expect(asks()).toHaveLength(1)
    // The client's own, and nothing of the list.
    await client.disconnect()
    expect(time.timers()).toBe(0)
  })
})
