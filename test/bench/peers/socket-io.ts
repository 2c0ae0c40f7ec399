/**
 * Socket.IO 4.8, WebSocket only, with acks; and the same with one INSERT for each message, as its own chat tutorial
 * does it: a database of SQLite, its defaults but for the write-ahead log, which is kind to it.
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { jwtVerify } from 'jose'
import { Server } from 'socket.io'
import { SECRET, type ServeOptions, type Serving } from './peer.ts'

interface Events {
  enter(names: readonly string[], token: string, answer: (ok: boolean) => void): void
  say(room: string, text: string, answer: (ok: boolean) => void): void
  said(room: string, text: string): void
}

export const serve = (options: ServeOptions): Promise<Serving> => start(options, () => {})

export function serveStored(options: ServeOptions): Promise<Serving> {
  const db = new Database(join(options.folder, 'socket-io.db'))
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = normal')
  db.exec('create table if not exists messages (id integer primary key, room text, content text)')
  const insert = db.prepare<[string, string]>('insert into messages (room, content) values (?, ?)')
  return start(options, (room, text) => insert.run(room, text))
}

async function start(
  { port, checksTokens }: ServeOptions,
  keep: (room: string, text: string) => void,
): Promise<Serving> {
  const key = new TextEncoder().encode(SECRET)
  const http = createServer()
  const server = new Server<Events, Events>(http, { transports: ['websocket'], serveClient: false })
  server.on('connection', (socket) => {
    socket.on('enter', (names, token, answer) => {
      const check = checksTokens ? jwtVerify(token, key, { algorithms: ['HS256'] }) : Promise.resolve()
      check
        .then(() => socket.join([...names]))
        .then(() => answer(true))
        .catch(() => socket.disconnect(true))
    })
    socket.on('say', (room, text, answer) => {
      keep(room, text)
      answer(true)
      server.to(room).emit('said', room, text)
    })
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const address = http.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => server.close(),
  }
}
