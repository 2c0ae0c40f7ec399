/**
 * A WebSocket client that costs little, so that the server is what is measured: it masks with zeros, which changes
 * nothing and is as legal as any mask, writes all frames of a turn at once, and knows text, ping and close.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface DialOptions {
  readonly port: number
  readonly path: string
  readonly subprotocol: string | undefined
}

export interface Link {
  readonly socket: Socket
  /** Sends a text frame of ASCII at the end of the turn. */
  send(text: string): void
  onText: (text: string) => void
  onClosed: () => void
}

const TEXT = 0x81
const CLOSE = 0x88
const PING = 0x89
const PONG = 0x8a
const EMPTY: Buffer = Buffer.alloc(0)

/** Resolves when the server has upgraded; rejects where it does not. */
export function dial({ port, path, subprotocol }: DialOptions): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const protocol = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n${protocol}\r\n`,
    )
    socket.once('error', reject)
    let head = EMPTY
    const onHead = (chunk: Buffer) => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', onHead)
      if (!head.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
        socket.destroy()
        reject(new Error(`no upgrade: ${head.toString('latin1', 0, 40)}`))
        return
      }
      resolve(linkOf(socket, head.subarray(end + 4)))
    }
    socket.on('data', onHead)
  })
}

function linkOf(socket: Socket, first: Buffer): Link {
  let pending: Buffer[] = []
  let rest = first
  const link: Link = {
    socket,
    send: (text) => queue(TEXT, text),
    onText: () => {},
    onClosed: () => {},
  }

  function queue(opcode: number, text: string): void {
    if (pending.push(frameOf(opcode, text)) === 1) process.nextTick(flush)
  }

  function flush(): void {
    const frames = pending
    pending = []
    const only = frames.length === 1 ? frames[0] : undefined
    if (socket.writable) socket.write(only ?? Buffer.concat(frames))
  }

  function read(chunk: Buffer): void {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const head = headOf(data, at)
      if (head === undefined || head.end > data.length) break
      take(data[at] ?? 0, data.toString('latin1', head.start, head.end))
      at = head.end
    }
    rest = at === data.length ? EMPTY : data.subarray(at)
  }

  function take(opcode: number, text: string): void {
    if (opcode === TEXT) link.onText(text)
    else if (opcode === PING) queue(PONG, text)
    else if (opcode === CLOSE) socket.end()
    else throw new Error(`a frame that nobody expects: ${opcode}`)
  }

  socket.on('data', read)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => link.onClosed())
  if (first.length > 0) process.nextTick(() => read(EMPTY))
  return link
}

/** Where the payload of the frame that begins at `at` starts and ends, once that can be read. */
function headOf(data: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  if (data.length < at + 2) return undefined
  const short = data[at + 1] ?? 0
  if (short < 126) return { start: at + 2, end: at + 2 + short }
  if (short === 126) {
    if (data.length < at + 4) return undefined
    return { start: at + 4, end: at + 4 + data.readUInt16BE(at + 2) }
  }
  if (data.length < at + 10) return undefined
  return { start: at + 10, end: at + 10 + Number(data.readBigUInt64BE(at + 2)) }
}

function frameOf(opcode: number, text: string): Buffer {
  const { length } = text
  const short = length < 126
  const headBytes = short ? 2 : length < 65_536 ? 4 : 10
  // The mask stays zero.
  const frame = Buffer.alloc(headBytes + 4 + length)
  frame[0] = opcode
  frame[1] = 0x80 | (short ? length : headBytes === 4 ? 126 : 127)
  if (headBytes === 4) frame.writeUInt16BE(length, 2)
  else if (headBytes === 10) frame.writeBigUInt64BE(BigInt(length), 2)
  frame.write(text, headBytes + 4, 'latin1')
  return frame
}
