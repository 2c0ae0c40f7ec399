// Who a connection speaks for: its token, and what the server says of us.

import { describe, expect, it } from 'vitest'
import { drive, ofType, payloadsOf, retryMs, SERVER_TIME } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

describe('a token', () => {
  it('that is refused is asked for once more, and then trying ends', () => {
    const client = drive()
    client.step({ type: 'connect' })
    client.token('stale')
    client.open()
    const refused = client.lose(4002, 'INVALID_TOKEN')
    expect(trace(refused)).toEqual(['status waiting INVALID_TOKEN retry'])
    expect(trace(client.advance(retryMs(refused)))).toEqual(['status connecting', 'get_token 2 refused'])
    client.token('fresh')
    client.open()
    expect(trace(client.lose(4002, 'TOKEN_EXPIRED'))).toEqual(['status stopped TOKEN_EXPIRED'])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
    expect(trace(client.step({ type: 'connect' }))).toEqual(['status connecting', 'get_token 3'])
  })

  it('that is taken makes an earlier refusal forgotten', () => {
    const client = drive()
    for (let round = 0; round < 3; round++) {
      client.step({ type: 'connect' })
      if (client.core.status() === 'waiting') client.advance(30_000)
      client.token()
      client.open()
      client.lose(4002, 'TOKEN_EXPIRED')
      expect(client.core.status()).toBe('waiting')
      client.reconnect()
      client.lose()
      client.reconnect()
      client.lose(1006)
    }
  })

  it('that cannot be had is a failed attempt', () => {
    const client = drive()
    client.step({ type: 'connect' })
    expect(trace(client.step({ type: 'token_failed', link: 1, detail: 'offline' }))).toEqual([
      'problem NO_TOKEN',
      'status waiting NO_TOKEN retry',
    ])
    // Nobody refused it, so nothing is counted.
    for (let i = 0; i < 5; i++) {
      while (client.core.status() !== 'connecting') client.advance(1_000)
      client.step({ type: 'token_failed', link: client.link(), detail: 'offline' })
      expect(client.core.status()).not.toBe('stopped')
    }
  })

  it('comes too late for the attempt that asked for it', () => {
    const client = drive()
    client.step({ type: 'connect' })
    client.advance(10_000)
    expect(client.core.status()).toBe('waiting')
    expect(client.step({ type: 'token', link: 1, token: 'late' })).toEqual([])
    while (client.core.status() !== 'connecting') client.advance(100)
    expect(client.step({ type: 'token', link: 1, token: 'late' })).toEqual([])
    expect(trace(client.token())).toEqual(['dial 2'])
    expect(client.token('twice')).toEqual([])
  })

  describe('that expires', () => {
    const LIFE_MS = 600_000

    function connected(tokenExpiresAt: number, seed?: number) {
      const client = drive({}, seed)
      client.step({ type: 'connect' })
      client.token()
      client.open()
      const effects = client.accept({ tokenExpiresAt }, SERVER_TIME)
      client.hear('pong', { ref: payloadsOf(effects, 'ping')[0]?.ref ?? 0 })
      client.take()
      return client
    }

    it('is renewed at four fifths of its life, with jitter', () => {
      const moments = new Set<number>()
      for (let seed = 1; seed <= 20; seed++) {
        const client = connected(SERVER_TIME + LIFE_MS, seed)
        const from = client.now()
        while (ofType(client.take(), 'get_token').length === 0) client.live(1_000)
        const part = (client.now() - from) / LIFE_MS
        expect(part).toBeGreaterThanOrEqual(0.75)
        expect(part).toBeLessThan(0.853)
        moments.add(part)
      }
      expect(moments.size).toBeGreaterThan(10)
    })

    it('is renewed on the open connection, again and again', () => {
      const client = connected(SERVER_TIME + LIFE_MS)
      for (let round = 1; round <= 3; round++) {
        client.take()
        const asked = ofType(client.live(LIFE_MS * 0.9), 'get_token')
        expect(asked).toEqual([{ type: 'get_token', link: 1, refused: false }])
        const [renewal] = payloadsOf(client.token(`token-${round}`), 'renew_token')
        expect(renewal?.token).toBe(`token-${round}`)
        // The server says no time here: it is known from before.
        const expiresAt = SERVER_TIME + (client.now() - 1_000) + LIFE_MS
        client.hear('token_renewed', { ref: renewal?.ref ?? 0, tokenExpiresAt: expiresAt })
        expect(client.core.status()).toBe('connected')
      }
    })

    it('is not asked for without end where the server gives none that lives', () => {
      const client = connected(SERVER_TIME - 1)
      let asked = 0
      for (let i = 0; i < 100; i++) {
        const effects = client.live(100)
        asked += ofType(effects, 'get_token').length
        for (const { link } of ofType(effects, 'get_token')) {
          const [renewal] = payloadsOf(client.step({ type: 'token', link, token: 'dead' }), 'renew_token')
          client.hear(
            'token_renewed',
            { ref: renewal?.ref ?? 0, tokenExpiresAt: SERVER_TIME - 1 },
            SERVER_TIME,
          )
        }
      }
      expect(asked).toBeGreaterThan(0)
      expect(asked).toBeLessThanOrEqual(11)
    })

    it('is asked for again where it could not be had', () => {
      const client = connected(SERVER_TIME + LIFE_MS)
      client.live(LIFE_MS * 0.86)
      expect(trace(client.step({ type: 'token_failed', link: 1, detail: 'no' }))).toEqual([
        'problem NO_TOKEN',
      ])
      expect(ofType(client.live(5_000), 'get_token')).toHaveLength(1)
    })

    it('is asked for afresh where the server refused the new one', () => {
      const client = connected(SERVER_TIME + LIFE_MS)
      client.live(LIFE_MS * 0.86)
      const [renewal] = payloadsOf(client.token(), 'renew_token')
      client.refuse(renewal?.ref ?? 0, 'INVALID_TOKEN')
      expect(ofType(client.live(5_000), 'get_token')).toEqual([{ type: 'get_token', link: 1, refused: true }])
    })

    it('counts as refused only where it was: a server that could not look at it says nothing of it', () => {
      const client = connected(SERVER_TIME + LIFE_MS)
      client.live(LIFE_MS * 0.86)
      const [renewal] = payloadsOf(client.token(), 'renew_token')
      client.refuse(renewal?.ref ?? 0, 'UNAVAILABLE')
      expect(ofType(client.live(5_000), 'get_token')).toEqual([
        { type: 'get_token', link: 1, refused: false },
      ])
      // The machine sleeps; the server ends the connection, whose token has expired.
      client.lose(4002, 'TOKEN_EXPIRED')
      expect(client.core.status()).toBe('waiting')
    })
  })
})

describe('identity', () => {
  it('that turns out to be another stops before anything is sent', () => {
    const client = drive()
    client.send('den', 'm-000001')
    client.step({ type: 'follow', room: 'den' })
    client.step({ type: 'connect' })
    client.token()
    client.open()
    expect(trace(client.accept({ userId: 'bob' }))).toEqual([
      'hang_up 1 4403 IDENTITY_MISMATCH',
      'status stopped IDENTITY_MISMATCH',
    ])
    expect(client.core.queued().rows).toBe(1)
  })

  it('is whoever the server says where the application did not, but then stays', () => {
    const client = drive({ userId: undefined })
    client.connect()
    client.send('den', 'm-000001')
    client.lose()
    client.reconnect()
    expect(client.core.status()).toBe('connected')
    client.lose()
    while (client.core.status() !== 'connecting') client.advance(100)
    client.token()
    client.open()
    client.take()
    // Somebody else signed in meanwhile: what Ada wrote is not Bob's to send.
    expect(trace(client.accept({ userId: 'bob' }))).toEqual([
      'hang_up 3 4403 IDENTITY_MISMATCH',
      'status stopped IDENTITY_MISMATCH',
    ])
  })
})
