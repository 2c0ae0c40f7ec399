// The server of a scene: in the process of the test, or in one of its own, which can be killed. It comes back on the same
// file and port, with what it had committed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server, sqlite } from '@tautline/server'
import { createKillableServer } from '../faults/support/killable-server.ts'

export interface SceneServer {
  readonly secret: string
  /** Known after the first start. */
  port(): number
  /** Resolves when it listens, at once where it does. */
  start(): Promise<void>
  /** In its own process: by SIGKILL. */
  stop(): Promise<void>
  dispose(): Promise<void>
}

export function serverInProcess(): SceneServer {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-scenes-'))
  const secret = 'the secret of the scenes in a browser, long enough'
  let server: Server | undefined
  let port = 0

  async function stop(): Promise<void> {
    await server?.close()
    server = undefined
  }

  return {
    secret,
    port: () => port,
    async start() {
      server ??= await createServer({
        port,
        auth: { secret },
        store: sqlite(join(folder, 'chat.db')),
        limits: { messagesPerSecond: 5_000, messageBurst: 1_000 },
        // Each look at the log is a client that joins: the more quickly it is done, the sooner they are too many.
        usage: { joins: false },
        // Whoever vanished is found while the test still runs.
        heartbeat: { intervalMs: 1_000, timeoutMs: 5_000 },
        // A gap would excuse what is missing in it.
        maxReplayEntries: Number.POSITIVE_INFINITY,
        logger: false,
      })
      port = server.port as number
    },
    stop,
    async dispose() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function serverThatIsKilled(): SceneServer {
  const { secret, port, start, kill, dispose } = createKillableServer()
  let isThere = false
  return {
    secret,
    port,
    async start() {
      if (!isThere) await start()
      isThere = true
    },
    async stop() {
      await kill()
      isThere = false
    },
    dispose,
  }
}
