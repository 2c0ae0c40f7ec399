/**
 * A server in a process of its own, to be killed. Run with the options as JSON in its first argument; it prints the
 * port when it listens. Each line on its standard input is a pragma, run on the open database; it ends with its input.
 */
import { createInterface } from 'node:readline'
import { createServer, sqlite } from '@tautline/server'

export interface ServerProcessOptions {
  readonly file: string
  /** 0 takes any free port. */
  readonly port: number
  readonly secret: string
  /** Run on the open database before the store uses it. */
  readonly pragmas?: readonly string[] | undefined
}

const { file, port, secret, pragmas = [] } = JSON.parse(process.argv[2] ?? '{}') as ServerProcessOptions

const server = await createServer({
  port,
  auth: { secret },
  store: sqlite(file, {
    configure(db) {
      for (const pragma of pragmas) db.pragma(pragma)
      createInterface({ input: process.stdin })
        .on('line', (pragma) => db.pragma(pragma))
        .on('close', () => process.exit())
    },
  }),
  logger: false,
  // High enough that the load of the tests is bound by the server, not by its limits.
  limits: { messagesPerSecond: 5_000, messageBurst: 1_000, windowPerRoom: 32, windowPerConnection: 64 },
  // A scene looks at the log often, each time with a client that joins.
  usage: { joins: false },
  // Whoever vanished is found while the test still runs.
  heartbeat: { intervalMs: 1_000, timeoutMs: 5_000 },
  // A gap would excuse what is missing in it.
  maxReplayEntries: Number.POSITIVE_INFINITY,
})
process.stdout.write(`${server.port}\n`)
