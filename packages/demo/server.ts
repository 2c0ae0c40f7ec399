/**
 * The demo: the reference server on an SQLite file, the chat page beside it, and tokens for whoever sits at this
 * machine. Run by `npm run demo`, which has built the page.
 */
import { existsSync, mkdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer, type Logger, type RequestHandler, type Server, sqlite } from '@tautline/server'
import { ARCHIVE, fillArchive } from './archive.ts'
import { type DemoArguments, HELP, readArguments } from './arguments.ts'
import { type PageFile, readPage, SECURITY_HEADERS } from './page.ts'
import { answerTokenRequest, keptSecret, TOKEN_PATH } from './tokens.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const folder = fileURLToPath(new URL('.', import.meta.url))

/** Only what somebody should look at; the answer to a request is no news here. */
const logger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.error(`! ${message}`, fields),
  error: (fields, message) => console.error(`! ${message}`, fields),
}

try {
  const options = readArguments(process.argv.slice(2), process.env, join(folder, 'data'))
  if (options.help) console.log(HELP)
  else await serve(options)
} catch (error) {
  console.error(`\n${sentenceOf(error)}\n`)
  process.exitCode = 1
}

async function serve({ host, port, data, messages }: DemoArguments): Promise<void> {
  const page = join(folder, 'dist')
  if (!existsSync(join(page, 'index.html')))
    throw new Error('The chat page is not built: start the demo with "npm run demo".')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const database = join(data, 'chat.db')
  const secret = keptSecret(join(data, 'token-secret'))
  const server = await createServer({
    host,
    port,
    auth: { secret },
    store: sqlite(database),
    // Somebody who closes the window is gone soon enough to be seen going; a reload does not flicker.
    presenceGraceMs: 4_000,
    logger,
    onRequest: requestHandler(readPage(page), secret),
  })
  if (messages > 0) await fillArchive(server, messages)
  console.log(welcome(server, database, messages))
  stopOnSignal(server)
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
  return code === 'EADDRINUSE' ? `${error.message}\nFor example: npm run demo -- --port 8181` : error.message
}

function requestHandler(page: ReadonlyMap<string, PageFile>, secret: string): RequestHandler {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://demo.invalid')
    if (pathname === TOKEN_PATH) {
      answerTokenRequest(request, secret).then(
        ({ status, body }) => sendJson(response, status, body),
        (error: unknown) => {
          logger.error({ error: String(error) }, 'a token could not be signed')
          sendJson(response, 500, { error: 'the token could not be signed' })
        },
      )
    } else sendFile(request, response, page.get(pathname))
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: PageFile | undefined): void {
  if (!file) return sendJson(response, 404, { error: 'there is nothing here' })
  response.writeHead(200, file.headers)
  response.end(request.method === 'HEAD' ? undefined : file.body)
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
  })
  response.end(JSON.stringify(body))
}

function welcome({ url = '' }: Server, database: string, messages: number): string {
  const { host } = new URL(url)
  const archive =
    messages > 0
      ? `\n  The room "${ARCHIVE}" holds ${messages} messages: http://${host}/?user=alice#${ARCHIVE}\n`
      : ''
  return `
  The Tautline demo is running.

  Open   http://${host}/?user=alice
  and    http://${host}/?user=bob   in a second window: another name is a second user
${archive}
  Messages are kept in ${relative(process.cwd(), database)}; they are still there after a restart.
  Whoever sits at this machine can be anybody here: it is a demo, and answers this machine alone.

  To try what it is for: stop this server with Ctrl-C while you write on, and run "npm run demo" again.
`
}

function stopOnSignal(server: Server): void {
  const stop = () => {
    console.log('\n  Stopping: what arrived is being committed ...')
    server.close().then(
      () => console.log('  Stopped. "npm run demo" goes on where you left it.\n'),
      (error: unknown) => {
        console.error(error)
        process.exitCode = 1
      },
    )
    for (const signal of SIGNALS) process.on(signal, () => process.exit(1))
  }
  for (const signal of SIGNALS) process.once(signal, stop)
}
