// What time and the host do to a connection: limits, long waits, wakes, being offline.

import { describe, expect, it } from 'vitest'
import type { Status } from '../../../packages/client/src/core/status.ts'
import { drive, ofType, payloadsOf, retryMs } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

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
