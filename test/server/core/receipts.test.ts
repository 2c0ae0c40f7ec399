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

const read = (ref: number, seq: number) =>
  ({ type: 'mark_read', payload: { ref, room: 'general', seq } }) as const

describe('read positions', () => {
  it('are confirmed to who reads, and told to the others once they moved', async () => {
    const bench = await room('alice', 'bob', 'alice')
    bench.say(1, read(10, 2))
    await bench.settle()
    const payload = { room: 'general', userId: 'alice', seq: 2, timestamp: bench.unixMs() }
    expect(bench.heardOf(1, 'messages_read')).toEqual([{ ref: 10, ...payload }])
    expect(bench.heardOf(2, 'messages_read')).toEqual([payload])
    expect(bench.heardOf(3, 'messages_read')).toEqual([payload])
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
    expect(bench.heardOf(2, 'messages_read')).toEqual([])
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
      'messages_read',
      'messages_read',
      'unread_changed',
    ])
    expect(heard.slice(2).map(({ payload }) => payload)).toMatchObject([
      { userId: 'alice', seq: 1 },
      { userId: 'bob', seq: 2 },
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
    expect(bench.heardOf(2, 'messages_read')).toEqual([])
    expect(bench.heardOf(3, 'messages_read')).toHaveLength(1)
    // One leaves: now it is a room of 100.
    bench.say(2, { type: 'leave_room', payload: { ref: 11, room: 'general' } })
    await bench.login(4, 'user-4')
    await bench.enter(4, 'general')
    bench.say(1, read(12, 60))
    await bench.settle()
    expect(bench.heardOf(4, 'messages_read')).toHaveLength(1)
  })

  it('are refused to who is no member', async () => {
    const bench = await room('alice')
    await bench.login(2, 'eve')
    bench.say(2, read(10, 1))
    await bench.settle()
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 10, code: 'FORBIDDEN', room: 'general' }])
    expect(bench.heardOf(1, 'messages_read')).toEqual([])
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
    expect(bench.heardOf(2, 'messages_delivered')).toEqual([payload])
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
    expect(bench.heardOf(3, 'messages_delivered')).toMatchObject([{ userId: 'alice', seq: 2 }])
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
