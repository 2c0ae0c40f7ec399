import type { ClientMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { type Bench, createBench } from './bench.ts'

const MINUTE_MS = 60_000

/** Time passes, and the client does what keeps its connection alive. */
function stay(bench: Bench, minutes: number, ...more: ClientMessage[]): void {
  for (let i = 0; i < minutes * 2 && !bench.closes.has(1); i++) {
    bench.advance(MINUTE_MS / 2)
    for (const { ref } of bench.heardOf(1, 'ping')) bench.say(1, { type: 'pong', payload: { ref } })
    bench.say(1, ...more, { type: 'ping', payload: { ref: 900 } })
  }
}

describe('a connection that follows nothing and asks for nothing', () => {
  it('is closed with IDLE after 30 minutes', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    stay(bench, 29.5)
    expect(bench.closes.size).toBe(0)
    stay(bench, 0.5)
    expect([...bench.closes]).toEqual([[1, 'IDLE']])
    expect(bench.now()).toBe(30 * MINUTE_MS)
    expect(bench.node.figures()).toMatchObject({ connections: 0, sessions: 0 })
  })

  it.each<[string, ClientMessage]>([
    ['a check of its rooms', { type: 'check', payload: { ref: 901, rooms: [] } }],
    ['a renewed token', { type: 'renew_token', payload: { ref: 901, token: 'alice' } }],
  ])('is not kept by %s', async (_, message) => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    stay(bench, 31, message)
    expect([...bench.closes]).toEqual([[1, 'IDLE']])
  })

  it('stays for ever where that was set', async () => {
    const bench = await createBench({ idleTimeoutMs: Number.POSITIVE_INFINITY })
    await bench.login(1, 'alice')
    stay(bench, 300)
    expect(bench.closes.size).toBe(0)
  })
})

describe('a connection is of use', () => {
  it.each<[string, ClientMessage]>([
    ['types', { type: 'start_typing', payload: { room: 'general' } }],
    ['asks for history', { type: 'get_history', payload: { ref: 901, room: 'general' } }],
  ])('where its client %s', async (_, message) => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    stay(bench, 29)
    bench.say(1, message)
    stay(bench, 29)
    expect(bench.closes.size).toBe(0)
    stay(bench, 1)
    expect([...bench.closes]).toEqual([[1, 'IDLE']])
  })

  it.each(['general', '~alice'])('while it follows %s, though nothing is said there', async (room) => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.enter(1, room)
    stay(bench, 120)
    expect(bench.closes.size).toBe(0)
  })

  it('for 30 minutes more when it was put out of the last room that it followed', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.login(2, 'alice', 'another-lane')
    await bench.enter(1, 'general')
    bench.step({ type: 'ponged', connection: 2 })
    stay(bench, 0.5)
    bench.step({ type: 'ponged', connection: 2 })
    for (let i = 0; i < 120; i++) {
      stay(bench, 0.5)
      bench.step({ type: 'ponged', connection: 2 })
      bench.say(2, { type: 'stop_typing', payload: { room: 'general' } })
    }
    bench.say(2, { type: 'leave_room', payload: { ref: 5, room: 'general' } })
    await bench.settle()
    expect(bench.heardOf(1, 'room_left')).toMatchObject([{ room: 'general' }])
    stay(bench, 29)
    expect(bench.closes.has(1)).toBe(false)
    stay(bench, 2)
    expect(bench.closes.get(1)).toBe('IDLE')
  })
})
