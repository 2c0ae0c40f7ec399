// The application's say, in virtual time: questions leave as effects and are answered by hand.

import { DEFAULT_LIMITS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { Effect, Verdict } from '../../../packages/server/src/core/contract.ts'
import type { NodeOptions } from '../../../packages/server/src/core/options.ts'
import { contentsOf, createBench } from './bench.ts'

const MESSAGES = { reviews: { messages: true, actions: false } }
const ACTIONS = { reviews: { messages: false, actions: true } }
const OK: Verdict = { ok: true }
const FORBIDDEN: Verdict = { ok: false, code: 'FORBIDDEN' }

type Question = Extract<Effect, { do: 'review' }>

/** A bench on which nothing is asked while the users enter `general`. */
async function room(options: Partial<NodeOptions>, ...users: string[]) {
  const inner = await createBench(options)
  let heard = 0
  const bench = {
    ...inner,
    /** What was asked since this was asked last. */
    questions(): Question[] {
      const all = inner.others.filter((effect): effect is Question => effect.do === 'review')
      const added = all.slice(heard)
      heard = all.length
      return added
    },
    /** The one question that is new, once all else has settled. */
    async question(): Promise<Question> {
      await inner.settle()
      const [question, ...more] = bench.questions()
      if (!question || more.length > 0)
        throw new Error(`${more.length} questions beyond ${String(question?.review)}`)
      return question
    },
    answer({ review }: Question, verdict: Verdict): void {
      inner.step({ type: 'reviewed', review, verdict })
    },
    /** The same message once more, from a connection of its own choice. */
    again(connection: number, ref: number, n: number, messageId: string, content: string, sid: string): void {
      inner.say(connection, {
        type: 'commands',
        payload: {
          ref,
          room: 'general',
          sid,
          n,
          commands: [{ type: 'send_message', messageId, payload: { content } }],
        },
      })
    },
  }
  for (const [i, user] of users.entries()) {
    await bench.login(i + 1, user)
    bench.say(i + 1, { type: 'join_room', payload: { ref: 2, room: 'general' } })
    if (options.reviews?.actions) bench.answer(await bench.question(), OK)
    bench.say(i + 1, { type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general' }] } })
    await bench.settle()
    for (const [j] of users.entries()) bench.heard(j + 1)
  }
  return bench
}

/** What it was told of its messages, by type. */
function told(bench: Awaited<ReturnType<typeof room>>, connection: number): string[] {
  return bench.heard(connection).flatMap((message) => {
    if (message.type === 'ack') return message.payload.acks.map(({ ref, count = 1 }) => `ack ${ref} ${count}`)
    if (message.type === 'error') return [`${message.payload.code} ${message.payload.ref}`]
    if (message.type === 'entries') return contentsOf([message.payload]).map(String)
    return []
  })
}

describe('a question', () => {
  it('comes before the commit of a message, with all that was said, and to nobody where nobody has a say', async () => {
    const bench = await room(MESSAGES, 'alice')
    const ref = bench.send(1, 'general', ['hello'])
    const question = await bench.question()
    expect(question.question).toEqual({
      action: 'write',
      userId: 'alice',
      room: 'general',
      session: expect.stringMatching(/^alice\//),
      command: { type: 'send_message', messageId: 'message-1', payload: { content: 'hello' } },
    })
    expect(bench.heard(1)).toEqual([])
    bench.answer(question, OK)
    await bench.settle()
    expect(told(bench, 1)).toEqual([`ack ${ref} 1`, 'hello'])
    const plain = await room({}, 'alice')
    plain.send(1, 'general', ['hello'])
    await plain.settle()
    expect(plain.questions()).toEqual([])
  })

  it('is one at a time in the order of the lane, whatever came in one frame', async () => {
    const bench = await room(MESSAGES, 'alice')
    const ref = bench.send(1, 'general', ['1', '2'])
    bench.send(1, 'general', ['3'])
    for (const content of ['1', '2', '3']) {
      const question = await bench.question()
      expect(question.question.command?.payload).toEqual({ content })
      bench.answer(question, OK)
    }
    await bench.settle()
    expect(told(bench, 1)).toEqual([`ack ${ref} 1`, '1', `ack ${ref + 1} 1`, '2', `ack ${ref + 2} 1`, '3'])
  })

  it('that waits for its answer holds up no other room and no other user', async () => {
    const bench = await room(MESSAGES, 'alice', 'bob')
    bench.send(1, 'general', ['slow'])
    const slow = await bench.question()
    bench.send(1, '~alice~bob', ['quick'])
    bench.answer(await bench.question(), OK)
    bench.send(2, 'general', ['quick too'])
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(told(bench, 1)).toEqual([expect.stringMatching(/^ack/), 'quick too'])
    bench.answer(slow, OK)
    await bench.settle()
    expect(told(bench, 2)).toEqual([expect.stringMatching(/^ack/), 'quick too', 'slow'])
  })

  it('may be answered with other words; the retry of the first ones is the same message', async () => {
    const bench = await room(MESSAGES, 'alice')
    bench.again(1, 10, 1, 'the-message', 'damn', 'the-lane-1')
    bench.answer(await bench.question(), { ok: true, payload: { content: '****' } })
    await bench.settle()
    expect(told(bench, 1)).toEqual(['ack 10 1', '****'])
    // In the same lane, whose ack was lost, and in a new one.
    bench.again(1, 11, 1, 'the-message', 'damn', 'the-lane-1')
    bench.again(1, 12, 1, 'the-message', 'damn', 'the-lane-2')
    await bench.settle()
    expect(bench.questions()).toEqual([])
    expect(told(bench, 1)).toEqual(['ack 11 1', 'ack 12 1'])
  })

  it('is not asked about what the store would refuse', async () => {
    const bench = await room(MESSAGES, 'alice')
    bench.send(1, 'no-such-room', ['x'], 'the-lane-1')
    bench.send(1, 'general', ['', 'x'.repeat(5_001)], 'the-lane-2')
    bench.again(1, 99, 7, 'after-a-gap', 'x', 'the-lane-3')
    bench.say(1, {
      type: 'commands',
      payload: {
        ref: 98,
        room: 'general',
        sid: 'the-lane-4',
        n: 1,
        commands: [{ type: 'skip', messageId: 'given-up' }],
      },
    })
    await bench.settle()
    expect(bench.questions()).toEqual([])
    expect(
      told(bench, 1)
        .map((line) => line.split(' ')[0] ?? '')
        .sort(),
    ).toEqual(['FORBIDDEN', 'GAP', 'MESSAGE_TOO_LONG', 'SKIPPED', 'VALIDATION_ERROR'])
  })
})

describe('a refusal', () => {
  it('that is final uses its place up, and the others go on in order', async () => {
    const bench = await room(MESSAGES, 'alice')
    const contents = ['1', '2', 'bad', '4', '5']
    const ref = bench.send(1, 'general', contents)
    for (const content of contents) {
      const question = await bench.question()
      bench.answer(question, content === 'bad' ? FORBIDDEN : OK)
    }
    await bench.settle()
    const all = told(bench, 1)
    expect(all.filter((line) => contents.includes(line))).toEqual(['1', '2', '4', '5'])
    expect(all).toContain(`FORBIDDEN ${ref + 2}`)
    // It is recorded: the same again is not asked again.
    bench.again(1, 50, 3, 'message-3', 'bad', 'lane-of-1')
    await bench.settle()
    expect(bench.questions()).toEqual([])
    expect(told(bench, 1)).toEqual(['VOID 50'])
  })

  it('for now leaves the lane alone: what follows gets GAP and is not asked about, until all comes again', async () => {
    const bench = await room(MESSAGES, 'alice')
    const ref = bench.send(1, 'general', ['1', '2', '3'])
    bench.answer(await bench.question(), OK)
    bench.answer(await bench.question(), { ok: false, code: 'RATE_LIMIT', retryAfterMs: 7_000 })
    await bench.settle()
    expect(bench.questions()).toEqual([])
    const heard = bench.heard(1)
    expect(heard.filter(({ type }) => type === 'error').map(({ payload }) => payload)).toMatchObject([
      { ref: ref + 1, code: 'RATE_LIMIT', retryAfterMs: 7_000 },
      { ref: ref + 2, code: 'GAP' },
    ])
    bench.again(1, 50, 2, 'message-2', '2', 'lane-of-1')
    bench.again(1, 51, 3, 'message-3', '3', 'lane-of-1')
    for (const content of ['2', '3']) {
      const question = await bench.question()
      expect(question.question.command?.payload).toEqual({ content })
      bench.answer(question, OK)
    }
    await bench.settle()
    expect(told(bench, 1)).toEqual(['ack 50 1', '2', 'ack 51 1', '3'])
  })

  it('is UNAVAILABLE after five seconds without an answer; one that comes later counts for nothing', async () => {
    const bench = await room(MESSAGES, 'alice')
    const ref = bench.send(1, 'general', ['slow', 'next'])
    const slow = await bench.question()
    bench.advance(4_999)
    await bench.settle()
    expect(told(bench, 1)).toEqual([])
    bench.advance(1)
    await bench.settle()
    expect(told(bench, 1)).toEqual([`UNAVAILABLE ${ref}`, `GAP ${ref + 1}`])
    expect(bench.others).toContainEqual({ do: 'review_expired', review: slow.review })
    bench.answer(slow, OK)
    await bench.settle()
    expect(told(bench, 1)).toEqual([])
    bench.again(1, 50, 1, 'message-1', 'slow', 'lane-of-1')
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(told(bench, 1)).toEqual(['ack 50 1', 'slow'])
  })
})

describe('while a hook runs', () => {
  it.each([
    ['in the same lane', 'the-lane-1'],
    ['renumbered into another lane', 'the-lane-2'],
  ])('its sender may go and try again %s, and is acknowledged after one question', async (_how, sid) => {
    const bench = await room(MESSAGES, 'alice')
    await bench.login(2, 'alice', 'another-tab')
    bench.again(1, 10, 1, 'the-message', 'hello', 'the-lane-1')
    const question = await bench.question()
    bench.step({ type: 'closed', connection: 1 })
    bench.again(2, 20, 1, 'the-message', 'hello', sid)
    await bench.settle()
    expect(bench.questions()).toEqual([])
    bench.answer(question, OK)
    await bench.settle()
    expect(bench.questions()).toEqual([])
    expect(told(bench, 2)).toEqual(['ack 20 1'])
  })

  it('a drain waits for its answer, and refuses what was not asked yet', async () => {
    const bench = await room(MESSAGES, 'alice', 'bob')
    const ref = bench.send(1, 'general', ['asked', 'not asked'])
    const question = await bench.question()
    bench.send(1, 'general', ['not even previewed'])
    bench.hold('preview')
    const other = bench.send(2, 'general', ['being previewed'])
    await bench.settle()
    bench.step({ type: 'drain' })
    bench.release('preview')
    await bench.settle()
    expect(told(bench, 2)).toEqual([`UNAVAILABLE ${other}`])
    expect(bench.closes.size).toBe(0)
    bench.answer(question, OK)
    await bench.settle()
    expect(told(bench, 1).sort()).toEqual(
      [`UNAVAILABLE ${ref + 1}`, `UNAVAILABLE ${ref + 2}`, `ack ${ref} 1`, 'asked'].sort(),
    )
    expect([...bench.closes.values()]).toEqual(['RESTART retry', 'RESTART retry'])
    expect(bench.others).toContainEqual({ do: 'drained' })
  })

  it('a drain ends when it never answers', async () => {
    const bench = await room(MESSAGES, 'alice')
    bench.send(1, 'general', ['x'])
    await bench.question()
    bench.step({ type: 'drain' })
    bench.advance(5_000)
    expect(bench.closes.size).toBe(1)
  })
})

describe('the preview', () => {
  it('is one for all that wait at the end of a turn', async () => {
    const bench = await room(MESSAGES, 'alice', 'bob')
    bench.hold('preview')
    bench.send(1, 'general', ['a'])
    bench.send(2, 'general', ['b', 'c'])
    bench.step({ type: 'turn_ended' })
    expect(bench.takeWork('preview').ops.map(({ user }) => user)).toEqual(['alice', 'bob', 'bob'])
  })

  it('that fails comes to UNAVAILABLE, and everything goes on', async () => {
    const bench = await room(MESSAGES, 'alice')
    bench.hold('preview')
    const ref = bench.send(1, 'general', ['x'])
    bench.step({ type: 'turn_ended' })
    bench.takeWork('preview')
    bench.step({ type: 'preview_failed' })
    bench.release('preview')
    expect(told(bench, 1)).toEqual([`UNAVAILABLE ${ref}`])
    bench.again(1, 50, 1, 'message-1', 'x', 'lane-of-1')
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(told(bench, 1)).toEqual(['ack 50 1', 'x'])
  })

  it('that is overtaken lets nothing past the hook: what may be said now after all is asked about when it comes again', async () => {
    const bench = await room(MESSAGES, 'alice')
    await bench.login(2, 'bob')
    bench.hold('commit')
    bench.send(2, 'general', ['hello'], 'the-lane-2')
    bench.step({
      type: 'asked',
      user: 'system',
      message: { type: 'invite_member', payload: { ref: 1, room: 'general', userId: 'bob' } },
    })
    bench.step({ type: 'turn_ended' })
    await bench.settle()
    bench.release('commit')
    await bench.settle()
    expect(bench.questions()).toEqual([])
    const [answer] = told(bench, 2)
    expect(answer).toMatch(/^UNAVAILABLE/)
    bench.again(2, 50, 1, 'message-1', 'hello', 'the-lane-2')
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(told(bench, 2)).toEqual(['ack 50 1'])
  })

  it('sees what the same user did in the room just before', async () => {
    const bench = await room(MESSAGES, 'alice')
    await bench.login(2, 'bob')
    bench.say(2, { type: 'join_room', payload: { ref: 5, room: 'general' } })
    bench.send(2, 'general', ['hello'])
    bench.say(2, { type: 'leave_room', payload: { ref: 6, room: 'general' } })
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(bench.heard(2).map(({ type }) => type)).toEqual(['room_joined', 'ack', 'room_left'])
  })
})

describe('the bound on what waits', () => {
  it('is 65,536 operations; beyond it the answer is UNAVAILABLE', async () => {
    const bench = await room(
      { ...MESSAGES, limits: { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 } },
      'alice',
    )
    bench.hold('preview')
    const frame = Array.from({ length: 256 }, () => 'x')
    for (let i = 0; i < 256; i++) {
      bench.advance(100)
      bench.send(1, 'general', frame)
    }
    expect(bench.node.figures().queuedOps).toBe(65_536)
    bench.heard(1)
    const ref = bench.send(1, 'general', ['one more'])
    expect(told(bench, 1)).toEqual([`UNAVAILABLE ${ref}`])
  })

  it('is bounded in characters as well', async () => {
    const limits = { ...DEFAULT_LIMITS, messagesPerSecond: 1e6, messageBurst: 1e6 }
    const bench = await room({ ...MESSAGES, limits, maxQueuedChars: 100_000 }, 'alice')
    bench.hold('preview')
    const large = 'x'.repeat(4_000)
    for (let i = 0; i < 30; i++) bench.send(1, 'general', [large])
    const taken = bench.node.figures().queuedOps
    expect(taken).toBeGreaterThan(20)
    expect(taken).toBeLessThanOrEqual(100_000 / 4_000)
    expect(told(bench, 1)).toHaveLength(30 - taken)
  })

  it('that a join meets after its answer holds up no read behind it', async () => {
    const bench = await room(ACTIONS, 'alice')
    bench.hold('commit')
    const commands = Array.from({ length: 256 }, (_, i) => ({
      type: 'send_message',
      messageId: `message-${i}`,
      payload: { content: 'x' },
    }))
    const fill = (i: number) => {
      const payload = { ref: 1 + i * 256, room: 'general', sid: 'the-lane-1', n: 1 + i * 256, commands }
      bench.step({ type: 'asked', user: 'alice', message: { type: 'commands', payload } })
    }
    fill(0)
    await bench.settle()
    for (let i = 1; i <= 256; i++) fill(i)
    bench.say(
      1,
      { type: 'join_room', payload: { ref: 10, room: 'other' } },
      { type: 'list_rooms', payload: { ref: 11, which: 'own' } },
    )
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(bench.heard(1)).toMatchObject([
      { type: 'error', payload: { ref: 10, code: 'UNAVAILABLE' } },
      { type: 'room_list', payload: { ref: 11 } },
    ])
  })
})

describe('a say in actions', () => {
  it('is asked about each change and each message, and about nothing that the user may always do', async () => {
    const bench = await room(ACTIONS, 'alice')
    const ask = async (message: Parameters<typeof bench.say>[1]) => {
      bench.say(1, message)
      const { question, review } = await bench.question()
      bench.step({ type: 'reviewed', review, verdict: FORBIDDEN })
      await bench.settle()
      expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 9, code: 'FORBIDDEN' }])
      return question
    }
    const by = { userId: 'alice', room: 'general' }
    expect([
      await ask({ type: 'create_room', payload: { ref: 9, room: 'club', visibility: 'private' } }),
      await ask({ type: 'join_room', payload: { ref: 9, room: 'club' } }),
      await ask({ type: 'accept_invitation', payload: { ref: 9, room: 'club' } }),
      await ask({ type: 'invite_member', payload: { ref: 9, room: 'general', userId: 'bob' } }),
      await ask({ type: 'remove_member', payload: { ref: 9, room: 'general', userId: 'bob' } }),
    ]).toEqual([
      { action: 'create', userId: 'alice', room: 'club' },
      { action: 'join', userId: 'alice', room: 'club' },
      { action: 'join', userId: 'alice', room: 'club' },
      { action: 'invite', ...by, target: 'bob' },
      { action: 'remove', ...by, target: 'bob' },
    ])
    bench.send(1, 'general', ['x'])
    expect((await bench.question()).question).toMatchObject({ action: 'write', ...by })
    bench.say(1, { type: 'mark_read', payload: { ref: 10, room: 'general', seq: 1 } })
    await bench.settle()
    expect(bench.questions()).toEqual([])
    expect(bench.heard(1).map(({ type }) => type)).toContain('messages_read')
  })

  it('lets what was asked behind a change wait for it', async () => {
    const bench = await room(ACTIONS, 'alice')
    await bench.login(2, 'bob')
    bench.say(
      2,
      { type: 'join_room', payload: { ref: 5, room: 'general' } },
      { type: 'subscribe', payload: { ref: 6, rooms: [{ room: 'general', limit: 0 }] } },
    )
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(
      bench
        .heard(2)
        .map(({ type }) => type)
        .slice(0, 2),
    ).toEqual(['room_joined', 'page'])
    // And what was refused keeps nothing back.
    bench.say(
      2,
      { type: 'create_room', payload: { ref: 7, room: 'club', visibility: 'private' } },
      { type: 'get_history', payload: { ref: 8, room: 'general' } },
    )
    bench.answer(await bench.question(), FORBIDDEN)
    await bench.settle()
    expect(
      bench
        .heard(2)
        .map(({ type }) => type)
        .slice(0, 2),
    ).toEqual(['error', 'history'])
  })

  it('gives no right that the room does not', async () => {
    const bench = await room(ACTIONS, 'alice')
    await bench.login(2, 'bob')
    bench.say(2, { type: 'invite_member', payload: { ref: 9, room: 'general', userId: 'carol' } })
    bench.answer(await bench.question(), OK)
    await bench.settle()
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 9, code: 'FORBIDDEN' }])
  })
})
