/** `tautline health`: asks a server how it is, for people, for scripts and for whatever watches over containers. */
import { parseArgs } from 'node:util'
import { healthUrl } from '../address.ts'
import { type Command, onlyArgument, readSeconds, UsageError } from '../command.ts'
import { printable } from '../printable.ts'

const HELP = `tautline health <url>: ask a server how it is

  <url>               such as ws://127.0.0.1:8080/ws, http://127.0.0.1:8080 or 127.0.0.1:8080
  --json              print what the server said, as JSON
  --timeout <seconds> give up after that time                          [5]

Exit code 0 where the server is well, 1 where it is closing, cannot be reached or is none of ours.
`

type Fields = Readonly<Record<string, unknown>>

interface Report {
  readonly isWell: boolean
  readonly sentence: string
  /** What --json prints. */
  readonly json: Fields
}

export const health: Command = {
  summary: 'ask a server how it is',
  help: HELP,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, timeout: { type: 'string', default: '5' } },
    })
    const address = onlyArgument(positionals)
    if (address === undefined) throw new UsageError('Which server? Name its address: 127.0.0.1:8080')
    const report = await ask(healthUrl(address), readSeconds('timeout', values.timeout))
    if (values.json) process.stdout.write(`${JSON.stringify(report.json)}\n`)
    else (report.isWell ? process.stdout : process.stderr).write(`${report.sentence}\n`)
    return report.isWell ? 0 : 1
  },
}

async function ask(url: string, timeoutMs: number): Promise<Report> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    return reportOf(url, response.status, text)
  } catch (error) {
    return failed('unreachable', `${url} cannot be reached: ${whyNot(error, timeoutMs)}.`)
  }
}

function reportOf(url: string, status: number, text: string): Report {
  const json = fieldsOf(text)
  if (status !== 200 || typeof json?.['status'] !== 'string')
    return failed('unknown', `${url} answers (HTTP ${status}), but not as a Tautline server.`)
  const sentence = `${printable(json['status'])}: ${figures(json)}`
  return { isWell: json['status'] === 'ok', sentence, json }
}

function failed(status: string, error: string): Report {
  return { isWell: false, sentence: error, json: { status, error } }
}

function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined // not JSON: the caller says so
  }
}

function figures(json: Fields): string {
  const count = (name: string) => (typeof json[name] === 'number' ? json[name] : 0)
  return [
    `${plural(count('connections'), 'connection')} (${count('sessions')} signed in)`,
    plural(count('rooms'), 'room'),
    `${plural(count('queuedOps'), 'operation')} waiting`,
    `up ${duration(count('uptimeSeconds'))}`,
  ].join(', ')
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes === 0) return `${seconds} s`
  const hours = Math.floor(minutes / 60)
  if (hours === 0) return `${minutes} min`
  const days = Math.floor(hours / 24)
  return days === 0 ? `${hours} h ${minutes % 60} min` : `${days} d ${hours % 24} h`
}

const FAULTS: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it broke the connection',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'no machine of this name could be found',
  EHOSTUNREACH: 'there is no way to this machine',
  ENETUNREACH: 'there is no way to this network',
}

/** `fetch` hides the fault of the network in the cause. */
function whyNot(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const code = 'code' in cause ? String(cause.code) : ''
  return FAULTS[code] ?? (cause.message || code || error.message)
}
