import { history } from '@tautline/client/history'
import { validatingDoor } from '@tautline/client/validate'
import { EXAMPLES, type ServerMessage } from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { framesLike } from '../support/mutate.ts'
import { ALL, wholeDoor } from '../support/whole-door.ts'
import { localInDen } from './support/local.ts'
import { holds } from './support/property.ts'
import { idle } from './support/virtual-time.ts'

const examples = Object.values(EXAMPLES.server) as ServerMessage[]
const frame = framesLike(examples)
const pass = (value: unknown) => validatingDoor(JSON.stringify(value), ALL)

describe('the validating door', () => {
  it.each(examples)('lets the example of $type pass as it is', (message) => {
    expect(pass(message)).toEqual([message])
  })

  it('lets nothing pass that the default door refuses, and of what both take the same messages', () => {
    let accepted = 0
    let refusedByOne = 0
    holds(
      fc.property(frame, (text) => {
        const strict = validatingDoor(text, ALL)
        const open = wholeDoor(text)
        if (!strict) {
          if (open) refusedByOne++
          return true
        }
        accepted++
        // Those that nothing is done about yet, the default door leaves out.
        const known = new Set(open?.map(({ type }) => type))
        const types = strict.map(({ type }) => type).filter((type) => known.has(type))
        expect(types).toEqual(open?.map(({ type }) => type))
        return true
      }),
      4_000,
    )
    expect(accepted).toBeGreaterThan(500)
    expect(refusedByOne).toBeGreaterThan(100)
  })

  it('leaves out types of a newer server, and fields that nobody knows', () => {
    const { ping } = EXAMPLES.server
    expect(pass([{ type: 'weather_changed', payload: {} }, ping])).toEqual([ping])
    expect(pass({ ...ping, payload: { ...ping.payload, colour: 'red' } })).toEqual([ping])
  })

  it.each<[string, unknown]>([
    ['a run with a hole', changed('page', { after: { seq: 7, h: '' } })],
    ['a user that can be none', changed('connected', { userId: '\0' })],
    ['an id beyond its length', changed('entries', { room: 'x'.repeat(200) })],
    ['a reason that there is not', changed('room_left', { reason: 'bored' })],
    ['a code of the wrong form', changed('error', { code: 7 })],
  ])('refuses %s', (_what, value) => expect(pass(value)).toBeUndefined())

  it('throws at nothing', () => {
    holds(
      fc.property(fc.oneof(fc.json(), frame, fc.string(), fc.anything()), (data) => !throws(data)),
      1_000,
    )
  })
})

describe('a client with the validating door', () => {
  it('talks as ever', async () => {
    const { server, room } = await localInDen({ door: validatingDoor })
    const heard: string[] = []
    room.on('message', ({ content }) => heard.push(content))
    expect((await room.send({ content: 'hello' })).seq).toBe(1)
    server.say('den', 'good day')
    await idle()
    expect(heard).toEqual(['hello', 'good day'])
    expect((await history(room)).messages).toHaveLength(2)
  })

  it('ends a connection whose server breaks the protocol where nobody else would see it, and comes back', async () => {
    const { client, server, time } = await localInDen({ door: validatingDoor })
    const hostile = changed('room_left', { reason: 'bored' })
    expect(wholeDoor(JSON.stringify(hostile))).toBeDefined()
    server.tell(hostile as ServerMessage)
    await idle()
    expect(client.getSnapshot()).toMatchObject({ status: 'waiting', reason: 'PARSE_ERROR' })
    await time.advance(30_000)
    expect(client.status).toBe('connected')
  })
})

function changed(type: keyof typeof EXAMPLES.server, payload: object) {
  return { ...EXAMPLES.server[type], payload: { ...EXAMPLES.server[type].payload, ...payload } }
}

function throws(data: unknown): boolean {
  try {
    validatingDoor(data, ALL)
    return false
  } catch {
    return true
  }
}
