import { DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { type Bench, contentsOf, createBench, EPOCH } from './bench.ts'

async function withMessages(count: number) {
  const bench = await createBench({
    limits: { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 },
  })
  await bench.login(1, 'alice')
  await bench.enter(1, 'general')
  for (let i = 0; i < count; i++) bench.send(1, 'general', [`${i + 1}`])
  await bench.settle()
  bench.heard(1)
  await bench.login(2, 'bob')
  bench.say(2, { type: 'join_room', payload: { ref: 2, room: 'general' } })
  await bench.settle()
  bench.heard(1)
  bench.heard(2)
  return bench
}

/** The fingerprint of the general room at this position. */
async function fingerprint(bench: Bench, seq: number): Promise<string> {
  const page = await bench.store.readPage({
    user: 'alice',
    room: 'general',
    after: { seq: seq - 1 },
    maxEntries: 1,
    maxBytes: 1,
    maxReplay: Number.POSITIVE_INFINITY,
  })
  return page.result === 'page' ? page.h : ''
}

const subscribe = (
  ref: number,
  rooms: { room: string; after?: { seq: number; h: string }; limit?: number }[],
) => ({ type: 'subscribe', payload: { ref, epoch: EPOCH, rooms } }) as const

describe('subscribe', () => {
  it('without a cursor gives the newest page, live', async () => {
    const bench = await withMessages(150)
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    await bench.settle()
    const [page] = bench.heardOf(2, 'page')
    expect(page).toMatchObject({ ref: 5, room: 'general', epoch: EPOCH, head: 152, live: true, oldest: 1 })
    expect(page?.entries).toHaveLength(100)
    expect(page?.entries.at(-1)?.seq).toBe(152)
  })

  it('with limit 0 begins at the head', async () => {
    const bench = await withMessages(5)
    bench.say(2, subscribe(5, [{ room: 'general', limit: 0 }]))
    await bench.settle()
    expect(bench.heardOf(2, 'page')).toMatchObject([{ after: { seq: 7 }, entries: [], head: 7, live: true }])
  })

  it('with a cursor goes on from there', async () => {
    const bench = await withMessages(5)
    const after = { seq: 4, h: await fingerprint(bench, 4) }
    bench.say(2, subscribe(5, [{ room: 'general', after }]))
    await bench.settle()
    const [page] = bench.heardOf(2, 'page')
    expect(page).toMatchObject({ after, live: true, head: 7 })
    expect(page?.entries.map(({ seq }) => seq)).toEqual([5, 6, 7])
  })

  it('jumps to the newest page where it is too far behind, and says what is left out', async () => {
    const bench = await createBench({
      maxReplayEntries: 50,
      limits: { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 },
    })
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    for (let i = 0; i < 200; i++) bench.send(1, 'general', ['x'])
    await bench.settle()
    bench.heard(1)
    const after = { seq: 1, h: await fingerprint(bench, 1) }
    await bench.login(2, 'alice', 'another-lane')
    bench.say(2, subscribe(5, [{ room: 'general', after }]))
    await bench.settle()
    const [page] = bench.heardOf(2, 'page')
    expect(page?.gap).toEqual({ from: 2, to: 101, reason: 'behind' })
    expect(page?.entries.at(-1)?.seq).toBe(201)
  })

  it.each([
    ['ahead', { seq: 99, h: 'x' }],
    ['diverged', { seq: 4, h: 'x' }],
  ] as const)('answers reset %s to a cursor of no such log', async (reason, after) => {
    const bench = await withMessages(5)
    bench.say(2, subscribe(5, [{ room: 'general', after }]))
    await bench.settle()
    expect(bench.heard(2)).toEqual([
      { type: 'reset', payload: { ref: 5, room: 'general', epoch: EPOCH, reason } },
    ])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it('answers reset epoch to a cursor of another store, without a read', async () => {
    const bench = await withMessages(5)
    bench.hold('read')
    const rooms = [{ room: 'general', after: { seq: 1, h: '' } }]
    bench.say(2, { type: 'subscribe', payload: { ref: 5, epoch: 'another', rooms } })
    expect(bench.heardOf(2, 'reset')).toMatchObject([{ reason: 'epoch' }])
    expect(bench.heldWork()).toEqual([])
  })

  it('answers FORBIDDEN for a room of others and for one that does not exist, alike', async () => {
    const bench = await withMessages(1)
    await bench.login(3, 'eve')
    bench.say(3, subscribe(5, [{ room: 'general' }, { room: 'nowhere' }]))
    await bench.settle()
    const [a, b] = bench.heardOf(3, 'error')
    expect(a).toMatchObject({ ref: 5, code: 'FORBIDDEN', room: 'general' })
    expect(b).toEqual({ ...a, room: 'nowhere' })
    expect(bench.node.figures().rooms).toBe(1)
  })

  it('tells nothing of a room before the store has allowed it', async () => {
    const bench = await withMessages(1)
    await bench.login(3, 'eve')
    bench.hold('read')
    bench.say(3, subscribe(5, [{ room: 'general' }]))
    bench.send(1, 'general', ['secret'])
    bench.say(1, { type: 'start_typing', payload: { room: 'general' } })
    bench.say(1, { type: 'mark_read', payload: { ref: 9, room: 'general', seq: 2 } })
    bench.say(1, { type: 'leave_room', payload: { ref: 10, room: 'general' } })
    await bench.settle()
    expect(bench.heard(3)).toEqual([])
  })

  it('tells nobody of who has not been allowed', async () => {
    const bench = await withMessages(1)
    await bench.login(3, 'eve')
    bench.hold('read')
    bench.say(3, subscribe(5, [{ room: 'general' }]))
    bench.say(3, { type: 'start_typing', payload: { room: 'general' } })
    bench.release('read')
    await bench.settle()
    expect(bench.heard(1)).toEqual([])
  })

  it('loses nothing that is committed while its page is being read', async () => {
    const bench = await withMessages(3)
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    const read = bench.takeWork('read')
    // The store answers from before the commit, and the answer arrives after it.
    const page = read.query.of === 'page' ? await bench.store.readPage(read.query.request) : undefined
    bench.send(1, 'general', ['during'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
    bench.step({ type: 'read_done', connection: 2, queue: 'rooms', answer: { of: 'page', result: page! } })
    bench.release('read')
    await bench.settle()
    const heard = bench.heard(2)
    expect(heard.map(({ type }) => type)).toEqual([
      'page',
      'room_presence',
      'room_receipts',
      'unread_changed',
      'entries',
    ])
    const entries = heard.flatMap((message) => (message.type === 'entries' ? [message.payload] : []))
    expect(contentsOf(entries)).toEqual(['during'])
    // From then on it is pushed to again.
    bench.send(1, 'general', ['later'])
    await bench.settle()
    expect(contentsOf(bench.heardOf(2, 'entries'))).toEqual(['later'])
  })

  it('does not push what its page has shown already', async () => {
    const bench = await withMessages(3)
    bench.hold('commit')
    bench.send(1, 'general', ['in the page'])
    bench.step({ type: 'turn_ended' })
    const commit = bench.takeWork('commit')
    const result = await bench.store.commit(commit.ops, commit.unixMs)
    // The commit is durable, and the node does not know yet.
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    await bench.settle()
    expect(bench.heardOf(2, 'page')[0]?.entries.at(-1)?.payload).toEqual({ content: 'in the page' })
    bench.step({ type: 'committed', result })
    expect(bench.heard(2)).toEqual([])
    expect(contentsOf(bench.heardOf(1, 'entries'))).toEqual(['in the page'])
  })

  it('again on the same room answers with a page, and goes on', async () => {
    const bench = await withMessages(2)
    await bench.enter(2, 'general')
    bench.say(2, subscribe(5, [{ room: 'general', limit: 0 }]))
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['page', 'entries'])
  })

  it('is bounded', async () => {
    const bench = await createBench({ limits: { ...DEFAULT_LIMITS, maxSubscriptions: 2 } })
    await bench.login(1, 'alice')
    for (const room of ['a', 'b', 'c']) {
      bench.say(1, { type: 'join_room', payload: { ref: 1, room } })
    }
    await bench.settle()
    bench.heard(1)
    bench.say(1, subscribe(5, [{ room: 'a' }, { room: 'b' }, { room: 'c' }]))
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 5, code: 'VALIDATION_ERROR', room: 'c' }])
  })

  it('reports a store that cannot read, and may be tried again', async () => {
    const bench = await withMessages(1)
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection: 2,
      queue: 'rooms',
      answer: { of: 'failure', code: 'FETCH_ERROR' },
    })
    expect(bench.heardOf(2, 'error')).toMatchObject([
      { ref: 5, code: 'FETCH_ERROR', room: 'general', retryAfterMs: 1_000 },
    ])
    bench.release('read')
    bench.say(2, subscribe(6, [{ room: 'general' }]))
    await bench.settle()
    expect(bench.heardOf(2, 'page')).toMatchObject([{ ref: 6, live: true }])
  })

  it('follows the room where only the first of two askings could not be answered', async () => {
    const bench = await withMessages(1)
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]), subscribe(6, [{ room: 'general' }]))
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection: 2,
      queue: 'rooms',
      answer: { of: 'failure', code: 'FETCH_ERROR' },
    })
    bench.release('read')
    await bench.settle()
    expect(bench.heardOf(2, 'page')).toMatchObject([{ ref: 6, live: true }])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heardOf(2, 'entries')).toHaveLength(1)
  })

  it('goes on where only a second asking could not be answered', async () => {
    const bench = await withMessages(1)
    await bench.enter(2, 'general')
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    bench.takeWork('read')
    bench.step({
      type: 'read_done',
      connection: 2,
      queue: 'rooms',
      answer: { of: 'failure', code: 'FETCH_ERROR' },
    })
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['error', 'entries'])
  })
})

describe('reads', () => {
  it('go one at a time, in the order asked', async () => {
    const bench = await withMessages(1)
    bench.hold('read')
    bench.say(
      2,
      { type: 'list_members', payload: { ref: 10, room: 'general' } },
      { type: 'get_history', payload: { ref: 11, room: 'general' } },
      { type: 'get_page', payload: { ref: 12, room: 'general', after: { seq: 0 } } },
      { type: 'check', payload: { ref: 13, rooms: [{ room: 'general', after: { seq: 0, h: '' } }] } },
    )
    const order: string[] = []
    while (bench.heldWork().length > 0) {
      expect(bench.heldWork()).toHaveLength(1)
      const read = bench.takeWork('read')
      order.push(read.query.of)
      await bench.perform(read)
    }
    expect(order).toEqual(['members', 'history', 'page', 'heads'])
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['member_list', 'history', 'page', 'checked'])
  })

  it('are refused beyond their bound', async () => {
    const bench = await createBench({ limits: { ...DEFAULT_LIMITS, maxSubscriptions: 1 }, frameBurst: 1e6 })
    await bench.login(1, 'alice')
    bench.hold('read')
    for (let ref = 1; ref <= 259; ref++) {
      bench.say(1, { type: 'get_history', payload: { ref, room: 'general' } })
    }
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 259, code: 'UNAVAILABLE', room: 'general' }])
  })

  it('of a connection that is gone are dropped', async () => {
    const bench = await withMessages(1)
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    const read = bench.takeWork('read')
    bench.step({ type: 'closed', connection: 2 })
    await bench.perform(read)
    expect(bench.heard(2)).toEqual([])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it.each(['get_page', 'get_history', 'list_members'] as const)(
    '%s asks the store for the right',
    async (type) => {
      const bench = await withMessages(1)
      await bench.login(3, 'eve')
      const payload = { ref: 7, room: 'general' }
      bench.say(
        3,
        type === 'get_page' ? { type, payload: { ...payload, after: { seq: 0 } } } : { type, payload },
      )
      await bench.settle()
      expect(bench.heard(3)).toMatchObject([
        { type: 'error', payload: { ref: 7, code: 'FORBIDDEN', room: 'general' } },
      ])
    },
  )

  it('of a page follow nothing', async () => {
    const bench = await withMessages(3)
    bench.say(2, { type: 'get_page', payload: { ref: 7, room: 'general', after: { seq: 1 } } })
    await bench.settle()
    expect(bench.heardOf(2, 'page')).toMatchObject([{ ref: 7, live: false }])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it('of history say what is older', async () => {
    const bench = await withMessages(10)
    bench.say(2, { type: 'get_history', payload: { ref: 7, room: 'general', before: 8, limit: 3 } })
    await bench.settle()
    const [history] = bench.heardOf(2, 'history')
    expect(history?.entries.map(({ seq }) => seq)).toEqual([5, 6, 7])
    expect(history).toMatchObject({ ref: 7, room: 'general', hasOlder: true, hasNewer: true, at: 12 })
  })

  it('of history go forth from a position, too', async () => {
    const bench = await withMessages(10)
    bench.say(2, { type: 'get_history', payload: { ref: 7, room: 'general', after: 0, limit: 3 } })
    bench.say(2, { type: 'get_history', payload: { ref: 8, room: 'general', after: 10, limit: 3 } })
    await bench.settle()
    const told = bench.heardOf(2, 'history')
    expect(told.map(({ entries }) => entries.map(({ seq }) => seq))).toEqual([
      [1, 2, 3],
      [11, 12],
    ])
    expect(told).toMatchObject([
      { ref: 7, hasOlder: false, hasNewer: true },
      { ref: 8, hasOlder: true, hasNewer: false },
    ])
  })
})

describe('check', () => {
  it('names the rooms that are behind, diverged or not followed', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    const rooms = ['fine', 'behind', 'diverged', 'unfollowed']
    for (const room of rooms) await bench.enter(1, room)
    bench.say(1, { type: 'unsubscribe', payload: { ref: 4, rooms: ['unfollowed'] } })
    const heads = await bench.store.readHeads('alice', rooms)
    const at = (room: string) => heads.get(room)!
    bench.heard(1)
    bench.say(1, {
      type: 'check',
      payload: {
        ref: 5,
        rooms: [
          { room: 'fine', after: at('fine') },
          { room: 'behind', after: { seq: 0, h: '' } },
          { room: 'diverged', after: { ...at('diverged'), h: 'x' } },
          { room: 'unfollowed', after: at('unfollowed') },
          { room: 'unknown', after: { seq: 0, h: '' } },
        ],
      },
    })
    await bench.settle()
    expect(bench.heard(1)).toEqual([
      { type: 'checked', payload: { ref: 5, rooms: ['behind', 'diverged', 'unfollowed', 'unknown'] } },
    ])
  })
})

describe('unsubscribe', () => {
  it('ends the entries, and is confirmed', async () => {
    const bench = await withMessages(1)
    await bench.enter(2, 'general')
    bench.say(2, { type: 'unsubscribe', payload: { ref: 8, rooms: ['general', 'never-followed'] } })
    expect(bench.heard(2)).toEqual([
      { type: 'unsubscribed', payload: { ref: 8, rooms: ['general', 'never-followed'] } },
    ])
    bench.send(1, 'general', ['x'])
    await bench.settle()
    expect(bench.heard(2)).toEqual([])
  })

  it('while the page is being read leaves a page that is not live', async () => {
    const bench = await withMessages(1)
    bench.hold('read')
    bench.say(2, subscribe(5, [{ room: 'general' }]))
    bench.say(2, { type: 'unsubscribe', payload: { ref: 6, rooms: ['general'] } })
    bench.release('read')
    await bench.settle()
    expect(bench.heardOf(2, 'page')).toMatchObject([{ ref: 5, live: false }])
    expect(bench.heardOf(1, 'presence_changed')).toEqual([])
  })
})
