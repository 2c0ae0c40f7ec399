import { describe, expect, it } from 'vitest'
import { Outgoing, type ServerSocket } from '../../packages/server/src/socket.ts'

function outgoing() {
  const frames: string[] = []
  const socket: ServerSocket = {
    send: (text) => void frames.push(text),
    ping() {},
    close() {},
    terminate() {},
    bufferedBytes: () => 0,
  }
  return { out: new Outgoing(1, socket), frames }
}

describe('the way out', () => {
  it('writes one message as it is, and several as one list', () => {
    const { out, frames } = outgoing()
    expect(out.add('{"a":1}')).toBe(true)
    out.flush()
    expect(out.add('{"b":1}')).toBe(true)
    expect(out.add('{"c":1}')).toBe(false)
    out.flush()
    out.flush()
    expect(frames).toEqual(['{"a":1}', '[{"b":1},{"c":1}]'])
  })

  it('puts at most 256 messages into a frame', () => {
    const { out, frames } = outgoing()
    for (let i = 0; i < 600; i++) out.add(`${i}`)
    out.flush()
    expect(frames.map((text) => (JSON.parse(text) as unknown[]).length)).toEqual([256, 256, 88])
    expect(frames.flatMap((text) => JSON.parse(text) as number[])).toEqual(
      Array.from({ length: 600 }, (_, i) => i),
    )
  })

  it('does not make a frame larger than its largest message, or 128 Ki characters', () => {
    const { out, frames } = outgoing()
    const large = `"${'x'.repeat(100_000)}"`
    const huge = `"${'y'.repeat(300_000)}"`
    for (const text of [large, large, '1', huge, '2', '3']) out.add(text)
    out.flush()
    expect(frames).toEqual([large, `[${large},1]`, huge, '[2,3]'])
  })
})

it('puts the same list together once for all sockets that are told it in a turn', () => {
  const [one, other] = [outgoing(), outgoing()]
  for (const { out } of [one, other]) {
    for (const text of ['1', '2']) out.add(text)
    out.flush()
  }
  for (const text of ['1', '3']) one.out.add(text)
  one.out.flush()
  expect([one.frames, other.frames]).toEqual([['[1,2]', '[1,3]'], ['[1,2]']])
})
