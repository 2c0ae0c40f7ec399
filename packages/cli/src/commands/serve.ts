/** `tautline serve`: the reference server on SQLite. The options are those of createServer, which also checks them. */
import type { Server, ServerOptions } from '@tautline/server'
import { type Command, noArgument, UsageError } from '../command.ts'
import { SECRET_NOTE, secretOf } from '../secret.ts'
import { ALL_SETTINGS, DEFAULT_DB, DEFAULT_PORT, SERVER_SETTINGS } from '../server-settings.ts'
import { explainOption, type Given, helpOf, optionsOf, readGiven } from '../settings.ts'

const HELP = `tautline serve: start the server (stop it with Ctrl-C)

Each setting has a flag, an environment variable (the flag wins) and, where it is optional, a default.

${helpOf(SERVER_SETTINGS)}
Logs are JSON lines on the standard output. SIGINT, SIGTERM and SIGHUP finish what is being committed, tell the clients
and end it with exit code 0. It ends with 1 where the port is taken or the database cannot be used, and with 2 where a
setting is not what it may be, and says why.

${SECRET_NOTE}
`

export const serve: Command = {
  summary: 'start the server',
  help: HELP,
  async run(args, env) {
    const { given, positionals } = readGiven(ALL_SETTINGS, args, env)
    noArgument(positionals)
    if (!given.has('jwks')) secretOf(given.get('secret')?.text, env)
    const server = await start(given)
    process.stderr.write(`Serving ${server.url}. Ctrl-C stops it.\n`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
    await server.close()
    return 0
  },
}

async function start(given: Given): Promise<Server> {
  // Not before it is needed: the other commands do without the SQLite binding.
  const { createServer, OptionError, sqlite } = await import('@tautline/server')
  const store = sqlite(given.get('db')?.text ?? DEFAULT_DB)
  const options = { port: DEFAULT_PORT, ...optionsOf(ALL_SETTINGS, given), store }
  try {
    // Unchecked texts and all: the server looks at each before it does anything.
    return await createServer(options as unknown as ServerOptions)
  } catch (error) {
    const sentence = error instanceof OptionError ? explainOption(ALL_SETTINGS, given, error) : undefined
    throw sentence === undefined ? error : new UsageError(sentence)
  }
}
