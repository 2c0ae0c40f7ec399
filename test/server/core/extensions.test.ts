// Signals and requests of an application's own, by a node on the bench: what is asked of the application is answered by hand.

import { handle } from '@tautline/server'
import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../../packages/server/src/core/contract.ts'
import type { NodeOptions } from '../../../packages/server/src/core/options.ts'
import { ownMessagesOf } from '../../../packages/server/src/extensions.ts'
import { jobs } from '../../support/jobs.ts'
import { type Bench, createBench } from './bench.ts'

const own = ownMessagesOf([handle(jobs, { get_job: () => ({ title: '' }) })])

async function room(options: Partial<NodeOptions> = {}) {
  const bench = await createBench({ own, ...options })
  for (const [id, user] of [
    [1, 'alice'],
    [2, 'bob'],
    [3, 'alice'],
  ] as const) {
    await bench.login(id, user, `lane-number-${id}`)
    await bench.enter(id, 'general')
  }
  return bench
}

const signal = (bench: Bench, id: number, jobId: string, ref = 9, to = 'general') =>
  bench.say(id, { type: 'send_signal', payload: { ref, room: to, type: 'job_viewed', payload: { jobId } } })
const request = (bench: Bench, id: number, jobId: string, ref = 9) =>
  bench.say(id, { type: 'send_request', payload: { ref, type: 'get_job', payload: { jobId } } })
/** What the application was asked since this was asked last. */
function asks(bench: Bench) {
  const open = bench.others.flatMap((effect) => (effect.do === 'ask' ? [effect] : []))
  bench.others.length = 0
  return open
}
const answer = (bench: Bench, ask: number | undefined, verdict: Verdict) =>
  bench.step({ type: 'answered', ask: ask ?? 0, verdict })
const told = (bench: Bench, id: number) => bench.heardOf(id, 'signal').map(({ payload }) => payload['jobId'])

describe('a signal', () => {
  it('is told once the application agrees, to all who follow the room but the connection that said it', async () => {
    const bench = await room()
    signal(bench, 1, 'j')
    expect([1, 2, 3].flatMap((id) => bench.heard(id))).toEqual([])
    const [{ ask, asked } = { ask: 0, asked: undefined }] = asks(bench)
    expect(asked).toMatchObject({
      kind: 'signal',
      session: 'alice/lane-number-1',
      probe: { user: 'alice', room: 'general' },
    })
    answer(bench, ask, { ok: true, payload: { jobId: 'j' } })
    const message = {
      type: 'signal',
      payload: { type: 'job_viewed', payload: { jobId: 'j' }, room: 'general', sender: 'alice' },
    }
    expect(bench.heard(2)).toEqual([message])
    expect(bench.heard(3)).toEqual([message])
    expect(bench.heard(1)).toEqual([{ type: 'done', payload: { ref: 9 } }])
  })

  it('waits for the one before it of its connection and room, and for no other', async () => {
    const bench = await room()
    await bench.enter(1, 'den')
    signal(bench, 1, 'first')
    signal(bench, 1, 'second', 10)
    signal(bench, 1, 'elsewhere', 11, 'den')
    signal(bench, 2, 'of another', 12)
    const open = asks(bench)
    expect(open.map(({ asked }) => asked.payload['jobId'])).toEqual(['first', 'elsewhere', 'of another'])
    answer(bench, open[0]?.ask, { ok: true, payload: { jobId: 'first' } })
    const [next] = asks(bench)
    expect(next?.asked.payload).toEqual({ jobId: 'second' })
    answer(bench, next?.ask, { ok: true, payload: { jobId: 'second' } })
    expect(told(bench, 2)).toEqual(['first', 'second'])
  })

  it('is left out for a connection that reads slowly', async () => {
    const bench = await room()
    bench.step({ type: 'buffered', connection: 2, bytes: 70_000 })
    signal(bench, 1, 'j')
    answer(bench, asks(bench)[0]?.ask, { ok: true, payload: { jobId: 'j' } })
    expect([told(bench, 2), told(bench, 3)]).toEqual([[], ['j']])
  })

  it('of a connection that is gone is told to nobody, nor is what waited behind it', async () => {
    const bench = await room()
    signal(bench, 1, 'first')
    signal(bench, 1, 'second', 10)
    const [open] = asks(bench)
    bench.step({ type: 'closed', connection: 1 })
    answer(bench, open?.ask, { ok: true, payload: { jobId: 'first' } })
    expect(told(bench, 2)).toEqual([])
    expect(asks(bench)).toEqual([])
  })

  it('that is not of its form, or of a type that is none, is answered at once', async () => {
    const bench = await room()
    const say = (type: string, payload: Record<string, unknown>) =>
      bench.say(1, { type: 'send_signal', payload: { ref: 9, room: 'general', type, payload } })
    say('job_viewed', { jobId: 7 })
    say('job_offer', { jobId: 'j', rate: 1 })
    say('get_job', { jobId: 'j' })
    say('job_closed', { jobId: 'j' })
    expect(bench.heardOf(1, 'error').map(({ code }) => code)).toEqual([
      'VALIDATION_ERROR',
      'UNKNOWN_TYPE',
      'UNKNOWN_TYPE',
      'UNKNOWN_TYPE',
    ])
    expect(asks(bench)).toEqual([])
  })
})

describe('a request', () => {
  it('waits for no other', async () => {
    const bench = await room()
    request(bench, 1, 'a', 9)
    request(bench, 1, 'b', 10)
    const [a, b] = asks(bench)
    answer(bench, b?.ask, { ok: true, payload: { title: 'B' } })
    answer(bench, a?.ask, { ok: true, payload: { title: 'A' } })
    expect(bench.heardOf(1, 'response')).toEqual([
      { ref: 10, payload: { title: 'B' } },
      { ref: 9, payload: { title: 'A' } },
    ])
  })

  it('is refused in the application’s own words, with its code and whether that is final', async () => {
    const bench = await room()
    const refuse = (verdict: Omit<Extract<Verdict, { ok: false }>, 'ok'>) => {
      request(bench, 1, 'j')
      answer(bench, asks(bench)[0]?.ask, { ok: false, ...verdict })
      return bench.heardOf(1, 'error')[0]
    }
    expect(refuse({ code: 'REJECTED', applicationCode: 'JOB_NOT_FOUND', detail: 'no' })).toEqual({
      ref: 9,
      code: 'JOB_NOT_FOUND',
      final: true,
      message: 'no',
    })
    expect(refuse({ code: 'UNAVAILABLE', applicationCode: 'JOB_BUSY', retryAfterMs: 5 })).toMatchObject({
      code: 'JOB_BUSY',
      retryAfterMs: 5,
    })
    expect(refuse({ code: 'FORBIDDEN' })).toMatchObject({ code: 'FORBIDDEN' })
  })

  it('without an answer in time gets UNAVAILABLE, and a late one is heard no more', async () => {
    const bench = await room({ hookTimeoutMs: 5_000 })
    request(bench, 1, 'j')
    const [open] = asks(bench)
    bench.advance(4_999)
    expect(bench.heardOf(1, 'error')).toEqual([])
    bench.advance(1)
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 9, code: 'UNAVAILABLE', retryAfterMs: 1_000 }])
    expect(bench.others).toContainEqual({ do: 'ask_expired', ask: open?.ask })
    answer(bench, open?.ask, { ok: true, payload: { title: 'late' } })
    expect(bench.heard(1)).toEqual([])
  })

  it('is one of 256 at most that a connection has open', async () => {
    const bench = await room({ usage: {} })
    for (let i = 0; i < 257; i++) request(bench, 1, 'j', 100 + i)
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 356, code: 'RATE_LIMIT' }])
    const [first] = asks(bench)
    answer(bench, first?.ask, { ok: true, payload: { title: '' } })
    request(bench, 1, 'j', 500)
    expect(bench.heardOf(1, 'error')).toEqual([])
  })

  it('counts against the rate of its user, as a signal does', async () => {
    const bench = await room()
    for (let i = 0; i < 201; i++) request(bench, i % 2 ? 1 : 3, 'j', 100 + i)
    expect(bench.heardOf(3, 'error')).toMatchObject([{ code: 'RATE_LIMIT', retryAfterMs: 50 }])
    for (let i = 0; i < 201; i++) signal(bench, 2, 'j', 400 + i)
    expect(bench.heardOf(2, 'error')).toMatchObject([{ ref: 600, code: 'RATE_LIMIT', retryAfterMs: 50 }])
  })

  it('is still answered while the node drains, and no new one is taken', async () => {
    const bench = await room()
    request(bench, 1, 'j')
    bench.step({ type: 'drain' })
    request(bench, 1, 'j', 10)
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 10, code: 'UNAVAILABLE' }])
    expect(bench.closes.size).toBe(0)
    answer(bench, asks(bench)[0]?.ask, { ok: true, payload: { title: '' } })
    expect(bench.heardOf(1, 'response')).toHaveLength(1)
    expect(bench.closes.size).toBe(3)
  })
})

describe('what the application says itself', () => {
  it('reaches who follows the room, a user, or one session of theirs', async () => {
    const bench = await room()
    const tell = (to: Parameters<typeof bench.node.isThere>[0], jobId: string) => {
      bench.step({ type: 'told', to, name: 'job_closed', payload: { jobId } })
      return [bench.node.isThere(to), ...[1, 2, 3].map((id) => told(bench, id).length)]
    }
    expect(tell({ room: 'general' }, 'j')).toEqual([true, 1, 1, 1])
    expect(tell({ userId: 'alice' }, 'j')).toEqual([true, 1, 0, 1])
    expect(tell({ session: 'alice/lane-number-3' }, 'j')).toEqual([true, 0, 0, 1])
    expect(tell({ session: 'bob/lane-number-3' }, 'j')).toEqual([false, 0, 0, 0])
    expect(tell({ room: 'den' }, 'j')).toEqual([false, 0, 0, 0])
    bench.step({ type: 'closed', connection: 3 })
    expect(bench.node.isThere({ session: 'alice/lane-number-3' })).toBe(false)
  })
})
