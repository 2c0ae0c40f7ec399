// A client with devtools in virtual time, and the real server with a plain client of another user beside it.

import { type Client, type ClientOptions, createClient, type Lifecycle } from '@tautline/client'
import { type Devtools, type DevtoolsOptions, devtools } from '@tautline/client/devtools'
import { TautlineError } from '@tautline/server'
import { type LocalServer, startLocalServer } from '../../support/local-server.ts'
import { createVirtualTime, idle, type VirtualTime } from '../support/virtual-time.ts'

export interface Bench {
  readonly tools: Devtools
  readonly client: Client
  readonly server: LocalServer
  readonly time: VirtualTime
  /** What the host tells the client of the network. */
  readonly host: { tell: Parameters<Lifecycle>[0] }
  /** The statuses of the client and their reasons, in their order. */
  readonly statuses: string[]
  /** What Bob, whose connection nobody breaks, hears in the den. */
  readonly heard: string[]
  /** Says these to the den, without waiting. */
  say(...texts: string[]): void
  /** Lets the server and both clients do all that they have to do now. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** Nobody is called by anything but lower-case letters. */
const verify = (token: string) => {
  const userId = /^token-of-([a-z]+)/.exec(token)?.[1]
  if (userId === undefined) throw new TautlineError('INVALID_TOKEN')
  return { userId }
}

export async function openBench(
  options: DevtoolsOptions = {},
  clientOptions: Partial<ClientOptions> = {},
): Promise<Bench> {
  const server = await startLocalServer({ auth: { verify } })
  const time = createVirtualTime()
  const host: Bench['host'] = { tell: () => {} }
  const bob = server.client('bob', { getToken: () => 'token-of-bob' })
  await bob.connect()
  const heard: string[] = []
  const den = bob.room('den')
  await den.join()
  den.on('message', ({ sender, content }) => void (sender === 'ada' && heard.push(content)))

  const tools = devtools(options)
  const client = tools.watch(
    createClient(
      tools.instrument({
        userId: 'ada',
        getToken: () => 'token-of-ada-which-nobody-is-to-see',
        transport: server.transport,
        scheduler: time.scheduler,
        seed: 20_261_121,
        lifecycle(notice) {
          host.tell = notice
          return () => {}
        },
        ...clientOptions,
      }),
    ),
  )
  const statuses: string[] = []
  client.on('status', ({ status, reason }) => void statuses.push(reason ? `${status} ${reason}` : status))
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await idle()
  }
  await client.connect()
  await client.room('den').join()
  await settle()
  statuses.length = 0
  return {
    tools,
    client,
    server,
    time,
    host,
    statuses,
    heard,
    say(...texts) {
      for (const content of texts) client.room('den').send({ content })
    },
    settle,
    async close() {
      await client.close()
      await server.close()
    },
  }
}

/** In steps, so that the server, which has its own time, can answer between them. */
export async function pass({ time, settle }: Pick<Bench, 'time' | 'settle'>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await time.advance(Math.min(500, ms - passed))
    await settle()
  }
}
