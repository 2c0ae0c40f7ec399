/** `tautline serve`: the reference server on SQLite. The options are those of createServer, which also checks them. */
import { parseArgs } from 'node:util'
import { type Command, noArgument, UsageError } from '../command.ts'
import { SECRET_NOTE, secretOf } from '../secret.ts'

const HELP = `tautline serve: start the server (stop it with Ctrl-C)

  --port <number>     where to listen; 0 takes any free port           [TAUTLINE_PORT, 8080]
  --host <address>    the address to listen on                         [TAUTLINE_HOST, 127.0.0.1]
  --db <file>         the SQLite file, made where missing; one server  [TAUTLINE_DB, tautline.db]
                      alone may use it at a time
  --secret <text>     the secret of the tokens, 32 bytes or more       [TAUTLINE_SECRET]

Logs are JSON lines on the standard output. SIGINT, SIGTERM and SIGHUP finish what is being committed, tell the clients
and end it with exit code 0. It ends with 1 where the port is taken or the database cannot be used, and says why.

${SECRET_NOTE}
`

export const serve: Command = {
  summary: 'start the server',
  help: HELP,
  async run(args, env) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        db: { type: 'string' },
        secret: { type: 'string' },
      },
    })
    noArgument(positionals)
    const port = values.port ?? env['TAUTLINE_PORT'] ?? '8080'
    if (!/^\d{1,5}$/.test(port)) throw new UsageError(`A port is a number from 0 to 65535, not "${port}".`)
    const secret = secretOf(values.secret, env)
    // Not before it is needed: the other commands do without the SQLite binding.
    const { createServer, sqlite } = await import('@tautline/server')
    const server = await createServer({
      port: Number(port),
      host: values.host ?? env['TAUTLINE_HOST'],
      auth: { secret },
      store: sqlite(values.db ?? env['TAUTLINE_DB'] ?? 'tautline.db'),
    })
    process.stderr.write(`Serving ${server.url}. Ctrl-C stops it.\n`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
    await server.close()
    return 0
  },
}
