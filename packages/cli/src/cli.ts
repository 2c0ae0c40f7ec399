#!/usr/bin/env node
/**
 * The command line: `tautline serve` and `tautline token`. Only what a terminal needs is here; the options are those of
 * createServer, which also checks them. Exit codes: 0 done, 1 failed, 2 called in a way it does not know.
 */
import { parseArgs } from 'node:util'

const HELP = `tautline: the Tautline reference server

  tautline serve                 start the server (stop it with Ctrl-C)
    --port <number>              where to listen; 0 takes any free port   [TAUTLINE_PORT, 8080]
    --host <address>             the address to listen on                 [TAUTLINE_HOST, 127.0.0.1]
    --db <file>                  the SQLite file, made where missing      [TAUTLINE_DB, tautline.db]
    --secret <text>              the secret of the tokens, 32 bytes or more [TAUTLINE_SECRET]

  tautline token --user <id>     print a token for that user, good for an hour
    --secret <text>              as above                                 [TAUTLINE_SECRET]

  tautline --help                this text

A secret on the command line can be seen by other users of the machine; TAUTLINE_SECRET cannot.
`

const MIN_NODE = [22, 18] as const

class UsageError extends Error {}

// No `await` at the top level: the CommonJS build knows none.
main(process.argv.slice(2), process.env).catch(fail)

async function main(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const objection = objectionToNode()
  if (objection !== undefined) throw new Error(objection)
  await run(args, env)
}

function fail(error: unknown): void {
  const isUsage = error instanceof UsageError || isParseArgsError(error)
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (isUsage) process.stderr.write('Try: tautline --help\n')
  process.exitCode = isUsage ? 2 : 1
}

async function run(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      port: { type: 'string' },
      host: { type: 'string' },
      db: { type: 'string' },
      secret: { type: 'string' },
      user: { type: 'string' },
    },
  })
  const [command, ...rest] = positionals
  if (values.help || command === 'help') {
    process.stdout.write(HELP)
    return
  }
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is too much.`)
  if (command === 'serve') await serve(values, env)
  else if (command === 'token') await printToken(values, env)
  else throw new UsageError(command === undefined ? 'What shall I do?' : `There is no command "${command}".`)
}

interface Values {
  readonly port?: string | undefined
  readonly host?: string | undefined
  readonly db?: string | undefined
  readonly secret?: string | undefined
  readonly user?: string | undefined
}

async function serve(values: Values, env: NodeJS.ProcessEnv): Promise<void> {
  const port = values.port ?? env['TAUTLINE_PORT'] ?? '8080'
  if (!/^\d{1,5}$/.test(port)) throw new UsageError(`A port is a number from 0 to 65535, not "${port}".`)
  const secret = secretOf(values, env)
  // Not before the version of Node is known to be right: the SQLite binding would end an older one without a word.
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
}

async function printToken(values: Values, env: NodeJS.ProcessEnv): Promise<void> {
  if (values.user === undefined) throw new UsageError('Whose token? Name the user: --user alice')
  const { createToken } = await import('@tautline/server')
  const token = await createToken({ userId: values.user, secret: secretOf(values, env) })
  process.stdout.write(`${token}\n`)
}

function secretOf(values: Values, env: NodeJS.ProcessEnv): string {
  const secret = values.secret ?? env['TAUTLINE_SECRET']
  if (secret !== undefined && secret !== '') return secret
  throw new UsageError(
    'There is no secret for the tokens: set TAUTLINE_SECRET to a text of 32 bytes or more.',
  )
}

function objectionToNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [minMajor, minMinor] = MIN_NODE
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return undefined
  return `Tautline's server needs Node ${minMajor}.${minMinor} or later; this is Node ${process.versions.node}.`
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
