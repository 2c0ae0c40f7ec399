// Being connected: golden traces of whole conversations, then what each status does with what does not belong to it.

import { CODES, type Code, encodeCloseReason, MAX_WAIT_MS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { Input } from '../../../packages/client/src/core/core.ts'
import type { Status } from '../../../packages/client/src/core/status.ts'
import {
  connectedPayload,
  drive,
  messagesOf,
  ofType,
  payloadsOf,
  SERVER_TIME,
  SID,
} from '../support/drive.ts'
import { trace } from '../support/trace.ts'

const authenticate = (ref: number, token = 'token') =>
  `> authenticate ${JSON.stringify({ ref, sid: SID, token, userId: 'ada' })}`

/** How long until the next attempt, as it was told. */
const retryMs = (effects: Parameters<typeof ofType>[0]): number =>
  ofType(effects, 'status').findLast(({ retryInMs }) => retryInMs !== undefined)?.retryInMs ?? Number.NaN

describe('a connection', () => {
  it('is made of a token, a transport, and the word of the server', () => {
    const client = drive()
    expect(trace(client.step({ type: 'connect' }))).toEqual(['status connecting', 'get_token 1'])
    expect(trace(client.token())).toEqual(['dial 1'])
    expect(trace(client.open())).toEqual(['status authenticating', authenticate(1)])
    expect(trace(client.accept())).toEqual(['identified', 'status connected', 'ready', '> ping {"ref":2}'])
    expect(trace(client.hear('pong', { ref: 2 }))).toEqual(['latency'])
  })

  it('resumes every room from its cursor in the first frame, then asks and sends', () => {
    const client = drive()
    client.connect()
    client.follow('den', 4)
    client.follow('hall', 9)
    client.send('den', 'm-000001')
    client.step({ type: 'request', id: 1, message: { type: 'list_members', payload: { room: 'den' } } })
    client.lose()
    while (client.core.status() !== 'connecting') client.advance(50)
    client.token()
    client.open()
    const effects = client.accept()
    const resumed = messagesOf(effects).filter(({ type }) => type !== 'ping')
    expect(resumed.map(({ type }) => type)).toEqual(['subscribe', 'list_members', 'commands'])
    expect(resumed[0]?.payload).toMatchObject({
      epoch: 'epoch-1',
      rooms: [
        { room: 'den', after: { seq: 4, h: 'h4' } },
        { room: 'hall', after: { seq: 9, h: 'h9' } },
      ],
    })
    // All of it in one frame, so in one round trip.
    expect(ofType(effects, 'transmit')).toHaveLength(1)
  })

  it('is ready when every room is live, refused, or known to be behind', () => {
    const client = drive()
    for (const room of ['den', 'hall', 'attic']) client.step({ type: 'follow', room })
    const [subscribe] = payloadsOf(client.connect(), 'subscribe')
    const ref = subscribe?.ref ?? 0
    client.take()
    client.page(ref, 'den', 3, 3)
    client.refuse(ref, 'FORBIDDEN', { room: 'hall' })
    expect(ofType(client.take(), 'ready')).toEqual([])
    client.page(ref, 'attic', 0, 100, { head: 5_000 })
    expect(ofType(client.take(), 'ready')).toHaveLength(1)
    client.push('den', 4)
    expect(ofType(client.take(), 'ready')).toEqual([])
  })

  it('that is lost comes back after a wait', () => {
    const client = drive()
    client.connect()
    const lost = client.lose()
    expect(trace(lost)).toEqual(['status waiting GOING_AWAY retry'])
    expect(retryMs(lost)).toBeGreaterThanOrEqual(250)
    expect(retryMs(lost)).toBeLessThan(1_250)
    expect(trace(client.advance(retryMs(lost) - 1))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['status connecting', 'get_token 2'])
  })

  it('that is broken by a frame of another protocol is ended, and tried again slowly', () => {
    const client = drive()
    client.connect()
    expect(trace(client.step({ type: 'garbled', link: client.link() }))).toEqual([
      'hang_up 1 4400 PARSE_ERROR',
      'status waiting PARSE_ERROR retry',
    ])
  })
})

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

describe('the close of the server', () => {
  const closing = (Object.keys(CODES) as Code[]).flatMap((code) => {
    const { closeCode, action } = CODES[code]
    return closeCode === null ? [] : [[code, closeCode, action] as const]
  })

  it.each(closing)('%s (%d): %s', (code, closeCode, action) => {
    const client = drive()
    client.connect()
    const effects = client.lose(closeCode, encodeCloseReason(code))
    expect(trace(effects)[0]).toBe(
      action === 'stop' ? `status stopped ${code}` : `status waiting ${code} retry`,
    )
    if (action === 'stop') expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('by a code that asks for slowness waits from the whole range', () => {
    const waits = Array.from({ length: 40 }, (_, seed) => {
      const client = drive({}, seed)
      client.connect()
      return retryMs(client.lose(4409, 'TOO_MANY_CONNECTIONS'))
    })
    expect(Math.max(...waits)).toBeGreaterThan(20_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000)
  })

  it.each([1013, 1012])('%d with a wait is obeyed, as a minimum', (closeCode) => {
    for (let seed = 0; seed < 20; seed++) {
      const client = drive({}, seed)
      client.step({ type: 'connect' })
      client.token()
      const code = closeCode === 1013 ? 'TRY_AGAIN_LATER' : 'RESTART'
      const lost = client.lose(closeCode, encodeCloseReason(code, 700))
      expect(retryMs(lost)).toBeGreaterThanOrEqual(700)
      expect(retryMs(lost)).toBeLessThan(1_250)
      client.step({ type: 'lifecycle', event: 'wake' })
      expect(trace(client.advance(690))).toEqual([])
    }
  })

  it('may ask for more than the longest backoff', () => {
    const client = drive()
    client.connect()
    expect(retryMs(client.lose(1013, 'TRY_AGAIN_LATER retry=90000'))).toBe(90_000)
  })

  it('may not ask for more than a day', () => {
    const client = drive()
    client.connect()
    expect(retryMs(client.lose(1013, 'TRY_AGAIN_LATER retry=999999999'))).toBe(MAX_WAIT_MS)
    const drained = drive()
    drained.connect()
    drained.hear('going_away', { reconnectAfterMs: Number.MAX_SAFE_INTEGER })
    expect(retryMs(drained.lose(1012, 'RESTART'))).toBe(MAX_WAIT_MS)
  })

  it('during a drain is followed after the time that was given', () => {
    const client = drive()
    client.connect()
    expect(trace(client.hear('going_away', { reconnectAfterMs: 4_200 }))).toEqual([])
    client.advance(200)
    const lost = client.lose(1012, 'RESTART')
    expect(retryMs(lost)).toBe(4_000)
    client.step({ type: 'connect' })
    client.step({ type: 'lifecycle', event: 'online' })
    expect(trace(client.advance(3_999))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['status connecting', 'get_token 2'])
  })

  it('by another connection of the same session ends the trying, until the application connects again', () => {
    const client = drive()
    client.connect()
    client.send('den', 'm-000001')
    expect(trace(client.lose(4410, 'REPLACED'))).toEqual([
      'progress m-000001 queued',
      'status stopped REPLACED',
    ])
    for (const event of ['wake', 'online', 'offline'] as const) {
      expect(client.step({ type: 'lifecycle', event })).toEqual([])
    }
    expect(client.advance(3_600_000)).toEqual([])
    expect(trace(client.step({ type: 'connect' }))[0]).toBe('status connecting')
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

describe('time', () => {
  it('for a token and a transport ends after ten seconds', () => {
    const client = drive()
    client.step({ type: 'connect' })
    expect(trace(client.advance(9_999))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['status waiting TIMEOUT retry'])

    const dialled = drive()
    dialled.step({ type: 'connect' })
    dialled.advance(4_000)
    dialled.token()
    expect(trace(dialled.advance(6_000))).toEqual(['hang_up 1 1000 TIMEOUT', 'status waiting TIMEOUT retry'])
  })

  it('for the answer to the hello ends after ten more', () => {
    const client = drive()
    client.step({ type: 'connect' })
    client.advance(9_000)
    client.token()
    client.open()
    expect(trace(client.advance(9_999))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['hang_up 1 1000 TIMEOUT', 'status waiting TIMEOUT retry'])
  })

  it('says nothing before it is known who we are, however impatient the heartbeat', () => {
    const client = drive({ heartbeat: { watchdogMs: 500, probeTimeoutMs: 200 } })
    client.step({ type: 'connect' })
    client.token()
    client.open()
    expect(trace(client.advance(9_000))).toEqual([])
    expect(client.core.status()).toBe('authenticating')
  })

  it('that gets long still says why', () => {
    const client = drive()
    client.connect()
    client.lose(1013, 'TRY_AGAIN_LATER retry=300000')
    expect(trace(client.advance(120_000))).toEqual(['status suspended TRY_AGAIN_LATER retry'])
  })

  it('without a connection shows after two minutes', () => {
    const client = drive()
    client.connect()
    client.lose()
    const lostAt = client.now()
    const seen: [Status, number][] = []
    for (let i = 0; i < 200; i++) {
      for (const { status } of ofType(client.advance(1_000), 'status'))
        seen.push([status, client.now() - lostAt])
      if (client.core.status() === 'connecting') {
        for (const { status } of ofType(
          client.step({ type: 'token_failed', link: client.link(), detail: '' }),
          'status',
        ))
          seen.push([status, client.now() - lostAt])
      }
    }
    const first = seen.find(([status]) => status === 'suspended')
    expect(first?.[1]).toBeGreaterThanOrEqual(120_000)
    expect(first?.[1]).toBeLessThanOrEqual(121_000)
    expect(seen.some(([status, at]) => status === 'waiting' && at > 121_000)).toBe(false)
    // It still tries.
    expect(seen.filter(([status, at]) => status === 'connecting' && at > 121_000).length).toBeGreaterThan(1)
    client.reconnect()
    expect(trace(client.lose())).toEqual(['status waiting GOING_AWAY retry'])
  })

  it('that passed before trying ended is not counted when it begins again', () => {
    const client = drive()
    client.connect()
    client.lose()
    while (client.core.status() !== 'connecting') client.advance(100)
    client.token()
    client.lose(4406, 'UNSUPPORTED_VERSION')
    client.advance(3_600_000)
    client.step({ type: 'connect' })
    client.token()
    expect(trace(client.lose())).toEqual(['status waiting GOING_AWAY retry'])
  })

  it('in which a connection held for ten seconds makes the waits short again', () => {
    const client = drive({ backoff: { minMs: 0, baseMs: 1_000, factor: 10, capMs: 1e9 } })
    client.connect()
    const waits: number[] = []
    const loseAfter = (ms: number): void => {
      client.live(ms)
      waits.push(retryMs(client.lose()))
      client.reconnect()
    }
    for (let i = 0; i < 4; i++) loseAfter(9_999)
    expect(Math.max(...waits)).toBeGreaterThan(10_000)
    loseAfter(10_000)
    expect(waits.at(-1)).toBeLessThanOrEqual(1_000)
  })
})

describe('what comes from a link of the past', () => {
  const statuses: [Status, () => ReturnType<typeof drive>][] = [
    ['connecting', () => reached('connecting')],
    ['authenticating', () => reached('authenticating')],
    ['connected', () => reached('connected')],
    ['waiting', () => reached('waiting')],
    ['suspended', () => reached('suspended')],
    ['stopped', () => reached('stopped')],
    ['idle', () => reached('idle')],
    ['closed', () => reached('closed')],
  ]

  function waitUntilSuspended(client: ReturnType<typeof drive>): void {
    while (client.core.status() !== 'suspended') {
      client.advance(1_000)
      if (client.core.status() === 'connecting')
        client.step({ type: 'token_failed', link: client.link(), detail: '' })
    }
  }

  function reachLink(client: ReturnType<typeof drive>, status: Status): void {
    while (client.core.status() !== 'connecting') client.advance(100)
    if (status === 'connecting') return
    client.token()
    if (status === 'stopped') return void client.lose(4410, 'REPLACED')
    client.open()
    if (status === 'connected') client.accept()
  }

  /** In this status, after a first link that was lost. */
  function reached(status: Status) {
    const client = drive()
    client.connect()
    client.lose()
    if (status === 'idle') client.step({ type: 'disconnect' })
    else if (status === 'closed') client.step({ type: 'close' })
    else if (status === 'suspended') waitUntilSuspended(client)
    else if (status !== 'waiting') reachLink(client, status)
    expect(client.core.status()).toBe(status)
    client.take()
    return client
  }

  it.each(statuses)('is ignored while %s', (_status, reach) => {
    const client = reach()
    const link = 1
    const before = client.core.nextDeadline()
    const late: Input[] = [
      { type: 'opened', link },
      { type: 'garbled', link },
      { type: 'lost', link, closeCode: 4410, reason: 'REPLACED' },
      { type: 'token', link, token: 'late' },
      { type: 'token_failed', link, detail: 'late' },
      {
        type: 'received',
        link,
        messages: [
          { type: 'connected', payload: connectedPayload({ userId: 'mallory' }) },
          { type: 'ping', payload: { ref: 1 } },
          { type: 'going_away', payload: { reconnectAfterMs: 1_000_000 } },
        ],
      },
    ]
    for (const input of late) expect(client.step(input)).toEqual([])
    expect(client.core.nextDeadline()).toBe(before)
  })

  it('is ignored also where it stands behind the end in the same frame', () => {
    const client = drive()
    client.step({ type: 'connect' })
    client.token()
    client.open()
    const effects = client.receive(
      { type: 'connected', payload: connectedPayload({ userId: 'bob' }) },
      { type: 'connected', payload: connectedPayload() },
      { type: 'ping', payload: { ref: 9 } },
    )
    expect(trace(effects)).toEqual(['hang_up 1 4403 IDENTITY_MISMATCH', 'status stopped IDENTITY_MISMATCH'])
  })
})

describe('before it is known who we are', () => {
  it('nothing is sent but the hello, whatever the server says', () => {
    const client = drive()
    client.connect()
    client.follow('den', 4)
    client.send('den', 'm-000001')
    client.lose()
    while (client.core.status() !== 'connecting') client.advance(100)
    client.token()
    client.open()
    client.take()
    client.hear('ping', { ref: 1 })
    client.push('den', 9)
    client.page(7, 'den', 4, 8, { epoch: 'another' })
    client.hear('checked', { ref: 3, rooms: ['den'] })
    client.step({ type: 'lifecycle', event: 'wake' })
    client.step({ type: 'typing', room: 'den', active: true })
    client.step({ type: 'unfollow', room: 'den' })
    expect(messagesOf(client.take())).toEqual([])
  })

  it('a second word about who we are changes nothing', () => {
    const client = drive()
    client.connect()
    client.take()
    expect(client.accept({ userId: 'bob', epoch: 'other' })).toEqual([])
    expect(client.open()).toEqual([])
  })
})

describe('the application', () => {
  it('may connect again at any time: once is enough', () => {
    const client = drive()
    client.step({ type: 'connect' })
    expect(client.step({ type: 'connect' })).toEqual([])
    client.token()
    expect(client.step({ type: 'connect' })).toEqual([])
    client.open()
    expect(client.step({ type: 'connect' })).toEqual([])
    client.accept()
    expect(client.step({ type: 'connect' })).toEqual([])
  })

  it('ends a wait by connecting', () => {
    const client = drive()
    client.connect()
    client.live(1_000)
    client.lose()
    expect(trace(client.step({ type: 'connect' }))).toEqual(['status connecting', 'get_token 2'])
  })

  it('cannot try more often than the shortest wait allows', () => {
    const client = drive()
    client.connect()
    client.lose()
    const sooner = client.step({ type: 'connect' })
    expect(trace(sooner)).toEqual(['status waiting GOING_AWAY retry'])
    expect(retryMs(sooner)).toBe(250)
    expect(client.step({ type: 'connect' })).toEqual([])
    expect(trace(client.advance(249))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['status connecting', 'get_token 2'])
  })

  it('may disconnect at any time: the transport is closed, and nothing is due', () => {
    const client = drive()
    expect(client.step({ type: 'disconnect' })).toEqual([])
    client.connect()
    expect(trace(client.step({ type: 'disconnect' }))).toEqual(['hang_up 1 1000 NORMAL', 'status idle'])
    expect(client.step({ type: 'disconnect' })).toEqual([])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
    expect(client.advance(3_600_000)).toEqual([])
    client.connect()
    expect(client.core.status()).toBe('connected')
  })

  it('closes once and for all', () => {
    const client = drive()
    client.connect()
    client.send('den', 'm-000001')
    client.step({ type: 'follow', room: 'den' })
    expect(trace(client.step({ type: 'close' }))).toContain('hang_up 1 1000 NORMAL')
    for (const type of ['close', 'disconnect', 'connect'] as const) expect(client.step({ type })).toEqual([])
    expect(client.core.status()).toBe('closed')
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('may close while a token is awaited: it then comes to nobody', () => {
    const client = drive()
    client.step({ type: 'connect' })
    expect(trace(client.step({ type: 'close' }))).toEqual(['status closed'])
    expect(client.token()).toEqual([])
  })
})

describe('the host', () => {
  it.each(['wake', 'online'] as const)('that says %s ends a wait', (event) => {
    const client = drive()
    client.connect()
    client.live(1_000)
    client.lose()
    expect(trace(client.step({ type: 'lifecycle', event }))).toEqual(['status connecting', 'get_token 2'])
    expect(client.step({ type: 'lifecycle', event })).toEqual([])
  })

  it('that is offline makes the waits long, until it is online', () => {
    const client = drive()
    client.connect()
    client.live(1_000)
    client.step({ type: 'lifecycle', event: 'offline' })
    expect(retryMs(client.lose())).toBeGreaterThanOrEqual(30_000)
    expect(trace(client.step({ type: 'lifecycle', event: 'online' }))).toEqual([
      'status connecting',
      'get_token 2',
    ])
    client.token()
    expect(retryMs(client.lose())).toBeLessThan(2_000)
  })

  it('that is offline is no verdict: it is still tried', () => {
    const client = drive()
    client.step({ type: 'lifecycle', event: 'offline' })
    client.step({ type: 'connect' })
    expect(client.core.status()).toBe('connecting')
    client.token()
    client.lose()
    expect(trace(client.advance(30_000))).toContain('status connecting')
  })

  it('that is offline was wrong once a server has answered: after a loss the waits are short again', () => {
    const client = drive()
    client.step({ type: 'lifecycle', event: 'offline' })
    client.connect()
    client.live(1_000)
    expect(retryMs(client.lose())).toBeLessThan(2_000)
  })

  it.each(['wake', 'online', 'offline'] as const)('that says %s has the connection probed', (event) => {
    const client = drive()
    client.connect()
    const [ping] = payloadsOf(client.step({ type: 'lifecycle', event }), 'ping')
    expect(ping).toBeDefined()
    expect(trace(client.advance(4_999))).toEqual([])
    expect(trace(client.advance(1))).toEqual(['hang_up 1 1000 TIMEOUT', 'status waiting TIMEOUT retry'])
  })

  it('that wakes has the cursors compared', () => {
    const client = drive()
    client.connect()
    client.follow('den', 4)
    expect(payloadsOf(client.step({ type: 'lifecycle', event: 'wake' }), 'check')).toMatchObject([
      { epoch: 'epoch-1', rooms: [{ room: 'den', after: { seq: 4, h: 'h4' } }] },
    ])
  })
})
