// A real server and real clients in one process, joined by pairs in memory: what the tests of the bindings and of the client's rooms run against.

import { type Client, type ClientOptions, createClient, type Dial, type Room } from '@tautline/client'
import { type MemoryPeer, memoryTransport } from '@tautline/client/memory'
import type { Notifications } from '@tautline/client/notifications'
import { createServer, memory, type Server, type ServerOptions } from '@tautline/server'

export interface LocalServer {
  /** A client that signs in as this user. */
  client(userId: string, options?: Partial<ClientOptions>): Client
  /** What the server says is held back from now on … */
  hold(): void
  /** … until now. */
  release(): void
  /** How clients reach it, for those that the test does not make itself. */
  readonly transport: Dial
  /** Ends all connections, as a lost network does. */
  cut(): void
  /** How many there are. */
  openConnections(): number
  close(): Promise<void>
}

export async function startLocalServer(serverOptions: Partial<ServerOptions> = {}): Promise<LocalServer> {
  const server = await createServer({
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
    ...serverOptions,
  })
  const local = localClients(server)
  return {
    ...local,
    async close() {
      await local.close()
      await server.close()
    },
  }
}

/** The same with a server of one's own, which `close` leaves open. */
export function localClients(server: Pick<Server, 'accept'>): LocalServer {
  const clients: Client[] = []
  const peers = new Set<MemoryPeer>()
  let held: (() => void)[] | undefined

  const transport = memoryTransport((peer) => {
    peers.add(peer)
    const listener = server.accept({
      send(text) {
        if (held) held.push(() => peer.send(text))
        else peer.send(text)
      },
      ping() {},
      close: (code, reason) => peer.close(code, reason),
      terminate: () => peer.close(1006, ''),
      bufferedBytes: () => 0,
    })
    peer.onMessage = listener.text
    peer.onClose = () => {
      peers.delete(peer)
      listener.closed()
    }
  })

  return {
    transport,
    cut() {
      for (const peer of peers) peer.close(1006, '')
    },
    openConnections: () => peers.size,
    client(userId, options = {}) {
      const client = createClient({ userId, getToken: () => userId, transport, ...options })
      clients.push(client)
      return client
    },
    hold() {
      held ??= []
    },
    release() {
      const texts = held ?? []
      held = undefined
      for (const send of texts) send()
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
}

/** Counts the listeners that stand on it, from now on. */
export function countListeners(target: Client | Room | Notifications): () => number {
  let count = 0
  const counted =
    <A extends unknown[]>(add: (...args: A) => () => void) =>
    (...args: A) => {
      const remove = add(...args)
      let stands = true
      count++
      return () => {
        if (stands) count--
        stands = false
        remove()
      }
    }
  const { subscribe } = target
  const on = target.on as (...args: unknown[]) => () => void
  Object.assign(target, { subscribe: counted(subscribe), on: counted(on) })
  return () => count
}
