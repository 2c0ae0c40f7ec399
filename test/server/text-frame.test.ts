// The server frames its texts itself: what a client of `ws` reads of them is what was said, whatever the length and the letters.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { TextFrames } from '../../packages/server/src/text-frame.ts'

const http = createServer()
const server = new WebSocketServer({ noServer: true })
let client: WebSocket
let socket: Duplex

beforeAll(async () => {
  const upgraded = new Promise<Duplex>((resolve) => {
    http.on('upgrade', (request, raw, head) => server.handleUpgrade(request, raw, head, () => resolve(raw)))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  socket = await upgraded
})

afterAll(() => {
  client.terminate()
  http.close()
})

/** What the client reads when these bytes are written. */
async function read(frames: readonly Buffer[]): Promise<string[]> {
  const texts: string[] = []
  const all = new Promise<void>((resolve, reject) => {
    client.removeAllListeners()
    client.on('error', reject)
    client.on('message', (data: Buffer, isBinary) => {
      if (isBinary) reject(new Error('a binary message'))
      if (texts.push(data.toString('utf8')) === frames.length) resolve()
    })
  })
  for (const frame of frames) socket.write(frame)
  await all
  return texts
}

describe('a text frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 300_000])(
    'of %i bytes is read as it was said',
    async (length) => {
      const text = 'x'.repeat(length)
      expect(await read([new TextFrames().of(text)])).toEqual([text])
    },
  )

  it('counts bytes, not letters', async () => {
    const texts = ['é'.repeat(63), '€'.repeat(42), '😀'.repeat(16_384), 'a\u0000b']
    const frames = new TextFrames()
    expect(await read(texts.map((text) => frames.of(text)))).toEqual(texts)
  })

  it('is made once for a text that comes again, and anew for another', async () => {
    const frames = new TextFrames()
    const one = frames.of('one')
    expect(frames.of('one')).toBe(one)
    const other = frames.of('two')
    expect(await read([one, other, frames.of('one')])).toEqual(['one', 'two', 'one'])
  })
})
