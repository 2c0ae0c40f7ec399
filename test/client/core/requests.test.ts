import { describe, expect, it } from 'vitest'
import type { RequestMessage } from '../../../packages/client/src/core/requests.ts'
import { drive, messagesOf, ofType, payloadsOf } from '../support/drive.ts'
import { trace } from '../support/trace.ts'

const MEMBERS: RequestMessage = { type: 'list_members', payload: { room: 'den' } }

const ask = (client: ReturnType<typeof drive>, id: number, message: RequestMessage = MEMBERS) =>
  client.step({ type: 'request', id, message, answer: message === MEMBERS ? 'member_list' : undefined })
const repliesOf = (effects: Parameters<typeof trace>[0]) =>
  trace(effects).filter((line) => line.startsWith('reply'))

describe('a request', () => {
  it('is answered under its ref', () => {
    const client = drive()
    client.connect()
    const [list] = payloadsOf(ask(client, 5), 'list_members')
    const ref = list?.ref ?? 0
    const other = { ref: ref + 1, room: 'den', members: [], hasMore: false }
    expect(repliesOf(client.hear('member_list', other))).toEqual([])
    const payload = { ref, room: 'den', members: [], hasMore: false }
    // Told first: who keeps a state hears it at its place.
    expect(client.hear('member_list', payload)).toEqual([
      { type: 'message', message: { type: 'member_list', payload } },
      { type: 'reply', id: 5, reply: { ok: true, payload } },
    ])
    expect(repliesOf(client.hear('member_list', payload))).toEqual([])
  })

  it('waits for the connection, then is asked', () => {
    const client = drive()
    client.step({ type: 'connect' })
    expect(messagesOf(ask(client, 1))).toEqual([])
    client.token()
    client.open()
    expect(payloadsOf(client.accept(), 'list_members')).toHaveLength(1)
  })

  it('is asked again on the next connection, under a new ref', () => {
    const client = drive()
    client.connect()
    const old = payloadsOf(ask(client, 1), 'list_members')[0]?.ref ?? 0
    client.lose()
    const ref = payloadsOf(client.reconnect(), 'list_members')[0]?.ref ?? 0
    expect(ref).not.toBe(old)
    expect(
      repliesOf(client.hear('member_list', { ref: old, room: 'den', members: [], hasMore: false })),
    ).toEqual([])
    expect(repliesOf(client.hear('member_list', { ref, room: 'den', members: [], hasMore: false }))).toEqual([
      'reply 1 ok',
    ])
    client.lose()
    expect(payloadsOf(client.reconnect(), 'list_members')).toEqual([])
  })

  it('fails when its time is over, connected or not', () => {
    const client = drive()
    client.connect()
    ask(client, 1)
    client.live(4_000)
    ask(client, 2)
    client.lose()
    expect(repliesOf(client.advance(5_999))).toEqual([])
    expect(repliesOf(client.advance(1))).toEqual(['reply 1 TIMEOUT'])
    expect(repliesOf(client.advance(4_000))).toEqual(['reply 2 TIMEOUT'])
    expect(payloadsOf(client.reconnect(), 'list_members')).toEqual([])
  })

  it('is not answered by what answers another kind of request: it has failed', () => {
    const client = drive()
    client.connect()
    const refOf = () => payloadsOf(ask(client, 1), 'list_members')[0]?.ref ?? 0
    expect(repliesOf(client.hear('done', { ref: refOf() }))).toEqual(['reply 1 UNAVAILABLE'])
    const joined = { room: 'den', role: 'member' } as const
    expect(repliesOf(client.hear('room_joined', { ref: refOf(), ...joined }))).toEqual([
      'reply 1 UNAVAILABLE',
    ])
    expect(repliesOf(client.page(refOf(), 'den', 0, 0))).toEqual(['reply 1 UNAVAILABLE'])
    const left = { room: 'den', reason: 'left' } as const
    expect(repliesOf(client.hear('room_left', { ref: refOf(), ...left }))).toEqual(['reply 1 UNAVAILABLE'])
    const message: RequestMessage = { type: 'get_page', payload: { room: 'den', after: { seq: 0, h: '' } } }
    const ref = payloadsOf(ask(client, 2, message), 'get_page')[0]?.ref ?? 0
    expect(repliesOf(client.hear('done', { ref }))).toEqual(['reply 2 UNAVAILABLE'])
  })

  it('fails with what the server says', () => {
    const client = drive()
    client.connect()
    const ref = payloadsOf(ask(client, 1), 'list_members')[0]?.ref ?? 0
    expect(ofType(client.refuse(ref, 'FORBIDDEN', { retryAfterMs: 5 }), 'reply')).toEqual([
      {
        type: 'reply',
        id: 1,
        reply: { ok: false, failure: { code: 'FORBIDDEN', detail: 'no', retryAfterMs: 5 } },
      },
    ])
  })

  it('fails at once where nobody will connect', () => {
    const client = drive()
    expect(repliesOf(ask(client, 1))).toEqual(['reply 1 DISCONNECTED'])
    client.connect()
    client.lose(4410, 'REPLACED')
    expect(repliesOf(ask(client, 2))).toEqual(['reply 2 DISCONNECTED'])
    client.step({ type: 'close' })
    expect(repliesOf(ask(client, 3))).toEqual(['reply 3 CLOSED'])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    ['disconnect', 'DISCONNECTED'],
    ['close', 'CLOSED'],
  ] as const)('fails by %s', (type, code) => {
    const client = drive()
    client.connect()
    ask(client, 1)
    client.step({ type: 'connect' })
    expect(repliesOf(client.step({ type }))).toEqual([`reply 1 ${code}`])
  })

  it('fails when trying ends, with the reason', () => {
    const client = drive()
    client.connect()
    ask(client, 1)
    expect(repliesOf(client.lose(4410, 'REPLACED'))).toEqual(['reply 1 REPLACED'])
  })
})

describe('an error', () => {
  it('that names no request is told as a problem', () => {
    const client = drive()
    client.connect()
    const payload = { code: 'UNKNOWN_TYPE', message: 'what?' } as const
    expect(trace(client.hear('error', payload))).toEqual(['problem UNKNOWN_TYPE'])
    // An answer to what was taken back since: nobody waits for it.
    expect(trace(client.hear('error', { ...payload, ref: 999 }))).toEqual([])
  })

  it('about a check or a ping is nobody’s business', () => {
    const client = drive()
    const effects = client.connect()
    client.follow('den', 1)
    const [check] = payloadsOf(client.step({ type: 'lifecycle', event: 'wake' }), 'check')
    expect(trace(client.refuse(check?.ref ?? 0, 'UNAVAILABLE'))).toEqual([])
    expect(effects.length).toBeGreaterThan(0)
  })
})
