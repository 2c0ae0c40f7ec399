// Hooks that do what no hook should, on a real server: what the client is told, and what is logged.

import { TautlineError } from '@tautline/protocol'
import type { Hooks, Logger, ServerOptions } from '@tautline/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect, gate, sendMessage, startServer } from './wire.ts'

/** alice in `general`, with a log of errors. */
async function withHooks(hooks: Hooks, options: Partial<ServerOptions> = {}) {
  const errors: object[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields, message) => void errors.push({ ...fields, message }),
  }
  const server = await startServer({ hooks, logger, ...options })
  await server.rooms.create({ id: 'general', visibility: 'public', owner: 'alice' })
  const alice = await connect(server).login('alice')
  return { server, alice, errors }
}

describe('onMessage', () => {
  it.each<[string, () => unknown]>([
    ['throws what is no refusal', () => Promise.reject(new Error('the filter is down'))],
    ['throws a code that is none of its own', () => Promise.reject(new TautlineError('INVALID_TOKEN'))],
    ['throws the code of a lane', () => Promise.reject(new TautlineError('GAP'))],
    ['makes a message of it that nobody could send', () => ({ content: '' })],
    ['writes NUL', () => ({ content: 'a\0b' })],
    ['writes more than may be', () => ({ content: 'x'.repeat(5_001) })],
    ['returns no object', () => true],
    ['returns what is no JSON', () => ({ metadata: { n: 1n } })],
  ])('that %s is logged and asked again, and the server lives', async (_what, onMessage) => {
    let calls = 0
    const { alice, errors } = await withHooks({
      onMessage: () => (calls++ === 0 ? (onMessage() as undefined) : undefined),
    })
    alice.say(sendMessage(10, 1, ['secret words']))
    expect((await alice.next('ack', 'error')).payload).toMatchObject({
      ref: 10,
      code: 'UNAVAILABLE',
      retryAfterMs: 1_000,
    })
    expect(errors).toMatchObject([
      { action: 'write', user: 'alice', room: 'general', message: 'a hook failed' },
    ])
    expect(JSON.stringify(errors)).not.toContain('secret words')
    alice.say(sendMessage(11, 1, ['secret words']))
    expect((await alice.next('ack', 'error')).payload).toMatchObject({ acks: [{ ref: 11, seq: 2 }] })
    expect(calls).toBe(2)
  })

  it('that gives no answer is given up after hookTimeoutMs', async () => {
    const { alice, errors } = await withHooks(
      { onMessage: () => new Promise<undefined>(() => {}) },
      { hookTimeoutMs: 10 },
    )
    alice.say(sendMessage(10, 1, ['1', '2']))
    expect((await alice.next('error')).payload).toMatchObject({ ref: 10, code: 'UNAVAILABLE' })
    expect((await alice.next('error')).payload).toMatchObject({ ref: 11, code: 'GAP' })
    expect(errors).toMatchObject([{ message: 'a hook gave no answer in time' }])
  })

  it('is told of the wait that it asks for', async () => {
    const { alice, errors } = await withHooks({
      onMessage() {
        throw new TautlineError('RATE_LIMIT', 'slow mode', 30_000)
      },
    })
    alice.say(sendMessage(10, 1, ['1']))
    expect((await alice.next('error')).payload).toMatchObject({ code: 'RATE_LIMIT', retryAfterMs: 30_000 })
    expect(errors).toEqual([])
  })
})

describe('authorize', () => {
  it.each<[string, () => boolean | Promise<boolean>, string, number]>([
    ['says nothing', () => undefined as unknown as boolean, 'FORBIDDEN', 0],
    ['refuses with a code', () => Promise.reject(new TautlineError('FORBIDDEN')), 'FORBIDDEN', 0],
    ['is busy', () => Promise.reject(new TautlineError('UNAVAILABLE')), 'UNAVAILABLE', 0],
    ['is broken', () => Promise.reject(new Error('no connection')), 'UNAVAILABLE', 1],
    ['is broken at once', () => Symbol.iterator as unknown as never, 'FORBIDDEN', 0],
    ['never answers', () => new Promise<boolean>(() => {}), 'UNAVAILABLE', 1],
  ])('that %s lets nothing be read and nothing be said', async (_what, authorize, code, logged) => {
    const { alice, errors } = await withHooks({ authorize }, { hookTimeoutMs: 10 })
    alice.say({ type: 'get_history', payload: { ref: 5, room: 'general' } })
    expect((await alice.next('error', 'history')).payload).toMatchObject({ ref: 5, code })
    alice.say(sendMessage(10, 1, ['x']))
    expect((await alice.next('ack', 'error')).payload).toMatchObject({ ref: 10, code })
    expect(errors).toHaveLength(2 * logged)
  })

  it('that never answers keeps no process alive once its server is closed', async () => {
    const hookTimeoutMs = 3_600_000
    const asked = gate()
    const { server, alice } = await withHooks(
      {
        authorize() {
          asked.open()
          return new Promise<boolean>(() => {})
        },
      },
      { hookTimeoutMs },
    )
    const timers = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => timers.mockRestore())
    alice.say({ type: 'get_history', payload: { ref: 5, room: 'general' } })
    await asked.passed
    await server.close()
    const call = timers.mock.calls.findIndex(([, delayMs]) => delayMs === hookTimeoutMs)
    const timer = timers.mock.results[call]?.value as NodeJS.Timeout | undefined
    expect(timer?.hasRef()).toBe(false)
  })

  it('keeps the heads, members and read positions of a room back with the rest', async () => {
    const asked: string[] = []
    const { alice } = await withHooks({
      authorize({ room, action }) {
        asked.push(`${action} ${room}`)
        return room !== 'general'
      },
    })
    alice.say({ type: 'subscribe', payload: { ref: 3, rooms: [{ room: 'general' }, { room: '~alice' }] } })
    expect((await alice.next('error', 'page')).payload).toMatchObject({ ref: 3, code: 'FORBIDDEN' })
    expect((await alice.next('error', 'page')).payload).toMatchObject({ room: '~alice' })
    alice.say({ type: 'list_members', payload: { ref: 4, room: 'general' } })
    expect((await alice.next('error', 'member_list')).payload).toMatchObject({ ref: 4, code: 'FORBIDDEN' })
    alice.say({
      type: 'check',
      payload: { ref: 5, rooms: ['general', '~alice'].map((room) => ({ room, after: { seq: 1, h: 'x' } })) },
    })
    expect((await alice.next('checked')).payload.rooms).toEqual(['general', '~alice'])
    expect(new Set(asked)).toEqual(new Set(['read general']))
  })
})
