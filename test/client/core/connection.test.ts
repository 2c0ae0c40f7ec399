// Being connected: golden traces of whole conversations, then what each status does with what does not belong to it.

import { CODES, type Code, encodeCloseReason, MAX_WAIT_MS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { drive, messagesOf, ofType, payloadsOf, retryMs, SID } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

const authenticate = (ref: number, token = 'token') =>
  `> authenticate ${JSON.stringify({ ref, sid: SID, token, userId: 'ada' })}`

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

  it("that comes with a time of one's own is followed soon after it, however long the losses made the range", () => {
    const waits = Array.from({ length: 100 }, (_, seed) => {
      const client = drive({}, seed)
      client.step({ type: 'connect' })
      for (let losses = 0; losses < 3; losses++) {
        client.token()
        client.advance(retryMs(client.lose()))
      }
      client.token()
      return retryMs(client.lose(1013, 'TRY_AGAIN_LATER retry=100'))
    })
    // The fourth range is 844 to 3,375 ms: its near end still holds, and a slot is put off by no more than that.
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(843)
    expect(Math.max(...waits)).toBeLessThanOrEqual(944)
    expect(new Set(waits).size).toBeGreaterThan(1)
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
