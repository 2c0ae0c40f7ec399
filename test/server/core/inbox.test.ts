import { describe, expect, it } from 'vitest'
import { createBench } from './bench.ts'

async function ready(options = {}) {
  const bench = await createBench(options)
  await bench.login(1, 'alice')
  return { ...bench, text: (text: string) => bench.step({ type: 'received', connection: 1, text }) }
}

describe('a frame', () => {
  it('may hold several messages, which are dealt with in order', async () => {
    const bench = await ready()
    bench.say(1, { type: 'ping', payload: { ref: 1 } }, { type: 'ping', payload: { ref: 2 } })
    expect(bench.heardOf(1, 'pong')).toEqual([{ ref: 1 }, { ref: 2 }])
  })

  it('of an unknown type costs the connection nothing', async () => {
    const bench = await ready()
    bench.text('{"type":"sing","payload":{"ref":9}}')
    bench.text('{"type":"constructor","payload":{"ref":10}}')
    expect(bench.heardOf(1, 'error')).toMatchObject([
      { ref: 9, code: 'UNKNOWN_TYPE' },
      { ref: 10, code: 'UNKNOWN_TYPE' },
    ])
    expect(bench.closes.size).toBe(0)
  })

  it('that is not of its form is answered under its ref, with the field, without what was sent', async () => {
    const bench = await ready()
    bench.text('{"type":"join_room","payload":{"ref":9,"room":"not a room!"}}')
    const [error] = bench.heardOf(1, 'error')
    expect(error).toMatchObject({ ref: 9, code: 'INVALID_MESSAGE' })
    expect(error?.message).toContain('room')
    expect(error?.message).not.toContain('not a room')
  })

  it.each([
    ['no JSON', '{'],
    ['no envelope', '7'],
    ['an empty batch', '[]'],
    ['a key that names a prototype', '{"type":"ping","payload":{"ref":1,"__proto__":{}}}'],
    ['NUL', '{"type":"ping","payload":{"ref":1,"x":"\\u0000"}}'],
    ['a lone surrogate', '{"type":"ping","payload":{"ref":1,"x":"\\ud800"}}'],
    ['too many levels', `${'['.repeat(40)}${']'.repeat(40)}`],
  ])('with %s closes with PARSE_ERROR', async (_, text) => {
    const bench = await ready()
    bench.text(text)
    expect(bench.closes.get(1)).toBe('PARSE_ERROR')
  })

  it('that is too large closes with FRAME_TOO_BIG', async () => {
    const bench = await ready()
    bench.text(JSON.stringify({ type: 'ping', payload: { ref: 1, x: 'ä'.repeat(40_000) } }))
    expect(bench.closes.get(1)).toBe('FRAME_TOO_BIG')
  })

  it('is not read on after what closes the connection', async () => {
    const bench = await ready()
    bench.text('[{"type":"ping","payload":{"ref":1}},7,{"type":"ping","payload":{"ref":2}}]')
    expect(bench.heardOf(1, 'pong')).toEqual([{ ref: 1 }])
    expect(bench.closes.get(1)).toBe('PARSE_ERROR')
  })

  it('of a connection that is gone is not heard', async () => {
    const bench = await ready()
    bench.step({ type: 'closed', connection: 1 })
    expect(bench.step({ type: 'received', connection: 1, text: '{' })).toEqual([])
  })

  it('below the level of text closes with the code of its fault', async () => {
    const bench = await ready()
    bench.step({ type: 'faulted', connection: 1, code: 'UNSUPPORTED_DATA' })
    expect(bench.closes.get(1)).toBe('UNSUPPORTED_DATA')
  })
})

describe('the rate of messages of a connection', () => {
  it('refuses what can be asked again, with a wait, and drops what cannot', async () => {
    const bench = await ready({ framesPerSecond: 10, frameBurst: 5 })
    // `authenticate` took one of the five.
    bench.say(1, ...Array.from({ length: 4 }, () => ({ type: 'ping', payload: { ref: 1 } }) as const))
    bench.heard(1)
    bench.say(1, { type: 'start_typing', payload: { room: 'general' } })
    bench.say(1, { type: 'subscribe', payload: { ref: 5, rooms: [{ room: 'a' }, { room: 'b' }] } })
    bench.send(1, 'general', ['x', 'y'])
    expect(bench.heardOf(1, 'error').map(({ ref, code, room, count }) => [ref, code, room, count])).toEqual([
      [5, 'RATE_LIMIT', 'a', undefined],
      [5, 'RATE_LIMIT', 'b', undefined],
      [1_001, 'RATE_LIMIT', undefined, 2],
    ])
    // Also of a frame that is not of its form: each of its commands has a ref that waits.
    const malformed = { ref: 60, room: 'general', sid: '', n: 1, commands: [{}, {}, {}] }
    bench.step({
      type: 'received',
      connection: 1,
      text: JSON.stringify({ type: 'commands', payload: malformed }),
    })
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 60, code: 'RATE_LIMIT', count: 3 }])
    bench.advance(100)
    bench.say(1, { type: 'ping', payload: { ref: 6 } })
    expect(bench.heardOf(1, 'pong')).toEqual([{ ref: 6 }])
  })

  it('ends a flood with ABUSE', async () => {
    const bench = await ready()
    for (let i = 0; i < 100_000 && bench.closes.size === 0; i++) {
      bench.say(1, { type: 'ping', payload: { ref: 1 } })
    }
    expect([...bench.closes]).toEqual([[1, 'ABUSE retry']])
  })

  it('lets a resume of a thousand rooms pass', async () => {
    const bench = await ready()
    for (let i = 0; i < 5; i++) {
      const rooms = Array.from({ length: 200 }, (_, j) => ({ room: `room-${i * 200 + j}` }))
      bench.say(1, { type: 'subscribe', payload: { ref: i + 1, rooms } })
    }
    await bench.settle()
    const errors = bench.heardOf(1, 'error')
    expect(errors).toHaveLength(1_000)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['FORBIDDEN']))
  })
})
