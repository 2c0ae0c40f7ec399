// Upgrades that nobody should ask for, each with the answer: the status of HTTP, or what follows an upgrade.

import { upgradeOf } from './raw-socket.ts'

export interface UpgradeCase {
  readonly name: string
  readonly bytes: string | Buffer
  readonly expected: string
}

const row = (name: string, bytes: string | Buffer, expected: string): UpgradeCase => ({
  name,
  bytes,
  expected,
})
const asking = (headers: Readonly<Record<string, string | undefined>>, requestLine?: string) =>
  upgradeOf(headers, requestLine)
const VERSION = '101, then 4406 UNSUPPORTED_VERSION'

/** How a TLS client begins. */
const TLS_HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(200, 7)])

export const UPGRADES: readonly UpgradeCase[] = [
  row('another path', asking({}, 'GET /elsewhere HTTP/1.1'), 'HTTP 404'),
  row('a path below ours', asking({}, 'GET /ws/more HTTP/1.1'), 'HTTP 404'),
  row('our path with an escape', asking({}, 'GET /%77s HTTP/1.1'), 'HTTP 404'),
  row('our path with dots', asking({}, 'GET /x/../ws HTTP/1.1'), 'HTTP 404'),
  row('a whole address instead of a path', asking({}, 'GET http://evil.example/ws HTTP/1.1'), 'HTTP 404'),
  row('POST', asking({ 'Content-Length': '0' }, 'POST /ws HTTP/1.1'), 'HTTP 405'),
  row('a method that there is not', asking({}, 'WS /ws HTTP/1.1'), 'HTTP 400'),
  row('no key', asking({ 'Sec-WebSocket-Key': undefined }), 'HTTP 400'),
  row('a key that is too short', asking({ 'Sec-WebSocket-Key': 'AAAA' }), 'HTTP 400'),
  row('no version', asking({ 'Sec-WebSocket-Version': undefined }), 'HTTP 400'),
  row('version 7', asking({ 'Sec-WebSocket-Version': '7' }), 'HTTP 400'),
  row('an upgrade to something else', asking({ Upgrade: 'h2c' }), 'HTTP 400'),
  row('HTTP/1.0', asking({}, 'GET /ws HTTP/1.0'), 'HTTP 400'),
  row('HTTP/2.0 in the manner of 1.1', asking({}, 'GET /ws HTTP/2.0'), 'HTTP 400'),
  row('the next version of the protocol', asking({ 'Sec-WebSocket-Protocol': 'tautline.v2' }), VERSION),
  row('other protocols', asking({ 'Sec-WebSocket-Protocol': 'graphql-ws, mqtt' }), VERSION),
  row('ours in another spelling', asking({ 'Sec-WebSocket-Protocol': 'Tautline.V1' }), VERSION),
  row('no protocol', asking({ 'Sec-WebSocket-Protocol': undefined }), VERSION),
  row('protocols that are none', asking({ 'Sec-WebSocket-Protocol': ',,;' }), 'HTTP 400'),
  row('a protocol twice', asking({ 'Sec-WebSocket-Protocol': 'tautline.v1, tautline.v1' }), 'HTTP 400'),
  row('a foreign origin', asking({ Origin: 'https://evil.example' }), 'HTTP 403'),
  row('the origin null', asking({ Origin: 'null' }), 'HTTP 403'),
  row('an origin that looks like ours', asking({ Origin: 'http://localhost.evil.example' }), 'HTTP 403'),
  row('a header of 40,000 bytes', asking({ Cookie: 'x'.repeat(40_000) }), 'HTTP 431'),
  row(
    '3,000 headers',
    asking(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`X-${i}`, 'some value']))),
    'HTTP 431',
  ),
  row('an address of 40,000 bytes', asking({}, `GET /ws?${'x'.repeat(40_000)} HTTP/1.1`), 'HTTP 431'),
  row('no host', asking({ Host: undefined }), 'HTTP 400'),
  row('a header with a line break in it', asking({ 'X-Name': 'a\rb' }), 'HTTP 400'),
  row('a header with NUL', asking({ 'X-Name': 'a\0b' }), 'HTTP 400'),
  row(
    'a body that is said to be of two lengths',
    `POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'HTTP 400',
  ),
  row('bytes of no meaning', Buffer.from([0, 1, 2, 3, 0xff, 0xfe, 13, 10, 13, 10]), 'HTTP 400'),
  row('the hello of TLS', TLS_HELLO, 'HTTP 400'),
  row('the hello of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP 400'),
  row('a WebSocket frame without an upgrade', Buffer.from([0x81, 0x80, 1, 2, 3, 4]), 'HTTP 400'),
]
