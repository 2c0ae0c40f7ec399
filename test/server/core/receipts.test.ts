import { describe, expect, it } from 'vitest'
import { createBench } from './bench.ts'

async function room(...users: string[]) {
  const bench = await createBench()
  for (const [i, user] of users.entries()) {
    await bench.login(i + 1, user, `lane-number-${i + 1}`)
    await bench.enter(i + 1, 'general')
  }
  return bench
}

/** How far each is, read and delivered alike. */
const receipts = (...all: readonly (readonly [user: string, seq: number, at: number])[]) => ({
  room: 'general',
  receipts: all.map(([userId, seq, at]) => ({
    userId,
    delivered: seq,
    deliveredAt: at,
    read: seq,
    readAt: at,
  })),
})

const read = (ref: number, seq: number) =>
  ({ type: 'mark_read', payload: { ref, room: 'general', seq } }) as const

describe('read positions', () => {
  it('are confirmed to who reads, and told to the others once they moved', async () => {
    const bench = await room('alice', 'bob', 'alice')
    bench.say(1, read(10, 2))
    await bench.settle()
    const payload = { room: 'general', userId: 'alice', seq: 2, timestamp: bench.unixMs() }
    expect(bench.heardOf(1, 'messages_read')).toEqual([{ ref: 10, ...payload }])
    expect(bench.heardOf(2, 'room_receipts')).toEqual([receipts(['alice', 2, payload.timestamp])])
    // The user's own devices, at once.
    expect(bench.heard(3).filter(({ type }) => type !== 'unread_changed')).toEqual([
      { type: 'messages_read', payload },
    ])
  })

  it('never go back, and that is not told', async () => {
    const bench = await room('alice', 'bob')
    bench.say(1, read(10, 2))
    await bench.settle()
    const then = bench.unixMs()
    bench.heard(1)
    bench.heard(2)
    bench.advance(1_000)
    bench.say(1, read(11, 1))
    await bench.settle()
    expect(bench.heardOf(1, 'messages_read')).toMatchObject([{ ref: 11, seq: 2, timestamp: then }])
    bench.advance(5_000)
    expect(bench.heardOf(2, 'room_receipts')).toEqual([])
  })

  it('are told together, once a second at most', async () => {
    const bench = await room('alice', 'bob', 'carol')
    const told: unknown[] = []
    const listen = () => told.push(...bench.heardOf(3, 'room_receipts'))
    for (const [id, ref, seq] of [
      [1, 10, 1],
      [2, 10, 1],
      [1, 11, 2],
      [2, 11, 3],
    ] as const) {
      bench.say(id, read(ref, seq))
      await bench.settle()
      listen()
    }
    const then = bench.unixMs()
    expect(told).toEqual([receipts(['alice', 1, then])])
    bench.advance(999)
    listen()
    expect(told).toHaveLength(1)
    bench.advance(1)
    listen()
    expect(told.slice(1)).toEqual([receipts(['bob', 3, then], ['alice', 2, then])])
  })

  it('never go beyond the head', async () => {
    const bench = await room('alice')
    bench.say(1, read(10, 1_000))
    await bench.settle()
    expect(bench.heardOf(1, 'messages_read')).toMatchObject([{ ref: 10, seq: 1 }])
  })

  it('are told in full to a new follower, after the page', async () => {
    const bench = await room('alice', 'bob')
    bench.say(1, read(10, 1))
    bench.say(2, read(10, 2))
    await bench.settle()
    await bench.login(3, 'bob', 'the-other-tab')
    bench.say(3, { type: 'subscribe', payload: { ref: 5, rooms: [{ room: 'general' }] } })
    await bench.settle()
    const heard = bench.heard(3)
    expect(heard.map(({ type }) => type)).toEqual([
      'page',
      'room_presence',
      'room_receipts',
      'unread_changed',
    ])
    const then = bench.unixMs()
    expect(heard.slice(2).map(({ payload }) => payload)).toMatchObject([
      receipts(['alice', 1, then], ['bob', 2, then]),
      { room: 'general', read: 2, head: 2, unread: 0 },
    ])
  })

  it('of others are not told in rooms of more than 100 members, one’s own are', async () => {
    const bench = await createBench()
    await bench.store.commit(
      Array.from({ length: 101 }, (_, i) => ({
        op: 'join' as const,
        user: `user-${i}`,
        room: 'general',
        messageId: `join-number-${i}`,
        noticeId: `notice-number-${i}`,
        create: true,
      })),
      0,
    )
    for (const [id, user] of [
      [1, 'user-1'],
      [2, 'user-2'],
      [3, 'user-1'],
    ] as const) {
      await bench.login(id, user, `lane-number-${id}`)
      await bench.enter(id, 'general')
    }
    bench.say(1, read(10, 50))
    await bench.settle()
    expect(bench.heardOf(1, 'messages_read')).toHaveLength(1)
    bench.advance(2_000)
    expect(bench.heardOf(2, 'room_receipts')).toEqual([])
    expect(bench.heardOf(3, 'messages_read')).toHaveLength(1)
    // One leaves: now it is a room of 100.
    bench.say(2, { type: 'leave_room', payload: { ref: 11, room: 'general' } })
    await bench.login(4, 'user-4')
    await bench.enter(4, 'general')
    bench.say(1, read(12, 60))
    await bench.settle()
    expect(bench.heardOf(4, 'room_receipts')).toHaveLength(1)
  })

  it('are refused to who is no member', async () => {
    const bench = await room('alice')
    await bench.login(2, 'eve')
    bench.say(2, read(10, 1))
    await bench.settle()
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 10, code: 'FORBIDDEN', room: 'general' }])
    expect(bench.heardOf(1, 'room_receipts')).toEqual([])
  })

  it('are told anew to who was too slow for them', async () => {
    const bench = await room('alice', 'bob')
    bench.step({ type: 'buffered', connection: 2, bytes: 100_000 })
    bench.say(1, read(10, 2))
    await bench.settle()
    bench.advance(2_000)
    expect(bench.heardOf(2, 'room_receipts')).toEqual([])
    bench.step({ type: 'buffered', connection: 2, bytes: 0 })
    await bench.settle()
    expect(bench.heardOf(2, 'room_receipts')).toMatchObject([{ receipts: [{ userId: 'alice', read: 2 }] }])
  })
})

describe('deliveries', () => {
  const delivered = (ref: number, seq: number) =>
    ({ type: 'mark_delivered', payload: { ref, room: 'general', seq } }) as const

  it('are confirmed, told to the others, never go back, and are at least as far as what was read', async () => {
    const bench = await room('alice', 'bob')
    bench.say(1, delivered(10, 1_000))
    await bench.settle()
    const payload = { room: 'general', userId: 'alice', seq: 2, timestamp: bench.unixMs() }
    expect(bench.heardOf(1, 'messages_delivered')).toEqual([{ ref: 10, ...payload }])
    expect(bench.heardOf(2, 'room_receipts')).toEqual([
      {
        room: 'general',
        receipts: [{ userId: 'alice', delivered: 2, deliveredAt: payload.timestamp, read: 0 }],
      },
    ])
    bench.advance(1_000)
    bench.say(1, delivered(11, 1))
    bench.say(2, read(10, 2), delivered(11, 1))
    await bench.settle()
    expect(bench.heardOf(1, 'messages_delivered')).toEqual([{ ref: 11, ...payload }])
    expect(bench.heardOf(2, 'messages_delivered')).toMatchObject([{ ref: 11, userId: 'bob', seq: 2 }])
  })

  it('are told to a new follower where they are further than the read position', async () => {
    const bench = await room('alice', 'bob')
    bench.say(1, read(10, 1), delivered(11, 2))
    bench.say(2, read(10, 2))
    await bench.settle()
    await bench.login(3, 'bob', 'the-other-tab')
    bench.say(3, { type: 'subscribe', payload: { ref: 5, rooms: [{ room: 'general' }] } })
    await bench.settle()
    const at = bench.unixMs()
    expect(bench.heardOf(3, 'room_receipts')).toEqual([
      {
        room: 'general',
        receipts: [
          { userId: 'alice', delivered: 2, deliveredAt: at, read: 1, readAt: at },
          { userId: 'bob', delivered: 2, deliveredAt: at, read: 2, readAt: at },
        ],
      },
    ])
  })

  it('are refused to who is no member', async () => {
    const bench = await room('alice')
    await bench.login(2, 'eve')
    bench.say(2, delivered(10, 1))
    await bench.settle()
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 10, code: 'FORBIDDEN', room: 'general' }])
  })

  it('are kept in rooms of up to 100 members alone', async () => {
    const bench = await createBench()
    const join = (user: string) => ({
      op: 'join' as const,
      user,
      room: 'general',
      messageId: `join-number-${user}`,
      noticeId: `notice-number-${user}`,
      create: true,
    })
    await bench.store.commit(
      Array.from({ length: 101 }, (_, i) => join(`user-${i}`)),
      0,
    )
    await bench.login(1, 'user-1')
    bench.say(1, delivered(10, 5))
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 10, code: 'FORBIDDEN' }])
    bench.say(1, { type: 'leave_room', payload: { ref: 11, room: 'general' } })
    await bench.login(2, 'user-2')
    await bench.settle()
    bench.say(2, delivered(10, 5))
    await bench.settle()
    expect(bench.heardOf(2, 'messages_delivered')).toMatchObject([{ ref: 10, seq: 5 }])
  })
})
