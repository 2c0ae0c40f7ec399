import { describe, expect, it } from 'vitest'
import { commandsOf, drive, messagesOf, ofType, outcomesOf, payloadsOf } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

const DEAD = ['hang_up 1 1000 TIMEOUT', 'status waiting TIMEOUT retry']

function connected() {
  const client = drive({ checkIntervalMs: 10_000_000 })
  client.connect()
  client.take()
  return client
}

describe('a silent connection', () => {
  it('is probed after 35 s, and dead 5 s later', () => {
    const client = connected()
    expect(trace(client.advance(34_999))).toEqual([])
    expect(messagesOf(client.advance(1)).map(({ type }) => type)).toEqual(['ping'])
    expect(trace(client.advance(4_999))).toEqual([])
    expect(trace(client.advance(1))).toEqual(DEAD)
  })

  it('lives on when the probe is answered', () => {
    const client = connected()
    for (let i = 0; i < 5; i++) {
      const [ping] = payloadsOf(client.advance(35_000), 'ping')
      client.advance(4_999)
      expect(ofType(client.hear('pong', { ref: ping?.ref ?? 0 }), 'latency')).toEqual([
        { type: 'latency', latencyMs: 4_999 },
      ])
    }
    expect(client.core.status()).toBe('connected')
  })

  it('is not probed while the server speaks', () => {
    const client = connected()
    for (let i = 0; i < 20; i++) {
      client.advance(25_000)
      const answer = client.hear('ping', { ref: i + 1 })
      expect(messagesOf(answer)[0]).toEqual({ type: 'pong', payload: { ref: i + 1 } })
      client.hear('pong', { ref: payloadsOf(answer, 'ping')[0]?.ref ?? 0 })
    }
    expect(client.core.status()).toBe('connected')
  })

  it('after a sleep is first listened to, then probed', () => {
    const client = connected()
    client.sleep(3_600_000)
    expect(trace(client.tick())).toEqual([])
    expect(client.core.nextDeadline()).toBeLessThanOrEqual(client.now() + 1)
    expect(messagesOf(client.advance(1)).map(({ type }) => type)).toEqual(['ping'])
  })

  it('after a sleep lives on when something was waiting to be read', () => {
    const client = connected()
    client.sleep(3_600_000)
    client.tick()
    client.hear('ping', { ref: 1 })
    expect(client.live(30_000).filter(({ type }) => type === 'hang_up')).toEqual([])
    expect(client.core.status()).toBe('connected')
  })
})

describe('a command without an answer', () => {
  it('has the connection probed after 10 s', () => {
    const client = connected()
    client.send('den', 'm-000001')
    expect(messagesOf(client.advance(9_999))).toEqual([])
    expect(messagesOf(client.advance(1)).map(({ type }) => type)).toEqual(['ping'])
    expect(trace(client.advance(5_000))).toEqual([
      'hang_up 1 1000 TIMEOUT',
      'progress m-000001 queued',
      'status waiting TIMEOUT retry',
    ])
  })

  it('is waited for, for a minute, while the server answers probes', () => {
    const client = connected()
    client.send('den', 'm-000001')
    client.take()
    client.live(59_999)
    expect(client.core.status()).toBe('connected')
    // And it is never sent again on the same connection.
    expect(commandsOf(client.take())).toEqual([])
    client.live(1)
    expect(client.core.status()).toBe('waiting')
    expect(commandsOf(client.reconnect())).toHaveLength(1)
  })

  it('that is answered at last leaves the connection alone', () => {
    const client = connected()
    const ref = commandsOf(client.send('den', 'm-000001'))[0]?.ref ?? 0
    client.live(55_000)
    client.ack(ref, 1)
    client.live(120_000)
    expect(client.core.status()).toBe('connected')
  })

  it('through a sleep is looked for among what is waiting to be read, before the connection is ended', () => {
    const client = connected()
    const ref = commandsOf(client.send('den', 'm-000001'))[0]?.ref ?? 0
    client.sleep(3_600_000)
    expect(ofType(client.tick(), 'hang_up')).toEqual([])
    expect(outcomesOf(client.ack(ref, 1))).toEqual(['m-000001 acknowledged 1'])
    client.live(60_000)
    expect(client.core.status()).toBe('connected')
  })

  it('is looked for from the oldest on', () => {
    const client = connected()
    const first = commandsOf(client.send('den', 'm-000001'))[0]?.ref ?? 0
    client.live(8_000)
    client.send('hall', 'm-000002')
    client.live(1_000)
    client.ack(first, 1)
    client.take()
    client.advance(8_999)
    expect(messagesOf(client.take())).toEqual([])
    client.advance(1_001)
    expect(messagesOf(client.take()).map(({ type }) => type)).toEqual(['ping'])
  })
})

describe('a connection that is given up', () => {
  it('is told nothing more, not even what was meant for it in the same breath', () => {
    const client = drive({ ackTimeoutMs: 60_000, checkIntervalMs: 10_000_000 })
    client.connect()
    client.send('den', 'm-000001')
    client.advance(25_000)
    client.hear('ping', { ref: 1 })
    // The watchdog would probe in the moment in which the answer is given up.
    const end = client.advance(35_000)
    expect(trace(end)).toEqual([
      'hang_up 1 1000 TIMEOUT',
      'progress m-000001 queued',
      'status waiting TIMEOUT retry',
    ])
  })
})

describe('a request or a subscription without an answer', () => {
  it('is doubted as well', () => {
    const client = connected()
    client.step({ type: 'follow', room: 'den' })
    expect(messagesOf(client.advance(10_000)).map(({ type }) => type)).toEqual(['ping'])
    expect(trace(client.advance(5_000))).toContain('status waiting TIMEOUT retry')
  })
})

describe('a pong', () => {
  it.each([0, 999])('with a ref of nobody (%d) is no more than a frame', (ref) => {
    expect(connected().hear('pong', { ref })).toEqual([])
  })
})
