/**
 * What the demo may be told on the command line, checked: where to listen (this machine alone) and where to keep the
 * data. Throws an Error whose message is a sentence for whoever typed it.
 */
import { parseArgs } from 'node:util'

export interface DemoArguments {
  readonly help: boolean
  readonly host: string
  readonly port: number
  /** The folder of the database and the secret. */
  readonly data: string
  /** How many messages the room `archive` shall hold, from before anybody came; 0: it is not made. */
  readonly messages: number
}

export const HELP = `npm run demo -- [options]

  --port <number>    where to listen; 0 takes any free port   [PORT, 8080]
  --data <folder>    where messages and secret are kept       [packages/demo/data]
  --host <address>   a loopback address                       [127.0.0.1]
  --messages <n>     fill the room "archive" up to n messages,
                     to see what a long history feels like    [0]
  --help             this text
`

const DEFAULT_PORT = '8080'
const DEFAULT_HOST = '127.0.0.1'
const MAX_MESSAGES = 1_000_000

export function readArguments(
  args: readonly string[],
  env: { readonly PORT?: string | undefined },
  defaultData: string,
): DemoArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      host: { type: 'string', default: DEFAULT_HOST },
      port: { type: 'string', default: env.PORT || DEFAULT_PORT },
      data: { type: 'string', default: defaultData },
      messages: { type: 'string', default: '0' },
    },
  })
  const { help, host, port, data, messages } = values
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new Error(`A port is a number from 0 to 65535, not "${port}".`)
  if (!isLoopback(host)) {
    throw new Error(
      `The demo signs in whoever asks, so it listens on this machine alone: use 127.0.0.1 or ::1, not "${host}". A server for others is made with @tautline/server and tokens of your own.`,
    )
  }
  if (!/^\d{1,7}$/.test(messages) || Number(messages) > MAX_MESSAGES)
    throw new Error(`Messages are a number from 0 to ${MAX_MESSAGES}, not "${messages}".`)
  return { help, host, port: Number(port), data, messages: Number(messages) }
}

/** Whether only this machine can reach, or be, this address or name. */
export function isLoopback(host: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|::1|\[::1\]|::ffff:127(?:\.\d{1,3}){3}|localhost)$/i.test(host)
}
