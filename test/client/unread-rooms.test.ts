// What a server may say in unlucky moments, said by a scripted one: lists that are old when they come, requests that fail.

import { unread } from '@tautline/client/unread'
import type { PayloadOf, ServerMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { local } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

type Count = PayloadOf<'unread_changed'>

const listed = (ref: number, rooms: Count[], next?: string): ServerMessage => ({
  type: 'unread_list',
  payload: next === undefined ? { ref, rooms } : { ref, rooms, next },
})

const changed = (payload: Count): ServerMessage => ({ type: 'unread_changed', payload })

const count = (room: string, left: number, read = 0, head = 9): Count => ({
  room,
  read,
  head,
  unread: left,
})

/** The answers to `list_unread`, one after the other; the last one to all later ones. */
function scripted(...answers: readonly ((ref: number) => readonly ServerMessage[])[]) {
  const all = local()
  let asked = 0
  all.server.intercept = (message, reply) => {
    if (message.type !== 'list_unread') return false
    reply(...(answers[Math.min(asked++, answers.length - 1)]?.(message.payload.ref) ?? []))
    return true
  }
  const counts = unread(all.client)
  const shown = () => Object.fromEntries(counts.getSnapshot().rooms)
  const asks = () => all.server.payloads('list_unread').map(({ after }) => after)
  return { ...all, counts, shown, asks }
}

const refused =
  (code: string, more: object = {}) =>
  (ref: number) => [{ type: 'error', payload: { ref, code, message: 'no', ...more } } as const]

describe('the list of what is unread', () => {
  it('says nothing of a room of which something newer was told before it came', async () => {
    const { client, counts, shown } = scripted((ref) => [
      changed(count('read', 0, 9)),
      changed(count('spoken', 4, 0, 12)),
      changed(count('new', 2)),
      listed(ref, [count('read', 5), count('spoken', 1), count('other', 3)]),
    ])
    await client.connect()
    await idle()
    expect(shown()).toEqual({ spoken: 4, new: 2, other: 3 })
    expect(counts.getSnapshot()).toMatchObject({ total: 9, isLoaded: true })
  })

  it('says by what it leaves out that all is read there, page by page', async () => {
    const { client, counts, shown, asks, time } = scripted(
      (ref) => [listed(ref, [count('a', 1), count('b', 2)], 'm')],
      (ref) => [listed(ref, [count('x', 3)])],
      (ref) => [listed(ref, [count('b', 2)], 'm')],
      (ref) => [changed(count('z', 1)), listed(ref, [])],
    )
    const seen: (readonly [number, boolean])[] = []
    counts.subscribe(() => {
      const { total, isLoaded } = counts.getSnapshot()
      seen.push([total, isLoaded])
    })
    await client.connect()
    await idle()
    expect(shown()).toEqual({ a: 1, b: 2, x: 3 })
    // Two pages: two minutes.
    await time.advance(107_000)
    expect(asks()).toEqual([undefined, 'm'])
    await time.advance(26_000)
    expect(asks()).toEqual([undefined, 'm', undefined, 'm'])
    expect(shown()).toEqual({ b: 2, z: 1 })
    expect(seen).toEqual([
      [3, false],
      [6, true],
      [5, true],
      [6, true],
      [3, true],
    ])
  })

  it('is asked for again where it could not be had, ever later, and when the server wants', async () => {
    const { client, counts, asks, time } = scripted(
      refused('FETCH_ERROR'),
      refused('FETCH_ERROR'),
      refused('RATE_LIMIT', { retryAfterMs: 30_000 }),
      (ref) => [listed(ref, [count('a', 1)])],
    )
    await client.connect()
    await idle()
    expect(asks()).toHaveLength(1)
    await time.advance(1_000)
    expect(asks()).toHaveLength(2)
    await time.advance(1_999)
    expect(asks()).toHaveLength(2)
    await time.advance(1)
    expect(asks()).toHaveLength(3)
    expect(counts.getSnapshot().isLoaded).toBe(false)
    await time.advance(29_999)
    expect(asks()).toHaveLength(3)
    await time.advance(1)
    expect(counts.getSnapshot()).toMatchObject({ total: 1, isLoaded: true })
  })

  it('is asked for no more of a server that has none, and by what is closed', async () => {
    const { client, asks, time } = scripted(refused('UNKNOWN_TYPE'))
    await client.connect()
    await time.advance(600_000)
    expect(asks()).toHaveLength(1)
    const other = scripted((ref) => [listed(ref, [])])
    await other.client.connect()
    await idle()
    other.counts.close()
    await other.time.advance(600_000)
    expect(other.asks()).toHaveLength(1)
  })
})
