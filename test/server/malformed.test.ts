// What nobody should send, sent to a real server by somebody who is logged in and by somebody who is not. It must
// answer as the table says, and go on serving everybody else.

import { createServer, memory, type Server } from '@tautline/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Peer, SECRET } from './wire.ts'

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const ping = (more: string) => `{"type":"ping","payload":{"ref":1${more}}}`
const commands = (more: string) =>
  `{"type":"commands","payload":{"ref":5,"room":"general","sid":"the-lane-1","n":1,${more}}}`

const PARSE = '4400 PARSE_ERROR'
const INVALID = 'INVALID_MESSAGE'

/** Name, frame, and what becomes of it: a close, or the code of an error after which the connection serves on. */
const TABLE: readonly (readonly [string, string, string])[] = [
  ['nothing', '', PARSE],
  ['white space', ' \n ', PARSE],
  ['half an object', '{"type":', PARSE],
  ['two objects', '{} {}', PARSE],
  ['JavaScript', '{type:"ping"}', PARSE],
  ['null', 'null', PARSE],
  ['a number', '1e999', PARSE],
  ['a text', '"ping"', PARSE],
  ['true', 'true', PARSE],
  ['an empty list', '[]', PARSE],
  ['a list of lists', '[[]]', PARSE],
  ['a list of null', '[null]', PARSE],
  ['an empty object', '{}', PARSE],
  ['a type that is a number', '{"type":1,"payload":{}}', PARSE],
  ['a type that is a list', '{"type":["ping"],"payload":{"ref":1}}', PARSE],
  ['17 levels', `{"type":"ping","payload":{"ref":1,"x":${deep(15)}}}`, PARSE],
  ['30,000 levels', deep(30_000), PARSE],
  ['30,000 levels of objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, PARSE],
  ['NUL in a text', ping(',"x":"\\u0000"'), PARSE],
  ['a lone surrogate', ping(',"x":"\\udc00"'), PARSE],
  ['a lone surrogate in a key', ping(',"\\ud800":1'), PARSE],
  ['__proto__', ping(',"__proto__":{"admin":true}'), PARSE],
  ['__proto__ at the top', '{"__proto__":{"type":"ping"},"type":"ping","payload":{"ref":1}}', PARSE],
  ['257 messages', `[${Array.from({ length: 257 }, () => ping('')).join()}]`, PARSE],
  ['an unknown type', '{"type":"drop_tables","payload":{"ref":3}}', 'UNKNOWN_TYPE'],
  ['a type of the server', '{"type":"ack","payload":{"acks":[]}}', 'UNKNOWN_TYPE'],
  ['a type that objects have', '{"type":"toString","payload":{"ref":3}}', 'UNKNOWN_TYPE'],
  ['hasOwnProperty', '{"type":"hasOwnProperty","payload":{"ref":3}}', 'UNKNOWN_TYPE'],
  ['an empty type', '{"type":"","payload":{}}', 'UNKNOWN_TYPE'],
  ['no payload', '{"type":"ping"}', INVALID],
  ['a payload that is a list', '{"type":"ping","payload":[]}', INVALID],
  ['a payload that is null', '{"type":"ping","payload":null}', INVALID],
  ['ref 0', '{"type":"ping","payload":{"ref":0}}', INVALID],
  ['ref -1', '{"type":"ping","payload":{"ref":-1}}', INVALID],
  ['ref 1.5', '{"type":"ping","payload":{"ref":1.5}}', INVALID],
  ['a ref beyond the safe integers', '{"type":"ping","payload":{"ref":9007199254740993}}', INVALID],
  ['a ref that is a text', '{"type":"ping","payload":{"ref":"1"}}', INVALID],
  ['a room with a space', '{"type":"join_room","payload":{"ref":3,"room":"a b"}}', INVALID],
  ['a room with a line break', '{"type":"join_room","payload":{"ref":3,"room":"a\\nb"}}', INVALID],
  [
    'a room that is too long',
    `{"type":"join_room","payload":{"ref":3,"room":"${'a'.repeat(200)}"}}`,
    INVALID,
  ],
  ['an empty room', '{"type":"join_room","payload":{"ref":3,"room":""}}', INVALID],
  ['a room that is an object', '{"type":"join_room","payload":{"ref":3,"room":{"toString":1}}}', INVALID],
  ['no rooms to follow', '{"type":"subscribe","payload":{"ref":3,"rooms":[]}}', INVALID],
  [
    'a negative cursor',
    '{"type":"subscribe","payload":{"ref":3,"rooms":[{"room":"a","after":{"seq":-1,"h":""}}]}}',
    INVALID,
  ],
  [
    'a fingerprint too long',
    `{"type":"subscribe","payload":{"ref":3,"rooms":[{"room":"a","after":{"seq":1,"h":"${'x'.repeat(13)}"}}]}}`,
    INVALID,
  ],
  [
    'a history of a million',
    '{"type":"get_history","payload":{"ref":3,"room":"a","limit":1000000}}',
    INVALID,
  ],
  ['no commands', commands('"commands":[]'), INVALID],
  ['commands that are none', commands('"commands":{"0":1}'), INVALID],
  ['a command that is null', commands('"commands":[null]'), INVALID],
  [
    'a command without an id',
    commands('"commands":[{"type":"send_message","payload":{"content":"x"}}]'),
    INVALID,
  ],
  [
    'a place before the first',
    `{"type":"commands","payload":{"ref":5,"room":"general","sid":"the-lane-1","n":0,"commands":[{"type":"skip","messageId":"message-1"}]}}`,
    INVALID,
  ],
  [
    'a lane id with a line break',
    `{"type":"commands","payload":{"ref":5,"room":"general","sid":"the\\nlane-1","n":1,"commands":[{"type":"skip","messageId":"message-1"}]}}`,
    INVALID,
  ],
  ['a second hello', '{"type":"authenticate","payload":{"ref":3,"sid":"the-lane-1","token":"x"}}', INVALID],
]

let server: Server
let witness: Peer

beforeAll(async () => {
  server = await createServer({ port: 0, auth: { secret: SECRET }, store: memory(), logger: false })
})

afterAll(async () => {
  await server.close()
})

describe('a malformed frame', () => {
  it('has a table of at least thirty', () => {
    expect(TABLE.length).toBeGreaterThanOrEqual(30)
    expect(new Set(TABLE.map(([name]) => name)).size).toBe(TABLE.length)
  })

  it.each(TABLE)('%s', async (_, text, expected) => {
    witness = await new Peer(server.url!).login('witness')
    const peer = await new Peer(server.url!).login('mallory')
    peer.text(text)
    if (/^\d/.test(expected)) expect(await peer.closed).toBe(expected)
    else {
      const { payload } = await peer.next('error')
      expect(payload.code).toBe(expected)
      await peer.flush()
    }
    await witness.flush()
  })

  it.each(TABLE)('%s, before the hello', async (_, text) => {
    const peer = new Peer(server.url!)
    await peer.opened
    peer.text(text)
    expect(await peer.closed).toMatch(/^(4400|4002) /)
  })

  it('leaves nothing behind', async () => {
    const last = await new Peer(server.url!).login('last')
    await last.flush()
    while (server.health().connections > 1) await last.flush()
    expect(server.health()).toMatchObject({
      status: 'ok',
      connections: 1,
      sessions: 1,
      rooms: 0,
      queuedOps: 0,
    })
  })
})
