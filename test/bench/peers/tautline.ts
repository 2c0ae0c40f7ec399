/**
 * Tautline with everything on: a JWT for each connection, every frame validated, membership and rights asked for each
 * message, the rate limiter in its place but set high, SQLite with a write-ahead log that is synced at every commit.
 */
import { join } from 'node:path'
import { createServer, sqlite } from '@tautline/server'
import { CONTENT, SECRET, type ServeOptions, type Serving } from './peer.ts'

const PLENTY = 1_000_000_000
const RAISED_WINDOW = 256
/** Messages that are stored at the same time while a room is filled. */
const FILL_BATCH = 1_024

export async function serve({ port, folder, admitsAll, raisesWindow }: ServeOptions): Promise<Serving> {
  const server = await createServer({
    port,
    auth: { secret: SECRET },
    store: sqlite(join(folder, 'tautline.db')),
    limits: {
      messagesPerSecond: PLENTY,
      messageBurst: PLENTY,
      ...(raisesWindow ? { windowPerRoom: RAISED_WINDOW, windowPerConnection: RAISED_WINDOW } : {}),
    },
    usage: { joins: { count: PLENTY, perMs: 1_000 } },
    maxReplayEntries: Number.POSITIVE_INFINITY,
    maxConnections: 100_000,
    ...(admitsAll ? { upgrades: { perSecond: 1_000_000, burst: 1_000_000 } } : {}),
  })
  if (server.port === undefined) throw new Error('the server does not listen')
  return {
    port: server.port,
    async fill(room, messages) {
      await server.rooms.create({ id: room, visibility: 'public' })
      for (let sent = 0; sent < messages; sent += FILL_BATCH) {
        const count = Math.min(FILL_BATCH, messages - sent)
        await Promise.all(Array.from({ length: count }, () => server.send({ room, content: CONTENT })))
      }
    },
    close: () => server.close(),
  }
}
