import { Parser } from '@asyncapi/parser'
import { CLIENT_MESSAGES, SERVER_MESSAGES } from '@tautline/protocol'
import { asyncApi } from '@tautline/protocol/schema'
import { expect, it } from 'vitest'

const document = asyncApi('0.1.0')

// The parser compiles every schema: seconds of work, and more on a busy machine.
it('is an AsyncAPI 3.1.0 document without a fault, and its examples satisfy its schemas', {
  timeout: 60_000,
}, async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document))
  expect(diagnostics).toEqual([])
  expect(parsed?.version()).toBe('3.1.0')
  expect(parsed?.messages().length).toBe(
    Object.keys(CLIENT_MESSAGES).length + Object.keys(SERVER_MESSAGES).length,
  )
})

it('has an operation for every message of the client, and for what the server says unasked', () => {
  const operations = Object.keys(Object(document['operations']))
  const received = Object.keys(CLIENT_MESSAGES).map((type) => `client.${type}`)
  expect(operations).toEqual(expect.arrayContaining(received))
  expect(operations.filter((name) => name.startsWith('server.'))).toEqual([
    'server.ping',
    'server.ack',
    'server.error',
    'server.going_away',
    'server.entries',
    'server.room_left',
    'server.messages_read',
    'server.messages_delivered',
    'server.room_receipts',
    'server.unread_changed',
    'server.typing_started',
    'server.typing_stopped',
    'server.room_presence',
    'server.presence_changed',
    'server.user_presence',
    'server.notifications_changed',
    'server.notifications_set',
    'server.signal',
  ])
})

it('says what answers a request', () => {
  const { 'client.subscribe': subscribe } = Object(document['operations'])
  expect(subscribe.reply.messages).toEqual([
    { $ref: '#/channels/connection/messages/server.page' },
    { $ref: '#/channels/connection/messages/server.reset' },
    { $ref: '#/channels/connection/messages/server.error' },
  ])
})
