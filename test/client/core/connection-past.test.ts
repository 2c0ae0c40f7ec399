// What a connection does not hear: links that are over, and whatever comes before it is known who we are.

import { describe, expect, it } from 'vitest'
import type { Input } from '../../../packages/client/src/core/core.ts'
import type { Status } from '../../../packages/client/src/core/status.ts'
import { connectedPayload, drive, messagesOf } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

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
