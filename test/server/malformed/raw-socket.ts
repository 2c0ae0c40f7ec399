// A TCP connection to a server, for what no WebSocket client would send: bytes out, and what came back said in one line.
// It speaks just enough of RFC 6455 to write a frame of any form and to read those of a server.

import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FrameForm {
  /** The first byte: FIN, three reserved bits, the opcode. Default 0x81, a whole text. */
  readonly head?: number
  readonly isMasked?: boolean
  /** What the header says instead of the payload's length; beyond 65,535 in eight bytes. */
  readonly claims?: number
}

/** One frame of a client. */
export function frameOf(payload: string | Buffer, form: FrameForm = {}): Buffer {
  const { head = 0x81, isMasked = true, claims } = form
  const bytes = Buffer.from(payload)
  const length = claims ?? bytes.length
  const header = [head]
  const maskBit = isMasked ? 0x80 : 0
  if (length < 126) header.push(maskBit | length)
  else if (length < 65_536) header.push(maskBit | 126, length >> 8, length & 0xff)
  else {
    const eight = Buffer.alloc(8)
    eight.writeBigUInt64BE(BigInt(length))
    header.push(maskBit | 127, ...eight)
  }
  if (!isMasked) return Buffer.concat([Buffer.from(header), bytes])
  const mask = randomBytes(4)
  return Buffer.concat([Buffer.from(header), mask, bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0))])
}

/** The head of an upgrade request; a header that is undefined is left out. */
export function upgradeOf(
  headers: Readonly<Record<string, string | undefined>> = {},
  requestLine = 'GET /ws HTTP/1.1',
): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'tautline.v1',
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}`,
  )
  return [requestLine, ...lines, '', ''].join('\r\n')
}

export class RawSocket {
  /** `HTTP 404`, `1002`, `101, then 4406 UNSUPPORTED_VERSION`, or `nothing`: all that came before the end. */
  readonly end: Promise<string>
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #onData = () => {}

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1' })
    onTestFinished(() => void this.#socket.destroy())
    this.#socket.on('error', () => {}) // it closes too
    this.#socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data])
      this.#answerClose()
      this.#onData()
    })
    this.end = new Promise((resolve) => {
      this.#socket.on('close', () => resolve(this.#story()))
    })
  }

  write(bytes: string | Buffer): this {
    this.#socket.write(bytes)
    return this
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#socket.resetAndDestroy()
  }

  /** The first text of a server that holds this, after the handshake. */
  async heard(word: string): Promise<string> {
    for (;;) {
      const found = this.#texts().find((text) => text.includes(word))
      if (found !== undefined) return found
      await new Promise<void>((resolve, reject) => {
        this.#onData = resolve
        this.#socket.once('close', () => reject(new Error(`closed while waiting for ${word}`)))
      })
    }
  }

  /** As every WebSocket does: else the server would wait for it. */
  #answerClose(): void {
    const close = this.#frames().find(({ opcode }) => opcode === 8)
    if (close && this.#socket.writable) this.#socket.end(frameOf(close.payload, { head: 0x88 }))
  }

  #story(): string {
    if (this.#received.length === 0) return 'nothing'
    const status = /^HTTP\/1\.1 (\d{3})/.exec(this.#received.toString('latin1'))?.[1]
    if (status !== '101') return `HTTP ${status}`
    const close = this.#frames().find(({ opcode }) => opcode === 8)
    if (!close) return '101, then the end'
    const reason = close.payload.subarray(2).toString('utf8')
    return `101, then ${close.payload.readUInt16BE(0)} ${reason}`.trim()
  }

  #texts(): string[] {
    return this.#frames().flatMap(({ opcode, payload }) => (opcode === 1 ? [payload.toString('utf8')] : []))
  }

  /** The whole frames after the handshake. */
  #frames(): { readonly opcode: number; readonly payload: Buffer }[] {
    const frames = []
    const start = this.#received.indexOf('\r\n\r\n')
    if (start < 0) return []
    for (let at = start + 4; at + 2 <= this.#received.length; ) {
      const short = (this.#received[at + 1] ?? 0) & 0x7f
      const from = at + (short < 126 ? 2 : 4)
      if (from > this.#received.length) break
      const length = short < 126 ? short : this.#received.readUInt16BE(at + 2)
      if (from + length > this.#received.length) break
      frames.push({
        opcode: (this.#received[at] ?? 0) & 0x0f,
        payload: this.#received.subarray(from, from + length),
      })
      at = from + length
    }
    return frames
  }
}
