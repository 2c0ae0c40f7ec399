// Golden traces: whole conversations, frame by frame, as they stand in the log of the wire. `>` is the client's, `<` the
// server's, `x` a close; the number is the connection's.

import { encode, type ServerMessage } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNode } from '../../../packages/server/src/core/node.ts'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import { type Bench, createBench, EPOCH, UNIX_START } from './bench.ts'

type Told = Omit<ServerMessage, 'timestamp'> & { timestamp?: number }

async function expectTold(bench: Bench, connection: number, ...messages: Told[]) {
  await bench.settle()
  expect(bench.heard(connection)).toEqual(messages)
}

const LIMITS = DEFAULT_NODE_OPTIONS.limits

describe('the trace of', () => {
  it('connect, join, follow, send, resume, leave', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.say(1, {
      type: 'authenticate',
      payload: { ref: 1, sid: 'lane-of-alice', token: 'alice', userId: 'alice' },
    })
    await bench.settle()
    const [connected] = bench.heard(1)
    expect(connected).toEqual({
      type: 'connected',
      payload: {
        ref: 1,
        connectionId: expect.stringMatching(/^[\w-]{8}-1$/),
        userId: 'alice',
        epoch: EPOCH,
        limits: LIMITS,
        heartbeatIntervalMs: 25_000,
      },
      timestamp: UNIX_START,
    })

    bench.say(1, { type: 'join_room', payload: { ref: 2, room: 'general' } })
    await expectTold(bench, 1, {
      type: 'room_joined',
      payload: { ref: 2, room: 'general', role: 'owner' },
    })

    bench.say(1, { type: 'subscribe', payload: { ref: 3, epoch: EPOCH, rooms: [{ room: 'general' }] } })
    await bench.settle()
    const [page, presence, unread, ...none] = bench.heard(1)
    expect(page).toEqual({
      type: 'page',
      payload: {
        ref: 3,
        room: 'general',
        epoch: EPOCH,
        after: { seq: 0, h: '' },
        entries: [
          {
            type: 'member_joined',
            seq: 1,
            sender: 'alice',
            messageId: expect.stringMatching(/^[\w-]{21}$/),
            timestamp: UNIX_START,
            payload: { userId: 'alice', role: 'owner' },
          },
        ],
        h: expect.any(String),
        head: 1,
        live: true,
        oldest: 1,
      },
    })
    expect(presence).toEqual({
      type: 'room_presence',
      payload: { room: 'general', users: [{ userId: 'alice', status: 'online' }] },
    })
    expect(unread).toEqual({
      type: 'unread_changed',
      payload: { room: 'general', read: 0, head: 1, unread: 0 },
    })
    expect(none).toEqual([])

    const commands = ['one', 'two'].map((content, i) => ({
      type: 'send_message',
      messageId: `message-${i}`,
      payload: { content },
    }))
    bench.say(1, {
      type: 'commands',
      payload: { ref: 4, room: 'general', sid: 'lane-of-alice', n: 1, commands },
    })
    await bench.settle()
    const [ack, entries, ...rest] = bench.heard(1)
    expect(ack).toEqual({
      type: 'ack',
      payload: { acks: [{ ref: 4, seq: 2, count: 2 }] },
      timestamp: UNIX_START,
    })
    expect(entries).toEqual({
      type: 'entries',
      payload: {
        room: 'general',
        entries: commands.map(({ messageId, payload }, i) => ({
          type: 'new_message',
          seq: 2 + i,
          sender: 'alice',
          messageId,
          timestamp: UNIX_START,
          payload,
        })),
        h: expect.any(String),
      },
    })
    expect(rest).toEqual([])

    // The link breaks before the client saw the second: it resumes from the first, and sends both again.
    bench.step({ type: 'closed', connection: 1 })
    const first = await bench.store.readPage({
      user: 'alice',
      room: 'general',
      after: { seq: 1 },
      maxEntries: 1,
      maxBytes: 1,
      maxReplay: 1_000,
    })
    const h = first.result === 'page' ? first.h : ''
    await bench.login(2, 'alice')
    bench.say(
      2,
      {
        type: 'subscribe',
        payload: { ref: 2, epoch: EPOCH, rooms: [{ room: 'general', after: { seq: 2, h } }] },
      },
      {
        type: 'commands',
        payload: { ref: 3, room: 'general', sid: 'lane-of-alice', n: 1, commands },
      },
    )
    await bench.settle()
    expect(bench.heard(2)).toEqual([
      {
        type: 'page',
        payload: {
          ref: 2,
          room: 'general',
          epoch: EPOCH,
          after: { seq: 2, h },
          entries: [
            {
              type: 'new_message',
              seq: 3,
              sender: 'alice',
              messageId: 'message-1',
              timestamp: UNIX_START,
              payload: { content: 'two' },
            },
          ],
          h: entries?.type === 'entries' ? entries.payload.h : '',
          head: 3,
          live: true,
          oldest: 1,
        },
      },
      presence,
      // Who says something has read what stands before.
      {
        type: 'room_receipts',
        payload: {
          room: 'general',
          receipts: [{ userId: 'alice', delivered: 3, deliveredAt: UNIX_START, read: 3, readAt: UNIX_START }],
        },
      },
      { type: 'unread_changed', payload: { room: 'general', read: 3, head: 3, unread: 0 } },
      { type: 'ack', payload: { acks: [{ ref: 3, seq: 2, count: 2 }] }, timestamp: UNIX_START },
    ])

    bench.say(2, { type: 'leave_room', payload: { ref: 9, room: 'general' } })
    await expectTold(bench, 2, { type: 'room_left', payload: { ref: 9, room: 'general', reason: 'left' } })
  })

  it('a refused command, a gap behind it, and the way back', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    const send = (ref: number, n: number, ...ids: string[]) =>
      bench.say(1, {
        type: 'commands',
        payload: {
          ref,
          room: 'general',
          sid: 'lane-of-alice',
          n,
          commands: ids.map((messageId) =>
            messageId.startsWith('skip')
              ? { type: 'skip', messageId }
              : {
                  type: 'send_message',
                  messageId,
                  payload: { content: `${n > 4 ? 'new' : 'old'} ${messageId}` },
                },
          ),
        },
      })
    const outline = () =>
      bench.heard(1).map((message) => {
        if (message.type === 'ack') return `ack ${JSON.stringify(message.payload.acks)}`
        if (message.type === 'error') return `error ${message.payload.ref} ${message.payload.code}`
        return message.type
      })
    send(10, 2, 'message-2')
    await bench.settle()
    expect(outline()).toEqual(['error 10 GAP'])
    send(11, 1, 'message-1', 'message-2')
    await bench.settle()
    expect(outline()).toEqual(['ack [{"ref":11,"seq":2,"count":2}]', 'entries'])
    send(13, 3, 'skip-this-one', 'message-4')
    await bench.settle()
    expect(outline()).toEqual(['ack [{"ref":14,"seq":4}]', 'error 13 SKIPPED', 'entries'])
    send(15, 3, 'message-3')
    await bench.settle()
    expect(outline()).toEqual(['error 15 VOID'])
    send(16, 5, 'message-1')
    await bench.settle()
    expect(outline()).toEqual(['error 16 ID_CONFLICT'])
    send(17, 6, 'message-6')
    await bench.settle()
    expect(outline()).toEqual(['ack [{"ref":17,"seq":5}]', 'entries'])
  })
})

describe('a node', () => {
  it('gives the same effects for the same inputs', async () => {
    const run = async () => {
      const bench = await createBench()
      const effects: unknown[] = []
      for (let id = 1; id <= 5; id++) {
        await bench.login(id, `user-${id}`)
        bench.say(id, { type: 'join_room', payload: { ref: 2, room: 'general' } })
        bench.say(id, { type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general' }] } })
        bench.send(id, 'general', ['x'])
        await bench.settle()
        bench.advance(10_000)
        effects.push(bench.heard(id))
      }
      return effects
    }
    expect(await run()).toEqual(await run())
  })

  it('does nothing when its timer rings early', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    bench.open(2)
    expect(bench.step({ type: 'timer' })).toEqual([])
  })

  it('follows the wall clock', async () => {
    const bench = await createBench()
    bench.step({ type: 'clock_set', unixMs: UNIX_START + 3_600_000 })
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    bench.say(1, { type: 'get_history', payload: { ref: 1, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'history')[0]?.entries[0]?.timestamp).toBe(UNIX_START + 3_600_000)
  })

  it('never throws, whatever is received, and whatever it is in the middle of', () => {
    const word = fc.constantFrom(
      'authenticate',
      'commands',
      'subscribe',
      'unsubscribe',
      'get_page',
      'get_history',
      'check',
      'join_room',
      'leave_room',
      'list_members',
      'mark_read',
      'start_typing',
      'stop_typing',
      'renew_token',
      'ping',
      'pong',
    )
    const field = fc.oneof(
      fc.constantFrom(0, 1, 2, -1, 1.5, 'general', 'lane-of-alice', 'message-1', null, true),
      fc.array(fc.constantFrom('general', 1, null), { maxLength: 2 }),
      fc.constant([{ room: 'general' }]),
      fc.constant([{ room: 'general', after: { seq: 0, h: '' } }]),
      fc.constant([{ type: 'send_message', messageId: 'message-1', payload: { content: 'x' } }]),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const payload = fc.dictionary(
      fc.constantFrom(
        'ref',
        'room',
        'rooms',
        'sid',
        'n',
        'commands',
        'seq',
        'token',
        'after',
        'limit',
        'before',
      ),
      field,
    )
    const valid = fc.constantFrom(
      { type: 'join_room', payload: { ref: 1, room: 'general' } },
      { type: 'leave_room', payload: { ref: 1, room: 'general' } },
      { type: 'subscribe', payload: { ref: 1, rooms: [{ room: 'general' }] } },
      { type: 'unsubscribe', payload: { ref: 1, rooms: ['general'] } },
      { type: 'start_typing', payload: { room: 'general' } },
      { type: 'mark_read', payload: { ref: 1, room: 'general', seq: 1 } },
      {
        type: 'commands',
        payload: {
          ref: 1,
          room: 'general',
          sid: 'lane-of-alice',
          n: 1,
          commands: [{ type: 'send_message', messageId: 'message-1', payload: { content: 'x' } }],
        },
      },
    )
    const frame = fc.oneof(
      { weight: 3, arbitrary: valid.map((message) => JSON.stringify(message)) },
      { weight: 3, arbitrary: fc.record({ type: word, payload }).map((message) => JSON.stringify(message)) },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.string() },
    )
    const answers = fc.constantFrom(
      { of: 'page', result: { result: 'forbidden' } } as const,
      { of: 'page', result: { result: 'reset', reason: 'ahead' } } as const,
      {
        of: 'page',
        result: { result: 'page', after: { seq: 0, h: '' }, entries: [], h: '', head: 0, oldest: 1 },
      } as const,
      { of: 'members', result: { members: [], hasMore: true } } as const,
      {
        of: 'receipts',
        receipts: {
          memberCount: 2,
          positions: [{ userId: 'bob', seq: 1, timestamp: 1 }],
          deliveries: [],
          own: { seq: 0, head: 1, unread: 1 },
        },
      } as const,
      { of: 'heads', heads: new Map() } as const,
      { of: 'failure', code: 'FETCH_ERROR' } as const,
    )
    const connection = fc.constantFrom(1, 2)
    const queue = fc.constantFrom('own', 'rooms', 'presence', 'names')
    const input = fc.oneof(
      {
        weight: 10,
        arbitrary: fc.record({ type: fc.constant('received' as const), connection, text: frame }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant('read_done' as const), connection, queue, answer: answers }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('buffered' as const), connection, bytes: fc.nat(2e6) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('closed' as const), connection }) },
      { weight: 2, arbitrary: fc.constant({ type: 'commit_failed' as const }) },
      { weight: 2, arbitrary: fc.constant({ type: 'turn_ended' as const }) },
      { weight: 1, arbitrary: fc.constant({ type: 'timer' as const }) },
    )
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const node = createNode({ ...DEFAULT_NODE_OPTIONS, epoch: EPOCH, unixOffsetMs: UNIX_START }, 1)
        for (const id of [1, 2]) {
          node.step({ type: 'opened', connection: id, token: undefined, address: undefined }, 0)
          const payloadOf = { ref: 1, sid: `lane-number-${id}`, token: 'x' }
          node.step(
            { type: 'received', connection: id, text: encode({ type: 'authenticate', payload: payloadOf }) },
            0,
          )
          node.step(
            {
              type: 'verified',
              connection: id,
              verification: { ok: true, userId: `user-${id}`, expiresAt: undefined },
            },
            0,
          )
        }
        let now = 0
        for (const each of inputs) {
          now += 1_000
          node.step(each, now)
        }
      }),
      { numRuns: 500 },
    )
  })
})
