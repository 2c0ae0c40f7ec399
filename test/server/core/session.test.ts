import type { ClientMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createBench, UNIX_START } from './bench.ts'

const hello = (more: { token?: string; userId?: string; sid?: string } = {}) =>
  ({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice', ...more } }) as const

describe('before authentication', () => {
  it('takes the token of the first frame', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    await bench.settle()
    expect(bench.heardOf(1, 'connected')).toMatchObject([{ ref: 1, userId: 'alice' }])
  })

  it('takes the token of the upgrade where the first frame has none', async () => {
    const bench = await createBench()
    bench.open(1, 'alice')
    bench.say(1, hello())
    await bench.settle()
    expect(bench.heardOf(1, 'connected')).toMatchObject([{ userId: 'alice' }])
  })

  it('prefers the token of the first frame', async () => {
    const bench = await createBench()
    bench.open(1, 'bob')
    bench.say(1, hello({ token: 'alice' }))
    await bench.settle()
    expect(bench.heardOf(1, 'connected')).toMatchObject([{ userId: 'alice' }])
  })

  it('closes with NO_TOKEN where there is none at all', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.say(1, hello())
    expect(bench.closes.get(1)).toBe('NO_TOKEN')
  })

  it.each<ClientMessage>([
    { type: 'subscribe', payload: { ref: 2, rooms: [{ room: 'general' }] } },
    { type: 'join_room', payload: { ref: 2, room: 'general' } },
    { type: 'pong', payload: { ref: 2 } },
    { type: 'start_typing', payload: { room: 'general' } },
    { type: 'renew_token', payload: { ref: 2, token: 'alice' } },
  ])('closes with NO_TOKEN on $type', async (message) => {
    const bench = await createBench()
    bench.open(1)
    bench.say(1, message)
    expect(bench.closes.get(1)).toBe('NO_TOKEN')
    expect(bench.heard(1)).toEqual([])
  })

  it('hears nothing but ping while the token is being verified', async () => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }), { type: 'ping', payload: { ref: 2 } })
    expect(bench.heard(1)).toEqual([{ type: 'pong', payload: { ref: 2 } }])
    bench.say(1, { type: 'join_room', payload: { ref: 3, room: 'general' } })
    expect(bench.closes.get(1)).toBe('NO_TOKEN')
  })

  it('says what is wrong with a malformed hello, and closes', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.step({
      type: 'received',
      connection: 1,
      text: '{"type":"authenticate","payload":{"ref":1,"sid":"x"}}',
    })
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 1, code: 'INVALID_MESSAGE' }])
    expect(bench.closes.get(1)).toBe('NO_TOKEN')
  })

  it('closes with HELLO_TIMEOUT after 5 s of silence, and of pings alone', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.open(2)
    bench.advance(4_999)
    bench.say(2, { type: 'ping', payload: { ref: 1 } })
    expect(bench.closes.size).toBe(0)
    bench.advance(1)
    expect([...bench.closes]).toEqual([
      [1, 'HELLO_TIMEOUT'],
      [2, 'HELLO_TIMEOUT'],
    ])
    expect(bench.node.figures().connections).toBe(0)
    expect(bench.node.nextDeadline()).toBeUndefined()
  })

  it('counts the time of the verification too', async () => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    bench.advance(5_000)
    expect(bench.closes.get(1)).toBe('HELLO_TIMEOUT')
    // The late answer finds nobody.
    await bench.perform(bench.takeWork('verify'))
    expect(bench.heard(1)).toEqual([])
  })
})

describe('a token', () => {
  it.each([
    ['INVALID_TOKEN', 'INVALID_TOKEN'],
    ['TOKEN_EXPIRED', 'TOKEN_EXPIRED'],
    ['SERVER_ERROR', 'SERVER_ERROR'],
    ['UNAVAILABLE', 'TRY_AGAIN_LATER retry'],
  ] as const)('that is answered with %s closes with %s', async (code, closed) => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    bench.step({ type: 'verified', connection: 1, verification: { ok: false, code } })
    expect(bench.closes.get(1)).toBe(closed)
    expect(bench.heard(1)).toEqual([])
  })

  it('of another user than the client believes to be closes with IDENTITY_MISMATCH', async () => {
    const bench = await createBench()
    bench.open(1)
    bench.say(1, hello({ token: 'bob', userId: 'alice' }))
    await bench.settle()
    expect(bench.closes.get(1)).toBe('IDENTITY_MISMATCH')
    expect(bench.heard(1)).toEqual([])
  })

  it('that has an end is told, and ends the connection with TOKEN_EXPIRED', async () => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    const expiresAt = UNIX_START + 20_000
    bench.step({ type: 'verified', connection: 1, verification: { ok: true, userId: 'alice', expiresAt } })
    expect(bench.heardOf(1, 'connected')).toMatchObject([{ tokenExpiresAt: expiresAt }])
    bench.advance(19_999)
    expect(bench.closes.size).toBe(0)
    bench.advance(1)
    expect(bench.closes.get(1)).toBe('TOKEN_EXPIRED')
  })

  it('that has run out already is refused', async () => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    bench.step({
      type: 'verified',
      connection: 1,
      verification: { ok: true, userId: 'alice', expiresAt: UNIX_START },
    })
    expect(bench.closes.get(1)).toBe('TOKEN_EXPIRED')
  })

  it('is renewed on the open connection', async () => {
    const bench = await createBench()
    bench.hold('verify')
    bench.open(1)
    bench.say(1, hello({ token: 'alice' }))
    const accept = (seconds: number) =>
      bench.step({
        type: 'verified',
        connection: 1,
        verification: { ok: true, userId: 'alice', expiresAt: UNIX_START + seconds * 1_000 },
      })
    accept(20)
    bench.advance(15_000)
    bench.say(1, { type: 'renew_token', payload: { ref: 5, token: 'alice' } })
    accept(40)
    expect(bench.heardOf(1, 'token_renewed')).toEqual([{ ref: 5, tokenExpiresAt: UNIX_START + 40_000 }])
    bench.advance(24_999)
    expect(bench.closes.size).toBe(0)
    bench.advance(1)
    expect(bench.closes.get(1)).toBe('TOKEN_EXPIRED')
  })

  it('that is refused at a renewal ends the connection', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.hold('verify')
    bench.say(1, { type: 'renew_token', payload: { ref: 5, token: 'x' } })
    bench.step({ type: 'verified', connection: 1, verification: { ok: false, code: 'INVALID_TOKEN' } })
    expect(bench.closes.get(1)).toBe('INVALID_TOKEN')
  })

  it('of another user ends the connection at a renewal', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(1, { type: 'renew_token', payload: { ref: 5, token: 'bob' } })
    await bench.settle()
    expect(bench.closes.get(1)).toBe('IDENTITY_MISMATCH')
  })

  it('is renewed once at a time', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.hold('verify')
    bench.say(1, { type: 'renew_token', payload: { ref: 5, token: 'alice' } })
    bench.say(1, { type: 'renew_token', payload: { ref: 6, token: 'alice' } })
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 6, code: 'UNAVAILABLE' }])
  })
})

describe('a session', () => {
  it('is taken over by a second connection of the same lane id', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    await bench.login(2, 'alice')
    expect([...bench.closes]).toEqual([[1, 'REPLACED']])
    expect(bench.node.figures()).toMatchObject({ connections: 1, sessions: 1 })
  })

  it('is not taken over by an earlier attempt of the same client that arrives late', async () => {
    const bench = await createBench()
    const attempt = (ref: number): ClientMessage => ({
      type: 'authenticate',
      payload: { ref, sid: 'the-lane-of-alice', token: 'alice' },
    })
    bench.open(1)
    bench.open(2)
    bench.say(2, attempt(8))
    await bench.settle()
    bench.say(1, attempt(7))
    await bench.settle()
    expect([...bench.closes]).toEqual([[1, 'REPLACED']])
    bench.say(2, { type: 'ping', payload: { ref: 9 } })
    expect(bench.heardOf(2, 'pong')).toEqual([{ ref: 9 }])
  })

  it('is not taken over by another lane id, nor by another user with the same', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice', 'lane-number-1')
    await bench.login(2, 'alice', 'lane-number-2')
    await bench.login(3, 'bob', 'lane-number-1')
    expect(bench.closes.size).toBe(0)
    expect(bench.node.figures().sessions).toBe(3)
  })

  it('is authenticated once', async () => {
    const bench = await createBench()
    await bench.login(1, 'alice')
    bench.say(1, hello({ token: 'bob' }))
    await bench.settle()
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 1, code: 'INVALID_MESSAGE' }])
    expect(bench.closes.size).toBe(0)
  })

  it('leaves nothing behind when its connection closes', async () => {
    const bench = await createBench({ presenceGraceMs: 0 })
    await bench.login(1, 'alice')
    await bench.enter(1, 'general')
    bench.step({ type: 'closed', connection: 1 })
    bench.advance(0)
    expect(bench.node.figures()).toEqual({ connections: 0, sessions: 0, rooms: 0, queuedOps: 0 })
    expect(bench.node.nextDeadline()).toBeUndefined()
  })
})

describe('too many connections', () => {
  it('are told to come again before anything is done for them', async () => {
    const bench = await createBench({ maxConnections: 1 })
    bench.open(1)
    bench.open(2, 'alice')
    expect([...bench.closes]).toEqual([[2, 'TRY_AGAIN_LATER retry']])
    bench.say(2, hello())
    expect(bench.heldWork()).toEqual([])
  })

  it('are none where the limit is 0: nobody gets in', async () => {
    const bench = await createBench({ maxConnections: 0 })
    bench.open(1)
    expect(bench.closes.get(1)).toBe('TRY_AGAIN_LATER retry')
  })
})
