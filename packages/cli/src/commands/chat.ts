/** `tautline chat`: a client in the terminal, or in a pipe. */
import { parseArgs } from 'node:util'
import { type Code, createClient } from '@tautline/client'
import { ROOM_ID } from '@tautline/protocol/wire'
import { webSocketUrl } from '../address.ts'
import { createPlainView } from '../chat/plain.ts'
import { runChat } from '../chat/session.ts'
import { SLASH_HELP } from '../chat/slash.ts'
import type { View } from '../chat/view.ts'
import { createWindow } from '../chat/window.ts'
import { type Command, onlyArgument, readSeconds, UsageError } from '../command.ts'
import { SECRET_NOTE } from '../secret.ts'

const HELP = `tautline chat <url> --user <id>: talk in a room, from a terminal or a script

  <url>               such as ws://127.0.0.1:8080/ws or 127.0.0.1:8080
  --user <id>         who you are; may be left out with a token, which says it
  --room <name>       the room to begin in                             [general]
  --token <token>     what signs you in                                [TAUTLINE_TOKEN]
  --secret <text>     instead of a token: the secret of the server,    [TAUTLINE_SECRET]
                      to make tokens with
  --wait <seconds>    when the input has ended: give up after that     [30]
                      time without a step forward

What you type is queued at once, with a connection or without one, and shown on its way: queued, sent, and then with
its place in the room (#12), which means that it is acknowledged. The queue lasts as long as this program.

${SLASH_HELP}

Where the input or the output is no terminal, each line of the input is a message (or a command as above), and it ends
when all of them are acknowledged. The standard output has a line for each message of the room; state and steps are on
the standard error. Exit code 0: all was acknowledged. 1: a message or a command failed, or the server could not be
reached or refused.

${SECRET_NOTE}
`

/** Requests wait for a connection as long as messages do: a timeout would let messages overtake the joining of their room. */
const REQUEST_TIMEOUT_MS = 86_400_000

export const chat: Command = {
  summary: 'talk in a room, from a terminal or a script',
  help: HELP,
  async run(args, env) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        user: { type: 'string' },
        room: { type: 'string', default: 'general' },
        token: { type: 'string' },
        secret: { type: 'string' },
        wait: { type: 'string', default: '30' },
      },
    })
    const address = onlyArgument(positionals)
    if (address === undefined) throw new UsageError('Which server? Name its address: ws://127.0.0.1:8080/ws')
    const url = webSocketUrl(address)
    if (!ROOM_ID.test(values.room)) throw new UsageError(`"${values.room}" cannot be the name of a room.`)
    const patienceMs = readSeconds('wait', values.wait)
    const { getToken, hopeless } = await tokensOf(values, env)
    const client = createClient({
      url,
      userId: values.user,
      getToken,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    })
    return runChat({ client, view: openView(env), url, room: values.room, patienceMs, hopeless })
  },
}

interface Tokens {
  getToken(): string | Promise<string>
  readonly hopeless: readonly Code[]
}

async function tokensOf(
  values: {
    readonly user?: string | undefined
    readonly token?: string | undefined
    readonly secret?: string | undefined
  },
  env: NodeJS.ProcessEnv,
): Promise<Tokens> {
  const { user: userId } = values
  if (values.token !== undefined && values.secret !== undefined)
    throw new UsageError('One of --token and --secret is enough.')
  const token = values.token ?? (values.secret === undefined ? env['TAUTLINE_TOKEN'] : undefined)
  // The one token that there is does not get better.
  if (token) return { getToken: () => token, hopeless: ['INVALID_TOKEN', 'TOKEN_EXPIRED', 'NO_TOKEN'] }
  if (userId === undefined) throw new UsageError('Who are you? Name the user: --user alice')
  const secret = values.secret ?? env['TAUTLINE_SECRET']
  if (!secret)
    throw new UsageError(
      'What signs you in? Give --token (or TAUTLINE_TOKEN), or the secret of the server in TAUTLINE_SECRET.',
    )
  const { createToken } = await import('@tautline/server')
  const getToken = () => createToken({ userId, secret })
  // Once at once, so that a secret or a name that cannot do is told before anything begins.
  await getToken()
  return { getToken, hopeless: ['INVALID_TOKEN'] }
}

function openView(env: NodeJS.ProcessEnv): View {
  const { stdin, stdout, stderr } = process
  const isTerminal = stdin.isTTY && stdout.isTTY && env['TERM'] !== 'dumb'
  return isTerminal ? createWindow(stdin, stdout) : createPlainView(stdin, stdout, stderr)
}
