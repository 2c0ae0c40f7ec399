// The hook with a push service of the Web: what `web-push` makes of a notification goes to an endpoint on this machine
// over HTTP, which checks what the real ones check (RFC 8292) and reads it as a browser does (RFC 8291).

import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  type ECDH,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { TautlineError } from '@tautline/protocol'
import type { PushNotification } from '@tautline/server'
import { jwtVerify } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import webpush from 'web-push'
import { connect, startServer } from './wire.ts'

interface Delivery {
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Answers the first one that it is too early, as a push service under load does. */
async function pushService() {
  const deliveries: Delivery[] = []
  let onDelivery = () => {}
  const service = createHttpServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      deliveries.push({ headers: request.headers, body: Buffer.concat(chunks) })
      const isFirst = deliveries.length === 1
      response.writeHead(isFirst ? 429 : 201, isFirst ? { 'retry-after': '1' } : {}).end()
      onDelivery()
    })
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  onTestFinished(() => void service.close())
  const address = service.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    deliveries,
    delivered: (count: number) =>
      new Promise<void>((resolve) => {
        onDelivery = () => deliveries.length >= count && resolve()
        onDelivery()
      }),
  }
}

/** A browser's side of a subscription: its keys. */
function subscribe(endpoint: string) {
  const keys = createECDH('prime256v1')
  keys.generateKeys()
  const auth = randomBytes(16)
  const subscription = {
    endpoint,
    keys: { p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') },
  }
  return { subscription, read: (body: Buffer) => decrypt(body, keys, auth) }
}

/** One record of `aes128gcm`: salt, size, the sender's key, and what is encrypted. */
function decrypt(body: Buffer, keys: ECDH, auth: Buffer): string {
  const salt = body.subarray(0, 16)
  const keyLength = body.readUInt8(20)
  const senderKey = body.subarray(21, 21 + keyLength)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), senderKey])
  const secret = derive(auth, keys.computeSecret(senderKey), info, 32)
  const key = derive(salt, secret, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(salt, secret, Buffer.from('Content-Encoding: nonce\0'), 12)
  const sealed = body.subarray(21 + keyLength)
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  return padded.subarray(0, padded.lastIndexOf(2)).toString()
}

function derive(salt: Buffer, secret: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length))
}

/** The key of the application, as the header names it. */
function vapidKey(raw: Buffer) {
  const [x, y] = [raw.subarray(1, 33), raw.subarray(33)].map((part) => part.toString('base64url'))
  if (x === undefined || y === undefined) throw new Error('no key')
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
}

it('hands the mention of a user who is away to their browser, again where it is put off', async () => {
  const service = await pushService()
  const vapid = webpush.generateVAPIDKeys()
  const browser = subscribe(`${service.origin}/push/of-alice`)
  const asked: PushNotification[] = []

  async function onNotification(notification: PushNotification): Promise<void> {
    asked.push(notification)
    const { type, room, message, alert, id } = notification
    const details = webpush.generateRequestDetails(
      browser.subscription,
      JSON.stringify({ type, room, body: message?.payload.content, badge: alert.badge }),
      {
        vapidDetails: { subject: 'mailto:push@chat.example', ...vapid },
        urgency: alert.priority,
        topic: topicOf(id),
        TTL: 3_600,
      },
    )
    const { endpoint, method, headers, body } = details
    const response = await fetch(endpoint, {
      method,
      headers: headersOf(headers),
      body: new Uint8Array(body),
    })
    if (response.ok) return
    const seconds = Number(response.headers.get('retry-after')) || 0
    if (response.status === 429) throw new TautlineError('RATE_LIMIT', undefined, seconds * 1_000)
    throw new Error(`the push service answered ${response.status}`)
  }

  const server = await startServer({ presenceGraceMs: 0, hooks: { onNotification } })
  await server.rooms.create({ id: 'general', visibility: 'public', owner: 'bob' })
  const alice = await connect(server).login('alice')
  alice.say({ type: 'join_room', payload: { ref: 2, room: 'general' } })
  await alice.next('room_joined')
  alice.socket.close()
  await alice.closed
  const bob = await connect(server).login('bob')
  bob.say({
    type: 'commands',
    payload: {
      ref: 10,
      room: 'general',
      sid: 'the-lane-1',
      n: 1,
      commands: [
        {
          type: 'send_message',
          messageId: 'message-1',
          payload: { content: 'grüß dich', mentions: ['alice'] },
        },
      ],
    },
  })
  // The sender does not wait for it.
  await bob.next('ack')
  await service.delivered(2)

  expect(asked).toHaveLength(2)
  expect(asked[0]?.id).toBe(asked[1]?.id)
  for (const { headers, body } of service.deliveries) {
    expect(headers).toMatchObject({ 'content-encoding': 'aes128gcm', urgency: 'high', ttl: '3600' })
    expect(headers['topic']).toBe(topicOf(asked[0]?.id ?? ''))
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(headers.authorization ?? '') ?? []
    expect(key).toBe(vapid.publicKey)
    const { payload } = await jwtVerify(token, vapidKey(Buffer.from(key, 'base64url')), {
      audience: service.origin,
    })
    expect(payload.sub).toBe('mailto:push@chat.example')
    expect(body.toString('latin1')).not.toContain('dich')
    expect(JSON.parse(browser.read(body))).toEqual({
      type: 'mention',
      room: 'general',
      body: 'grüß dich',
      badge: 1,
    })
  }
})

/** At most 32 characters of base64url, of which each try of one notification has the same. */
function topicOf(id: string): string {
  return createHmac('sha256', 'topic').update(id).digest('base64url').slice(0, 32)
}

function headersOf(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
