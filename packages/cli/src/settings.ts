/**
 * The options of the server as flags and environment variables: one row for each, from which the help is made and by
 * which the values are read. What a value may be, the server says; a text that has not the form of its kind is handed
 * on as it is, so that there is one sentence for each fault.
 */
import { parseArgs } from 'node:util'
import { UsageError } from './command.ts'

export interface Setting {
  /** `max-connections`: the flag --max-connections, the variable TAUTLINE_MAX_CONNECTIONS. */
  readonly flag: string
  /** What the help calls its value. */
  readonly value: string
  readonly words: string
  /** The default, as one would type it. Undefined: there is none. */
  readonly fallback?: string | undefined
  /** Which option of `createServer`, with a dot for each level. Undefined: the command does something else with it. */
  readonly option?: string | undefined
  readonly read: (text: string) => unknown
}

export interface SettingGroup {
  readonly title: string
  readonly settings: readonly Setting[]
}

/** What was set, by flag, with where it came from: `--port` or `TAUTLINE_PORT`. */
export type Given = ReadonlyMap<string, { readonly text: string; readonly source: string }>

// --- kinds of values -------------------------------------------------------------------------------------------------

export const text = (given: string): unknown => given

export function number(given: string): unknown {
  return /^\d{1,16}$/.test(given) ? Number(given) : given
}

export function numberOrNever(given: string): unknown {
  return given === 'never' ? Number.POSITIVE_INFINITY : number(given)
}

export function numberOrFalse(given: string): unknown {
  return given === 'false' ? false : number(given)
}

export function trueOrFalse(given: string): unknown {
  return given === 'true' || given === 'false' ? given === 'true' : given
}

export function list(given: string): unknown {
  return given
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** `sends=30/60000,joins=off`: so many in so many milliseconds, by kind. Anything else is handed on. */
export function quotas(given: string): unknown {
  if (!given.includes('=')) return given
  const entries = given.split(',').map((each): [string, unknown] => {
    const match = /^\s*([a-z]+)=(?:(\d{1,16})\/(\d{1,16})|off)\s*$/.exec(each)
    if (!match)
      throw new UsageError(
        `--usage takes none, messenger, or a list such as sends=30/60000,joins=off (30 in 60,000 ms), not "${given}".`,
      )
    const [, kind = '', count, perMs] = match
    return [kind, count === undefined ? false : { count: Number(count), perMs: Number(perMs) }]
  })
  return Object.fromEntries(entries)
}

// --- from the command line to options --------------------------------------------------------------------------------

export function variableOf({ flag }: Setting): string {
  return `TAUTLINE_${flag.toUpperCase().replaceAll('-', '_')}`
}

/** Throws where there is a flag that no setting has. A variable that is empty is none. */
export function readGiven(
  settings: readonly Setting[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly given: Given; readonly positionals: readonly string[] } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: Object.fromEntries(settings.map(({ flag }) => [flag, { type: 'string' as const }])),
  })
  const given = new Map<string, { text: string; source: string }>()
  for (const setting of settings) {
    const { flag } = setting
    const variable = variableOf(setting)
    const byFlag = values[flag]
    const byVariable = env[variable]
    if (typeof byFlag === 'string') given.set(flag, { text: byFlag, source: `--${flag}` })
    else if (byVariable && !isServiceLink(byVariable)) given.set(flag, { text: byVariable, source: variable })
  }
  return { given, positionals }
}

/**
 * Kubernetes gives every container `TAUTLINE_PORT=tcp://10.0.0.1:8080` where a service is called tautline. Nobody meant
 * that for us.
 */
function isServiceLink(value: string): boolean {
  return /^(?:tcp|udp|sctp):\/\//.test(value)
}

/** What was set, as options of `createServer`, unchecked. What was not set is left out. */
export function optionsOf(settings: readonly Setting[], given: Given): { [name: string]: unknown } {
  const options: { [name: string]: unknown } = {}
  for (const { flag, option, read } of settings) {
    const found = given.get(flag)
    if (!found || option === undefined) continue
    const [name = '', inner] = option.split('.')
    if (inner === undefined) options[name] = read(found.text)
    else options[name] = { ...(options[name] as object | undefined), [inner]: read(found.text) }
  }
  return options
}

/** The sentence for an option that the server refused, with the name under which it was set; undefined: it was not. */
export function explainOption(
  settings: readonly Setting[],
  given: Given,
  { option, detail }: { readonly option: string; readonly detail: string },
): string | undefined {
  const setting = settings.find((each) => each.option === option || option.startsWith(`${each.option}.`))
  const source = setting && given.get(setting.flag)?.source
  if (!source) return undefined
  return setting.option === option ? `${source} ${detail}` : `${source}: ${option} ${detail}`
}

// --- the help --------------------------------------------------------------------------------------------------------

const WORDS_COLUMN = 45
const MAX_COLUMNS = 120

export function helpOf(groups: readonly SettingGroup[]): string {
  return groups.map(({ title, settings }) => `${title}\n${settings.map(rowOf).join('')}`).join('\n')
}

function rowOf(setting: Setting): string {
  const { flag, value, words, fallback } = setting
  const set = fallback === undefined ? variableOf(setting) : `${variableOf(setting)}, ${fallback}`
  const lines = wrap(`${words} [${set}]`, MAX_COLUMNS - WORDS_COLUMN)
  const indented = lines.join(`\n${' '.repeat(WORDS_COLUMN)}`)
  return `${`  --${flag} <${value}>`.padEnd(WORDS_COLUMN)}${indented}\n`
}

/** A bracket is not broken. */
function wrap(sentence: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of sentence.match(/\[[^\]]*\]|\S+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
