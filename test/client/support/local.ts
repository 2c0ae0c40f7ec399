// A client of the public API, joined with a scripted server by a pair in memory, in virtual time.

import { type Client, type ClientOptions, createClient, type StatusChange } from '@tautline/client'
import { memoryTransport } from '@tautline/client/memory'
import { ScriptedServer } from './scripted-server.ts'
import { createVirtualTime, type VirtualTime } from './virtual-time.ts'

export interface Local {
  readonly client: Client
  readonly server: ScriptedServer
  readonly time: VirtualTime
}

export function transportTo(server: ScriptedServer) {
  return memoryTransport((peer) => {
    const { receive, closed } = server.accept(peer)
    peer.onMessage = receive
    peer.onClose = closed
  })
}

export function local(options: Partial<ClientOptions> = {}): Local {
  const server = new ScriptedServer()
  const time = createVirtualTime()
  const client = createClient({
    userId: 'ada',
    getToken: () => 'token-of-ada',
    transport: transportTo(server),
    lifecycle: () => () => {},
    scheduler: time.scheduler,
    seed: 20_260_714,
    ...options,
  })
  return { client, server, time }
}

/** Connected, and following `den`. */
export async function localInDen(options: Partial<ClientOptions> = {}) {
  const all = local(options)
  await all.client.connect()
  const room = all.client.room('den')
  await room.follow()
  return { ...all, room }
}

/** Each change of its status from now on, as it was told. */
export function statusesOf(client: Client): readonly StatusChange[] {
  const changes: StatusChange[] = []
  client.on('status', (change) => changes.push(change))
  return changes
}
