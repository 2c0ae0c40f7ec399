// How notifications are handed on: tries, waits and bounds, with the timers of the test.

import { TautlineError } from '@tautline/protocol'
import type { Logger } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Push } from '../../packages/server/src/core/pushes.ts'
import { createPusher, type PushNotification } from '../../packages/server/src/pusher.ts'
import { memory } from '../../packages/server/src/stores/memory.ts'
import { commit, join, leave, markNotices, NOW, notify, send } from '../contracts/store/harness.ts'
import { gate, startServer } from './wire.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** alice with two notices, the second of which is to be handed on. */
async function withTwo(push: (notification: PushNotification) => unknown) {
  const store = await memory().open()
  await store.commit([notify(1), notify(2)], NOW)
  const { notices } = await store.readNotices({ user: 'alice', before: undefined, limit: 1 })
  const logged: object[] = []
  const log = (fields: object, message: string) => void logged.push({ ...fields, message })
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: log }
  const calls: PushNotification[] = []
  const pusher = createPusher({
    store,
    mayRead: async () => true,
    logger,
    push: async (notification) => {
      calls.push(notification)
      await push(notification)
    },
  })
  const second: Push = { userId: 'alice', entry: notices[0]?.entry, message: undefined }
  return { store, pusher, calls, logged, second }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

describe('a notification for somebody who is away', () => {
  it('is described as it is when it is handed on', async () => {
    const { pusher, calls, second } = await withTwo(() => {})
    pusher.take(second)
    await settle()
    expect(calls).toEqual([
      {
        userId: 'alice',
        type: 'notice',
        id: 'notify-number-2',
        seq: 2,
        room: undefined,
        sender: 'system',
        timestamp: NOW,
        alert: { priority: 'normal', badge: 2 },
        payload: { title: 'notice 2' },
        message: undefined,
      },
    ])
  })

  it('says of a message what it says by now, and nothing where it was deleted or its reader put out', async () => {
    const store = await memory().open()
    const calls: PushNotification[] = []
    const pusher = createPusher({
      store,
      mayRead: async () => true,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      push: async (notification) => void calls.push(notification),
    })
    const { appended } = await store.commit([join(), join('bob'), send(1)], NOW)
    const entry = appended.find(({ room }) => room === 'room')?.entries.at(-1)
    expect(entry?.type).toBe('new_message')
    const push: Push = { userId: 'bob', entry: undefined, message: entry && { room: 'room', entry } }
    const target = { sender: 'alice', messageId: String(entry?.messageId) }
    const say = (n: number, type: string, payload: object) =>
      commit(store, send(n, { entry: { type, payload: { target, ...payload } } }))
    const told = async () => {
      pusher.take(push)
      await settle()
      return calls.splice(0).map(({ message }) => message?.payload)
    }
    await say(2, 'message_edited', { content: 'by now' })
    expect(await told()).toEqual([{ content: 'by now' }])
    await commit(store, leave('bob'))
    expect(await told()).toEqual([])
    await commit(store, join('bob', 'room', { messageId: 'again-and-again' }))
    expect(await told()).toHaveLength(1)
    await say(3, 'message_deleted', {})
    expect(await told()).toEqual([])
  })

  it('of what was said in a room is for nobody who may not read it by then, and waits where that is not known', async () => {
    const store = await memory().open()
    const calls: PushNotification[] = []
    let mayRead = false
    let isDown = false
    const asked: string[] = []
    const pusher = createPusher({
      store,
      async mayRead(user, room) {
        asked.push(`${user} ${room}`)
        if (isDown) throw new TautlineError('UNAVAILABLE')
        return mayRead
      },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      push: async (notification) => void calls.push(notification),
    })
    const { appended } = await store.commit([join(), join('bob'), send(1)], NOW)
    const entry = appended.find(({ room }) => room === 'room')?.entries.at(-1)
    const push: Push = { userId: 'bob', entry: undefined, message: entry && { room: 'room', entry } }
    pusher.take(push)
    await settle()
    expect([asked, calls]).toEqual([['bob room'], []])
    expect(pusher.figures()).toMatchObject({ pushTriesFailed: 0, pushesWaiting: 0 })
    isDown = true
    pusher.take(push)
    await settle()
    expect(pusher.figures()).toMatchObject({ pushTriesFailed: 1, pushesWaiting: 1 })
    mayRead = true
    isDown = false
    await vi.advanceTimersByTimeAsync(2_000)
    expect(calls.map(({ type, room }) => `${type} ${room}`)).toEqual(['message room'])
  })

  it('that fails is tried five times, ever later, and then given up', async () => {
    const { pusher, calls, logged, second } = await withTwo(() => {
      throw new Error('the push service is down')
    })
    pusher.take(second)
    await settle()
    const tries = [calls.length]
    for (const waitMs of [999, 201, 4_800, 1_200, 23_800, 6_200, 118_800, 31_200, 1_000_000]) {
      await vi.advanceTimersByTimeAsync(waitMs)
      tries.push(calls.length)
    }
    expect(tries).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1)
    expect(logged).toMatchObject([{ user: 'alice', tries: 5, message: 'a notification was not handed on' }])
    expect(JSON.stringify(logged)).not.toContain('notice 2')
    expect(pusher.figures()).toEqual({
      pushes: 0,
      pushTriesFailed: 5,
      pushesGivenUp: 1,
      pushesWaiting: 0,
    })
  })

  it('waits as long as the push service asks', async () => {
    let fails = true
    const { pusher, calls, second } = await withTwo(() => {
      if (fails) throw new TautlineError('RATE_LIMIT', undefined, 60_000)
    })
    pusher.take(second)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(calls).toHaveLength(1)
    fails = false
    await vi.advanceTimersByTimeAsync(12_001)
    expect(calls).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(calls).toHaveLength(2)
    expect(pusher.figures()).toEqual({
      pushes: 1,
      pushTriesFailed: 1,
      pushesGivenUp: 0,
      pushesWaiting: 0,
    })
  })

  it('that is refused for good is not tried again', async () => {
    const { pusher, calls, logged, second } = await withTwo(() => {
      throw new TautlineError('FORBIDDEN', 'the subscription is gone')
    })
    pusher.take(second)
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect([calls.length, logged.length]).toEqual([1, 1])
  })

  it.each(['read', 'cleared'] as const)('that was %s meanwhile is not handed on', async (change) => {
    let fails = true
    const { store, pusher, calls, second } = await withTwo(() => {
      if (fails) throw new Error('the push service is down')
    })
    pusher.take(second)
    await settle()
    fails = false
    await store.commit([markNotices(change, { seqs: [2] })], NOW)
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(calls).toHaveLength(1)
  })

  it('waits while sixteen are being handed on, and beyond ten thousand is given up', async () => {
    const { pusher, calls, logged, second } = await withTwo(() => new Promise(() => {}))
    for (let i = 0; i < 16 + 10_000; i++) pusher.take(second)
    await settle()
    expect([calls.length, logged.length]).toEqual([16, 0])
    expect(pusher.figures()).toMatchObject({ pushesGivenUp: 0, pushesWaiting: 10_016 })
    for (let i = 0; i < 1_001; i++) pusher.take(second)
    expect(pusher.figures()).toMatchObject({ pushesGivenUp: 1_001, pushesWaiting: 10_016 })
    pusher.leaveOut(500)
    pusher.leaveOut(5_000)
    expect(pusher.figures()).toMatchObject({ pushesGivenUp: 6_501, pushesWaiting: 10_016 })
    expect(logged).toEqual([
      { givenUp: 1, message: 'too many notifications wait to be handed on' },
      { givenUp: 1_001, message: 'too many notifications wait to be handed on' },
      { givenUp: 6_501, message: 'too many notifications wait to be handed on' },
    ])
  })

  it('is waited for at the end, but not for ever, and none is handed on afterwards', async () => {
    const door = gate()
    const { pusher, calls, second } = await withTwo(() => door.passed)
    for (let i = 0; i < 20; i++) pusher.take(second)
    await settle()
    let isFinished = false
    const finished = pusher.finish(2_000).then(() => {
      isFinished = true
    })
    await vi.advanceTimersByTimeAsync(1_999)
    expect(isFinished).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await finished
    door.open()
    pusher.take(second)
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(calls).toHaveLength(16)
  })

  it('ends at once where nothing waits', async () => {
    const { pusher, calls, second } = await withTwo(() => {})
    pusher.take(second)
    await pusher.finish(1_000_000)
    expect(calls).toHaveLength(1)
  })
})

it('a hook that gives no answer has failed after hookTimeoutMs', async () => {
  vi.useRealTimers()
  const warned = gate<object>()
  const logger: Logger = { debug() {}, info() {}, warn: warned.open, error() {} }
  const hooks = { onNotification: () => new Promise(() => {}) }
  const server = await startServer({ hooks, hookTimeoutMs: 10, presenceGraceMs: 0, logger })
  await server.notify('alice', { title: 'hello' })
  expect(await warned.passed).toMatchObject({
    user: 'alice',
    tries: 1,
    error: expect.stringContaining('no answer within 10 ms'),
  })
  expect(server.getMetrics()).toMatchObject({
    pushes: 0,
    pushTriesFailed: 1,
    pushesGivenUp: 0,
    pushesWaiting: 1,
  })
})
