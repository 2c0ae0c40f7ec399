import { DEFAULT_LIMITS, digestOf } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { CommandOp } from '../../../packages/server/src/core/store.ts'
import { type Bench, createBench } from './bench.ts'

const LANE = { ref: 10, room: 'general', sid: 'the-lane-1', n: 1 }
const message = (messageId: string, content = 'hello') => ({
  type: 'send_message',
  messageId,
  payload: { content },
})

function opsOf(bench: Bench): CommandOp[] {
  bench.step({ type: 'turn_ended' })
  return bench.takeWork('commit').ops.filter((op) => op.op === 'command')
}

async function ready(options = {}) {
  const bench = await createBench(options)
  await bench.login(1, 'alice')
  bench.hold('commit')
  return bench
}

describe('a commands frame', () => {
  it('becomes one operation for each item, in the lane of the session’s user', async () => {
    const bench = await ready()
    const commands = [message('message-1'), { type: 'skip', messageId: 'message-2' }]
    bench.say(1, { type: 'commands', payload: { ...LANE, n: 5, commands } })
    expect(opsOf(bench)).toEqual([
      {
        op: 'command',
        user: 'alice',
        room: 'general',
        sid: 'the-lane-1',
        n: 5,
        messageId: 'message-1',
        digest: digestOf('{"type":"send_message","payload":{"content":"hello"}}'),
        entry: { type: 'new_message', payload: { content: 'hello' } },
        refusal: undefined,
      },
      {
        op: 'command',
        user: 'alice',
        room: 'general',
        sid: 'the-lane-1',
        n: 6,
        messageId: 'message-2',
        digest: digestOf('{"type":"skip"}'),
        entry: undefined,
        refusal: undefined,
      },
    ])
  })

  it.each([
    ['no content', { type: 'send_message', messageId: 'message-1', payload: {} }, 'VALIDATION_ERROR'],
    ['an empty content', message('message-1', ''), 'VALIDATION_ERROR'],
    ['a content too long', message('message-1', 'x'.repeat(5_001)), 'MESSAGE_TOO_LONG'],
    ['a type that is no word', { type: 7, messageId: 'message-1' }, 'VALIDATION_ERROR'],
    ['a payload that is no object', { type: 'skip', messageId: 'message-1', payload: 7 }, 'VALIDATION_ERROR'],
  ])('decides an item with %s in its lane, with a final code', async (_, item, refusal) => {
    const bench = await ready()
    bench.say(1, { type: 'commands', payload: { ...LANE, commands: [item, message('message-2')] } })
    expect(opsOf(bench)).toMatchObject([
      { n: 1, messageId: 'message-1', refusal, entry: undefined },
      { n: 2, messageId: 'message-2', refusal: undefined },
    ])
  })

  it.each([
    ['no id', { type: 'send_message', payload: { content: 'x' } }],
    ['a type that nobody knows', { type: 'sing', messageId: 'message-1', payload: {} }, 'UNKNOWN_TYPE'],
    ['an id of another form', message('short')],
    ['nothing at all', null],
    ['text', 'send_message'],
    ['a list', []],
  ])(
    'answers an item with %s by itself: it has no place in the lane',
    async (_, item, code = 'INVALID_MESSAGE') => {
      const bench = await ready()
      bench.say(1, { type: 'commands', payload: { ...LANE, commands: [item, message('message-2')] } })
      expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 10, code }])
      expect(opsOf(bench)).toMatchObject([{ n: 2, messageId: 'message-2' }])
    },
  )

  it('takes a message of exactly the longest content', async () => {
    const bench = await ready({ limits: { ...DEFAULT_LIMITS, maxMessageChars: 3 } })
    bench.say(1, {
      type: 'commands',
      payload: { ...LANE, commands: [message('message-1', 'abc'), message('message-2', 'abcd')] },
    })
    expect(opsOf(bench).map(({ refusal }) => refusal)).toEqual([undefined, 'MESSAGE_TOO_LONG'])
  })

  it('digests what was sent, not what is kept of it', async () => {
    const bench = await ready()
    const item = { type: 'send_message', messageId: 'message-1', payload: { content: 'x', unknown: 1 } }
    bench.say(1, { type: 'commands', payload: { ...LANE, commands: [item] } })
    expect(opsOf(bench)).toMatchObject([
      {
        digest: digestOf('{"type":"send_message","payload":{"content":"x","unknown":1}}'),
        entry: { payload: { content: 'x' } },
      },
    ])
  })
})

describe('the rate of a user', () => {
  const flood = (bench: Bench, connection: number, sid: string, count: number) => {
    const commands = Array.from({ length: count }, (_, i) => message(`${sid}-m${i}`))
    bench.say(connection, { type: 'commands', payload: { ...LANE, sid, commands } })
  }

  it('refuses what is beyond the burst before it comes near the lane, and says how long to wait', async () => {
    const bench = await ready()
    flood(bench, 1, 'the-lane-1', 42)
    expect(bench.heardOf(1, 'error')).toMatchObject([
      { ref: 50, code: 'RATE_LIMIT', count: 2, retryAfterMs: 50 },
    ])
    expect(opsOf(bench)).toHaveLength(40)
  })

  it('is one for all connections of the user, and not for other users', async () => {
    const bench = await ready()
    await bench.login(2, 'alice', 'another-lane')
    await bench.login(3, 'bob')
    flood(bench, 1, 'the-lane-1', 40)
    flood(bench, 2, 'the-lane-2', 1)
    flood(bench, 3, 'the-lane-3', 1)
    expect(bench.heardOf(2, 'error')).toMatchObject([{ code: 'RATE_LIMIT' }])
    expect(bench.heardOf(3, 'error')).toEqual([])
  })

  it('is not made new by a reconnect', async () => {
    const bench = await ready()
    flood(bench, 1, 'the-lane-1', 40)
    bench.step({ type: 'closed', connection: 1 })
    await bench.login(2, 'alice')
    flood(bench, 2, 'the-lane-2', 1)
    expect(bench.heardOf(2, 'error')).toMatchObject([{ code: 'RATE_LIMIT' }])
  })

  it('lets a sender that waits as told deliver everything in order', async () => {
    const bench = await ready()
    bench.release('commit')
    await bench.enter(1, 'general')
    const contents = Array.from({ length: 100 }, (_, i) => `${i}`)
    let next = 0
    while (next < contents.length) {
      const commands = contents
        .slice(next, next + 8)
        .map((content, i) => message(`message-${next + i}`, content))
      bench.say(1, { type: 'commands', payload: { ...LANE, n: next + 1, commands } })
      await bench.settle()
      const heard = bench.heard(1)
      let waitMs = 0
      for (const each of heard) {
        if (each.type === 'ack') for (const { count = 1 } of each.payload.acks) next += count
        if (each.type === 'error') waitMs = Math.max(waitMs, each.payload.retryAfterMs ?? 0)
      }
      bench.advance(waitMs)
    }
    const page = await bench.store.readPage({
      user: 'alice',
      room: 'general',
      after: { seq: 1 },
      maxEntries: 200,
      maxBytes: 1e6,
      maxReplay: 1e6,
    })
    expect(page.result === 'page' && page.entries.map(({ payload }) => payload['content'])).toEqual(contents)
    // 40 at once, 60 at 20 a second.
    expect(bench.now()).toBeLessThan(3_500)
    expect(bench.closes.size).toBe(0)
  })

  it('answers GAP to what follows a refused command in its lane', async () => {
    const bench = await ready()
    bench.release('commit')
    await bench.enter(1, 'general')
    flood(bench, 1, 'the-lane-1', 41)
    bench.advance(50)
    bench.say(1, {
      type: 'commands',
      payload: { ...LANE, ref: 100, n: 42, commands: [message('one-after-the-gap')] },
    })
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([
      { ref: 50, code: 'RATE_LIMIT' },
      { ref: 100, code: 'GAP', retryAfterMs: 50 },
    ])
  })

  it('ends the connection of who goes on and on with ABUSE, but not of who does so for a moment', async () => {
    const bench = await ready()
    await bench.login(2, 'bob')
    for (let i = 0; i < 30; i++) flood(bench, 2, 'the-lane-2', 50)
    expect(bench.closes.size).toBe(0)
    for (let i = 0; i < 2_000 && bench.closes.size === 0; i++) {
      bench.advance(20)
      flood(bench, 1, 'the-lane-1', 50)
    }
    expect([...bench.closes]).toEqual([[1, 'ABUSE retry']])
    expect(bench.now()).toBeGreaterThan(5_000)
    expect(bench.now()).toBeLessThan(20_000)
  })
})

describe('joining and leaving', () => {
  it('are answered after their commit, with the role', async () => {
    const bench = await ready()
    bench.say(1, { type: 'join_room', payload: { ref: 5, room: 'general' } })
    bench.step({ type: 'turn_ended' })
    expect(bench.heard(1)).toEqual([])
    bench.release('commit')
    await bench.settle()
    expect(bench.heard(1)).toEqual([
      { type: 'room_joined', payload: { ref: 5, room: 'general', role: 'owner' } },
    ])
    bench.say(1, { type: 'leave_room', payload: { ref: 6, room: 'general' } })
    await bench.settle()
    expect(bench.heard(1)).toEqual([
      { type: 'room_left', payload: { ref: 6, room: 'general', reason: 'left' } },
    ])
  })

  it('make no room where the server does not allow it', async () => {
    const bench = await createBench({ createRooms: false })
    await bench.login(1, 'alice')
    bench.say(1, { type: 'join_room', payload: { ref: 5, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 5, code: 'FORBIDDEN', room: 'general' }])
  })

  it('are seen by the reads that the connection asked for after them', async () => {
    const bench = await ready()
    bench.say(
      1,
      { type: 'join_room', payload: { ref: 5, room: 'general' } },
      { type: 'list_members', payload: { ref: 6, room: 'general' } },
    )
    bench.step({ type: 'turn_ended' })
    expect(bench.heldWork().map((effect) => effect.do)).toEqual(['commit'])
    bench.release('commit')
    await bench.settle()
    expect(bench.heard(1).map(({ type }) => type)).toEqual(['room_joined', 'member_list'])
  })

  it('hold up no reads when their commit was refused', async () => {
    const bench = await ready()
    bench.say(
      1,
      { type: 'join_room', payload: { ref: 5, room: 'general' } },
      { type: 'list_members', payload: { ref: 6, room: 'general' } },
    )
    bench.step({ type: 'turn_ended' })
    bench.takeWork('commit')
    bench.step({ type: 'commit_failed' })
    await bench.settle()
    expect(bench.heardOf(1, 'error').map(({ ref, code }) => [ref, code])).toEqual([
      [5, 'UNAVAILABLE'],
      [6, 'FORBIDDEN'],
    ])
  })
})
