/** The process of the server that is measured: it serves one peer, and says what that cost. */
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { answerCalls } from './ipc.ts'
import { measureValidation } from './load/validation.ts'
import type { ServeOptions, Serving } from './peers/peer.ts'
import { type PeerName, serve } from './peers/peers.ts'

let serving: Serving | undefined

const calls = {
  async serve(peer: PeerName, options: ServeOptions): Promise<number> {
    serving = await serve(peer, options)
    return serving.port
  },
  fill: (room: string, messages: number): Promise<void> | undefined => serving?.fill?.(room, messages),
  /** CPU microseconds so far: in all, and in the program itself, without the system below it. */
  usage() {
    const { user, system } = process.cpuUsage()
    return { cpuUs: user + system, userUs: user }
  },
  /** Resident bytes when all garbage is gone. */
  async residentBytes(): Promise<number> {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return process.memoryUsage.rss()
  },
  fsyncMs,
  measureValidation,
  close: (): Promise<void> | undefined => serving?.close(),
}

export type ServerCalls = typeof calls

answerCalls(calls)

/** The median time of one synced write of a page at the end of a file in the folder. */
function fsyncMs(folder: string, times: number): number {
  const path = join(folder, 'fsync-probe')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(4_096, 1)
  const took = Array.from({ length: times }, () => {
    const begun = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - begun
  }).sort((a, b) => a - b)
  closeSync(file)
  unlinkSync(path)
  return took[Math.floor(times / 2)] ?? 0
}
