/** Real clients in this process against a server in another, whose history is recorded: for tests of one trouble each. */
import { type Client, createClient, type Sent } from '@tautline/client'
import { createToken } from '@tautline/server'
import { onTestFinished } from 'vitest'
import { check, type Judgement } from '../checker.ts'
import type { HistoryEvent } from '../history.ts'
import { createKillableServer, type KillableServer } from './killable-server.ts'
import { createRecorder, endOf } from './recorder.ts'

export const ROOM = 'general'

export interface Theatre {
  readonly server: KillableServer
  readonly alice: Client
  readonly bob: Client
  /** Alice says so many things; each is another. */
  say(count: number): Sent[]
  /** Lets everything come to its end, with a newcomer who reads it all. */
  judge(): Promise<Judgement>
}

/** Alice and Bob are in the room. The server was started by the caller. */
export async function openTheatre(server: KillableServer): Promise<Theatre> {
  const history: HistoryEvent[] = []
  const recorder = createRecorder((event) => history.push(event))
  const ended: Promise<void>[] = []
  let said = 0

  async function enter(userId: string): Promise<Client> {
    const client = createClient({
      url: `ws://127.0.0.1:${server.port()}/ws`,
      userId,
      getToken: () => createToken({ secret: server.secret, userId }),
      backoff: { minMs: 20, baseMs: 50, capMs: 300 },
    })
    onTestFinished(() => client.close())
    recorder.recordEvents(client, ROOM, () => 'phone')
    await client.connect()
    await client.room(ROOM).join()
    ended.push(recorder.recordLog(client, ROOM, 'log'))
    return client
  }

  const alice = await enter('alice')
  const bob = await enter('bob')
  return {
    server,
    alice,
    bob,
    say(count) {
      const words = ' word'.repeat(200)
      return Array.from({ length: count }, () =>
        recorder.send(alice, { room: ROOM, outbox: 'alice', content: `alice ${said++}${words}` }),
      )
    },
    async judge() {
      await enter('carol')
      await recorder.send(bob, { room: ROOM, outbox: 'bob', content: endOf(ROOM) })
      await Promise.all(ended)
      return check(history)
    },
  }
}

export function killableServer(on?: KillableServer): KillableServer {
  const server = createKillableServer(on)
  onTestFinished(() => server.dispose())
  return server
}
