/**
 * A network with latency between clients and a server: what the server says is on its way for a while, and is lost
 * where the server dies meanwhile. Without it, an ack would nearly always arrive before its server can be killed.
 */

import type { AddressInfo } from 'node:net'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

export interface SlowLink {
  readonly port: number
  /** Where the server listens by now. */
  aim(port: number): void
  /** Resolves when something that the server says, and that holds this text, is on its way. */
  carries(text: string): Promise<void>
  close(): void
}

export async function createSlowLink(latencyMs: number): Promise<SlowLink> {
  let target = 0
  const sockets = new Set<Socket>()
  let waiting: { readonly text: string; resolve(): void }[] = []
  const server: Server = createServer((near) => {
    const far = dial(target, '127.0.0.1')
    sockets.add(near).add(far)
    near.setNoDelay(true)
    far.setNoDelay(true)
    const end = () => {
      near.destroy()
      far.destroy()
      sockets.delete(near)
      sockets.delete(far)
    }
    near.on('data', (chunk) => far.write(chunk))
    far.on('data', (chunk) => {
      waiting = waiting.filter(({ text, resolve }) => {
        if (!chunk.includes(text)) return true
        resolve()
        return false
      })
      setTimeout(() => {
        if (!near.destroyed) near.write(chunk)
      }, latencyMs)
    })
    for (const socket of [near, far]) {
      socket.on('close', end)
      // A close follows, and is what counts.
      socket.on('error', () => {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    aim(port) {
      target = port
    },
    carries: (text) =>
      new Promise((resolve) => {
        waiting.push({ text, resolve })
      }),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
