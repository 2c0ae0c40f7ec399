import { decodeServerFrame, EXAMPLES, MAX_BATCH, type ServerMessage } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { framesLike } from '../support/mutate.ts'
import { wholeDoor } from '../support/whole-door.ts'
import { holds } from './support/property.ts'

const examples = Object.values(EXAMPLES.server) as ServerMessage[]
const frame = framesLike(examples)

/** Types that the client passes over: the door leaves them out. */
const ignored = new Set(
  examples.filter((message) => wholeDoor(JSON.stringify(message))?.length === 0).map(({ type }) => type),
)

const pass = (value: unknown) => wholeDoor(JSON.stringify(value))
const change = (type: keyof typeof EXAMPLES.server, payload: object) => ({
  ...EXAMPLES.server[type],
  payload: { ...EXAMPLES.server[type].payload, ...payload },
})

/** The one rule that the schemas do not say: a run of entries has no hole. */
function hasHole(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasHole)
  const { type, payload } = value as ServerMessage
  if (type !== 'page' && type !== 'entries') return false
  const first = type === 'page' ? payload.after.seq + 1 : payload.entries[0]?.seq
  return payload.entries.some((entry, i) => entry.seq !== (first ?? 0) + i)
}

describe('the door', () => {
  it.each(examples)('lets the example of $type pass as it is, or leaves it out', (message) => {
    expect(pass(message)).toEqual(ignored.has(message.type) ? [] : [message])
  })

  it('lets several messages pass in order', () => {
    const { ping, pong } = EXAMPLES.server
    expect(pass([ping, pong, ping])).toEqual([ping, pong, ping])
    expect(pass([])).toEqual([])
  })

  it('leaves out types of a newer server', () => {
    const { ping } = EXAMPLES.server
    expect(pass([{ type: 'weather_changed', payload: { sky: 'blue' } }, ping])).toEqual([ping])
    for (const type of ['constructor', '__proto__', 'toString'])
      expect(pass({ type, payload: {} })).toEqual([])
  })

  it.each([
    ['text that is not JSON', 'no'],
    ['an empty text', ''],
    ['binary data', new ArrayBuffer(4)],
    ['nothing', undefined],
    ['a number', '1'],
    ['null', 'null'],
    ['a message without a payload', '{"type":"ping"}'],
    ['a message without a type', '{"payload":{"ref":1}}'],
    ['a payload that is an array', '{"type":"ping","payload":[]}'],
    ['a frame in a frame', '[[{"type":"ping","payload":{"ref":1}}]]'],
  ])('refuses %s', (_what, data) => {
    expect(wholeDoor(data)).toBeUndefined()
  })

  it.each<[string, object]>([
    ['a limit that is missing', change('connected', { limits: { windowPerRoom: 8 } })],
    [
      'a limit of nothing',
      change('connected', { limits: { ...EXAMPLES.server.connected.payload.limits, windowPerRoom: 0 } }),
    ],
    ['a ref that is text', change('ping', { ref: '1' })],
    [
      'an acknowledgement of more than a batch',
      change('ack', { acks: [{ ref: 1, seq: 1, count: MAX_BATCH + 1 }] }),
    ],
    [
      'an acknowledgement without end',
      change('ack', { acks: [{ ref: 1, seq: 1, count: Number.MAX_SAFE_INTEGER }] }),
    ],
    [
      'a run with a hole',
      change('entries', { entries: [EXAMPLES.entries.member_joined, EXAMPLES.entries.new_message] }),
    ],
    ['a page that does not follow its cursor', change('page', { after: { seq: 7, h: '' } })],
    [
      'an entry without a sender',
      change('entries', { entries: [{ ...EXAMPLES.entries.new_message, sender: 1 }] }),
    ],
  ])('refuses %s', (_what, value) => {
    expect(pass(value)).toBeUndefined()
  })

  it('knows no limits but its own: a newer server may tell of others', () => {
    const limits = { ...EXAMPLES.server.connected.payload.limits, features: ['calls'], maxCalls: 0 }
    expect(pass(change('connected', { limits }))).toHaveLength(1)
  })

  it.each(['soon', -1, 1.5, null, {}])('leaves a time out that is none: %j', (timestamp) => {
    const { ack } = EXAMPLES.server
    expect(pass({ ...ack, timestamp })).toEqual([{ type: 'ack', payload: ack.payload }])
  })

  it('lets pass whatever the schemas accept', () => {
    let accepted = 0
    holds(
      fc.property(frame, (text) => {
        const decoded = decodeServerFrame(text, { maxFrameBytes: 1_000_000 })
        const isGood = decoded.every((result) => result.ok || result.code === 'UNKNOWN_TYPE')
        if (!isGood || hasHole(JSON.parse(text))) return true
        accepted++
        const expected = decoded.flatMap((result) =>
          result.ok && !ignored.has(result.message.type) ? [result.message.type] : [],
        )
        expect(wholeDoor(text)?.map(({ type }) => type)).toEqual(expected)
        return true
      }),
      4_000,
    )
    // The property is about something.
    expect(accepted).toBeGreaterThan(500)
  })

  it('throws at nothing', () => {
    holds(
      fc.property(fc.oneof(fc.json(), frame, fc.string()), (text) => {
        wholeDoor(text)
        return true
      }),
      1_000,
    )
    holds(
      fc.property(fc.anything(), (value) => {
        wholeDoor(value)
        return true
      }),
    )
  })
})
