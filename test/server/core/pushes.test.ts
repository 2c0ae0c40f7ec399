import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../packages/server/src/core/contract.ts'
import { createBench } from './bench.ts'

const GRACE_MS = 15_000

type PushEffect = Extract<Effect, { do: 'push' }>

/** bob in `general` with his telephone as connection 1, and alice and carol, who are never there. */
async function general(options: Parameters<typeof createBench>[0] = { pushes: true }) {
  const bench = await createBench(options)
  await bench.login(1, 'bob')
  await bench.enter(1, 'general')
  const commit = async (op: Parameters<typeof bench.store.commit>[0]) => {
    await bench.store.commit(op, bench.unixMs())
  }
  await commit(
    ['alice', 'carol'].map((user) => ({
      op: 'join' as const,
      user,
      room: 'general',
      messageId: `join-of-${user}`,
      noticeId: `notice-of-${user}`,
      create: false,
    })),
  )
  let n = 0
  let leftOut = 0
  return {
    ...bench,
    /** How many were not, by then. */
    leftOut: () => leftOut,
    commit,
    /** As bob. */
    async say(text: string, more: object = {}, room = 'general') {
      n++
      const item = { type: 'send_message', messageId: `message-${n}`, payload: { content: text, ...more } }
      const payload = { ref: n, room, sid: `lane-${room.length}-of-bob`, n, commands: [item] }
      // A lane for each message: their order is not what this is about.
      bench.say(1, { type: 'commands', payload: { ...payload, sid: `lane-${n}-of-bob`, n: 1 } })
      await bench.settle()
    },
    /** Whom and what of, since this was asked last. */
    pushed() {
      const pushes = bench.others.filter((effect): effect is PushEffect => effect.do === 'push')
      leftOut += bench.others.reduce((sum, one) => sum + (one.do === 'leave_out_pushes' ? one.count : 0), 0)
      bench.others.length = 0
      return pushes.map(({ push }) => {
        const said = push.message ? ` ${JSON.stringify(push.message.entry.payload['content'])}` : ''
        return `${push.userId}: ${push.entry?.type ?? 'message'}${said}`
      })
    },
  }
}

describe('what is handed on', () => {
  it('is a mention of who is away, with what was said, at once', async () => {
    const bench = await general()
    bench.advance(GRACE_MS)
    await bench.say('first')
    bench.advance(GRACE_MS)
    await bench.say('hello', { mentions: ['alice', 'bob'] })
    expect(bench.pushed()).toEqual(['alice: mention "hello"'])
  })

  it('is nothing where no hook wants it', async () => {
    const bench = await general({})
    await bench.say('hello', { mentions: ['alice'] })
    bench.advance(10 * GRACE_MS)
    expect(bench.pushed()).toEqual([])
  })

  it('is nothing for who is there', async () => {
    const bench = await general()
    await bench.login(2, 'alice')
    await bench.say('hello', { mentions: ['alice'] })
    bench.advance(10 * GRACE_MS)
    expect(bench.pushed()).toEqual([])
  })

  it('waits for the end of the grace of who has just gone, and is dropped where they came back', async () => {
    const bench = await general()
    for (const [id, user] of [
      [2, 'alice'],
      [3, 'carol'],
    ] as const) {
      await bench.login(id, user, `lane-number-${id}`)
      bench.step({ type: 'closed', connection: id })
    }
    bench.advance(1_000)
    await bench.say('hello', { mentions: ['alice', 'carol'] })
    bench.advance(GRACE_MS - 1_001)
    expect(bench.pushed()).toEqual([])
    await bench.login(4, 'carol', 'lane-number-4')
    bench.advance(1)
    expect(bench.pushed()).toEqual(['alice: mention "hello"'])
    bench.advance(10 * GRACE_MS)
    expect(bench.pushed()).toEqual([])
  })

  it('takes everybody for having just gone where the node has just begun', async () => {
    const bench = await general()
    await bench.say('hello', { mentions: ['alice'] })
    expect(bench.pushed()).toEqual([])
    bench.advance(GRACE_MS)
    expect(bench.pushed()).toEqual(['alice: mention "hello"'])
  })

  it('is every message of a direct room, but neither that it began nor a mention twice', async () => {
    const bench = await general({ pushes: true, presenceGraceMs: 0 })
    await bench.say('one', {}, '~alice~bob')
    await bench.say('two', { mentions: ['alice'] }, '~alice~bob')
    expect(bench.pushed()).toEqual(['alice: message "one"', 'alice: mention "two"'])
  })

  it('is every message of a room for who wants to hear all, and never one’s own', async () => {
    const bench = await general({ pushes: true, presenceGraceMs: 0 })
    const level = 'all' as const
    await bench.commit(
      ['alice', 'bob'].map((user) => ({
        op: 'set_notices' as const,
        user,
        room: 'general',
        level,
        silenceMs: undefined,
      })),
    )
    await bench.say('one')
    await bench.say('two', { mentions: ['alice', 'carol'] })
    expect(bench.pushed()).toEqual(['alice: message "one"', 'alice: mention "two"', 'carol: mention "two"'])
  })

  it('of a thousand messages to a thousand who are away is what can be kept, and the rest is counted', async () => {
    const bench = await general({ pushes: true, presenceGraceMs: 0 })
    bench.hold('commit')
    await bench.say('one')
    const { ops, unixMs } = bench.takeWork('commit')
    const { outcomes, appended } = await bench.store.commit(ops, unixMs)
    const [where] = appended
    const said = where?.entries[0]
    if (!said) throw new Error('nothing was said')
    const entries = Array.from({ length: 1_000 }, () => said)
    const listeners = ['bob', ...Array.from({ length: 1_000 }, (_, i) => `user-${i}`)]
    bench.step({ type: 'committed', result: { outcomes, appended: [{ ...where, entries, listeners }] } })
    const pushes = bench.pushed()
    expect(pushes).toHaveLength(20_000)
    expect(pushes[0]).toBe('user-0: message "one"')
    expect(pushes).not.toContain('bob: message "one"')
    expect(bench.leftOut()).toBe(980_000)
  })

  it('is handed on at the end of the node, without a wait', async () => {
    const bench = await general()
    await bench.say('hello', { mentions: ['alice'] })
    bench.step({ type: 'drain' })
    expect(bench.pushed()).toEqual(['alice: mention "hello"'])
  })
})
