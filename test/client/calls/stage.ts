// Users with devices who call each other: real clients with peer connections of this process, and the real server, which
// can be put away and started anew on what it had stored. Nothing sleeps: what must come is awaited.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@tautline/client'
import { type Call, type CallStatus, type Calls, calls } from '@tautline/client/calls'
import { memoryTransport } from '@tautline/client/memory'
import { createServer, type Server, sqlite } from '@tautline/server'
import { type CallsOptions, calls as callsAtServer } from '@tautline/server/calls'
import { expect } from 'vitest'
import { createFakeRtc, type FakeRtc } from './fake-peer-connection.ts'

const SOON = { interval: 2 }

export interface Device {
  readonly client: Client
  readonly calls: Calls
  readonly incoming: Call[]
  /** Its connection ends, and it comes back by itself. */
  cut(): void
  /** What the server says is lost on the way, until the connection ends. */
  deafen(): void
  /** Its connection ends, and there is none until `goOnline`. */
  goOffline(): void
  goOnline(): void
}

export class CallStage {
  readonly rtc: FakeRtc = createFakeRtc()
  readonly #folder = mkdtempSync(join(tmpdir(), 'tautline-calls-'))
  readonly #options: CallsOptions
  readonly #devices: Device[] = []
  server!: Server

  private constructor(options: CallsOptions) {
    this.#options = options
  }

  static async open(options: CallsOptions = {}): Promise<CallStage> {
    const stage = new CallStage(options)
    await stage.startServer()
    return stage
  }

  async startServer(): Promise<void> {
    this.server = await createServer({
      auth: { verify: (token) => ({ userId: token }) },
      store: sqlite(join(this.#folder, 'chat.db')),
      extensions: [callsAtServer({ startsPerMinute: 1_000, ...this.#options })],
      limits: { messagesPerSecond: 10_000, messageBurst: 10_000 },
      logger: false,
    })
  }

  async device(userId: string): Promise<Device> {
    let end = () => {}
    let deafen = () => {}
    let isOffline = false
    const transport = memoryTransport((peer) => {
      if (isOffline) throw new Error('there is no network')
      let isDeaf = false
      const listener = this.server.accept({
        send: (text) => void (isDeaf || peer.send(text)),
        ping() {},
        close: (code, reason) => peer.close(code, reason),
        terminate: () => peer.close(1006, ''),
        bufferedBytes: () => 0,
      })
      peer.onMessage = listener.text
      peer.onClose = listener.closed
      end = () => peer.close(1006, '')
      deafen = () => {
        isDeaf = true
      }
    })
    const backoff = { minMs: 1, baseMs: 1, capMs: 20 }
    const client = createClient({ userId, getToken: () => userId, transport, backoff })
    const calling = calls(client, { RTCPeerConnection: this.rtc.RTCPeerConnection })
    const incoming: Call[] = []
    calling.on('incoming', (call) => incoming.push(call))
    await client.connect()
    const device: Device = {
      client,
      calls: calling,
      incoming,
      cut: () => end(),
      deafen: () => deafen(),
      goOffline() {
        isOffline = true
        end()
      },
      goOnline() {
        isOffline = false
      },
    }
    this.#devices.push(device)
    return device
  }

  async close(): Promise<void> {
    for (const device of this.#devices) device.calls.close()
    for (const { client } of this.#devices) await client.close()
    await this.server.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function becomes(call: Call, status: CallStatus): Promise<void> {
  return expect.poll(() => call.status, SOON).toBe(status)
}

/** The call that rings at this device. */
export async function rings(device: Device): Promise<Call> {
  const isRinging = (call: Call) => call.status === 'ringing'
  await expect.poll(() => device.calls.getSnapshot().calls.some(isRinging), SOON).toBe(true)
  return device.calls.getSnapshot().calls.find(isRinging)!
}

export function ends(call: Call, reason: string): Promise<void> {
  return expect.poll(() => call.getSnapshot().reason, SOON).toBe(reason)
}

export async function eventually(isSo: () => unknown, value: unknown = true): Promise<void> {
  await expect.poll(isSo, SOON).toEqual(value)
}
