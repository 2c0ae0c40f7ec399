/** Who is measured, by name. The server of a peer is loaded in the process of the server alone. */
import type { Dialect, ServeOptions, Serving } from './peer.ts'
import { dialect as socketIo } from './socket-io-dialect.ts'
import { dialect as tautline } from './tautline-dialect.ts'
import { dialect as ws } from './ws-dialect.ts'

export const PEERS = {
  ws: { title: 'bare ws' },
  'socket.io': { title: 'Socket.IO' },
  'socket.io+insert': { title: 'Socket.IO, INSERT each' },
  tautline: { title: 'Tautline' },
} as const

export type PeerName = keyof typeof PEERS

const SERVERS: { readonly [P in PeerName]: (options: ServeOptions) => Promise<Serving> } = {
  ws: async (options) => (await import('./ws.ts')).serve(options),
  'socket.io': async (options) => (await import('./socket-io.ts')).serve(options),
  'socket.io+insert': async (options) => (await import('./socket-io.ts')).serveStored(options),
  tautline: async (options) => (await import('./tautline.ts')).serve(options),
}

const DIALECTS: { readonly [P in PeerName]: Dialect } = {
  ws,
  'socket.io': socketIo,
  'socket.io+insert': socketIo,
  tautline,
}

export function serve(peer: PeerName, options: ServeOptions): Promise<Serving> {
  return SERVERS[peer](options)
}

export function dialectOf(peer: PeerName): Dialect {
  return DIALECTS[peer]
}
